"""The running form of a stage: signals in, signals out, state for one subscription.

    Running     what users subclass: on_batch, on_mark, on_end; the results go out first, then the mark
    Direct      one of ours that gives the signals that go on all at once
    Elementwise each event on its own, no state; neighbours in a chain fuse, filters into one loop

A chain of `side("long"), min_volume(1000), map(price)` thus is one Elementwise of two steps. The second calls the
user's function for each event. The first is a loop that `predicates` writes for both filters:

    lambda events: [e for e in events if (e.side is v0 or e.side is not v1 and v2(e)) and (e.volume_usd >= v3)]

What the methods of a `Running` return may be lazy. If it raises half-way, the results up to there are delivered, then
the error: nothing is lost.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

import attrs

from cgrx._model.signals import Batch, Mark, Signal, proof_ms
from cgrx._streams.counts import StageStats
from cgrx._streams.keeping import Kept, gathered, put_back
from cgrx._streams.predicates import Predicate, Sieve, compiled

In = TypeVar("In")
Out = TypeVar("Out")


class Running(Generic[In, Out]):
    """What a stage does with the signals of one subscription.

    Examples:
        >>> class Counting(ops.Running):
        ...     n = 0
        ...     def on_batch(self, batch):
        ...         self.n += len(batch.events)
        ...         yield self.n
        >>> class Count(ops.Stage):
        ...     def start(self):
        ...         return Counting()
        >>> play(Count(), marbles("a-(bc)-d|"))
        [1, 3, 4]

    Subclasses override `on_batch`, and `on_mark` and `on_end` where marks or completion release results. A stage
    that holds events back or puts them into another order overrides `on_signal` too, to keep the marks in
    sequence with them.
    """

    now_ms: int = 0
    """The latest time seen on a signal (receive time or proof), milliseconds since the epoch."""

    remade: ClassVar[frozenset[str]] = frozenset()
    """The names of attributes that are no state, because a fresh form has the same or makes them anew."""

    @property
    def stats(self) -> StageStats:
        """What it holds and has counted, for `EventStream.stage_stats`; zeros unless overridden."""
        return StageStats()

    def on_batch(self, batch: Batch[In]) -> Iterable[Out]:
        """The results of a batch of events."""
        raise NotImplementedError

    def on_mark(self, mark: Mark) -> Iterable[Out]:
        """The results that a mark releases; the mark itself follows them."""
        return ()

    def on_end(self) -> Iterable[Out]:
        """The results that remain when the stream completes (not when it fails or is disposed)."""
        return ()

    def on_signal(self, signal: Signal[In]) -> Iterable[Signal[Out]]:
        """The signals that go on when this one comes in."""
        if isinstance(signal, Batch):
            if signal.received_ms > self.now_ms:  # a call of `max` costs as much as many a stage
                self.now_ms = signal.received_ms
            yield from _batches(self.on_batch(signal), signal)
        else:
            proven_ms = proof_ms(signal)
            if proven_ms > self.now_ms:
                self.now_ms = proven_ms
            yield from _batches(self.on_mark(signal), Batch(None, self.now_ms, ()))
            yield signal

    def on_completed(self) -> Iterable[Signal[Out]]:
        """The signals that go on before completion does."""
        return _batches(self.on_end(), Batch(None, self.now_ms, ()))

    def state(self) -> object:
        """What it has gathered, as a value that pickles: `Stage.restore` makes a form of it that goes on the same.

        By default its attributes, but for `remade` and for those that can be called, such as functions, classes and its
        stage. Override it, and `take_up` with it, where that is not right. The running form goes on with the same
        objects: pickle the value, or copy it, before the next signal comes.
        """
        return gathered(self, self.remade)

    def take_up(self, state: object) -> None:
        """Go on from what `state` of another form of the same stage gave. Called on a fresh form.

        Raises:
            TypeError: it is no state of such a form.
        """
        put_back(self, state)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        # A form that knows its stage pickles as that and its state: it may hold functions that do not.
        stage = vars(self).get("_stage")
        if not isinstance(stage, Restorable):
            return super().__reduce_ex__(protocol)
        return _restored, (stage, self.state())


@runtime_checkable
class Restorable(Protocol):
    """What is needed of a stage to go on with what one of its running forms held."""

    def restore(self, state: object, /) -> Running[Any, Any]: ...


def _restored(stage: Restorable, state: object) -> Running[Any, Any]:
    return stage.restore(state)


def _batches(results: Iterable[Out], origin: Batch[Any]) -> Iterable[Batch[Out]]:
    """The results as one batch with the channel and time of `origin`, if there are any; then what they raise."""
    taken: list[Out] = []
    try:
        taken.extend(results)
    finally:
        if taken:
            yield Batch(origin.channel, origin.received_ms, tuple(taken))


class Interrupted(Exception):  # noqa: N818 - caught where steps are applied: it carries results, not a failure
    """A step's user function raised `error`; `results` are what came out before."""

    def __init__(self, results: list[Any], error: Exception) -> None:
        super().__init__(results, error)
        self.results = results
        self.error = error


@attrs.frozen(eq=False)
class Step:
    """What an elementwise stage does with a row of events."""

    stage: object
    """The stage, to name it where an event does not fit."""
    apply: Callable[[Sequence[Any]], list[Any]]
    """Takes events, returns the results.

    If it raises, it is called again with one event at a time, to find the event. A step whose function must not be
    called twice for an event raises `Interrupted` instead.
    """
    test: Callable[[Any], bool] | None = None
    """For a filter: whether an event is among the results; quicker than `apply` for one."""
    sieve: Sieve | None = None
    """For a row of filters in one loop: the same in front of what takes signals."""
    filters: tuple[tuple[object, Predicate], ...] = ()
    """For a row of filters in one loop: each stage, and what it asks."""
    memory: Kept | None = None
    """What it remembers from one event to the next; None if nothing."""

    def apart(self) -> "tuple[Step, ...]":
        """The same as steps of one stage each, to find out which one raises."""
        return tuple(filter_step(each) for each in self.filters) or (self,)


