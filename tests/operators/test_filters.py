"""side, min_volume, max_volume, exchange, symbol, base_asset, where and map: what passes, and what is a mistake."""

import math
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable

import cgrx
from cgrx import Event, EventStream, Liquidation, LiquidationSide, Mark, Trade, TradeSide
from cgrx import operators as ops
from cgrx._streams.conditions import MEMO_SIZE
from cgrx.operators import Stage
from cgrx.testing import alive, batch, dropped, gap, liquidation, play, play_signals, play_timeline, trade, watermark
from tests.streams.streaming import Hot, notes_of, raising

LONG, SHORT = liquidation("long"), liquidation("short")
SELL, BUY = trade("sell"), trade("buy")


def is_big(event: Any) -> bool:
    return bool(event.volume_usd > 5)


def volume(event: Any) -> float:
    return float(event.volume_usd)


STAGES: list[Stage[Any, Any]] = [
    ops.side("long"),
    ops.side("short"),
    ops.side("sell"),
    ops.side("buy"),
    ops.min_volume(250_000),
    ops.min_volume(0.5),
    ops.max_volume(math.inf),
    ops.max_volume(10),
    ops.exchange("Binance"),
    ops.exchange("Binance", "it's"),
    ops.symbol("BTCUSDT"),
    ops.base_asset("BTC", "ETH"),
    ops.where(is_big),
    ops.where(is_big, of=Liquidation),
    ops.map(volume),
    ops.map(volume, of=Trade),
    ops.pipeline(ops.side("long")),
    ops.pipeline(ops.side("long"), ops.min_volume(1), ops.where(is_big)),
]


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_a_stage_is_a_value(stage: Stage[Any, Any]) -> None:
    """It prints as the code that makes it, and compares, hashes and pickles by what it says."""
    made = eval(
        repr(stage),
        vars(ops) | {"math": math, "is_big": is_big, "volume": volume, "Liquidation": Liquidation, "Trade": Trade},
    )
    assert made == stage
    assert hash(made) == hash(stage)
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert [each for each in STAGES if each == stage] == [stage]
    with pytest.raises(AttributeError):
        stage.usd = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # it is frozen


@pytest.mark.parametrize("stage", STAGES, ids=repr)
def test_all_marks_pass(stage: Stage[Any, Any]) -> None:
    marks: list[Mark] = [alive("1s"), gap(0, "2s"), dropped(2), watermark("3s")]
    assert play_signals(stage, marks) == marks


# --- side -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "event", "kept"),
    [
        (ops.side("long"), LONG, True),
        (ops.side("long"), SHORT, False),
        (ops.side("short"), SHORT, True),
        (ops.side(LiquidationSide.LONG), LONG, True),
        (ops.side("sell"), SELL, True),
        (ops.side("sell"), BUY, False),
        (ops.side("buy"), BUY, True),
        (ops.side(TradeSide.BUY), BUY, True),
        (ops.side("LONG"), LONG, True),  # type: ignore[call-overload]  # at run time any case will do
    ],
)
def test_side(stage: Stage[Any, Any], event: Any, kept: bool) -> None:
    assert play(stage, [batch(event)]) == [event] * kept
    assert play(stage, [batch(event, event)]) == [event, event] * kept


@pytest.mark.parametrize("wanted", ["up", "", 1, None, "long "])
def test_no_side(wanted: Any) -> None:
    with pytest.raises(
        ValueError, match=r"is none of \"long\", \"short\" \(liquidations\) and \"buy\", \"sell\" \(trades\)"
    ):
        ops.side(wanted)


def test_a_side_of_the_other_type_is_refused_where_the_type_is_known() -> None:
    trades: EventStream[Any] = Hot[Any](None, Trade).stream
    liquidations: EventStream[Any] = Hot[Any](None, Liquidation).stream
    any_pipeline: Any = ops.pipeline
    wrong = r'side\("long"\) takes events of type Liquidation, not Trade'
    for pipe in (
        lambda: trades.pipe(ops.side("long")),
        lambda: trades.pipe(ops.min_volume(1), ops.exchange("OKX"), ops.side("long")),
        lambda: trades.pipe(ops.pipeline(ops.min_volume(1), ops.side("long"))),
        lambda: any_pipeline(ops.side("buy"), ops.side("long")),
        lambda: trades.where(is_big).filter(is_big).share().pipe(ops.side("long")),
        lambda: cgrx.merge(trades, liquidations).pipe(ops.side("long")),
        lambda: liquidations.merge(trades).pipe(ops.side("long")),
    ):
        with pytest.raises(ValueError, match=wrong):
            pipe()
    with pytest.raises(ValueError, match=r'side\("buy"\) takes events of type Trade, not Liquidation'):
        liquidations.pipe(ops.side("buy"))
    assert liquidations.pipe(ops.side("long")).event_types == frozenset({Liquidation})
    assert cgrx.merge(trades, liquidations).event_types == frozenset((Liquidation, Trade))
    assert cgrx.merge(trades, Hot[Any]().stream).event_types is None


