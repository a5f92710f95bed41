"""What must type-check: pipelines, users' own stages, and playing them. Read by mypy and pyright, never run."""

from collections.abc import Iterable
from typing import assert_type

import attrs
from reactivex import operators as rx_ops

from cgrx import Batch, EventStream, Liquidation, Signal, Trade
from cgrx import operators as ops
from cgrx.testing import Timeline, alive, batch, gap, liquidation, marbles, play, play_signals, play_timeline, trade


@attrs.frozen
class Prices(ops.Stage[Trade, float]):
    """Trades to prices."""

    def start(self) -> ops.Running[Trade, float]:
        return RunningPrices()


class RunningPrices(ops.Running[Trade, float]):
    """Its running form."""

    def on_batch(self, batch: Batch[Trade]) -> Iterable[float]:
        return (trade.price for trade in batch.events)


def pipelines(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    big_longs = ops.pipeline(ops.side("long"), ops.min_volume(250_000))
    assert_type(big_longs, ops.Stage[Liquidation, Liquidation])
    assert_type(liquidations.pipe(big_longs), EventStream[Liquidation])

    other_way_round = ops.pipeline(ops.min_volume(250_000), ops.side("long"))
    assert_type(liquidations.pipe(other_way_round), EventStream[Liquidation])

    of_any_event = ops.pipeline(ops.min_volume(1), ops.exchange("OKX"), ops.symbol("X"))
    assert_type(liquidations.pipe(of_any_event), EventStream[Liquidation])
    assert_type(trades.pipe(of_any_event), EventStream[Trade])

    prices = ops.pipeline(ops.side("buy"), of_any_event, Prices())
    assert_type(prices, ops.Stage[Trade, float])
    assert_type(trades.pipe(prices, ops.where(lambda price: price > 1, of=float)), EventStream[float])
    assert_type(trades.pipe(rx_ops.skip(1), prices), EventStream[float])

    keep = ops.side("buy")
    assert_type(ops.pipeline(keep, keep, keep, keep, keep, keep, Prices()), ops.Stage[Trade, float])


def windows_take_events_and_rows() -> None:
    """What stands in front decides: filters of any event hand events on, a window rows."""
    flows = ops.tumbling("1m", ops.Flow)
    hours = ops.tumbling("1h", ops.Flow)
    assert_type(ops.pipeline(ops.min_volume(1), flows), ops.Stage[Liquidation | Trade, ops.Flow])
    assert_type(ops.pipeline(ops.min_volume(1), ops.dedupe("1s"), flows), ops.Stage[Liquidation | Trade, ops.Flow])
    assert_type(ops.pipeline(ops.min_volume(1), flows, hours), ops.Stage[Liquidation | Trade, ops.Flow])
    assert_type(ops.pipeline(ops.side("buy"), ops.min_volume(1), flows), ops.Stage[Trade, ops.Flow])
    assert_type(ops.pipeline(ops.min_volume(1), ops.cascades("5s")), ops.Stage[Liquidation, ops.Cascade])


def a_wider_stage_will_do(trades: EventStream[Trade], rename: ops.Stage[Liquidation | Trade, str]) -> None:
    assert_type(trades.pipe(rename), EventStream[str])
    narrower: ops.Stage[Trade, str] = rename
    assert_type(trades.through(narrower), EventStream[str])


def playing() -> None:
    assert_type(play(ops.side("long"), [batch(liquidation()), alive("15s"), gap("30s", "40s")]), list[Liquidation])
    assert_type(play(Prices(), [batch(trade())]), list[float])
    assert_type(play(ops.min_volume(1), [batch(trade())]), list[Trade])
    assert_type(play(rx_ops.take(1), [batch(1)]), list[int])
    assert_type(play_signals(Prices(), [batch(trade()), alive("1s")]), list[Signal[float]])
    assert_type(play_timeline(Prices(), marbles("a-|", {"a": trade()})), Timeline[float])
    assert_type(marbles("ab"), Timeline[str])
    assert_type(marbles("ab", {"a": 1}).results, list[int])


def see_batch(batch: Batch[Trade]) -> None: ...


def looking_on(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    assert_type(trades.pipe(ops.tap(see_batch)), EventStream[Trade])
    assert_type(trades.pipe(ops.tap(see_batch, on_mark=print)), EventStream[Trade])
    assert_type(liquidations.pipe(ops.tap(on_mark=print)), EventStream[Liquidation])
    assert_type(liquidations.pipe(ops.tap(print)), EventStream[Liquidation])
    assert_type(trades.pipe(ops.tap(lambda batch: batch.events[0].price, of=Trade)), EventStream[Trade])
    assert_type(liquidations.pipe(ops.tap(on_mark=print), ops.side("long")), EventStream[Liquidation])
    prices = trades.pipe(ops.where(lambda trade: trade.price > 1, of=Trade), Prices(), ops.tap(on_mark=print))
    assert_type(prices, EventStream[float])
