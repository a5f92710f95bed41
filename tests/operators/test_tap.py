"""Looking at the signals of a stream as they pass."""

import pickle
import re
from typing import Any, cast

import pytest
import reactivex.operators as rx

from cgrx import Batch, Liquidation, Mark, Signal, Trade, explain
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, liquidation, play, play_signals, play_timeline, watermark
from tests.streams.streaming import Hot, notes_of

LONG, SHORT = liquidation("long"), liquidation("short")
SIGNALS: list[Signal[Liquidation]] = [
    gap(0, "1s"),
    batch(LONG, SHORT, received="2s"),
    dropped(3),
    alive("3s"),
    watermark("4s"),
    batch(SHORT, received="5s"),
]


def is_batch(signal: Signal[Any]) -> bool:
    return isinstance(signal, Batch)


def test_each_signal_is_seen_and_passes() -> None:
    """Batches by one function, marks by the other, in order."""
    seen: list[Signal[Any]] = []
    assert play_signals(ops.tap(seen.append, on_mark=seen.append), SIGNALS) == SIGNALS
    assert seen == SIGNALS


def test_one_function_sees_its_half() -> None:
    batches: list[Batch[Liquidation]] = []
    marks: list[Mark] = []
    assert play_signals(ops.tap(batches.append), SIGNALS) == SIGNALS
    assert play_signals(ops.tap(on_mark=marks.append), SIGNALS) == SIGNALS
    assert batches == [each for each in SIGNALS if is_batch(each)]
    assert marks == [each for each in SIGNALS if not is_batch(each)]


def test_it_sees_what_comes_out_of_the_stages_before() -> None:
    seen: list[Batch[Liquidation]] = []
    assert play(ops.pipeline(ops.side("short"), ops.tap(seen.append), ops.max_volume(0)), SIGNALS) == []
    assert [each.events for each in seen] == [(SHORT,), (SHORT,)]


def test_behind_a_reactivex_operator_there_are_no_marks() -> None:
    seen: list[Signal[Any]] = []
    play(lambda stream: stream.pipe(rx.skip(0), ops.tap(seen.append, on_mark=seen.append)), SIGNALS)
    assert [each.events for each in seen if isinstance(each, Batch)] == [(LONG,), (SHORT,), (SHORT,)]
    assert all(map(is_batch, seen))


def test_each_subscriber_is_a_subscription() -> None:
    """The functions are called once for each of them, before the signal goes on to it."""
    source, order = Hot[Liquidation](), list[object]()
    tapped = source.stream.pipe(ops.tap(order.append))
    tapped.subscribe(order.append)
    tapped.subscribe(order.append)
    whole = batch(LONG)
    source.say(whole)
    assert order == [whole, LONG, whole, LONG]


@pytest.mark.parametrize("signal", [batch(LONG), alive("3s")], ids=["batch", "mark"])
def test_a_function_that_raises_fails_the_stream(signal: Signal[Liquidation]) -> None:
    """What came before has gone out; the signal at which it raises does not go on."""

    def fail(seen: Signal[Any]) -> None:
        if seen == signal:
            raise KeyError("theirs")

    before = batch(SHORT)
    played = play_timeline(ops.tap(fail, on_mark=fail), [before, signal, batch(SHORT)])
    assert played.signals == (before,)
    assert isinstance(played.error, KeyError)
    assert notes_of(played.error)[0].startswith("raised in tap(on_batch=")


def test_it_is_a_value() -> None:
    """It compares, hashes, prints as code, and pickles where its functions do."""
    stage = ops.tap(print, on_mark=print)
    assert stage == ops.tap(print, on_mark=print) != ops.tap(on_mark=print)
    assert len({stage, ops.tap(print, on_mark=print)}) == 1
    assert (repr(stage), repr(ops.tap(on_mark=print))) == ("tap(on_batch=print, on_mark=print)", "tap(on_mark=print)")
    assert pickle.loads(pickle.dumps(stage)) == stage


def test_what_is_told_of_it() -> None:
    told = explain(ops.tap(on_mark=print))
    assert (told.worst_delay_ms, told.opaque) == (0, ("builtins.print",))


def test_the_type_of_a_stream_is_kept() -> None:
    """A stage behind it still knows which events it gets."""
    with pytest.raises(ValueError, match=re.escape('side("buy") takes events of type Trade, not Liquidation')):
        ops.pipeline(ops.side("long"), ops.tap(print), cast("ops.Stage[Liquidation, Trade]", ops.side("buy")))


def test_a_function_for_other_events_is_refused_early() -> None:
    stage: ops.Stage[Any, Any] = ops.tap(print, of=Trade)
    with pytest.raises(ValueError, match=re.escape("tap(on_batch=print, of=Trade) takes events of type Trade, not")):
        ops.pipeline(ops.side("long"), stage)


async def asynchronous(_: object) -> None:
    """No tap waits for it."""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, r"tap\(\) needs a function: on_batch=, on_mark= or both"),
        ({"on_batch": 5}, "on_batch=5 must be a function, and not an async one"),
        ({"on_mark": asynchronous}, "on_mark=<function asynchronous .* not an async one"),
        ({"on_mark": print, "of": "Trade"}, "'of' must be <class 'type'>"),
    ],
)
def test_what_is_no_function(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        cast(Any, ops.tap)(**arguments)
