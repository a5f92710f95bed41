"""The trades of several instruments of a feed, in one order."""

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import START_MS, feed_on, record, subscribe_text, unsubscribe_text
from tests.support import run_mock

BINANCE = cgrx.FuturesTrades("Binance", "BTCUSDT", 10_000)
OKX = cgrx.FuturesTrades("OKX", "BTC-USDT-SWAP", 10_000)
PAIRS = [("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP")]


def trade_on(channel: cgrx.FuturesTrades, after_ms: int) -> cgrx.Trade:
    return cgrx.Trade(
        "BTC", channel.exchange, channel.symbol, cgrx.TradeSide.BUY, 60_000.0, 20_000.0, START_MS + after_ms
    )


def test_they_come_in_the_order_of_their_times() -> None:
    """One message subscribes to all; one that comes too late passes and is counted."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            trades = feed.futures_trades_across(PAIRS, min_volume=10_000, max_delay="1s")
            heard = record(trades)
            await wait_all_tasks_blocked()
            assert simulator.said() == (subscribe_text(BINANCE.name, OKX.name),)
            for channel, after_ms in [(BINANCE, 300), (OKX, 100), (OKX, 200), (OKX, 400)]:
                await simulator.send(trade_on(channel, after_ms))
                await wait_all_tasks_blocked()
            assert [event.time_ms - START_MS for event in heard.events] == [100, 200, 300]
            await trio.sleep(30)
            assert [event.time_ms - START_MS for event in heard.events] == [100, 200, 300, 400]
            await simulator.send(trade_on(BINANCE, 350))
            await wait_all_tasks_blocked()
            assert heard.events[-1] == trade_on(BINANCE, 350)
            assert (trades.stats.events, trades.stats.late) == (5, 1)

    run_mock(main)


def test_disposal_unsubscribes_from_all() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            subscription = feed.futures_trades_across(PAIRS, min_volume=10_000).subscribe(print)
            await wait_all_tasks_blocked()
            subscription.dispose()
            await wait_all_tasks_blocked()
            assert simulator.said()[1:] == (unsubscribe_text(BINANCE.name, OKX.name),)

    run_mock(main)


def test_closing_the_feed_releases_what_is_held() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            heard = record(feed.futures_trades_across(iter(PAIRS), min_volume=10_000))
            await wait_all_tasks_blocked()
            await simulator.send(trade_on(BINANCE, 300))
            await wait_all_tasks_blocked()
            assert heard.events == []
            await feed.aclose()
            assert heard.events == [trade_on(BINANCE, 300)]
            assert heard.end == "completed"

    run_mock(main)


@pytest.mark.parametrize(
    ("instruments", "options", "error", "why"),
    [
        ([], {}, ValueError, "instruments is empty"),
        (["BTCUSDT"], {}, TypeError, "'BTCUSDT' is no pair of exchange and symbol"),
        ([("Binance",)], {}, TypeError, r"\('Binance',\) is no pair"),
        ([("Binance", 5)], {}, TypeError, r"\('Binance', 5\) is no pair"),
        ([PAIRS[0], PAIRS[1], PAIRS[0]], {}, ValueError, r"\('Binance', 'BTCUSDT'\) is there twice"),
        ([("Binance", "")], {}, ValueError, "symbol='' cannot stand in a channel name"),
        (PAIRS, {"min_volume": -1}, ValueError, "min_volume=-1.0 takes a finite number"),
        (PAIRS, {"max_delay": "soon"}, ValueError, "max_delay='soon' is not a duration"),
    ],
)
def test_arguments_that_do_not_fit(instruments: Any, options: dict[str, Any], error: type[Exception], why: str) -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            with pytest.raises(error, match=why):
                feed.futures_trades_across(instruments, **({"min_volume": 0} | options))

    run_mock(main)


def test_it_is_an_ordered_stream_of_trades() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            trades = feed.futures_trades_across([["Binance", "BTCUSDT"]], min_volume=0)  # type: ignore[list-item]  # as JSON has it
            assert isinstance(trades, cgrx.OrderedStream)
            assert trades.event_types == frozenset({cgrx.Trade})
            with pytest.raises(ValueError, match="takes events of type Liquidation"):
                trades.through(ops.side("long"))

    run_mock(main)
