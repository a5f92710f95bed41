"""Leaving repeated events out."""

import math
import pickle
from collections.abc import Hashable
from typing import Any, cast

import pytest
import reactivex.operators as rx
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Batch, Event, Liquidation, LiquidationSide, Signal, Trade, TradeSide
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, liquidation, marbles, play, play_signals, play_timeline, trade
from tests.streams.streaming import Hot, notes_of, raising


def is_trade(event: object) -> bool:
    return isinstance(event, Trade)


def symbol_of(event: Event) -> str:
    return event.symbol


def failing_at_b(event: str) -> str:
    return {"a": "a"}[event]


def unhashable_at_b(event: str) -> object:
    return [event] if event == "b" else event


def by_text(event: str) -> Hashable:
    return event


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("a--a-b---a--|", "a----b---a--|"),
        ("", ""),
        ("|", "|"),
        ("a#", "a#"),
        ("aaaaaaaa", "a---a---"),
        ("(aab)(ba)", "(ab)-"),
        ("a^--^a", "a^--^a"),
    ],
)
def test_marbles(text: str, out: str) -> None:
    """Of those that are the same the first in four seconds is kept; repetitions do not extend that; marks pass."""
    timeline = play_timeline(ops.dedupe("4s", key=by_text), marbles(text))
    assert timeline == marbles(out)


def test_marks_pass_in_sequence() -> None:
    first, again = batch(trade(time="1s")), batch(trade(time="1s"), received="2s")
    marks: list[Signal[Trade]] = [gap(0, "2s"), dropped(3), alive("2s")]
    assert play_signals(ops.dedupe("4s"), [first, *marks, again, alive("3s")]) == [first, *marks, alive("3s")]


def test_all_fields_and_the_type_count() -> None:
    """A liquidation and a trade may agree in all fields and yet are two."""
    sell = Trade("BTC", "OKX", "BTCUSDT", TradeSide.SELL, 1.0, 1.0, 1000)
    long = Liquidation("BTC", "OKX", "BTCUSDT", LiquidationSide.LONG, 1.0, 1.0, 1000)
    same = Trade("BTC", "OKX", "BTCUSDT", TradeSide.SELL, 1.0, 1.0, 1000)
    more = Trade("BTC", "OKX", "BTCUSDT", TradeSide.SELL, 1.0, 1.5, 1000)
    events: list[Event] = [sell, long, same, more]
    assert play(ops.dedupe("1s"), [Batch(None, 1000, tuple(events))]) == [sell, long, more]


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("exchange", [0, 1]),
        (("exchange", "symbol"), [0, 1, 2]),
        (["exchange", "price"], [0, 1]),
        (symbol_of, [0, 2]),
    ],
)
def test_keys(key: Any, kept: list[int]) -> None:
    events = [trade(), trade(exchange="OKX"), trade(exchange="OKX", symbol="ETHUSDT")]
    assert play(ops.dedupe("1s", key=key), [batch(*events)]) == [events[each] for each in kept]


def test_the_clock_is_that_of_the_stream() -> None:
    """Receive times and proofs, however late the events are; it does not go back."""
    stage = ops.dedupe("4s", key=by_text)

    def at(seconds: int, *events: str) -> Batch[str]:
        return Batch(None, seconds * 1000, events)

    assert play(stage, [at(1, "a"), at(5, "a")]) == ["a", "a"]
    assert play(stage, [at(1, "a"), at(4, "a")]) == ["a"]
    assert play(stage, [at(1, "a"), alive("5s"), at(4, "a")]) == ["a", "a"]
    assert play(stage, [at(9, "a"), at(1, "a"), at(12, "a")]) == ["a"]


def test_behind_a_foreign_operator_the_events_times_are_the_clock() -> None:
    source: Hot[Trade] = Hot()
    heard: list[int] = []
    source.stream.pipe(rx.filter(is_trade), ops.dedupe("1s", key="exchange")).subscribe(
        lambda event: heard.append(event.time_ms)
    )
    source.say(batch(trade(time="1s"), trade(time="1.5s"), trade(time="2s")), alive("9s"), batch(trade(time="2.5s")))
    assert heard == [1000, 2000]


def test_beyond_max_keys_the_oldest_is_forgotten() -> None:
    stage = ops.dedupe("1d", key=by_text, max_keys=2)
    assert play(stage, [Batch(None, 0, tuple("abacab"))]) == list("abcab")


def test_each_subscription_remembers_for_itself() -> None:
    source: Hot[Trade] = Hot()
    stream = source.stream.pipe(ops.dedupe("1d"))
    first: list[Trade] = []
    second: list[Trade] = []
    stream.subscribe(first.append)
    source.say(batch(trade()))
    stream.subscribe(second.append)
    source.say(batch(trade()))
    assert first == second == [trade()]


