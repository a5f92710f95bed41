"""A look at the signals of a stream as they pass: batches, and the marks that no subscriber sees."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast, overload

import attrs
from reactivex import Observable

from cgrx._model.signals import Batch, Mark, Signal
from cgrx._streams.about import STATELESS, About
from cgrx._streams.running import Running
from cgrx._streams.stream import EventStream, EventTypes, Stage, require_types
from cgrx._streams.subscriber import is_async

T = TypeVar("T")


def _check_function(_: object, attribute: "attrs.Attribute[Any]", function: Any) -> None:
    if function is not None and (not callable(function) or is_async(function)):
        raise TypeError(f"{attribute.name}={function!r} must be a function, and not an async one")


@attrs.frozen(repr=False)
class Tap(Stage[Any, Any]):
    """See `tap`. Keeps the type of the stream it is applied to."""

    on_batch: Callable[[Batch[Any]], object] | None = attrs.field(validator=_check_function)
    on_mark: Callable[[Mark], object] | None = attrs.field(validator=_check_function)
    of: type | None = attrs.field(validator=attrs.validators.optional(attrs.validators.instance_of(type)))

    def __attrs_post_init__(self) -> None:
        if self.on_batch is None and self.on_mark is None:
            raise TypeError("tap() needs a function: on_batch=, on_mark= or both")

    def __call__(self, source: Observable[T]) -> EventStream[T]:
        return cast("EventStream[T]", super().__call__(source))

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return require_types(self, self.of, incoming)

    def start(self) -> Running[Any, Any]:
        return _Tapping(self)

    @property
    def about(self) -> About:
        return attrs.evolve(STATELESS, functions=tuple(each for _, each in self._functions()))

    def _functions(self) -> list[tuple[str, Callable[[Any], object]]]:
        named = (("on_batch", self.on_batch), ("on_mark", self.on_mark))
        return [(name, function) for name, function in named if function is not None]

    def __repr__(self) -> str:
        arguments = [f"{name}={getattr(each, '__qualname__', repr(each))}" for name, each in self._functions()]
        if self.of is not None:
            arguments.append(f"of={self.of.__name__}")
        return f"tap({', '.join(arguments)})"


class _Tapping(Running[Any, Any]):
    def __init__(self, stage: Tap) -> None:
        self._stage = stage

    def on_signal(self, signal: Signal[Any]) -> Iterable[Signal[Any]]:
        if isinstance(signal, Batch):
            if self._stage.on_batch is not None:
                self._stage.on_batch(signal)
        elif self._stage.on_mark is not None:
            self._stage.on_mark(signal)
        return (signal,)


@overload
def tap(
    on_batch: Callable[[Batch[object]], object] | None = None, *, on_mark: Callable[[Mark], object] | None = None
) -> Tap: ...
@overload
def tap(
    on_batch: Callable[[Batch[T]], object],
    *,
    on_mark: Callable[[Mark], object] | None = None,
    of: type[T] | None = None,
) -> Stage[T, T]: ...
def tap(
    on_batch: Callable[[Batch[Any]], object] | None = None,
    *,
    on_mark: Callable[[Mark], object] | None = None,
    of: type | None = None,
) -> Stage[Any, Any]:
    """Call a function for each signal that passes, and change nothing: to count, log or show what a stream carries.

    Examples:
        >>> signals = [batch(liquidation("long")), alive("15s"), gap("15s", "20s")]
        >>> events = play(ops.tap(on_mark=print), signals)
        Alive(origin='test', at_ms=15000)
        Gap(channel=LiquidationOrders(), start_ms=15000, end_ms=20000, reason='test')
        >>> len(events)
        1

    A function is called before its signal goes on, once per subscription, in the order of the signals. It must be
    quick: the feed waits for it.

    Args:
        on_batch: takes each `Batch`: the events that arrived together, with their channel and time of receipt.
        on_mark: takes each mark: `Alive`, `Gap`, `Dropped` or `Watermark`. Behind a reactivex operator there are none.
        of: the type of event in the batches, for the type checker and for an early error; any by default.

    Completion and errors pass. If a function raises, its signal does not go on: `on_error` gets the exception, with a
    note that names the stage and the signal. State: none. A pipeline that holds a `tap` cannot be compiled, and pickles
    only if the functions do.

    Raises:
        TypeError: no function is given, or something that is not callable, or async; `of` is no type.
        ValueError: when applied to a stream that is known to carry other types than `of`.
    """
    return Tap(on_batch, on_mark, of)