def test_a_side_of_the_other_type_is_refused_at_the_first_event_otherwise() -> None:
    """What came before is delivered."""
    longs: Stage[Any, Any] = ops.side("long")
    buys: Stage[Any, Any] = ops.side("buy")
    cases: list[list[Event]] = [[LONG, BUY, LONG], [LONG, LONG, BUY]]
    for events in cases:
        played = play_timeline(longs, [batch(*events), batch(LONG)])
        assert played.results == events[: events.index(BUY)]
        assert isinstance(played.error, ValueError)
        assert str(played.error) == 'side("long") takes events of type Liquidation, not Trade'
        assert notes_of(played.error) == [f'raised in side("long") by the event {BUY!r}']
    alone = play_timeline(buys, [batch(BUY), batch(LONG)])
    assert alone.results == [BUY]
    assert str(alone.error) == 'side("buy") takes events of type Trade, not Liquidation'
    assert len(notes_of(alone.error or OSError())) == 1


@pytest.mark.parametrize(
    ("make", "name", "told"),
    [
        (ops.exchange, "Binnance", "exchange: 'Binnance': did you mean Binance?"),
        (ops.exchange, "binance futures", "exchange: 'binance futures': did you mean Binance?"),
        (ops.base_asset, "BTCUSDT", "base_asset: 'BTCUSDT': did you mean BTC?"),
        (ops.symbol, "BTC/USDC", "symbol: 'BTC/USDC': did you mean BTCUSDC or BTC-USDC-SWAP?"),
    ],
)
def test_a_name_that_is_probably_misspelt_warns_where_the_filter_is_made(
    make: Callable[[str], Stage[Any, Any]], name: str, told: str
) -> None:
    """The filter is made all the same; the warning points to the caller, so it is shown once for each place."""
    with pytest.warns(cgrx.SpellingWarning) as caught:
        made = make(name)
    assert [(str(each.message), each.filename) for each in caught] == [(told, __file__)]
    assert play(ops.pipeline(made), [batch(trade(exchange="Nowhere"))]) == []


@pytest.mark.parametrize(
    ("make", "name"),
    [(ops.exchange, "GATEIO"), (ops.exchange, "Nowhere"), (ops.symbol, "BTC-USDT-SWAP"), (ops.base_asset, "WBTC")],
)
def test_a_name_that_may_be_in_use_does_not_warn(make: Callable[[str], Stage[Any, Any]], name: str) -> None:
    """A warning would be an error here."""
    make(name)


# --- volume ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([99.0, 100.0, 101.0]), max_size=5))
def test_bounds_are_inclusive(volumes: list[float]) -> None:
    events = [liquidation(volume_usd=each) for each in volumes]
    assert [e.volume_usd for e in play(ops.min_volume(100), [batch(*events)])] == [v for v in volumes if v >= 100]
    assert [e.volume_usd for e in play(ops.max_volume(100), [batch(*events)])] == [v for v in volumes if v <= 100]


