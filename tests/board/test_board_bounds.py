"""The memory of a board is bounded, whatever a server makes up."""

import gc
import math
import tracemalloc
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import trio

import cgrx
from cgrx import Liquidation, LiquidationSide
from cgrx._board import bounds, ledger, memory
from cgrx._board.ledger import Ledger
from cgrx._board.names import Bounded
from cgrx._recording.entry import Recorded
from cgrx.testing import batch, liquidation, play
from tests.board.boards import begun, board, proofs
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, Log, at
from tests.support import run_mock


def flood(count: int) -> Iterator[Liquidation]:
    """Liquidations of assets and exchanges that are made up."""
    for number in range(count):
        asset, exchange = f"A{number % 5000}" + "x" * (number % 7 * 20), f"E{number % 70}"
        yield Liquidation(asset, exchange, "S" * 200, LiquidationSide.LONG, 1.0, 1.0 + number, START_MS + number * 10)


def test_made_up_names_become_others() -> None:
    """Names beyond the bounds are summed up under one, long ones are cut; no event is lost, no volume changes."""
    events = list(flood(10_000))
    passed: list[Liquidation] = play(Bounded(), [batch(*events)])
    assert len({event.base_asset for event in passed}) == bounds.ASSETS + 1
    assert len({event.exchange for event in passed}) == bounds.EXCHANGES + 1
    assert max(len(event.base_asset) for event in passed) == bounds.TEXT
    assert {event.symbol for event in passed} == {"S" * (bounds.TEXT - 1) + bounds.CUT}
    assert [event.volume_usd for event in passed] == [event.volume_usd for event in events]
    assert [event.time_ms for event in passed] == [event.time_ms for event in events]
    assert passed[-1].base_asset == bounds.OTHERS


def test_known_names_pass_as_they_are() -> None:
    """The same objects, in the same batch."""
    first = liquidation("long")
    running = Bounded().start()
    (_,) = running.on_signal(batch(first))
    again = batch(first, first)
    assert list(running.on_signal(again)) == [again]
    assert next(iter(running.on_signal(again))) is again


def test_a_flood_fills_no_memory_and_no_message() -> None:
    """Everything that is sent stays below its bound."""
    log = Log(
        [
            *begun(L),
            *(Recorded(L, cgrx.Batch(L, event.time_ms, (event,))) for event in flood(6_000)),
            *proofs(START_MS + 70_000, L),
        ]
    )

    async def main() -> None:
        async with board(log, speed=math.inf) as views:
            await trio.sleep(10)
            shown = views.snapshot(None)
            update = views.changes([None])[None]
            assert len(shown.assets) <= bounds.PICKABLE + 2
            assert len(shown.leaders) == bounds.LEADERS
            assert len(shown.exchanges) == bounds.EXCHANGES + 1
            assert len(shown.tape) == bounds.SHOWN_PRINTS
            assert len(update.tape) == bounds.NEW_PRINTS
            assert update.skipped == 6_000 - bounds.NEW_PRINTS
            assert shown.totals[2].liquidations == 6_000
            assert len(msgspec.json.encode(shown)) < 300_000

    run_mock(main)


def test_beyond_the_bound_of_sums_the_oldest_windows_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept, and totals say since when."""
    monkeypatch.setattr(memory, "CELLS", 500)
    log = Log([*begun(L), *(Recorded(L, cgrx.Batch(L, event.time_ms, (event,))) for event in flood(1500))])

    async def main() -> None:
        async with board(log, speed=math.inf, window="1s", keep="10m") as views:
            await trio.sleep(10)
            shown = views.snapshot(None)
            assert len(shown.windows) == 5
            assert shown.totals[1].since == shown.windows[0].start
            assert shown.totals[1].liquidations == sum(window.liquidations for window in shown.windows) == 500
            assert shown.totals[2].liquidations == 1500
            assert sum(share.events for share in shown.exchanges) == 500

    run_mock(main)


@pytest.mark.parametrize("keep", ["5m", "2h"])
def test_windows_are_kept_for_as_long_as_was_asked(keep: str) -> None:
    """Totals and shares look back an hour, or as far as windows are kept."""
    seconds = range(0, 8_000, 20)
    entries = [*begun(L)]
    for second in seconds:
        event = liquidation("long", time=at(second) / 1000, volume_usd=1.0)
        entries += [Recorded(L, cgrx.Batch(L, at(second), (event,))), *proofs(at(second), L)]

    async def main() -> None:
        async with board(Log(entries), speed=math.inf, keep=keep, window="20s") as views:
            await trio.sleep(10)
            shown = views.snapshot("BTC")
            hour = 15 if keep == "5m" else 180
            assert len(shown.windows) == (15 if keep == "5m" else 360)
            assert [total.liquidations for total in shown.totals] == [3, hour, 400]
            assert shown.exchanges[0].events == shown.leaders[0].events == hour

    run_mock(main)


def test_what_is_taken_away_leaves_nothing_behind() -> None:
    """However large numbers were beside small ones; a row of a window that is gone changes nothing."""
    book = Ledger()
    book.put(0, "BTC", "OKX", 1e30, 0.0, 1)
    book.put(10, "BTC", "OKX", 0.1, 0.2, 2)
    book.put(10, "BTC", "Bybit", 0.3, math.inf, 1)
    book.put(10, "BTC", "Bybit", 0.3, 0.0, 1)
    book.move(5, 5)
    book.put(0, "BTC", "OKX", 7.0, 7.0, 7)
    assert [ledger.dollars(each) for each in book.hour("BTC")[:2]] == [pytest.approx(0.4, rel=1e-15), 0.2]
    assert [name for name, _ in book.parts(None)] == ["OKX", "Bybit"]
    book.move(20, 20)
    assert (book.cells, book.hour(None), book.parts("BTC"), book.assets()) == (0, (0, 0, 0), [], [])


def test_what_is_kept_longer_than_an_hour_counts_in_the_hour_no_more() -> None:
    """A late row of an hour ago changes its window alone."""
    book = Ledger()
    for start in (0, 10, 20):
        book.put(start, "BTC", "OKX", 1.0, 0.0, 1)
    book.move(0, 10)
    book.put(0, "BTC", "OKX", 5.0, 0.0, 5)
    assert (book.window(0, "BTC")[2], book.hour("BTC")[2], book.session(None)[2]) == (5, 2, 7)
    book.move(10, 20)
    assert (book.window(0, "BTC")[2], book.hour("BTC")[2], book.parts("BTC")[0][1][2], book.cells) == (0, 1, 1, 2)


def test_a_long_run_keeps_its_memory() -> None:
    """Three times as long takes no more room than twice."""
    sizes: list[int] = []

    def entries(seconds: int) -> Iterator[Any]:
        yield from begun(L)
        for second in range(seconds):
            event = liquidation("long", time=at(second) / 1000, base_asset=f"A{second % 7}")
            yield Recorded(L, cgrx.Batch(L, at(second), (event,)))
            yield from proofs(at(second), L)

    async def main(log: Log) -> None:
        async with board(log, speed=math.inf, keep="30s", window="1s") as views:
            await trio.sleep(10)
            views.changes([None])
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])

    for seconds in (60, 90, 120):
        log = Log(entries(seconds))
        tracemalloc.start()
        run_mock(main, log)
        tracemalloc.stop()
    assert sizes[2] < sizes[1] * 1.1
