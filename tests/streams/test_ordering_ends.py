"""How an ordered merge ends: completion, errors, disposal, and arguments that it refuses."""

import math
from typing import Any

import pytest
import reactivex
from reactivex import Observable, abc
from reactivex.disposable import Disposable
from reactivex.subject import Subject

import cgrx
from cgrx import Alive, EventStream, Gap, Signal, Trade
from cgrx._streams.observers import SignalObserver
from cgrx.testing import trade
from tests.feed.feeding import Record
from tests.streams.merging import Merge, at, channel_of, short
from tests.streams.streaming import Hot, raising

TEXTS: Hot[Any] = Hot(None, str)
NEVER: Observable[Any] = reactivex.never()


def proof(at_ms: int) -> Alive:
    return Alive("feed", at_ms)


def gap_of(exchange: str, start_ms: int, end_ms: int) -> Gap:
    return Gap(channel_of(exchange), start_ms, end_ms, "test")


def test_an_input_that_has_completed_is_not_waited_for() -> None:
    merge = Merge()
    merge.say(0, at("A", 100, 200))
    assert merge.end_input(1) == ["A100", "A200", "%200"]
    assert merge.say(0, at("A", 300)) == ["A300", "%300"]
    merge.end_input(0)
    assert merge.end == "completed"


def test_completion_releases_everything_in_order() -> None:
    merge = Merge(3)
    merge.say(0, at("A", 300), at("A", 100))
    merge.say(1, at("B", 200))
    merge.say_all(proof(300))
    merge.end_input(0)
    merge.end_input(1)
    assert merge.signals == []
    assert merge.end_input(2) == ["A100", "B200", "A300", "^300", "%300"]
    assert merge.end == "completed"


def test_completing_with_any() -> None:
    """The others are disposed, what is held goes out."""
    merge = Merge(3, until="any")
    merge.say(0, at("A", 300))
    merge.say(1, at("B", 200))
    assert merge.end_input(1) == ["B200", "A300", "%300"]
    assert merge.end == "completed"
    assert [each.subscribers for each in merge.inputs] == [0, 0, 0]


@pytest.mark.parametrize("end", ["completes", "fails"])
def test_a_cold_input_that_ends_it_while_the_others_are_subscribed_to(end: str) -> None:
    """What those say at once is not heard any more; nor is an end of theirs."""

    def first(observer: SignalObserver[Trade], _: object) -> abc.DisposableBase:
        observer.on_signal(at("A", 1000))
        observer.on_completed()
        return Disposable()

    def second(observer: SignalObserver[Trade], _: object) -> abc.DisposableBase:
        observer.on_signal(at("B", 2000))
        observer.on_completed() if end == "completes" else observer.on_error(OSError("mine"))
        return Disposable()

    ends: list[object] = []
    events: list[Trade] = []
    merged = cgrx.merge_exchanges(EventStream(first), EventStream(second), until="any", on_source_error=ends.append)
    merged.subscribe(events.append, ends.append, lambda: ends.append("completed"))
    assert ([each.time_ms for each in events], ends) == ([1000], ["completed"])


def test_an_error_drops_nothing() -> None:
    merge = Merge()
    error = OSError("mine")
    merge.say(0, at("A", 200), at("A", 100))
    assert merge.end_input(1, error) == ["A100", "A200", "%200"]
    assert merge.end is error
    assert merge.inputs[0].subscribers == 0


def test_going_on_without_a_source_that_failed() -> None:
    """Its channels are missing from then on, which a gap says again every second."""
    errors: list[Exception] = []
    merge = Merge(3, on_source_error=errors.append)
    error = OSError("mine")
    merge.say(0, at("A", 1000))
    merge.say(1, gap_of("D", 0, 900), at("B", 1000))
    assert merge.end_input(1, error) == []
    assert errors == [error]
    assert merge.say(2, at("C", 1500)) == ["A1000", "[D]", "B1000", "[D]", "[B]", "%1000"]
    assert merge.signals[-3:-1] == [
        Gap(channel_of("D"), 1000, 1500, "its source has failed"),
        Gap(channel_of("B"), 1000, 1500, "its source has failed"),
    ]
    assert merge.say(0, at("A", 2499)) == ["C1500", "%1500"]
    assert merge.say(2, at("C", 2500)) == ["A2499", "[D]", "[B]", "%2499"]
    merge.end_input(0)
    merge.end_input(2)
    assert merge.end == "completed"


