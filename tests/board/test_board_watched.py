"""What a board says of what it missed: gaps while they last, losses, late events, times in which nobody watched."""

from typing import Any

import pytest
import trio

import cgrx
from cgrx import Dropped, Gap
from cgrx._board.coverage import Coverage
from cgrx._board.messages import Snapshot, Watched
from cgrx._recording.entry import Recorded
from cgrx.testing import Close, Drop, NoPong, Refuse, Simulator, liquidation, trade
from tests.board.boards import BTC, ETH, begun, board, played, proofs
from tests.feed.feeding import feed_on, ms_after
from tests.replay.replaying import L, Log, at, events
from tests.support import run_mock

TRADES = [("Binance", "BTCUSDT", 0)]


def watched(snapshot: Snapshot, second: float, asset_trades: bool = False) -> Watched:
    """How well the window of this second was watched."""
    window = next(each for each in snapshot.windows if each.start <= at(second) < each.end)
    found = window.trades_watched if asset_trades else window.liquidations_watched
    assert found is not None
    return found


def long(second: float, of: float | None = None) -> Recorded:
    """A liquidation at this second, of another one."""
    return events(second, liquidation("long", time=at(second if of is None else of) / 1000, volume_usd=100.0))


@pytest.mark.parametrize("fault", [Drop(), Close(), NoPong()], ids=repr)
def test_a_disconnection_is_a_gap_within_two_seconds(fault: Any) -> None:
    """Of the window that is running, while nothing comes that could tell of it; and of those that follow."""

    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            feed_on(simulator) as feed,
            board(feed, trades=TRADES) as views,
        ):
            await simulator.wait_subscribed("liquidationOrders")
            for second in range(1, 22):
                await trio.sleep_until(second)
                await simulator.send(liquidation("long", time=ms_after(second - 0.1) / 1000))
                await simulator.send(trade("buy", time=ms_after(second - 0.1) / 1000), BTC)
            assert watched(views.snapshot(None), 21).quality == "running"
            simulator.script([Refuse(connections=20), fault])
            lost = trio.Event()

            def on_status(status: cgrx.Status) -> None:
                if isinstance(status, cgrx.Disconnected):
                    lost.set()

            feed.status.subscribe(on_status)
            await lost.wait()
            views.changes([None])
            await trio.sleep(1.5)
            now = trio.current_time()
            update = views.changes(["BTC"])["BTC"]
            assert update.connection.state == "reconnecting"
            assert "trying again" in update.connection.text or "connecting" in update.connection.text
            running = update.windows[-1]
            for found in (running.liquidations_watched, running.trades_watched):
                assert found is not None
                assert found.quality == "gap"
                assert (found.gap_ms or 0) >= 1000
                assert found.text.startswith("no reception for ")
            await trio.sleep(10)
            assert watched(views.snapshot(None), now + 9).quality == "gap"

    run_mock(main)


