"""Silence after a result: for alerts that must not repeat themselves, but say how often they would have."""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar, cast, overload

import attrs
from reactivex import Observable

from cgrx._model.times import Duration
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.about import About
from cgrx._streams.functions import check_type
from cgrx._streams.keeping import gathered, put_back
from cgrx._streams.running import Elementwise, Interrupted, Running, Step, noted
from cgrx._streams.stream import EventStream, EventTypes, Stage, require_types
from cgrx.operators._stages.arguments import MAX_KEYS, key_bound, max_keys_as_code, positive_ms, spelled
from cgrx.operators._stages.crosses import Crossing
from cgrx.operators._stages.items import (
    Carried,
    Names,
    check_types,
    is_withdrawn,
    key_as_code,
    key_reader,
    names,
    time_reader,
    too_many,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Cooled(Carried[T_co], Generic[T_co], frozen=True):
    """What `cooldown` lets pass, and what it did not since the last time.

    Examples:
        >>> signals = marbles("a-aa--a--|", {"a": liquidation("long", 900)})
        >>> first, second = play(ops.cooldown("5s"), signals)
        >>> second.item.time_ms, second.silenced
        (6000, 2)
    """

    silenced: int
    """How many items of the same key were silenced since the one before that passed."""


@attrs.frozen(repr=False)
class Cooldown(Stage[Any, Cooled[Any]]):
    """See `cooldown`."""

    silence_ms: int
    by: Names
    of: type | None = attrs.field(validator=check_type)
    max_keys: float

    def __call__(self, source: Observable[T]) -> EventStream[Cooled[T]]:
        return cast("EventStream[Cooled[T]]", super().__call__(source))

    def event_types(self, incoming: EventTypes) -> EventTypes:
        check_types(require_types(self, self.of, incoming), lambda kind: key_reader(self, kind, self.by))
        return frozenset({Cooled})

    def start(self) -> Running[Any, Any]:
        cooling = _Cooling(self)
        return Elementwise(Step(self, cooling.apply, memory=cooling))

    @property
    def about(self) -> About:
        return About(
            state=f"the keys of the last {spelled(self.silence_ms)[1:-1]}, and those with something left to tell",
            bound=self.max_keys,
            beyond=TooManyKeysError.__name__,
            delay_ms=0,
        )

    def __repr__(self) -> str:
        parts = [spelled(self.silence_ms), *key_as_code(self.by, self.of), *max_keys_as_code(self.max_keys)]
        return f"cooldown({', '.join(parts)})"


@overload
def cooldown(silence: Duration, *, by: str | Sequence[str] | None = None, max_keys: float = ...) -> Cooldown: ...
@overload
def cooldown(
    silence: Duration, *, by: str | Sequence[str] | None = None, of: type[T], max_keys: float = ...
) -> Stage[T, Cooled[T]]: ...
def cooldown(
    silence: Duration,
    *,
    by: str | Sequence[str] | None = None,
    of: type | None = None,
    max_keys: float = MAX_KEYS,
) -> Stage[Any, Cooled[Any]]:
    """The first of each key, then none of it for `silence`: 1 event, row or result -> 0 or 1 `Cooled`.

        in                  a-aa--a--a-
        cooldown("5s")      r-----s----     r: silenced=0, s: silenced=2

    Examples:
        >>> burst = batch(*(liquidation("long", time=t) for t in (0, 2, 3, 6)))
        >>> for passed in play(ops.cooldown("5s"), [burst]):
        ...     print(passed.item.time_ms, passed.silenced)
        0 0
        6000 2

    What passes comes as `Cooled(item, silenced)`, with the count of those of its key that did not since the last time.

    Time is the `time_ms` of the items: of a row its end, of a running row when it was given. An item is silenced while
    there is less than `silence` between its time and that of the last one of its key that passed, on either side: so
    one with a time from the future silences only what is near to it. The silence begins with what passes; what is
    silenced does not extend it. Withdrawn rows are left out, and not counted. Order is kept; marks, completion and
    errors pass. On completion what was silenced last is told by no result. Nothing changes at a gap.

    The return of a `Crossing` (`back`) passes if the crossing that it ends has passed, at any time: who was told of an
    alarm is told of its end. Others are left out; they count as nothing and begin no silence.

    Args:
        silence: how long, 1 ms or more.
        by: a silence for each key: `"base_asset"`, `"exchange"`, `"symbol"` or `"side"`, or several in a tuple, which
            rows must have as key fields; `()` for all together. By default the key fields of a row; events are all of
            one key. Of a result such as `Crossing` the key of its `item`.
        of: the type of item it takes, for the type checker and for an early error; any by default. A pipeline that
            begins with this stage needs it for its types.
        max_keys: how many keys may be kept; `math.inf` for no bound.

    State: the keys whose silence is not over, and those that have a count or a return to tell. Others are forgotten as
    further keys come.

    Raises:
        ValueError: `silence` is shorter than a millisecond, an unknown field in `by`, `max_keys` below 1. For a field
            that the row lacks: where the stream is known to carry such, when applied to it; else through `on_error`, at
            the first one.
        TypeError: an argument of another type; `of` is no type.
        AttributeError: through `on_error`, at an item without a time.
        TooManyKeysError: through `on_error`: more than `max_keys` keys have to be kept.
    """
    return Cooldown(positive_ms(silence, "silence"), names(by), of, key_bound(max_keys))


@attrs.define(eq=False)
class _Silence:
    """That of one key."""

    since_ms: int
    away: bool
    """A crossing has passed, and its return has not come."""
    silenced: int = 0


class _Cooling:
    """The silences of one subscription, by key."""

    def __init__(self, stage: Cooldown) -> None:
        self._stage = stage
        self._silences: dict[Hashable, _Silence] = {}
        self._begun: deque[tuple[int, Hashable]] = deque()  # when silences began, in the order in which they did
        self._readers: dict[type[object], tuple[Callable[[Any], int], Callable[[Any], Hashable]]] = {}

    def state(self) -> object:
        return gathered(self, ("_readers",))

    def take_up(self, state: object) -> None:
        put_back(self, state)

    def apply(self, items: Sequence[Any]) -> list[Any]:
        results: list[Any] = []
        for item in items:
            try:
                silenced = self._pass(item)
            except Exception as error:
                raise Interrupted(results, noted(error, self._stage, item)) from error
            if silenced is not None:
                results.append(Cooled(item, silenced))
        return results

    def _pass(self, item: Any) -> int | None:
        """How many were silenced since the last that passed; None where this one is."""
        if is_withdrawn(item):
            return None
        kind = cast("type[object]", type(item))
        readers = self._readers.get(kind)
        if readers is None:
            readers = self._readers[kind] = time_reader(kind), key_reader(self._stage, kind, self._stage.by)
        time_ms, key = readers[0](item), readers[1](item)
        silence = self._silences.get(key)
        if isinstance(item, Crossing) and item.back:
            return self._return(key, silence, time_ms)
        if silence is not None and abs(time_ms - silence.since_ms) < self._stage.silence_ms:
            silence.silenced += 1
            return None
        self._forget(time_ms)
        if silence is None and len(self._silences) >= self._stage.max_keys:
            raise too_many(self._stage.max_keys, key)
        self._silences[key] = _Silence(time_ms, isinstance(item, Crossing))
        self._begun.append((time_ms, key))
        return 0 if silence is None else silence.silenced

    def _return(self, key: Hashable, silence: _Silence | None, time_ms: int) -> int | None:
        """A number is back: 0 where that passes."""
        if silence is None or not silence.away:
            return None
        silence.away = False
        if not silence.silenced and abs(time_ms - silence.since_ms) >= self._stage.silence_ms:
            del self._silences[key]  # `_forget` may have passed it over
        return 0

    def _forget(self, now_ms: int) -> None:
        """Forget keys whose silence is over and that have nothing to tell: two at most, or as many as make room.

        Each silence begins once and is looked at once, so it costs O(1); and one time from the future ends two at most.
        """
        begun, silences = self._begun, self._silences
        silence_ms, most = self._stage.silence_ms, self._stage.max_keys
        looked_at = 0
        while begun and abs(now_ms - begun[0][0]) >= silence_ms and (looked_at < 2 or len(silences) >= most):
            since_ms, key = begun.popleft()
            looked_at += 1
            silence = silences.get(key)
            if silence is not None and silence.since_ms == since_ms and not (silence.silenced or silence.away):
                del silences[key]