def test_in_silence_the_missing_channels_are_told_at_each_proof_of_life() -> None:
    merge = Merge(on_source_error=print)
    merge.say(0, at("A", 1000))
    merge.say(1, at("B", 1000))
    merge.end_input(1, OSError("mine"))
    assert merge.say(0, proof(1500)) == ["[B]", "^1500"]
    assert merge.say(0, proof(2400)) == ["^2400"]
    assert merge.say(0, proof(2500)) == ["[B]", "^2500"]


def test_single_events_do_not_hide_that_channels_are_missing() -> None:
    merge = Merge(on_source_error=print)
    for time_ms in (1000, 1100):
        merge.say(0, at("A", time_ms))
        merge.say(1, at("B", time_ms))
    merge.end_input(1, OSError("mine"))
    assert merge.say(0, at("A", 1200)) == ["[B]", "A1200", "%1200"]
    assert merge.say(0, at("A", 2300)) == ["[B]", "A2300", "%2300"]


def test_what_is_missing_of_a_source_that_failed_has_a_channel() -> None:
    """A gap of no channel in particular names none that would be missing from then on."""
    errors: list[Exception] = []
    merge = Merge(on_source_error=errors.append)
    merge.say(1, Gap(None, 0, 900, "test"), at("B", 1000))
    merge.end_input(1, OSError("mine"))
    merge.say(0, at("A", 2000))
    gaps = [signal for signal in merge.signals if isinstance(signal, Gap)]
    assert gaps == [Gap(None, 0, 900, "test"), Gap(channel_of("B"), 1000, 2000, "its source has failed")]


def test_a_handler_that_raises_ends_it() -> None:
    raised = ValueError("not mine to handle")
    merge = Merge(on_source_error=raising(raised))
    merge.say(0, at("A", 1000))
    assert merge.end_input(1, OSError("mine")) == ["A1000", "%1000"]
    assert merge.end is raised


def test_an_item_that_is_no_event() -> None:
    """All that came before it goes out first."""
    source: Subject[Any] = Subject()
    merged = cgrx.merge_exchanges(source, NEVER)
    events: list[Any] = []
    errors: list[Exception] = []
    merged.subscribe(events.append, errors.append)
    event = trade(time="1s")
    source.on_next(event)
    source.on_next("text")
    assert events == [event]
    assert isinstance(errors[0], TypeError)
    assert "by time_ms and exchange, not 'text'" in str(errors[0])
    assert not source.observers


def two_inputs() -> tuple[list[SignalObserver[Trade]], Record]:
    """The observers of two sources that do not stop when they are told to, and what their merge gives."""
    inputs: list[SignalObserver[Trade]] = []

    def connect(observer: SignalObserver[Trade], _: object) -> abc.DisposableBase:
        inputs.append(observer)
        return Disposable()

    stream, record = EventStream(connect), Record()
    cgrx.merge_exchanges(stream, stream).subscribe_signals(record)
    return inputs, record


def test_what_comes_behind_the_end_is_ignored() -> None:
    """Also of a channel that has not been heard of: there are sources that do not stop when they are told to."""
    inputs, record = two_inputs()
    inputs[0].on_signal(at("A", 1000))
    inputs[1].on_error(OSError("down"))
    heard = list(record.signals)
    assert heard
    for batch in (at("A", 2000), at("C", 2000), at("C", 3000, 4000)):
        inputs[0].on_signal(batch)
    assert record.signals == heard


