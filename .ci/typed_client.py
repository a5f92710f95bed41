# pyright: strict
"""What an editor must know of an installed cgrx: a script outside the tree, for both type checkers; nobody runs it."""

from collections.abc import AsyncIterator
from typing import assert_type

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import liquidation


class Flow(ops.Row):
    """A row of one's own."""

    exchange: str
    n = agg.count()
    largest = agg.largest(3)


async def liquidations() -> AsyncIterator[str]:
    """An event keeps its type through stages and the iterator."""
    async with cgrx.connect(api_key="any-key-will-do") as feed:
        large = feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000))
        async with cgrx.stream(large) as events:
            async for event in events:
                assert_type(event, cgrx.Liquidation)
                assert_type(event.volume_usd, float)
                assert_type(event.side, cgrx.LiquidationSide)
                yield event.symbol


def rows(feed: cgrx.Feed) -> None:
    """Windows give rows, ready ones and those declared here, with the types of all their fields."""
    trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000)
    bars = trades.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))
    assert_type(bars, cgrx.EventStream[ops.Bar])
    flows = trades.pipe(ops.tumbling("1m", Flow, by="exchange"))
    assert_type(flows, cgrx.EventStream[Flow])


def shown(bar: ops.Bar, flow: Flow) -> str:
    """Fields of rows."""
    assert_type(bar.open, float | None)
    assert_type(bar.symbol, str)
    assert_type(flow.n, int)
    return f"{bar.symbol} {bar.close} {flow.exchange}"


assert_type(liquidation("long", 300_000.0), cgrx.Liquidation)
