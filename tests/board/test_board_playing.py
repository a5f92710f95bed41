"""Recordings that a board plays: pause, speed, jumps; and replays and feeds that others opened."""

import gc
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

import cgrx
from cgrx._board.memory import Memory
from cgrx._board.messages import Play, Replayed, Snapshot
from cgrx._board.views import Views
from cgrx._recording.entry import Recorded
from cgrx.testing import Simulator, liquidation
from tests.board.boards import BTC, board, recorded
from tests.choosing import one_in
from tests.feed.feeding import feed_on, ms_after
from tests.replay.replaying import L, Log, at, events, log_of
from tests.support import run, run_mock

LOG = recorded(2000)
"""A hundred seconds, or so."""


def where(views: Views) -> Replayed:
    """Where a replay stands."""
    assert views.replayed is not None
    return views.replayed


def test_it_plays_pauses_and_changes_its_speed() -> None:
    async def main() -> None:
        async with board(LOG, speed=2) as views:
            assert where(views) == Replayed(LOG.start_ms, LOG.end_ms, LOG.start_ms, 2, paused=False, over=False)
            await trio.sleep(5)
            assert where(views).now == at(10)
            await views.play(Play(paused=True))
            await trio.sleep(5)
            stood = views.snapshot("BTC")
            assert (where(views).now, where(views).paused) == (at(10), True)
            await trio.sleep(5)
            assert views.snapshot("BTC") == stood
            await views.play(Play(speed=20))
            await views.play(Play(paused=False))
            await trio.sleep(2)
            assert (where(views).now, where(views).speed) == (at(50), 20)
            await trio.sleep(20)
            assert (where(views).now, where(views).over) == (LOG.end_ms, True)
            assert views.generation == 0
            with pytest.raises(ValueError, match="at a speed above 0, not at 0"):
                await views.play(Play(speed=0))

    run_mock(main)


def numbers(snapshot: Snapshot) -> Snapshot:
    """What a snapshot says of the market; identities count on from one replay to the next."""
    whole: dict[str, Any] = {
        "tape": [msgspec.structs.replace(each, id=0) for each in snapshot.tape],
        "bubbles": [msgspec.structs.replace(each, id=0) for each in snapshot.bubbles],
        "alerts": [msgspec.structs.replace(each, id=0) for each in snapshot.alerts],
        "cascades": [msgspec.structs.replace(each, id=0) for each in snapshot.cascades],
        "connection": msgspec.structs.replace(snapshot.connection, rate=0),
    }
    return msgspec.structs.replace(snapshot, **whole)


@pytest.mark.parametrize("second", one_in(2, [0, 33.3, 90, 1000, -5]))
def test_a_jump_shows_what_playing_up_to_there_shows(second: float) -> None:
    """Forwards, backwards, to the end and beyond it; paused, so that it stands there."""
    target = min(max(at(second), LOG.start_ms), LOG.end_ms)

    async def main() -> None:
        async with board(LOG, speed=1, large_trade=0) as views:
            await trio.sleep(max(0, (target - LOG.start_ms) / 1000 - 1e-6) if target < LOG.end_ms else 1000)
            played = numbers(views.snapshot("BTC"))
        async with board(LOG, speed=1, large_trade=0) as views:
            await trio.sleep(50)
            tape = views.snapshot("BTC").tape[-1].id
            await views.play(Play(time=at(second), paused=target < LOG.end_ms))
            await trio.sleep(1)
            assert views.generation == 1
            jumped = views.snapshot("BTC")
            assert (where(views).now, where(views).start, where(views).end) == (target, LOG.start_ms, LOG.end_ms)
            assert all(each.id > tape for each in jumped.tape), "numbers are not given twice"
            ignored: dict[str, Any] = {"replay": None, "at": 0}
            assert msgspec.structs.replace(numbers(jumped), **ignored) == msgspec.structs.replace(played, **ignored)

    run_mock(main)


