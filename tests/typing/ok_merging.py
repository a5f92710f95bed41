"""What must type-check: merging and running values keep the types of their events. Never run, only checked."""

from typing import assert_type

from reactivex import Observable

import cgrx
from cgrx import EventStream, Feed, Liquidation, LiquidationSide, Trade
from cgrx import operators as ops


def merging(feed: Feed, trades: Observable[Trade], liquidations: EventStream[Liquidation]) -> None:
    across = feed.futures_trades_across([("Binance", "BTCUSDT")], min_volume=0)
    assert_type(across, cgrx.OrderedStream[Trade])
    assert_type(across.stats.late, int)
    assert_type(cgrx.merge_exchanges(liquidations, across), cgrx.OrderedStream[Liquidation | Trade])
    assert_type(cgrx.merge_exchanges(trades, across, max_delay=0.5), cgrx.OrderedStream[Trade])
    assert_type(across.pipe(ops.dedupe("1s")), EventStream[Trade])
    assert_type(across.pipe(ops.dedupe("1s", key="symbol")), EventStream[Trade])


def merging_in_a_pipe(
    trades: EventStream[Trade], liquidations: EventStream[Liquidation], numbers: Observable[int]
) -> None:
    assert_type(liquidations.pipe(ops.merge(trades)), EventStream[Liquidation | Trade])
    assert_type(liquidations.pipe(ops.merge(trades, numbers)), EventStream[Liquidation | Trade | int])
    assert_type(trades.pipe(ops.merge(trades, trades, trades)), EventStream[Trade])
    assert_type(liquidations.pipe(ops.merge(trades), ops.min_volume(1)), EventStream[Liquidation | Trade])
    assert_type(ops.merge(trades)(numbers), EventStream[int | Trade])
    assert_type(trades.pipe(ops.merge_exchanges(max_delay="1s")), cgrx.OrderedStream[Trade])
    assert_type(trades.pipe(ops.merge_exchanges(trades, max_delay=0.5)), cgrx.OrderedStream[Trade])
    assert_type(liquidations.pipe(ops.merge_exchanges(trades)), cgrx.OrderedStream[Liquidation | Trade])
    assert_type(trades.pipe(ops.side("buy"), ops.merge_exchanges(trades), ops.share()), EventStream[Trade])
    assert_type(trades.pipe(ops.merge_exchanges(trades, trades)).stats, cgrx.OrderStats)


def by_price(event: Trade) -> float:
    return event.price


def add(value: float, event: Trade) -> float:
    return value + event.signed_volume_usd


def running(trades: EventStream[Trade], liquidations: EventStream[Liquidation]) -> None:
    assert_type(ops.dedupe("1s", key=by_price), ops.Stage[Trade, Trade])
    assert_type(trades.pipe(ops.scan(add, 0.0)), EventStream[float])
    assert_type(trades.pipe(ops.scan(add, 0.0, "exchange")), EventStream[tuple[str, float]])
    assert_type(trades.pipe(ops.scan(add, 0.0, ("exchange", "symbol"))), EventStream[tuple[tuple[str, ...], float]])
    assert_type(
        trades.pipe(ops.scan(lambda usd, trade: usd + trade.signed_volume_usd, 0.0, of=Trade)), EventStream[float]
    )
    assert_type(
        trades.pipe(ops.scan(lambda usd, trade: usd + trade.price, 0.0, by="symbol", of=Trade)),
        EventStream[tuple[str, float]],
    )
    assert_type(ops.scan(lambda n, _: n + 1, 0, of=Liquidation), ops.Stage[Liquidation, int])
    assert_type(liquidations.pipe(ops.cascades(min_volume=1e6)), EventStream[ops.Cascade])
    liquidations.pipe(ops.cascades()).subscribe(sizes.append)


sizes: list[ops.Cascade] = []
assert_type(sizes[0].base_asset, str)
assert_type(sizes[0].exchange, str)
assert_type(sizes[0].symbol, str)
assert_type(sizes[0].side, LiquidationSide)
assert_type(sizes[0].volume, float)
assert_type(sizes[0].count, int)
assert_type(sizes[0].first_price, float | None)
assert_type(sizes[0].last_price, float | None)
assert_type(sizes[0].start_ms, int)
assert_type(sizes[0].dominant_side, LiquidationSide | None)
assert_type(sizes[0].exchanges, tuple[str, ...])


def joining(trades: EventStream[Trade], liquidations: EventStream[Liquidation], numbers: Observable[int]) -> None:
    """A join keeps the types of both streams."""
    flow = trades.pipe(ops.tumbling("1m", by="base_asset", updates="1s"))
    joined = liquidations.pipe(ops.cascades(), ops.latest_of(flow, by="base_asset", max_age="1m"))
    assert_type(joined, EventStream[ops.Joined[ops.Cascade, ops.Flow]])
    assert_type(joined.map(lambda each: each.latest), EventStream[ops.Flow | None])
    assert_type(joined.map(lambda each: each.item.volume), EventStream[float])
    assert_type(joined.map(lambda each: each.age_ms), EventStream[int | None])
    assert_type(liquidations.pipe(ops.latest_of(trades, by=(), max_age=5)), EventStream[ops.Joined[Liquidation, Trade]])
    assert_type(ops.latest_of(numbers, by=(), max_age=5)(trades), EventStream[ops.Joined[Trade, int]])
    assert_type(joined.pipe(ops.cooldown("10m")), EventStream[ops.Cooled[ops.Joined[ops.Cascade, ops.Flow]]])