def test_disposal_inside_a_batch() -> None:
    source: Hot[Trade] = Hot()
    heard: list[Trade] = []

    def hear(event: Trade) -> None:
        heard.append(event)
        subscription.dispose()

    subscription = source.stream.pipe(ops.dedupe("1s")).subscribe(hear)
    source.say(batch(trade(time="1s"), trade(time="2s")))
    assert heard == [trade(time="1s")]
    assert source.subscribers == 0


@pytest.mark.parametrize("key", [failing_at_b, unhashable_at_b])
def test_a_key_that_fails(key: Any) -> None:
    """What came before goes out first."""
    played = play_timeline(ops.dedupe("1s", key=key), [Batch(None, 0, ("a", "a", "b", "c"))])
    assert played.results == ["a"]
    assert isinstance(played.error, KeyError | TypeError)
    assert notes_of(played.error)[0] == f"raised in {ops.dedupe('1s', key=key)!r} by the event 'b'"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.lists(st.sampled_from("abc"), max_size=4)), max_size=20),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_it_is_what_its_definition_says(steps: list[tuple[int, list[str]]], ttl: int, max_keys: int) -> None:
    """An event is kept unless the same one is among the last `max_keys` that were kept within `ttl`."""
    now_ms = 0
    kept: list[tuple[int, str]] = []
    signals: list[Batch[str]] = []
    for step_ms, events in steps:
        now_ms += step_ms
        signals.append(Batch(None, now_ms, tuple(events)))
        for event in events:
            recent = [each for kept_ms, each in kept[-max_keys:] if now_ms - kept_ms < ttl]
            if event not in recent:
                kept.append((now_ms, event))
    stage = ops.dedupe(ttl / 1000, key=by_text, max_keys=max_keys)
    assert play(stage, signals) == [event for _, event in kept]
    singles = [Batch(each.channel, each.received_ms, (event,)) for each in signals for event in each.events]
    assert play(stage, singles) == [event for _, event in kept]


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (ops.dedupe("10s"), 'dedupe("10s")'),
        (ops.dedupe(0.25, key="symbol"), "dedupe(\"250ms\", key=('symbol',))"),
        (
            ops.dedupe("1m", key=("exchange", "price"), max_keys=5),
            "dedupe(\"1m\", key=('exchange', 'price'), max_keys=5)",
        ),
        (ops.dedupe("1m", key=by_text, max_keys=math.inf), 'dedupe("1m", key=by_text, max_keys=math.inf)'),
    ],
)
def test_it_is_a_value(stage: Any, code: str) -> None:
    assert repr(stage) == code
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert stage != ops.dedupe("11s")
    with pytest.raises(AttributeError):
        stage.ttl_ms = 1


def test_it_carries_what_its_source_does() -> None:
    source: Hot[Any] = Hot(None, Liquidation)
    assert source.stream.pipe(ops.dedupe("1s")).event_types == frozenset({Liquidation})
    assert play(ops.pipeline(ops.dedupe("1s"), ops.side("long")), [batch(liquidation())]) == [liquidation()]


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"ttl": 0}, ValueError, "ttl=0 is too short"),
        ({"ttl": "-1s"}, ValueError, "ttl='-1s' is not a duration"),
        ({"ttl": math.inf}, ValueError, "ttl=inf must be finite"),
        ({"ttl": "1s", "key": "colour"}, ValueError, "key='colour' takes names of fields; those are 'base_asset'"),
        ({"ttl": "1s", "key": ()}, ValueError, r"key=\(\) takes names"),
        ({"ttl": "1s", "key": 5}, TypeError, "key=5 takes the name of a field"),
        ({"ttl": "1s", "key": (5,)}, TypeError, r"key=\(5,\) takes the name"),
        ({"ttl": "1s", "max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
        ({"ttl": "1s", "max_keys": "many"}, TypeError, "max_keys='many' takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        ops.dedupe(**arguments)


def test_an_async_key_is_refused() -> None:
    async def key(_: object) -> str:
        return ""

    with pytest.raises(TypeError, match="a plain function of the event"):
        ops.dedupe("1s", key=cast(Any, key))


def test_an_object_that_can_be_called_prints_by_itself() -> None:
    class Key:
        def __call__(self, event: object) -> Hashable:
            return str(event)

        def __repr__(self) -> str:
            return "Key()"

    stage = ops.dedupe("1s", key=Key())
    assert repr(stage) == 'dedupe("1s", key=Key())'
    assert play(stage, [Batch(None, 0, (1, "1"))]) == [1]
    assert play_timeline(ops.dedupe("1s", key=raising(OSError())), [Batch(None, 0, (1,))]).results == []


def test_rows_are_refused_when_the_pipe_is_built() -> None:
    """None is a repetition, and behind a foreign operator they have no time by which to forget them."""
    rows: Any = ops.tumbling("4s")  # the type checkers refuse it too
    with pytest.raises(ValueError, match=r"dedupe\(\"1s\"\) takes events, not rows such as Flow"):
        ops.pipeline(rows, ops.dedupe("1s"))