def test_a_jump_opens_the_recording_no_earlier_than_windows_are_kept() -> None:
    """And what happened before is a gap of the first window, and not in the totals."""

    async def main() -> None:
        async with board(LOG, speed=1, keep="30s") as views:
            await views.play(Play(time=at(75), paused=True))
            shown = views.snapshot(None)
            assert [(each.start - at(0)) // 1000 for each in shown.windows] == [50, 60, 70]
            assert shown.totals[2].since == at(40)
            await views.play(Play(paused=False, speed=5))
            await trio.sleep(2)
            assert where(views).now == at(85)

    run_mock(main)


def test_while_it_jumps_the_latest_jump_counts_and_nothing_moves() -> None:
    """All calls return when the last has arrived, or when they are superseded; the pages see one change."""

    async def main() -> None:
        async with board(LOG, speed=1) as views:
            await trio.sleep(20)
            before = views.snapshot(None)
            order: list[float] = []

            async def jump(second: float) -> None:
                await views.play(Play(time=at(second)))
                order.append(second)

            async with trio.open_nursery() as nursery:
                for second in (80, 10, 60):
                    nursery.start_soon(jump, second)
                    await trio.lowlevel.checkpoint()
                turns = 0
                while views.generation == 0:
                    turns += 1
                    assert turns < 1_000  # the clock stands, so that no limit of time would end this
                    shown = views.snapshot(None)
                    assert (shown.windows, shown.at, shown.connection) == (before.windows, before.at, before.connection)
                    assert not where(views).over
                    await views.play(Play(speed=3))
                    await trio.lowlevel.checkpoint()
            assert (views.generation, sorted(order), order[-1]) == (1, [10, 60, 80], 60)
            assert where(views).now == at(60)
            await trio.sleep(2)
            assert where(views).now == at(66)

    run_mock(main)


def test_jumps_leave_nothing_behind() -> None:
    """One memory, however many jumps there were, and no subscriber of a replay that is over."""

    async def main() -> None:
        async with board(LOG, speed=1) as views:
            for second in range(0, 90, 30):
                await views.play(Play(time=at(second)))
            gc.collect()
            assert sum(isinstance(each, Memory) for each in gc.get_objects()) == 1

    gc.collect()
    run_mock(main)


def test_the_errors_of_recordings(tmp_path: Path) -> None:
    """One that cannot be opened is refused at once; one that vanishes ends what is played, and the board stays."""
    folder = tmp_path / "recording"

    async def write() -> None:
        async with cgrx.replay(LOG) as feed, cgrx.record(feed, folder, channels=feed.channels):
            await feed.run()

    async def main() -> None:
        with pytest.raises(cgrx.RecordingError, match="no recording"):
            async with board(tmp_path / "none"):
                pass
        with pytest.raises(ValueError, match="is not recorded"):
            async with board(LOG, trades=[("Binance", "SOLUSDT", 0)]):
                pass
        with pytest.raises(ValueError, match="history= is of a live feed"):
            async with board(LOG, history=tmp_path):
                pass
        async with board(folder, speed=math.inf) as views:
            await trio.sleep(1)
            shown = views.snapshot(None)
            assert shown.totals[2].liquidations > 100
            shutil.rmtree(folder)
            await views.play(Play(time=at(10)))
            assert views.snapshot(None).windows == shown.windows
            assert where(views).over

    run(write)
    run_mock(main)


class Damaged(Log):
    """A recording that is damaged at its end."""

    def entries(self, **chosen: Any) -> Iterator[Recorded]:
        yield from super().entries(**chosen)
        raise cgrx.RecordingError("/home/somebody/recording", None, "damaged")


def test_damage_ends_what_is_played_and_is_told_without_the_place() -> None:
    """The pages keep what there is, and can go to another time."""

    async def main() -> None:
        async with board(Damaged(LOG.said), speed=math.inf) as views:
            await trio.sleep(1)
            shown = views.snapshot(None)
            assert (shown.connection.state, shown.connection.text) == ("failed", "the feed has ended: RecordingError")
            assert (where(views).over, shown.totals[2].liquidations > 100) == (True, True)
            await views.play(Play(time=at(20), speed=1, paused=True))
            assert (where(views).now, where(views).over) == (at(20), False)
            assert views.snapshot(None).connection.state == "connected"

    run_mock(main)


def test_files_of_the_machine_are_on_no_page() -> None:
    """A recorder or a sink that fails says where; the page does not."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed, board(feed) as views:
            error = cgrx.RecordingError("/home/somebody/recording", None, "the disk is full")
            feed.report(cgrx.RecordingFailed(feed.now_ms, error))
            feed.report(cgrx.SubscriberFailed(feed.now_ms, error))
            assert b"somebody" not in msgspec.json.encode(views.snapshot(None))

    run_mock(main)


def test_a_body_that_raises_raises_its_own() -> None:
    async def main() -> None:
        async with board(LOG):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run_mock(main)


def test_a_replay_that_somebody_else_runs() -> None:
    """It can be paused and its speed changed; only who opens a recording can jump in it."""

    async def main() -> None:
        async with cgrx.replay(LOG, speed=1) as feed, board(feed) as views, trio.open_nursery() as nursery:
            nursery.start_soon(feed.run)
            await trio.sleep(10)
            await views.play(Play(paused=True, speed=4))
            assert (feed.paused, feed.speed) == (True, 4)
            assert where(views) == Replayed(LOG.start_ms, LOG.end_ms, at(10), 4, paused=True, over=False)
            await views.play(Play(paused=False))
            await views.play(Play())
            with pytest.raises(ValueError, match="was given a replay that is open"):
                await views.play(Play(time=at(3)))
            await trio.sleep(5)
            shown = views.snapshot("BTC")
            assert (shown.mode, where(views).now) == ("replay", at(30))
            assert shown.windows[-1].trades_watched is not None
            feed.speed = math.inf
            assert where(views).speed is None

    run_mock(main)


def test_a_live_feed_has_nothing_to_play() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed, board(feed, demo=True) as views:
            assert (views.snapshot(None).mode, views.snapshot(None).replay) == ("demo", None)
            with pytest.raises(ValueError, match="shows a live feed, which cannot be paused"):
                await views.play(Play(paused=True))

    run_mock(main)


def test_a_live_feed_begins_with_the_end_of_its_recording() -> None:
    """The window in which the recording ends holds both; between them there is a gap; the session is the feed's."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:

            async def send(*seconds: float) -> None:
                for second in seconds:
                    await trio.sleep_until(second)
                    await simulator.send(liquidation("long", time=ms_after(second) / 1000, volume_usd=1.0))

            log = log_of(feed, L)
            await simulator.wait_subscribed("liquidationOrders")
            await send(*range(1, 45))
            await trio.sleep(0.5)
            async with board(feed, history=Log(log.said), trades=[("Binance", "BTCUSDT", 0)]) as views:
                await simulator.wait_subscribed(BTC)
                await send(*range(45, 75))
                await trio.sleep(0.5)
                shown = views.snapshot("BTC")
                assert [each.liquidations for each in shown.windows] == [9, 10, 10, 10, 10, 10, 10, 5]
                assert [each.long for each in shown.windows] == [9, 10, 10, 10, 10, 10, 10, 5]
                assert [total.liquidations for total in shown.totals] == [55, 74, 30]
                assert shown.totals[2].since == ms_after(40)
                qualities = [each.liquidations_watched.quality for each in shown.windows]
                assert qualities[1:4] == ["complete"] * 3
                assert (qualities[4], qualities[5], qualities[7]) == ("gap", "complete", "running")
                assert 0 < (shown.windows[4].liquidations_watched.gap_ms or 0) < 6000, (
                    "what neither of the two has seen"
                )
                trades = [each.trades_watched and each.trades_watched.quality for each in shown.windows]
                assert trades[:4] == ["unknown"] * 4
                assert shown.connection.state == "connected"
                assert len(shown.tape) == 74

    run_mock(main)


def test_a_board_is_told_of_liquidations_alone() -> None:
    """A recording that has only them, or of which only they are wanted; batches may be empty."""

    async def main() -> None:
        log = Log([events(1, liquidation("long", time=at(1) / 1000)), events(2), events(2, channel=BTC)])
        async with board(log, speed=math.inf, trades=[]) as views:
            await trio.sleep(1)
            shown = views.snapshot("BTC")
            assert shown.windows[0].trades_watched is None
        async with board(log, speed=math.inf) as views:
            await trio.sleep(1)
            shown = views.snapshot("BTC")
            assert shown.windows[0].trades_watched is not None
            assert shown.connection.lag_ms is None
            assert L in log.channels

    run_mock(main)
