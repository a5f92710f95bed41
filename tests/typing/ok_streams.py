"""What must type-check: a chain keeps its kind and its element type. Read by mypy and pyright, never run."""

from typing import assert_type

from reactivex import Observable
from reactivex import operators as rx_ops

import cgrx
from cgrx import Event, EventStream, Gap, Liquidation, Signal, Trade
from cgrx import operators as ops


def methods(liquidations: EventStream[Liquidation]) -> None:
    assert_type(liquidations.where(lambda e: e.volume_usd > 1), EventStream[Liquidation])
    assert_type(liquidations.filter(lambda e: e.side == 1), EventStream[Liquidation])
    assert_type(liquidations.map(lambda e: e.price), EventStream[float])
    assert_type(liquidations.where(lambda e: True).map(lambda e: (e.symbol, e.price)), EventStream[tuple[str, float]])
    assert_type(liquidations.share(), EventStream[Liquidation])
    assert_type(liquidations.signals(), Observable[Signal[Liquidation]])


def our_operators(liquidations: EventStream[Liquidation], trades: EventStream[Trade]) -> None:
    assert_type(liquidations.pipe(ops.side("long")), EventStream[Liquidation])
    assert_type(trades.pipe(ops.side("buy")), EventStream[Trade])
    assert_type(trades.pipe(ops.min_volume(1), ops.max_volume(2)), EventStream[Trade])
    assert_type(trades.pipe(ops.exchange("OKX"), ops.symbol("X"), ops.base_asset("BTC")), EventStream[Trade])
    assert_type(liquidations.pipe(ops.where(lambda e: e.volume_usd > 1, of=Liquidation)), EventStream[Liquidation])
    assert_type(trades.pipe(ops.map(lambda e: e.symbol, of=Trade)), EventStream[str])
    assert_type(trades.pipe(ops.share(), ops.side("sell")), EventStream[Trade])


def a_function_with_types(trades: EventStream[Trade]) -> None:
    def is_large(event: Event) -> bool:
        return event.volume_usd > 1

    def named(event: Event) -> str:
        return event.symbol

    trades.pipe(ops.where(is_large))
    assert_type(trades.pipe(ops.map(named)), EventStream[str])
    assert_type(trades.where(is_large), EventStream[Trade])


def reactivex_operators(liquidations: EventStream[Liquidation]) -> None:
    assert_type(liquidations.pipe(rx_ops.take(1)), Observable[Liquidation])
    assert_type(liquidations.pipe(ops.side("long"), rx_ops.delay(1.0), ops.min_volume(1)), EventStream[Liquidation])
    assert_type(liquidations.pipe(rx_ops.skip(1), ops.map(lambda e: e.price, of=Liquidation)), EventStream[float])


def unions(liquidations: EventStream[Liquidation], trades: EventStream[Trade], numbers: Observable[int]) -> None:
    assert_type(cgrx.merge(liquidations, trades), EventStream[Liquidation | Trade])
    assert_type(cgrx.merge(trades, trades, trades, trades), EventStream[Trade])
    assert_type(cgrx.merge(liquidations, trades, numbers), EventStream[Liquidation | Trade | int])
    assert_type(liquidations.merge(trades), EventStream[Liquidation | Trade])
    assert_type(cgrx.merge(liquidations, trades).pipe(ops.min_volume(1)), EventStream[Liquidation | Trade])
    assert_type(trades.merge(trades), EventStream[Trade])


def any_observable(observable: Observable[Trade]) -> None:
    assert_type(ops.side("buy")(observable), EventStream[Trade])
    assert_type(ops.min_volume(1)(observable), EventStream[Trade])
    assert_type(ops.share()(observable), EventStream[Trade])


def callbacks_that_return_something(trades: EventStream[Trade], volumes: dict[str, float]) -> None:
    trades.subscribe(lambda trade: volumes.setdefault(trade.symbol, trade.volume_usd))
    trades.subscribe(lambda trade: trade.price, lambda error: error.args, lambda: len(volumes))
    trades.pipe(ops.side("buy")).subscribe(on_next=volumes_of, on_completed=lambda: True)


def volumes_of(trade: Trade) -> tuple[str, float]:
    return trade.symbol, trade.volume_usd


def a_stream_is_an_observable(liquidations: EventStream[Liquidation]) -> None:
    some: Observable[Liquidation] = liquidations
    wider: EventStream[Event] = liquidations
    some.subscribe(print)
    wider.subscribe(print)


def signals_tell_themselves_apart(signal: Signal[Trade]) -> None:
    if isinstance(signal, Gap):
        assert_type(signal.end_ms, int)
