"""Joins as of a time: each item of a stream with the latest that another stream has said of its key."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

import attrs
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from cgrx._model.signals import Signal
from cgrx._model.times import Duration, to_ms, to_seconds
from cgrx._streams.keeping import keep
from cgrx._streams.observers import InTurn, SignalObserver
from cgrx._streams.order_terms import MAX_HELD
from cgrx._streams.runtime import joint
from cgrx._streams.stream import EventStream, as_stream
from cgrx.operators._aggregates.aggregate import TEXTS
from cgrx.operators._stages.arguments import MAX_KEYS, key_bound, max_keys_as_code, spelled, whole_number
from cgrx.operators._stages.items import check_types, key_as_code, key_reader, names
from cgrx.operators._windows.joined import Joined, JoinTerms
from cgrx.operators._windows.joining import Joining
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS

T = TypeVar("T")
U = TypeVar("U")

Missing: TypeAlias = Literal["none", "hold"]

_Taken: TypeAlias = Callable[[Signal[Any], list[Signal[Any]]], None]
"""Takes a signal in, and adds those that go on to the list."""


@attrs.frozen(eq=False, repr=False)
class LatestOf(Generic[U]):
    """The operator that `latest_of` gives."""

    other: EventStream[U]
    terms: JoinTerms

    def __call__(self, source: Observable[T]) -> EventStream[Joined[T, U]]:
        stream = as_stream(source)
        check_types(stream.event_types, lambda kind: key_reader(self, kind, self.terms.by))
        runtimes = (each.runtime for each in (stream, self.other) if each.runtime is not None)
        return EventStream(JoinSource(self, stream), event_types=frozenset[type]({Joined}), runtime=joint(runtimes))

    def __repr__(self) -> str:
        terms = self.terms
        max_age = "math.inf" if math.isinf(terms.max_age_ms) else spelled(int(terms.max_age_ms))
        parts = [repr(self.other), *key_as_code(terms.by, None), f"max_age={max_age}"]
        if terms.holds:
            parts.append('missing="hold"')
        for name, value, default in (
            ("lateness", terms.lateness_ms, DEFAULT_LATENESS),
            ("idle", terms.idle_ms, DEFAULT_IDLE),
        ):
            if value != to_ms(default):
                parts.append(f"{name}={spelled(value)}")
        parts += max_keys_as_code(terms.max_keys)
        if terms.max_held != MAX_HELD:
            parts.append(f"max_held={'math.inf' if math.isinf(terms.max_held) else terms.max_held}")
        return f"latest_of({', '.join(parts)})"


def latest_of(
    other: Observable[U],
    *,
    by: str | Sequence[str],
    max_age: Duration,
    missing: Missing = "none",
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    max_keys: float = MAX_KEYS,
    max_held: float = MAX_HELD,
) -> LatestOf[U]:
    """Each event or row with the latest that another stream has said of its key: 1 item -> 1 `Joined`.

        flow = trades.pipe(ops.tumbling("1m", by="base_asset", updates="1s"))
        cascades = liquidations.pipe(ops.cascades("3s", emit="crossed"))
        cascades.pipe(ops.latest_of(flow, by="base_asset", max_age="1m")).subscribe(print)

    Examples:
        >>> def with_short(source):
        ...     shorts = source.pipe(ops.side("short"))
        ...     latest = ops.latest_of(shorts, by="base_asset", max_age="1m")
        ...     return source.pipe(ops.side("long"), latest)
        >>> both = batch(liquidation("short", 900, time=1), liquidation("long", time=4))
        >>> [found] = play(with_short, [alive(0), both, alive("1m")])
        >>> found.item.side.word, found.latest.volume_usd, found.age_ms, found.quality
        ('long', 900, 3000, 'known')

    A `Joined` holds the `item`, the `latest`, its `age_ms`, and the `quality` of the answer. The latest is that of the
    largest time up to the item's own, whichever arrived first. Time is event time: `time_ms` of an event; of a row its
    `end_ms`, of a running row when it was given. Of several with one time the latest is the greater in all fields, as
    with `agg.last`, of rows the final one. So the results are the same for any batching, and for any order of arrival
    within `lateness`. A withdrawn row of the other stream is never the latest, and from its time on nor is what it
    takes back: that is the row which came in its place, or else the one before. Of the stream itself withdrawn rows are
    items as others are.

    For that an item waits until the other stream has come as far as its time: a stream of events by the watermark that
    windows have (see `lateness` and `idle`), a stream of rows by what their window tells. An event also waits until its
    own stream has come as far, so results come in order of time; a row does not. A stream that has said nothing yet,
    but is proven alive, is waited for `lateness` + `idle` at most.

    A gap or a loss in the other stream between the latest and the item makes the answer `"unknown"`: there may have
    been a later one. So does the time before its subscription began, and an end of it. Behind a reactivex operator all
    is unknown. The marks of the stream itself go on, a proof behind the items that came before it; a `Watermark` tells
    how far the results have come.

    On completion of the stream what is held waits until the other one has come as far, or has completed; then the
    results complete. When the other stream completes nobody waits for it. On an error of either what is held goes out
    first, as unknown.

    Args:
        other: an observable of events or rows, or of results that carry such.
        by: the fields that make the key, in both streams: `"base_asset"`, `"exchange"` or `"symbol"`, or several in a
            tuple; rows must have them as key fields. `()` for one key.
        max_age: what is older counts as none; `math.inf` for no bound.
        missing: what becomes of an item whose key the other stream has not spoken of: with `"none"` its latest is None.
            With `"hold"` it waits for the first of its key, and comes with that, though it is later than the item;
            with None if that is more than `max_age` later.
        lateness: how late events may come, in either stream; also by how much gaps are widened.
        idle: how long a source must have been silent, by proof of life, for its stream to go on without it.
        max_keys: how many keys the other stream may have; `math.inf` for no bound. A key stays once it has come.
        max_held: how many items may be held; beyond it the earliest goes out as unknown. So many items of the other
            stream are kept for those of the first that may still come; beyond it earlier ones are unknown. `math.inf`
            for no bound.

    Returns:
        An operator, as `ops.merge` is: it stands in a pipe. It holds a stream, so it is no part of an `ops.pipeline`.

    Raises:
        ValueError: an argument out of range, or an unknown field; where the class of the rows is known, a field that is
            none of their key; else through `on_error`, at the first row.
        TypeError: an argument of another type; `other` is no Observable.
        AttributeError: through `on_error`, at an item without a time.
        TooManyKeysError: through `on_error`: the other stream has more than `max_keys` keys.
    """
    key = names(by, TEXTS)
    if key is None:
        raise TypeError(f"by={by!r} takes the name of a key field, or several in a tuple")
    if missing not in ("none", "hold"):
        raise ValueError(
            f'missing={missing!r} is none of "none" (it comes without) and "hold" (it waits for the first)'
        )
    terms = JoinTerms(
        by=key,
        max_age_ms=_max_age(max_age),
        holds=missing == "hold",
        lateness_ms=to_ms(lateness, "lateness"),
        idle_ms=to_ms(idle, "idle"),
        max_keys=key_bound(max_keys),
        max_held=math.inf if max_held == math.inf else whole_number(max_held, "max_held"),
    )
    operator: LatestOf[U] = LatestOf(as_stream(other), terms)
    check_types(operator.other.event_types, lambda kind: key_reader(operator, kind, key))
    return operator


def _max_age(value: Duration) -> float:
    age_ms = to_seconds(value, "max_age") * 1e3
    if age_ms < 1:
        raise ValueError(f'max_age={value!r} is too short: give at least a millisecond, such as "1m", or math.inf')
    return age_ms if math.isinf(age_ms) else round(age_ms)


@attrs.frozen(eq=False)
class JoinSource:
    """The source of a `latest_of`: subscribes to both streams, for one subscriber."""

    operator: LatestOf[Any]
    stream: EventStream[Any]

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        run = _Run(observer, self.operator)
        try:
            for stream, taken, ended in (
                (self.operator.other, run.joining.on_other, run.joining.on_other_end),
                (self.stream, run.joining.on_left, run.joining.on_left_end),
            ):
                run.sources.add(stream.subscribe_signals(_Input(run, taken, ended), scheduler=scheduler))
        except Exception:  # a stage that does not start: nothing is left running
            run.dispose()
            raise
        return run


class _Run(abc.DisposableBase):
    """One subscription: what either input says is taken in turn."""

    def __init__(self, observer: SignalObserver[Any], operator: LatestOf[Any]) -> None:
        self.joining = Joining(operator, operator.terms)
        self.sources = CompositeDisposable()
        self.turns: InTurn[Any] = InTurn(observer)
        self._observer = observer
        self._stopped = False
        keep(self)

    def state(self) -> object:
        return self._stopped, self.joining.state()

    def take_up(self, state: object) -> None:
        stopped, held = cast("tuple[bool, object]", state)
        self.joining.take_up(held)
        if stopped:
            self.dispose()

    def dispose(self) -> None:
        self._stopped = True
        self.turns.dispose()
        self.sources.dispose()

    def take(self, work: _Taken, signal: Signal[Any]) -> None:
        """Take a signal in, and deliver what comes of it."""
        signals: list[Signal[Any]] = []
        failure: Exception | None = None
        try:
            work(signal, signals)
        except Exception as error:  # noqa: BLE001 - an item that cannot be joined: it ends the stream
            self.joining.finish(signals)
            failure = error
        if signals or failure is not None or self.joining.has_ended:
            self._deliver(signals, failure)

    def end(self, work: Callable[[list[Signal[Any]]], None]) -> None:
        """An input has completed."""
        signals: list[Signal[Any]] = []
        work(signals)
        self._deliver(signals, None)

    def fail(self, error: Exception) -> None:
        """An input has failed: all that is held goes out first."""
        signals: list[Signal[Any]] = []
        self.joining.finish(signals)
        self._deliver(signals, error)

    def _deliver(self, signals: list[Signal[Any]], failure: Exception | None) -> None:
        for signal in signals:
            if self._stopped:
                return
            self._observer.on_signal(signal)
        if self._stopped or not (failure or self.joining.is_done):
            return
        self.dispose()
        if failure is not None:
            self._observer.on_error(failure)
        else:
            self._observer.on_completed()


class _Input:
    """The observer of one of the two."""

    def __init__(
        self,
        run: _Run,
        taken: _Taken,
        ended: Callable[[list[Signal[Any]]], None],
    ) -> None:
        in_turn = run.turns.take
        self.on_signal: Callable[[Signal[Any]], None] = partial(in_turn, partial(run.take, taken))
        self.on_error: Callable[[Exception], None] = partial(in_turn, run.fail)
        self.on_completed: Callable[[], None] = partial(in_turn, run.end, ended)
