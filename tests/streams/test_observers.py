"""The end of a subscription and the gate before it, one rule at a time; streams use them in test_streams and others."""

from typing import Any

import pytest
from reactivex.disposable import BooleanDisposable

from cgrx._streams.observers import InTurn
from cgrx._streams.subscriber import Subscriber
from cgrx.testing import alive, batch
from tests.feed.feeding import Record
from tests.streams.streaming import Notes, raising

ERROR = KeyError("mine")


# --- Subscriber -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", [None, Notes()])
def test_a_subscriber_hears_one_end_and_nothing_behind_it(runtime: Notes | None) -> None:
    seen: list[object] = []
    subscriber = Subscriber[object](runtime, seen.append, seen.append, lambda: seen.append("completed"))
    subscriber.on_next(1)
    subscriber.on_signal(batch(2, 3))
    subscriber.on_signal(alive("1s"))
    subscriber.on_completed()
    subscriber.on_completed()
    subscriber.on_error(OSError())
    subscriber.on_next(4)
    subscriber.on_signal(batch(5))
    assert seen == [1, 2, 3, "completed"]


def test_callbacks_may_be_missing() -> None:
    subscriber = Subscriber[object](None, None, None, None)
    before, behind = BooleanDisposable(), BooleanDisposable()
    subscriber.connected(before)
    subscriber.on_next(1)
    subscriber.on_signal(batch(2))
    subscriber.on_completed()
    subscriber.connected(behind)  # what ends while it is being subscribed to
    assert (before.is_disposed, behind.is_disposed) == (True, True)


def test_without_a_runtime_exceptions_go_to_the_caller() -> None:
    for on in ("on_next", "on_signal", "on_error"):
        subscriber = Subscriber[object](None, raising(ERROR), raising(ERROR), raising(ERROR))
        with pytest.raises(KeyError, match="mine"):
            getattr(subscriber, on)({"on_next": 1, "on_signal": batch(1), "on_error": OSError()}[on])
    with pytest.raises(KeyError, match="mine"):
        Subscriber[object](None, None, None, raising(ERROR)).on_completed()


def test_with_a_runtime_no_exception_leaves() -> None:
    for on, value in (("on_next", 1), ("on_signal", batch(1)), ("on_error", OSError())):
        runtime = Notes()
        subscriber = Subscriber[object](runtime, raising(ERROR), raising(ERROR), None)
        getattr(subscriber, on)(value)
        getattr(subscriber, on)(value)
        assert runtime.raised == [ERROR]
        assert runtime.unheard == []


def test_one_that_raises_the_error_that_it_gets_does_not_handle_it() -> None:
    """So does the default of reactivex's operators."""
    runtime = Notes()

    def on_error(error: Exception) -> None:
        raise error

    Subscriber[object](runtime, None, on_error, None).on_error(ERROR)
    assert runtime.unheard == [ERROR]
    assert runtime.raised == []


# --- InTurn ---------------------------------------------------------------------------------------------------------


class Answering(Record):
    """Does something with the gate when it hears a signal."""

    gate: InTurn[Any]

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers = answers
        self.gate = InTurn(self)

    def on_signal(self, signal: Any) -> None:
        super().on_signal(signal)
        for method, argument in self.answers.pop("then", {}).items():
            getattr(self.gate, method)(*argument)


def test_nothing_goes_on_behind_the_end_or_disposal() -> None:
    for method, arguments in (("on_error", (ERROR,)), ("on_completed", ()), ("dispose", ())):
        record = Record()
        gate = InTurn[int](record)
        getattr(gate, method)(*arguments)
        end = record.end
        gate.on_signal(batch(1))
        gate.on_completed()
        gate.on_error(OSError())
        assert record.signals == []
        assert record.end is end


def test_what_waits_is_forgotten_on_disposal() -> None:
    record = Answering(then={"on_signal": (batch(2),), "dispose": ()})
    record.gate.on_signal(batch(1))
    assert record.signals == [batch(1)]


def test_an_error_waits_its_turn() -> None:
    record = Answering(then={"on_signal": (batch(2),), "on_error": (ERROR,)})
    record.gate.on_signal(batch(1))
    assert record.signals == [batch(1), batch(2)]
    assert record.end is ERROR


def test_what_waits_has_its_turn_where_an_observer_raises() -> None:
    """The first exception is raised when all is done, and the gate is open again."""

    class Raising(Answering):
        def on_signal(self, signal: Any) -> None:
            super().on_signal(signal)
            raise KeyError(len(self.signals))

    record = Raising(then={"on_signal": (batch(2),)})
    with pytest.raises(KeyError, match="1"):
        record.gate.on_signal(batch(1))
    assert record.signals == [batch(1), batch(2)]
    with pytest.raises(KeyError, match="3"):
        record.gate.on_signal(batch(3))


class Interrupting(Record):
    """Is interrupted by Ctrl-C at its first signal."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = InTurn[Any](self)
        self.interrupted = False

    def on_signal(self, signal: Any) -> None:
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        super().on_signal(signal)


def test_an_interruption_leaves_at_once() -> None:
    record = Interrupting()
    gate = record.gate
    with pytest.raises(KeyboardInterrupt):
        gate.on_signal(batch(1))
    gate.on_signal(batch(2))
    assert record.signals == [batch(2)]
