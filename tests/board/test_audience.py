"""What is asked of the views, and how often: once for all browsers, and nothing where nobody looks."""

from collections.abc import Collection, Mapping

import pytest
import trio
import trio.testing

from cgrx._board import audience
from cgrx._board.messages import Snapshot, Update
from cgrx._board.options import board_options
from cgrx._board.views import Views
from cgrx._board.watching import watching
from cgrx._simulator.simulator import Simulator
from tests.board.serving import RATE, shown, until
from tests.feed.feeding import feed_on
from tests.simulator.simulating import liquidation
from tests.support import run_fast, run_mock


def test_where_nobody_looks_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """And who comes then is not told again what the snapshot holds."""
    asked: list[Collection[str | None]] = []
    changes = Views.changes

    def counted(views: Views, assets: Collection[str | None]) -> Mapping[str | None, Update]:
        asked.append(assets)
        return changes(views, assets)

    monkeypatch.setattr(Views, "changes", counted)

    async def main() -> None:
        async with shown() as there:
            await there.simulator.wait_subscribed("liquidationOrders")
            await there.simulator.send(liquidation(1))
            await until(lambda: there.feed.stats.events)
            await trio.sleep(5)
            assert asked == []
            async with there.browser() as browser:
                assert [each["id"] for each in (await browser.hear("snapshot"))["tape"]] == [1]
                assert (await browser.hear("update"))["tape"] == []

    run_fast(RATE, main)


def test_a_snapshot_is_made_once_for_all_who_ask_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each asset and tick."""
    made: list[str | None] = []
    snapshot = Views.snapshot

    def counted(views: Views, asset: str | None) -> Snapshot:
        made.append(asset)
        return snapshot(views, asset)

    monkeypatch.setattr(Views, "snapshot", counted)
    monkeypatch.setattr(audience, "TICK_S", 100)

    async def main() -> None:
        async with shown() as there, there.browser() as browser, there.browser({"asset": "ETH"}) as other:
            for each in (browser, other):
                await each.hear("snapshot")
            for asset in ("ETH", None, "ETH"):
                await browser.say(kind="pick", asset=asset)
                assert (await browser.hear("snapshot"))["asset"] == asset
            assert made == [None, "ETH"]

    run_fast(RATE, main)


def test_a_snapshot_is_not_followed_by_what_is_older(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that picks while the others are told is told in the next tick."""
    offer = audience.Seat.offer

    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            feed_on(simulator) as feed,
            watching(feed, board_options()) as views,
            trio.open_nursery() as nursery,
        ):
            gathered = audience.Audience(views)
            seats = [gathered.sit(None, lambda _: False), gathered.sit(None, lambda _: False)]
            picked: list[audience.Seat] = []

            def and_pick(seat: audience.Seat, frame: bytes) -> bool:
                if not picked and b'"kind":"update"' in frame:
                    picked.extend(other for other in seats if other is not seat)
                    gathered.pick(picked[0], None)
                return offer(seat, frame)

            monkeypatch.setattr(audience.Seat, "offer", and_pick)
            nursery.start_soon(gathered.serve)
            await until(lambda: picked)
            assert all(b'"kind":"snapshot"' in picked[0].queue.receive_nowait() for _ in range(2))
            with pytest.raises(trio.WouldBlock):
                picked[0].queue.receive_nowait()
            await until(lambda: picked[0].queue.statistics().current_buffer_used)
            assert b'"kind":"update"' in picked[0].queue.receive_nowait()
            nursery.cancel_scope.cancel()

    run_fast(RATE, main)


def test_what_a_socket_takes_waits_nowhere() -> None:
    """Of what it leaves the rest is sent before what comes behind it."""

    async def main() -> None:
        sent: list[bytes] = []
        taken: list[bytes] = []

        def send_now(frame: bytes) -> bool:
            sent.append(frame)
            return frame != b"torn"

        async def take() -> None:
            taken.extend([frame async for frame in seat.queue])

        async with trio.open_nursery() as nursery:
            seat = audience.Seat(None, send_now)
            nursery.start_soon(take)
            await trio.testing.wait_all_tasks_blocked()
            assert all(seat.offer(frame) for frame in (b"whole", b"torn", b"behind it"))
            seat.end()
        assert (sent, taken) == ([b"whole", b"torn"], [b"", b"behind it"])

    run_mock(main)