def test_an_input_that_has_ended_is_not_heard_any_more() -> None:
    """Nor while the others go on, though it is of a source that has been heard of."""
    inputs, record = two_inputs()
    for time_ms in (1000, 1100):
        inputs[0].on_signal(at("A", time_ms))
        inputs[1].on_signal(at("B", time_ms))
    inputs[1].on_completed()
    heard = len(record.signals)
    for time_ms in (1200, 1400):
        inputs[1].on_signal(at("B", time_ms))
        inputs[0].on_signal(at("A", time_ms + 100))
    assert short(record.signals[heard:]) == ["A1300", "%1300", "A1500", "%1500"]


def test_disposal_inside_a_batch() -> None:
    """Stops delivery at once, lets go of the inputs, and what was held is gone."""
    merge = Merge(3)
    heard: list[int] = []

    def hear(event: Trade) -> None:
        heard.append(event.time_ms)
        second.dispose()

    second = merge.stream.subscribe(hear)
    merge.say(0, at("A", 1, 2), at("A", 3, received=4))
    merge.say(1, at("B", 9))
    merge.say(2, at("C", 9))
    assert heard == [1]
    assert [each.time_ms for each in merge.events] == [1, 2, 3]
    assert [each.subscribers for each in merge.inputs] == [1, 1, 1]


def test_an_observer_of_signals_that_disposes_hears_no_more() -> None:
    """It has no guard of its own. The watermark would follow the event."""
    source: Hot[Trade] = Hot()
    heard: list[object] = []

    class Ear(Record):
        def on_signal(self, signal: Signal[Trade]) -> None:
            heard.append(signal)
            subscription.dispose()

    subscription = cgrx.merge_exchanges(source.stream).subscribe_signals(Ear())
    source.say(at("A", 1))
    assert heard == [at("A", 1)]


@pytest.mark.parametrize("how", ["completes", "fails"])
def test_disposal_while_the_last_events_go_out(how: str) -> None:
    """Neither completion nor an error follows."""
    source: Hot[Trade] = Hot()
    ends: list[object] = []
    merged = cgrx.merge_exchanges(source.stream, NEVER, until="any")

    def leave(_: Trade) -> None:
        subscription.dispose()

    subscription = merged.subscribe(leave, ends.append, lambda: ends.append("completed"))
    source.say(at("A", 1))
    source.complete() if how == "completes" else source.fail(OSError("mine"))
    assert ends == []


def test_a_stream_that_does_not_start_leaves_nothing_running() -> None:
    source: Hot[Trade] = Hot()

    def refuse(*_: object) -> Any:
        raise RuntimeError("not today")

    broken: EventStream[Trade] = EventStream(refuse)
    with pytest.raises(RuntimeError, match="not today"):
        cgrx.merge_exchanges(source.stream, broken).subscribe_signals(Merge())
    assert source.subscribers == 0


@pytest.mark.parametrize(
    ("arguments", "options", "error", "why"),
    [
        ((), {}, ValueError, "at least one stream"),
        ((42,), {}, TypeError, "42 is no Observable"),
        ((NEVER,), {"max_delay": "soon"}, ValueError, "max_delay='soon' is not a duration"),
        ((NEVER,), {"max_delay": -1}, ValueError, "max_delay=-1 must not be negative"),
        ((NEVER,), {"max_delay": math.nan}, ValueError, "max_delay=nan must not be"),
        ((NEVER,), {"until": "some"}, ValueError, "until='some' is none of \"all\""),
        ((NEVER,), {"on_source_error": "ignore"}, TypeError, "on_source_error='ignore' is neither"),
        ((NEVER,), {"max_held": 0}, ValueError, "max_held=0 takes a whole number"),
        ((NEVER,), {"max_held": 1.5}, TypeError, "max_held=1.5 takes a whole number"),
        ((NEVER,), {"max_held": True}, TypeError, "max_held=True takes a whole number"),
        ((TEXTS.stream,), {}, ValueError, r"orders events \(Liquidation, Trade\), not str"),
    ],
)
def test_arguments_that_do_not_fit(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        cgrx.merge_exchanges(*arguments, **options)


def test_an_async_handler_is_refused() -> None:
    async def handle(_: Exception) -> None: ...

    with pytest.raises(TypeError, match="nor a plain function of one error"):
        cgrx.merge_exchanges(NEVER, on_source_error=handle)