def test_behind_a_disconnection_rows_and_marks_say_the_same() -> None:
    """The windows before and behind are complete, those between have a gap, also without any event."""
    entries = [*begun(L), long(1), *proofs(at(2), L), long(12), long(18), *proofs(at(19), L)]
    entries += [Recorded(None, cgrx.Disconnected(at(22), cgrx.DisconnectedError(1006, ""), 1.0))]
    entries += [Recorded(None, cgrx.Connected(at(45))), Recorded(L, Gap(L, at(19), at(45), "disconnected"))]
    entries += [entry for second in range(46, 80) for entry in proofs(at(second), L)]
    shown = played(Log(entries))
    found = {(each.start - at(0)) // 10_000: each.liquidations_watched for each in shown.windows}
    assert [found[n].quality for n in range(8)] == ["gap", "gap", "gap", "gap", "gap", "complete", "complete", "gap"]
    assert (found[3].gap_ms, found[3].text) == (10_000, "no reception for 10.0 s")
    assert found[1].gap_ms == 3_000, "three seconds of it: the gap, and the lateness"
    assert shown.totals[2].incomplete_windows == 6
    assert shown.connection.gap_ms == 26_000


def test_a_recorded_disconnection_is_shown_as_it_was() -> None:
    """While the replay is in it: the state, the words, and the gap that grows."""
    entries = [*begun(L, at_ms=at(-5)), *proofs(at(1), L), long(2), *proofs(at(3), L)]
    entries += [Recorded(None, cgrx.Disconnected(at(4), cgrx.DisconnectedError(1006, ""), 1.0))]
    entries += [Recorded(None, cgrx.Disconnected(at(6), cgrx.DisconnectedError(1006, ""), 1.0))]
    entries += [Recorded(None, cgrx.Connecting(at(7), 2)), Recorded(None, cgrx.NoticeReceived(at(8), "x" * 1000))]
    entries += [Recorded(None, cgrx.Connected(at(25))), Recorded(L, Gap(L, at(3), at(25), "disconnected"))]

    async def main() -> None:
        async with board(Log(entries), speed=1) as views:
            await trio.sleep(14)
            shown = views.snapshot(None)
            assert shown.connection.state == "reconnecting"
            assert (len(shown.connection.text), shown.connection.text[:20]) == (300, "the server says: xxx")
            assert [each.liquidations_watched.gap_ms for each in shown.windows] == [7000, 8000]
            await trio.sleep(5)
            assert [each.liquidations_watched.gap_ms for each in views.snapshot(None).windows][-1] == 4000

    run_mock(main)


def test_many_gaps_are_kept_apart_as_long_as_they_matter() -> None:
    """Old ones are forgotten; the windows that are open know of theirs."""
    coverage = Coverage(10_000)
    for second in range(0, 5000, 10):
        coverage.on_signal(Gap(L, at(second), at(second) + 1, "disconnected"))
        coverage.on_signal(cgrx.Alive("feed", at(second + 5)))
    assert {coverage.watched(at(second), at(5000), None).quality for second in range(10, 5000, 10)} == {"gap"}
    coverage.forget_before(at(4000))
    coverage.on_signal(cgrx.Watermark(at(5000)))
    assert coverage.watched(at(4000), at(5000), None).gap_ms == 4_001
    assert len(coverage.changed) <= 101


def test_losses_and_late_events_make_a_window_incomplete() -> None:
    """A loss concerns the windows that may have held it; a late event the one that it belongs to."""
    entries = [*begun(L, at_ms=at(-5)), *proofs(at(0), L)]
    for second in range(60):
        entries += [long(second + 0.5), *proofs(at(second + 0.6), L)]
        if second == 25:
            entries += [Recorded(L, Dropped(L, 3, "malformed")), Recorded(L, Dropped(L, 2, "buffer full"))]
        if second == 45:
            entries += [long(45.7, of=14.5)]
    shown = played(Log(entries))
    assert watched(shown, 5) == Watched("complete", 0, 0, 0, "")
    assert watched(shown, 15) == Watched("incomplete", 0, 0, 1, "1 too late")
    assert watched(shown, 25) == Watched("incomplete", 0, 5, 0, "5 lost")
    assert watched(shown, 35).quality == "complete"
    assert (shown.connection.late, shown.connection.dropped) == (1, 2)


def test_while_it_runs_a_loss_is_told_before_there_is_a_row() -> None:
    async def main() -> None:
        entries = [*begun(L, at_ms=at(-65)), *proofs(at(-57), L)]
        entries += [Recorded(L, Dropped(L, 1, "malformed")), *proofs(at(100), L)]
        async with board(Log(entries), speed=1) as views:
            await trio.sleep(9)
            assert views.snapshot(None).windows[-1].liquidations_watched.quality == "incomplete"

    run_mock(main)


def test_a_channel_without_events_is_complete_where_it_is_proven() -> None:
    """Behind the lateness; what is before the subscription nobody watched."""
    entries = [*begun(L, ETH, at_ms=at(15))]
    entries += [entry for second in range(16, 60) for entry in proofs(at(second), L, ETH)]
    entries += [Recorded(L, cgrx.Batch(L, at(55.5), (liquidation("long", time=at(3) / 1000),)))]
    shown = played(Log(entries))
    found = [(each.start - at(0)) // 10_000 for each in shown.windows]
    qualities = [each.liquidations_watched.quality for each in shown.windows]
    assert dict(zip(found, qualities, strict=True)) == {
        0: "unknown",
        1: "gap",
        2: "complete",
        3: "complete",
        4: "complete",
        5: "gap",
    }
    assert shown.windows[0].liquidations_watched.text == "nobody watched"
    assert shown.windows[0].trades_watched == Watched("unknown", None, 0, 0, "nobody watched")


def test_a_recording_without_liquidations_says_so() -> None:
    """And a window of trades from something that tells of no gaps is unknown."""
    entries = [events(second, trade("buy", time=at(second) / 1000), channel=BTC) for second in range(30)]
    shown = played(Log(entries))
    assert {each.liquidations_watched.text for each in shown.windows} == {"the recording holds no liquidations"}
    assert {each.liquidations_watched.quality for each in shown.windows} == {"unknown"}
    assert shown.windows[0].trades_watched == Watched(
        "unknown", None, 0, 0, "whether anything is missing cannot be said"
    )
    assert shown.totals[1].incomplete_windows == len(shown.windows)


def test_a_plan_without_a_channel_is_told_of_its_windows() -> None:
    """The other channels go on."""

    async def main() -> None:
        async with (
            Simulator(listen=False, need_upgrade=[BTC.name]) as simulator,
            feed_on(simulator) as feed,
            board(feed, trades=TRADES) as views,
        ):
            await simulator.wait_subscribed("liquidationOrders")
            await trio.sleep(25)
            shown = views.snapshot("BTC")
            found = shown.windows[-1].trades_watched
            assert found is not None
            assert (found.quality, found.text) == ("unknown", "the stream has ended: PlanError")
            assert shown.windows[-1].liquidations_watched.quality == "running"

    run_mock(main)


def test_a_plan_without_liquidations_leaves_the_trades() -> None:
    async def main() -> None:
        async with (
            Simulator(listen=False, need_upgrade=["liquidationOrders"]) as simulator,
            feed_on(simulator) as feed,
            board(feed, trades=[("Somewhere", "what?", 0)]) as views,
        ):
            await trio.sleep(25)
            (window,) = [each for each in views.snapshot("what?").windows if each.start == ms_after(20)]
            assert window.liquidations_watched.text == "the stream has ended: PlanError"
            assert window.trades_watched is not None
            assert window.trades_watched.quality == "running"

    run_mock(main)
