"""Running values."""

import math
import pickle
from typing import Any, cast

import pytest
import reactivex
import reactivex.operators as rx
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Batch, Liquidation, Signal, TooManyKeysError, Trade
from cgrx import operators as ops
from cgrx.operators._aggregates.aggregate import Text
from cgrx.testing import alive, batch, dropped, gap, marbles, play, play_signals, play_timeline, trade
from tests.streams.streaming import Hot, notes_of


def add(value: float, event: Trade) -> float:
    return value + event.signed_volume_usd


def is_not_b(letter: str) -> bool:
    return letter != "b"


def fail(value: int, event: Trade) -> int:
    raise OSError(value, event)


def append(text: str, letter: str) -> str:
    if letter == "x":
        raise KeyError(letter)
    return text + letter


def test_a_running_value() -> None:
    """Such as the cumulative volume delta; the seed itself does not come out."""
    events = [trade("buy", 100.0), trade("sell", 300.0), trade("buy", 50.0)]
    assert play(ops.scan(add, 0.0), [batch(*events[:2]), batch(events[2])]) == [100.0, -200.0, -150.0]


def test_one_for_each_key() -> None:
    events = [trade("buy", 100.0), trade("sell", 300.0, exchange="OKX"), trade("buy", 50.0)]
    assert play(ops.scan(add, 0.0, by="exchange"), [batch(*events)]) == [
        ("Binance", 100.0),
        ("OKX", -300.0),
        ("Binance", 150.0),
    ]


def test_keys_of_one_and_of_several_fields() -> None:
    """Given as a tuple, the key is one."""
    events = [batch(trade("buy", 1.0))]
    assert play(ops.scan(add, 0.0, by=("exchange", "symbol")), events) == [(("Binance", "BTCUSDT"), 1.0)]
    assert play(ops.scan(add, 0.0, by=("base_asset",)), events) == [(("BTC",), 1.0)]


@pytest.mark.parametrize("text", ["", "|", "#", "-^-[]~%-|"])
def test_without_events_only_marks_pass(text: str) -> None:
    assert play_timeline(ops.scan(append, ""), marbles(text)) == marbles(text)


def test_marks_pass_in_sequence() -> None:
    marks: list[Signal[str]] = [gap(0, "1s"), dropped(2), alive("2s")]
    signals: list[Signal[str]] = [Batch(None, 1, ("a", "b")), *marks, Batch(None, 2, ("c",)), alive("3s")]
    expected = [Batch(None, 1, ("a", "ab")), *marks, Batch(None, 2, ("abc",)), alive("3s")]
    assert play_signals(ops.scan(append, ""), signals) == expected


@pytest.mark.parametrize("text", ["abxc", "(abxc)", "(ab)(xc)"])
def test_a_function_that_raises(text: str) -> None:
    """What came before goes out first, then the original exception with a note; nothing is applied twice."""
    played = play_timeline(ops.scan(append, ">"), marbles(text))
    assert played.results == [">a", ">ab"]
    assert isinstance(played.error, KeyError)
    assert notes_of(played.error) == ["raised in scan(append, '>') by the event 'x'"]


def test_a_function_that_raises_for_a_key() -> None:
    stage = ops.scan(fail, 1, by="exchange")
    played = play_timeline(stage, [batch(trade())])
    assert isinstance(played.error, OSError)
    assert notes_of(played.error) == [f"raised in scan(fail, 1, by='exchange') by the event {trade()!r}"]


@pytest.mark.parametrize(("by", "key"), [("exchange", ("C",)), (("exchange", "symbol"), ("C", "BTCUSDT"))])
def test_too_many_keys(by: Any, key: tuple[str, ...]) -> None:
    """Those that are known go on; one more is an error that says which."""
    events = [trade(exchange=name) for name in "ABAC"]
    stage: ops.Stage[Trade, tuple[Any, float]] = ops.scan(add, 0.0, cast("Text", by), max_keys=2)
    played = play_timeline(stage, [batch(*events)])
    assert [value for _, value in played.results] == [1000.0, 1000.0, 2000.0]
    assert isinstance(played.error, TooManyKeysError)
    assert (played.error.max_keys, played.error.key) == (2, key)


