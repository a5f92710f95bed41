"""cgrx.testing: sample events and signals, and playing them."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from reactivex import Observable
from reactivex import operators as rx_ops

import cgrx
from cgrx import (
    Alive,
    Batch,
    Dropped,
    FuturesTrades,
    Gap,
    Liquidation,
    LiquidationOrders,
    LiquidationSide,
    Mark,
    Signal,
    Trade,
    TradeSide,
    Watermark,
)
from cgrx import operators as ops
from cgrx.testing import (
    Timeline,
    alive,
    batch,
    dropped,
    gap,
    liquidation,
    play,
    play_signals,
    play_timeline,
    trade,
    watermark,
)
from tests.streams.streaming import raising

LONG = liquidation("long", time="1s")
SHORT = liquidation("short", time="2s")


# --- samples --------------------------------------------------------------------------------------------------------


def test_events_have_defaults_for_every_field() -> None:
    assert liquidation() == Liquidation("BTC", "Binance", "BTCUSDT", LiquidationSide.LONG, 60_000.0, 1_000.0, 0)
    assert trade() == Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 60_000.0, 1_000.0, 0)


def test_every_field_of_an_event_can_be_given() -> None:
    rest: dict[str, Any] = {"price": 2.0, "exchange": "OKX", "symbol": "ETH-USDT", "base_asset": "ETH"}
    assert liquidation("short", 5.0, time="1m", **rest) == Liquidation(
        "ETH", "OKX", "ETH-USDT", LiquidationSide.SHORT, 2.0, 5.0, 60_000
    )
    assert trade("sell", 5.0, time=timedelta(seconds=1), **rest) == Trade(
        "ETH", "OKX", "ETH-USDT", TradeSide.SELL, 2.0, 5.0, 1_000
    )


def test_a_side_may_be_a_member() -> None:
    assert liquidation(LiquidationSide.SHORT) == liquidation("short")
    assert trade(TradeSide.SELL) == trade("sell")


def test_a_batch_is_received_with_its_latest_event() -> None:
    assert batch(SHORT, LONG) == Batch(LiquidationOrders(), 2_000, (SHORT, LONG))
    assert batch(LONG, received="9s") == Batch(LiquidationOrders(), 9_000, (LONG,))
    assert batch("a", "b") == Batch(None, 0, ("a", "b"))
    assert batch() == Batch(None, 0, ())


def test_a_batch_of_trades_is_of_the_channel_of_the_first() -> None:
    assert batch(trade(exchange="OKX", symbol="X")).channel == FuturesTrades("OKX", "X", 0)
    assert batch(trade(), channel=None).channel is None
    assert batch(1, channel=LiquidationOrders()).channel == LiquidationOrders()


def test_marks() -> None:
    assert alive("15s") == Alive("test", 15_000)
    assert alive(0, origin="feed") == Alive("feed", 0)
    assert gap("30s", "40s") == Gap(LiquidationOrders(), 30_000, 40_000, "test")
    assert dropped(3, channel=None, reason="full") == Dropped(None, 3, "full")
    assert watermark("10s") == Watermark(10_000)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: liquidation("buy"), ValueError, "\"long\" and \"short\""),  # type: ignore[arg-type]  # a mistake on purpose
        (lambda: trade("long"), ValueError, "\"sell\" and \"buy\""),  # type: ignore[arg-type]
        (lambda: liquidation(time="soon"), ValueError, "time='soon'"),
        (lambda: trade(time=-1), ValueError, "time=-1"),
        (lambda: alive("x"), ValueError, "at='x'"),
        (lambda: gap("2s", "1s"), ValueError, "ends before it starts"),
        (lambda: watermark(None), TypeError, "time=None"),  # type: ignore[arg-type]
        (lambda: batch(1, received="x"), ValueError, "received='x'"),
    ],
)  # fmt: skip
def test_bad_samples(make: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


# --- playing --------------------------------------------------------------------------------------------------------


def test_play_gives_the_results_of_a_stage() -> None:
    assert play(ops.side("long"), [batch(LONG, SHORT), alive("15s"), batch(SHORT)]) == [LONG]


def test_play_takes_pipelines_operators_and_functions() -> None:
    signals = [batch(LONG), batch(SHORT)]

    def both(source: Observable[Liquidation]) -> Observable[Liquidation]:
        return cgrx.merge(source.pipe(ops.side("short")), source.pipe(ops.side("long")))

    assert play(ops.pipeline(ops.side("long"), ops.min_volume(1)), signals) == [LONG]
    assert play(rx_ops.skip(1), signals) == [SHORT]
    assert play(both, signals) == [LONG, SHORT], "each signal reaches all before the next"


def test_play_signals_gives_the_marks_too() -> None:
    marks: list[Mark] = [alive("3s"), gap("3s", "4s"), dropped(), watermark("5s")]
    assert play_signals(ops.side("long"), [batch(LONG, SHORT), *marks]) == [
        Batch(LiquidationOrders(), 2_000, (LONG,)),
        *marks,
    ]


def test_behind_a_foreign_operator_there_are_no_marks() -> None:
    foreign: Callable[[Observable[Liquidation]], Observable[Liquidation]] = rx_ops.map(lambda e: e)
    assert play_signals(foreign, [batch(LONG, SHORT), alive("3s")]) == [
        Batch(None, 1_000, (LONG,)),
        Batch(None, 2_000, (SHORT,)),
    ]


def test_an_operator_that_fails_raises_its_error() -> None:
    with pytest.raises(KeyError, match="mine"):
        play(ops.where(raising(KeyError("mine"))), [batch(LONG)])


def test_a_timeline_holds_what_came_before_the_error() -> None:
    error = KeyError("mine")
    played = play_timeline(ops.map(lambda e: 1 / (e - 2), of=int), [batch(0, 1, 2, 3)])
    assert played.results == [-0.5, -1.0]
    assert isinstance(played.error, ZeroDivisionError)
    assert not played.completed
    assert play_timeline(ops.where(raising(error)), [batch(1)]) == Timeline((), completed=False, error=KeyError("mine"))


def test_a_source_that_fails_and_one_that_goes_on() -> None:
    failing = Timeline((batch(1),), completed=False, error=OSError("gone"))
    lasting = Timeline((batch(1),), completed=False)
    with pytest.raises(OSError, match="gone"):
        play(ops.where(bool), failing)
    assert play(ops.where(bool), lasting) == [1]
    assert play_timeline(ops.where(bool), lasting) == lasting
    assert play(rx_ops.to_list(), lasting) == []


def test_a_timeline_does_not_fail_and_complete() -> None:
    with pytest.raises(ValueError, match="completed=False"):
        Timeline((), error=OSError())


def test_signals_without_end_are_read_until_nobody_listens() -> None:
    read: list[int] = []

    def endless() -> Iterator[Signal[int]]:
        for number in itertools.count():
            read.append(number)
            yield batch(number)

    assert play(rx_ops.take(2), endless()) == [0, 1]
    assert read == [0, 1, 2]


def test_who_subscribes_behind_the_end_gets_the_end() -> None:
    def twice(source: Observable[int]) -> Observable[int]:
        return source.pipe(rx_ops.concat(source))

    assert play_timeline(twice, [batch(1, 2)]).completed
    assert play(rx_ops.retry(2), Timeline((batch(1),), completed=False)) == [1]
    with pytest.raises(OSError, match="gone"):
        play(rx_ops.retry(2), Timeline((batch(1),), completed=False, error=OSError("gone")))


def test_an_event_that_is_in_no_batch_is_a_mistake() -> None:
    with pytest.raises(TypeError, match=r"put events into batch"):
        play(ops.side("long"), [LONG])  # type: ignore[list-item]  # a mistake on purpose


def test_an_operator_that_needs_a_clock_is_refused() -> None:
    """reactivex would start a thread for it, and its results would come when the test is over."""
    with pytest.raises(Exception, match=r"(?i)block"):
        play(rx_ops.delay(1.0), [batch(1)])
