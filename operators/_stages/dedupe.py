"""Leave repeated events out: opt-in, because equal trades are common and genuine."""

import inspect
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar, cast, overload

import attrs

from cgrx._model.signals import Batch
from cgrx._model.times import Duration
from cgrx._streams.about import About
from cgrx._streams.running import Running, noted
from cgrx._streams.stream import EventTypes, Stage
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import MAX_KEYS, key_bound, max_keys_as_code, positive_ms, spelled
from cgrx.operators._stages.pipeline import AnyEvent

T = TypeVar("T")


@attrs.frozen(repr=False)
class Dedupe(AnyEvent):
    """See `dedupe`."""

    ttl_ms: int
    key: tuple[str, ...] | Callable[[Any], Hashable] | None
    max_keys: float

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """The same come out.

        Raises:
            ValueError: the stream is known to carry rows: none is a repetition, and they have no time of receipt.
        """
        rows = sorted(each.__name__ for each in incoming or () if issubclass(each, Row))
        if rows:
            raise ValueError(f"{self!r} takes events, not rows such as {rows[0]}")
        return incoming

    def start(self) -> Running[Any, Any]:
        return _Deduping(self)

    @property
    def about(self) -> About:
        return About(
            state=f"the keys of the last {spelled(self.ttl_ms)[1:-1]}",
            bound=self.max_keys,
            beyond="the oldest is forgotten",
            delay_ms=0,
            functions=(self.key,) if callable(self.key) else (),
        )

    def __repr__(self) -> str:
        parts = [spelled(self.ttl_ms)]
        if callable(self.key):
            parts.append(f"key={getattr(self.key, '__qualname__', None) or repr(self.key)}")
        elif self.key is not None:
            parts.append(f"key={self.key!r}")
        parts += max_keys_as_code(self.max_keys)
        return f"dedupe({', '.join(parts)})"


@overload
def dedupe(ttl: Duration, key: str | Sequence[str] | None = None, *, max_keys: float = ...) -> AnyEvent: ...
@overload
def dedupe(ttl: Duration, key: Callable[[T], Hashable], *, max_keys: float = ...) -> Stage[T, T]: ...
def dedupe(
    ttl: Duration,
    key: str | Sequence[str] | Callable[[T], Hashable] | None = None,
    *,
    max_keys: float = MAX_KEYS,
) -> Stage[Any, Any]:
    """Keep the first of several events that are the same and come within `ttl`: 1 event -> 0 or 1 event.

        in                   a--a-b---a--|
        out of dedupe("4s")  a----b---a--|

    Examples:
        >>> twice = batch(*(liquidation("long", usd) for usd in (500, 500, 700)))
        >>> [event.volume_usd for event in play(ops.dedupe("4s"), [twice])]
        [500, 700]

    Meant for one stream that comes twice, such as by two connections or from a server that repeats itself after a
    reconnect. Not for trades as they come: 8 to 17 % of them share all fields with another genuine one.

    How long ago is measured on the stream's own clock, the latest receive time or proof of life; behind an observable
    that is no EventStream those are the events' own times. It counts from the event that was kept: repetitions do not
    extend it.

    Order is kept; marks, completion and errors pass. Cost per event O(1). State: the keys of the last `ttl`, at most
    `max_keys` of them.

    Args:
        ttl: how long an event is remembered, 1 ms or more.
        key: what makes events the same: the name of a field or several in a tuple, or a function of the event that
            gives a hashable value, called once for each. By default all fields, and the type.
        max_keys: how many events are remembered at most; beyond it the oldest is forgotten early, so that it may be
            repeated. `math.inf` for no bound.

    On an error of the function what came before goes out, then `on_error` with the exception and a note.

    Raises:
        ValueError: `ttl` or `max_keys` out of range, or a name that no event's field has; when applied to a stream
            of rows.
        TypeError: an argument of another type.
    """
    return Dedupe(positive_ms(ttl, "ttl"), _key(key), key_bound(max_keys))


def _key(key: object) -> "tuple[str, ...] | Callable[[Any], Hashable] | None":
    if key is None:
        return None
    if callable(key) and not inspect.iscoroutinefunction(key):
        return key
    names = (key,) if isinstance(key, str) else key
    if not isinstance(names, tuple | list) or not all(
        isinstance(each, str) for each in cast("Sequence[object]", names)
    ):
        raise TypeError(f"key={key!r} takes the name of a field, several in a tuple, or a plain function of the event")
    texts = tuple(cast("Sequence[str]", names))
    if not texts or not set(texts) <= set(FIELDS):
        raise ValueError(f"key={key!r} takes names of fields; those are {', '.join(repr(each) for each in FIELDS)}")
    return texts


def _itself(event: Any) -> Hashable:
    return cast(Hashable, event)


class _Deduping(Running[Any, Any]):
    """Keys in order of age, beside the set of them."""

    remade = frozenset({"_ttl_ms", "_max_keys", "_seen"})

    def __init__(self, stage: Dedupe) -> None:
        key = stage.key
        self._stage = stage
        self._key_of: Callable[[Any], Hashable] = _itself if key is None else key if callable(key) else attrgetter(*key)
        self._ttl_ms = stage.ttl_ms
        self._max_keys = stage.max_keys
        self._seen: set[Hashable] = set()
        self._ages: deque[tuple[int, Hashable]] = deque()

    def take_up(self, state: object) -> None:
        super().take_up(state)
        self._seen = {key for _, key in self._ages}

    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        seen, ages, now_ms = self._seen, self._ages, self.now_ms
        while ages and now_ms - ages[0][0] >= self._ttl_ms:
            seen.remove(ages.popleft()[1])
        for event in batch.events:
            try:
                key = self._key_of(event)
                if key in seen:
                    continue
            except Exception as error:
                noted(error, self._stage, event)
                raise
            if len(seen) >= self._max_keys:
                seen.remove(ages.popleft()[1])
            seen.add(key)
            ages.append((now_ms, key))
            yield event