@pytest.mark.parametrize("make", [ops.min_volume, ops.max_volume])
@pytest.mark.parametrize(
    ("usd", "error"),
    [
        (-1, ValueError),
        (-0.01, ValueError),
        (math.nan, ValueError),
        ("1", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_bad_volumes(make: Callable[[Any], object], usd: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="takes a number of US dollars") as caught:
        make(usd)
    assert repr(usd) in str(caught.value)


# --- texts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "event", "kept"),
    [
        (ops.exchange("Binance"), trade(exchange="Binance"), True),
        (ops.exchange("binance"), trade(exchange="BINANCE"), True),
        (ops.exchange("Gate.io"), trade(exchange="Gate"), True),
        (ops.exchange("GATE"), trade(exchange="gateio"), True),
        (ops.exchange("huobi", "OKEX"), trade(exchange="okx"), True),
        (ops.exchange("Nowhere"), trade(exchange="nowhere"), True),
        (ops.exchange("Binance"), trade(exchange="OKX"), False),
        (ops.symbol("btcusdt"), trade(symbol="BTCUSDT"), True),
        (ops.symbol("BTC-USDT"), trade(symbol="BTCUSDT"), False),
        (ops.base_asset("btc", "eth"), liquidation(base_asset="ETH"), True),
        (ops.base_asset("SOL"), liquidation(base_asset="ETH"), False),
    ],
    ids=repr,
)
def test_texts_are_compared_without_case(wanted: Stage[Any, Any], event: Any, kept: bool) -> None:
    assert play(wanted, [batch(event)]) == [event] * kept
    assert play(wanted, [batch(event, event)]) == [event, event] * kept


@pytest.mark.parametrize("make", [ops.exchange, ops.symbol, ops.base_asset])
@pytest.mark.parametrize(
    ("names", "error"),
    [((), ValueError), (("",), ValueError), (("BTC", " "), ValueError), ((1,), TypeError), ((["BTC"],), TypeError)],
)
def test_bad_names(make: Callable[..., object], names: tuple[object, ...], error: type[Exception]) -> None:
    with pytest.raises(error, match="takes one or more texts"):
        make(*names)


def test_the_memory_of_a_text_filter_is_bounded() -> None:
    """It forgets the answers for old texts, and goes on to answer right."""
    events = [trade(symbol=f"S{n}") for n in range(MEMO_SIZE + 10)]
    assert play(ops.symbol("s1", "s4100"), [batch(*events), batch(*events)]) == [events[1], events[4100]] * 2


# --- functions ------------------------------------------------------------------------------------------------------


def test_where_keeps_what_its_function_says() -> None:
    numbers = [batch(1, 2, 3), batch(4), batch(5)]
    assert play(ops.where(lambda n: n % 2 == 0, of=int), numbers) == [2, 4]

    def methods(source: Observable[int]) -> Observable[int]:
        return ops.where(bool, of=int)(source).where(lambda n: n > 3).filter(lambda n: n > 4)

    assert play(methods, numbers) == [5]


def test_map_replaces_each_event() -> None:
    assert play(ops.map(str), [batch(1, 2), batch(3)]) == ["1", "2", "3"]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_function_is_called_once_for_each_event(size: int) -> None:
    called: list[int] = []

    def seen(n: int) -> bool:
        called.append(n)
        if n == 3:
            raise KeyError(n)
        return True

    signals = [batch(*range(start, min(start + size, 5))) for start in range(0, 5, size)]
    for stage in (ops.where(seen), ops.map(seen)):
        called.clear()
        assert len(play_timeline(stage, signals).results) == 3
        assert called == [0, 1, 2, 3]


def test_of_is_an_early_error() -> None:
    trades: EventStream[Any] = Hot[Any](None, Trade).stream
    for stage in (ops.where(is_big, of=Liquidation), ops.map(volume, of=Liquidation)):
        with pytest.raises(ValueError, match="takes events of type Liquidation, not Trade"):
            trades.pipe(stage)
    assert trades.pipe(ops.where(is_big, of=Trade)).event_types == frozenset({Trade})
    assert trades.map(volume).event_types is None
    assert ops.where(is_big, of=Trade).event_types(None) == frozenset({Trade})


async def later(event: object) -> bool:
    return bool(event)


class Later:
    """Its calls are awaited."""

    async def __call__(self, event: object) -> bool:
        return bool(event)


@pytest.mark.parametrize("make", [ops.where, ops.map, Hot[Any]().stream.where, Hot[Any]().stream.map])
@pytest.mark.parametrize("function", [None, "big", later, partial(later), Later()])
def test_bad_functions(make: Callable[[Any], object], function: object) -> None:
    """What an async function gives is always true, and never awaited."""
    with pytest.raises(TypeError, match="must be a function of one event, and not an async one"):
        make(function)


@pytest.mark.parametrize("make", [ops.where, ops.map])
def test_of_is_a_type(make: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="of='Trade' must be a type"):
        make(is_big, of="Trade")


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize(
    "stage",
    [ops.min_volume(1), ops.max_volume(9_999), ops.exchange("Binance"), ops.side("long"), ops.where(is_big)],
    ids=repr,
)
def test_what_is_no_event_fails_behind_what_came_before(stage: Stage[Any, Any], size: int) -> None:
    events: list[Any] = [LONG, LONG, LONG, "no event", LONG]
    signals = [batch(*events[start : start + size], channel=None) for start in range(0, 5, size)]
    played = play_timeline(stage, signals)
    assert played.results == [LONG] * 3
    assert isinstance(played.error, AttributeError)
    assert notes_of(played.error) == [f"raised in {stage!r} by the event 'no event'"]


@pytest.mark.parametrize("make", [ops.where, ops.map])
@pytest.mark.parametrize("events", [[1], [1, 2]])
def test_the_original_exception_arrives(make: Callable[[Any], Stage[Any, Any]], events: list[int]) -> None:
    error = LookupError("mine")
    stage = make(raising(error))
    played = play_timeline(stage, [batch(*events)])
    assert played.error is error
    assert notes_of(error) == [f"raised in {stage!r} by the event 1"]
    assert error.__cause__ is None
