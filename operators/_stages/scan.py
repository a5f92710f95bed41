"""Running values: a state that each event moves on, for all events together or for each key."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar, cast, overload

import attrs

from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.about import About
from cgrx._streams.functions import check_type
from cgrx._streams.running import Elementwise, Interrupted, Running, Step, noted
from cgrx._streams.stream import EventTypes, Stage, require_types
from cgrx._streams.subscriber import is_async
from cgrx.operators._aggregates.aggregate import TEXTS, Text
from cgrx.operators._stages.arguments import MAX_KEYS, key_bound, max_keys_as_code

T = TypeVar("T")
S = TypeVar("S")


def _check_function(_: object, __: object, function: Any) -> None:
    if not callable(function) or is_async(function):
        raise TypeError(f"fn={function!r} must be a function of the value so far and an event, and not an async one")


def _check_seed(_: object, __: object, seed: object) -> None:
    try:
        hash(seed)
    except TypeError:
        raise TypeError(
            f"seed={seed!r} can change, and every key and subscription begins with it: give a value that cannot, such"
            " as 0.0, a tuple or a frozen attrs value"
        ) from None


@attrs.frozen(repr=False)
class Scan(Stage[Any, Any]):
    """See `scan`."""

    fn: Callable[[Any, Any], Any] = attrs.field(validator=_check_function)
    seed: Any = attrs.field(validator=_check_seed)
    by: str | tuple[str, ...] | None
    of: type | None = attrs.field(validator=check_type)
    max_keys: float

    def event_types(self, incoming: EventTypes) -> EventTypes:
        require_types(self, self.of, incoming)
        return None

    def start(self) -> Running[Any, Any]:
        memory = _ForAll(self) if self.by is None else _ForEachKey(self, self.by)
        return Elementwise(Step(self, memory.apply, memory=memory))

    @property
    def about(self) -> About:
        return About(
            state="one value" if self.by is None else "one value for each key",
            bound=1 if self.by is None else self.max_keys,
            beyond="" if self.by is None else TooManyKeysError.__name__,
            delay_ms=0,
            functions=(self.fn,),
        )

    def __repr__(self) -> str:
        parts = [getattr(self.fn, "__qualname__", None) or repr(self.fn), repr(self.seed)]
        if self.by is not None:
            parts.append(f"by={self.by!r}")
        if self.of is not None:
            parts.append(f"of={self.of.__name__}")
        parts += max_keys_as_code(self.max_keys)
        return f"scan({', '.join(parts)})"


@overload
def scan(fn: Callable[[S, T], S], seed: S, *, of: type[T] | None = None, max_keys: float = ...) -> Stage[T, S]: ...
@overload
def scan(
    fn: Callable[[S, T], S], seed: S, by: Text, *, of: type[T] | None = None, max_keys: float = ...
) -> Stage[T, tuple[str, S]]: ...
@overload
def scan(
    fn: Callable[[S, T], S], seed: S, by: tuple[Text, ...], *, of: type[T] | None = None, max_keys: float = ...
) -> Stage[T, tuple[tuple[str, ...], S]]: ...
def scan(
    fn: Callable[[S, T], S],
    seed: S,
    by: Text | tuple[Text, ...] | None = None,
    *,
    of: type[T] | None = None,
    max_keys: float = MAX_KEYS,
) -> Stage[Any, Any]:
    """A running value: begins as `seed`, becomes `fn(value, event)` at each event and goes out: 1 event -> 1 result.

    Examples:
        >>> def add(usd, event):
        ...     return usd + event.signed_volume_usd
        >>> binance = trade("buy", 1_200, exchange="Binance")
        >>> okx = trade("sell", 300, exchange="OKX")
        >>> play(ops.scan(add, 0.0), [batch(binance, okx, binance)])
        [1200.0, 900.0, 2100.0]
        >>> play(ops.scan(add, 0.0, by="exchange"), [batch(binance, okx, binance)])
        [('Binance', 1200.0), ('OKX', -300.0), ('Binance', 2400.0)]

    Order is kept; marks, completion and errors pass. Values follow the order of arrival: behind `merge_exchanges` that
    is the order of event time. Nothing is forgotten at a gap, so the value is then one of what was seen. Of rows `fn`
    is given running and withdrawn ones too: put `ops.final()` before it, unless it tells them apart.

    Args:
        fn: takes the value so far and an event, gives the next value, and changes neither. A Python function: a
            pipeline that holds one cannot be compiled, and pickles only if the function does.
        seed: the first value, hashable: every key and every subscription begins with the same one.
        by: a value for each key: `"exchange"`, `"symbol"` or `"base_asset"`, or several in a tuple. Results are then
            pairs of key and value; the key of several fields is a tuple.
        of: the type of event it takes, for the type checker and for an early error; any by default.
        max_keys: how many keys there may be; `math.inf` for no bound.

    State: one value, or one for each key. On an error of `fn` what came before goes out, then `on_error` with the
    exception and a note that names the stage and the event; so with one key too many (`TooManyKeysError`).

    Raises:
        ValueError: an unknown or repeated field in `by`, `max_keys` below 1; when applied to a stream that is known to
            carry other types than `of`.
        TypeError: `fn` is not callable, or async; `seed` is not hashable; `of` is no type; another argument of another
            type.
    """
    return Scan(fn, seed, _fields(by), of, key_bound(max_keys))


def _fields(by: object) -> str | tuple[str, ...] | None:
    if by is None:
        return None
    names = (by,) if isinstance(by, str) else by
    if not isinstance(names, tuple | list) or not all(
        isinstance(each, str) for each in cast("Sequence[object]", names)
    ):
        raise TypeError(f"by={by!r} takes the name of a field, or several in a tuple")
    texts = tuple(cast("Sequence[str]", names))
    if not texts or not set(texts) <= set(TEXTS) or len(set(texts)) < len(texts):
        raise ValueError(f"by={by!r} takes different names out of {', '.join(repr(each) for each in TEXTS)}")
    return by if isinstance(by, str) else texts


class _ForAll:
    """One value."""

    def __init__(self, stage: Scan) -> None:
        self._stage = stage
        self._value = stage.seed

    def state(self) -> object:
        return self._value

    def take_up(self, state: object) -> None:
        self._value = state

    def apply(self, events: Sequence[Any]) -> list[Any]:
        fn, value = self._stage.fn, self._value
        results: list[Any] = []
        event: Any = None
        try:
            for event in events:
                value = fn(value, event)
                results.append(value)
        except Exception as error:
            raise Interrupted(results, noted(error, self._stage, event)) from error
        finally:
            self._value = value
        return results


class _ForEachKey:
    """A value for each key."""

    def __init__(self, stage: Scan, by: str | tuple[str, ...]) -> None:
        field_of = attrgetter(*((by,) if isinstance(by, str) else by))
        self._stage = stage
        self._is_single = isinstance(by, str)
        self._key_of: Callable[[Any], Any] = (
            field_of if self._is_single or len(by) > 1 else lambda event: (field_of(event),)
        )
        self._values: dict[Any, Any] = {}

    def state(self) -> object:
        return self._values

    def take_up(self, state: object) -> None:
        self._values = cast("dict[Any, Any]", state)

    def apply(self, events: Sequence[Any]) -> list[Any]:
        stage, key_of, values = self._stage, self._key_of, self._values
        fn, seed, max_keys = stage.fn, stage.seed, stage.max_keys
        results: list[Any] = []
        for event in events:
            try:
                key = key_of(event)
                if len(values) >= max_keys and key not in values:
                    raise TooManyKeysError(int(max_keys), (key,) if self._is_single else key)
                value = values[key] = fn(values.get(key, seed), event)
            except Exception as error:
                raise Interrupted(results, noted(error, stage, event)) from error
            results.append((key, value))
        return results