def test_each_subscription_begins_with_the_seed() -> None:
    source: Hot[str] = Hot()
    stream = source.stream.pipe(ops.scan(append, ""))
    first: list[str] = []
    second: list[str] = []
    stream.subscribe(first.append)
    source.say(Batch(None, 0, ("a",)))
    stream.subscribe(second.append)
    source.say(Batch(None, 0, ("b",)))
    assert (first, second) == (["a", "ab"], ["b"])


def test_disposal_inside_a_batch() -> None:
    source: Hot[str] = Hot()
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        subscription.dispose()

    subscription = source.stream.pipe(ops.scan(append, "")).subscribe(hear)
    source.say(Batch(None, 0, ("a", "b")))
    assert heard == ["a"]
    assert source.subscribers == 0


def test_behind_share_and_a_foreign_operator() -> None:
    source: Hot[str] = Hot()
    heard: list[str] = []
    letters = source.stream.share().pipe(rx.filter(is_not_b))
    letters.pipe(ops.scan(append, "")).subscribe(heard.append)
    source.say(Batch(None, 0, ("a", "b", "c")))
    assert heard == ["a", "ac"]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5), max_size=8))
def test_it_is_what_reactivex_gives(parts: list[list[str]]) -> None:
    """However the events are batched."""
    letters = [letter for part in parts for letter in part]
    expected: list[str] = []
    reactivex.of(*letters).pipe(rx.scan(append, "")).subscribe(expected.append)
    assert play(ops.scan(append, ""), [Batch(None, 0, tuple(part)) for part in parts]) == expected


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.integers(1, 9)), max_size=20))
def test_each_key_has_the_values_that_it_would_have_alone(told: list[tuple[str, int]]) -> None:
    events = [trade(volume_usd=volume, exchange=name) for name, volume in told]
    results = play(ops.scan(add, 0.0, by="exchange"), [batch(*events)])
    for name in "AB":
        alone = play(ops.pipeline(ops.exchange(name), ops.scan(add, 0.0)), [batch(*events)])
        assert [value for key, value in results if key == name] == alone


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (ops.scan(add, 0.0), "scan(add, 0.0)"),
        (ops.scan(add, 0.0, by="symbol"), "scan(add, 0.0, by='symbol')"),
        (ops.scan(add, 0.0, of=Trade), "scan(add, 0.0, of=Trade)"),
        (ops.scan(max, 0, ("symbol", "exchange"), max_keys=7), "scan(max, 0, by=('symbol', 'exchange'), max_keys=7)"),
        (ops.scan(add, 0.0, by="symbol", max_keys=math.inf), "scan(add, 0.0, by='symbol', max_keys=math.inf)"),
    ],
)
def test_it_is_a_value(stage: Any, code: str) -> None:
    assert repr(stage) == code
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert stage != ops.scan(add, 1.0)
    with pytest.raises(AttributeError):
        stage.seed = 1


def test_what_comes_out_is_of_unknown_type() -> None:
    source: Hot[Any] = Hot(None, Trade)
    assert source.stream.pipe(ops.scan(add, 0.0)).event_types is None


def test_of_refuses_a_stream_of_other_events_at_once() -> None:
    source: Hot[Any] = Hot(None, Liquidation)
    with pytest.raises(ValueError, match="takes events of type Trade, not Liquidation"):
        source.stream.pipe(ops.scan(add, 0.0, of=Trade))


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"fn": 5, "seed": 0}, TypeError, "fn=5 must be a function"),
        ({"fn": add, "seed": []}, TypeError, r"seed=\[\] can change"),
        ({"fn": add, "seed": 0, "by": "colour"}, ValueError, "by='colour' takes different names out of 'exchange'"),
        ({"fn": add, "seed": 0, "by": ("symbol", "symbol")}, ValueError, "takes different names"),
        ({"fn": add, "seed": 0, "by": ()}, ValueError, r"by=\(\) takes different names"),
        ({"fn": add, "seed": 0, "by": 5}, TypeError, "by=5 takes the name of a field"),
        ({"fn": add, "seed": 0, "by": (5,)}, TypeError, r"by=\(5,\) takes the name"),
        ({"fn": add, "seed": 0, "of": 5}, TypeError, "of=5 must be a type of event"),
        ({"fn": add, "seed": 0, "by": "symbol", "max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        ops.scan(**arguments)


def test_an_async_function_is_refused() -> None:
    async def count(value: int, _: object) -> int:
        return value + 1

    with pytest.raises(TypeError, match="not an async one"):
        ops.scan(count, 0)  # type: ignore[arg-type]  # what is tested