def filter_step(*filters: tuple[object, Predicate]) -> Step:
    """Filters in a row, each a stage and what it asks, as one loop."""
    keep, test, sieve = compiled([predicate for _, predicate in filters])
    return Step(filters[0][0], keep, test, sieve, filters)


Produced: TypeAlias = tuple[Sequence[Signal[Any]], Exception | None]
"""The signals that go on, and the error that follows them."""

NO_SIGNALS: tuple[()] = ()
NOTHING: Produced = (NO_SIGNALS, None)
"""What most signals give, so often that it is told by identity."""


class Direct(Running[In, Out]):
    """A form that gives what goes on at once, and not one by one: a batch of one then costs a call or two less."""

    @abstractmethod
    def produce(self, signal: Signal[In], /) -> Produced:
        """What `on_signal` gives, without a generator."""

    def on_signal(self, signal: Signal[In]) -> Iterable[Signal[Out]]:
        return delivered(self.produce(signal))


class Elementwise(Direct[In, Out]):
    """No or one result for each event, in order: all marks pass. State is in the memory of its steps."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps
        self._tests = tuple((step, step.test) for step in steps if step.test is not None)
        self._filters = len(self._tests) == len(steps)
        self.sieve = steps[0].sieve if len(steps) == 1 else None
        """For filters alone: see `Sieve`."""

    def state(self) -> object:
        """What the steps with a memory remember, in order."""
        return [memory.state() for memory in self._memories]

    def take_up(self, state: object) -> None:
        for memory, remembered in zip(self._memories, cast("list[object]", state), strict=True):
            memory.take_up(remembered)

    @property
    def _memories(self) -> list[Kept]:
        return [step.memory for step in self.steps if step.memory is not None]

    def behind(self, before: "Elementwise[Any, Any]") -> "Elementwise[Any, Any]":
        """The steps of another one, then its own, in one loop; neighbouring filters become one step."""
        steps = list(before.steps)
        for step in self.steps:
            if step.filters and steps[-1].filters:
                steps[-1] = filter_step(*steps[-1].filters, *step.filters)
            else:
                steps.append(step)
        return Elementwise(*steps)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        stages = tuple(each.stage for step in self.steps for each in step.apart())
        return _fused, (stages, self.state())

    def produce(self, signal: Signal[Any]) -> Produced:
        """The hot path: its three cases are not functions of their own.

        A mark passes. One event goes through the tests of filters alone. Any other batch goes through each step as a
        whole: `results` is what the steps so far have made of the events before `failure`, so a step that raises later
        does so at an earlier event, and its error is the one that counts.
        """
        if not isinstance(signal, Batch):
            return (signal,), None
        events = signal.events
        if self._filters and len(events) == 1:
            for step, test in self._tests:
                try:
                    if not test(events[0]):
                        return NOTHING
                except Exception as error:  # noqa: BLE001 - handed on as the stream's
                    if step.filters:
                        return _until_failure(step, events, error)
                    return (), noted(error, step.stage, events[0])
            return (signal,), None
        results: Sequence[Any] = events
        failure: Exception | None = None
        for step in self.steps:
            try:
                results = step.apply(results)
            except Exception as error:  # noqa: BLE001 - handed on as the stream's
                results, failure = _until_failure(step, results, error)
            if not results:
                return (), failure
        if self._filters and len(results) == len(events):  # nothing was filtered, and nothing failed
            return (signal,), None
        return (Batch(signal.channel, signal.received_ms, tuple(results)),), failure


def _fused(stages: Sequence[Any], state: object) -> Elementwise[Any, Any]:
    made: Elementwise[Any, Any] = stages[0].start()
    for stage in stages[1:]:
        made = stage.start().behind(made)
    made.take_up(state)
    return made


def _until_failure(step: Step, events: Sequence[Any], error: Exception) -> tuple[list[Any], Exception | None]:
    """The results before the event at which a step raises, and what it raises."""
    if isinstance(error, Interrupted):
        return error.results, error.error
    results: list[Any] = []
    for event in events:
        passed: Sequence[Any] = (event,)
        for each in step.apart():
            try:
                passed = each.apply(passed)
            except Exception as found:  # noqa: BLE001 - handed on as the stream's
                return results, noted(found, each.stage, event)
        results += passed
    return results, None


def noted(error: Exception, stage: object, event: object) -> Exception:
    """The user's own exception with a note that names the stage and the event."""
    error.add_note(f"raised in {stage!r} by the event {event!r}")
    return error


def noted_of(error: Exception, stage: object, signal: Signal[Any] | None) -> Exception:
    """The same where a stage handles whole batches: the event is known only where it came alone."""
    match signal:
        case None:
            cause = "at completion"
        case Batch(events=(event,)):
            return noted(error, stage, event)
        case Batch(events=(first, *_, last) as events):
            cause = f"by one of {len(events)} events, from {first!r} to {last!r}"
        case other:
            cause = f"by {other!r}"
    error.add_note(f"raised in {stage!r} {cause}")
    return error


def delivered(produced: Produced) -> Iterable[Signal[Any]]:
    signals, failure = produced
    yield from signals
    if failure is not None:
        raise failure
