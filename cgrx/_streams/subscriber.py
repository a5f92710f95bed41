"""The end of every subscription: a user's callbacks, which must not be async, and what happens when they raise."""

import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any, Generic, TypeVar

from reactivex import abc

from cgrx._model.signals import Batch, Signal
from cgrx._streams.runtime import Runtime

T = TypeVar("T")

PLAIN = FunctionType, MethodType
"""What a callback nearly always is: neither an observer nor an object that can be called."""
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def is_async(function: object) -> bool:
    """Whether calling it makes a coroutine or an async generator (also a partial, or an object with such a call)."""
    if isinstance(function, PLAIN) and not function.__dict__:  # nothing marks it: its code tells, as `inspect` finds
        code: object = getattr(function, "__code__", None)
        if isinstance(code, CodeType):
            return bool(code.co_flags & _ASYNC)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return True
    call = getattr(type(function), "__call__", None)  # noqa: B004 - not asked whether it can be called, but how
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)


def refuse_async(callback: object) -> None:
    """Raise `TypeError` for an async function: Rx would call it and drop the coroutine."""
    if is_async(callback):
        raise TypeError(
            f"subscribe({callback!r}): an async function cannot be a subscriber; iterate instead:"
            " `async with cgrx.stream(observable) as events: async for event in events: ...`"
        )


class Subscriber(abc.ObserverBase[T], abc.DisposableBase, Generic[T]):
    """The end of a subscription: the user's callbacks, single events, and what happens when they raise.

    With a runtime no exception leaves it: it disposes the subscription and tells the runtime, and the other subscribers
    miss nothing. Without a runtime, exceptions go to the caller, as in Rx.
    """

    def __init__(
        self,
        runtime: Runtime | None,
        on_next: Callable[[T], object] | None,
        on_error: Callable[[Exception], object] | None,
        on_completed: Callable[[], object] | None,
    ) -> None:
        for callback in (on_next, on_error, on_completed):
            if callback is not None:
                refuse_async(callback)
        self._runtime = runtime
        self._on_next = on_next or _ignore
        self._on_error = on_error
        self._on_completed = on_completed or _ignore
        self._stopped = False
        self._rest: Iterator[T] = _NOTHING  # of the batch that is being handed on; see `on_signal`
        self._source: abc.DisposableBase | None = None

    def connected(self, source: abc.DisposableBase) -> None:
        """Say what is to be let go of at the end, which may have come already."""
        if self._stopped:
            source.dispose()
        else:
            self._source = source

    def on_signal(self, signal: Signal[T]) -> None:
        """Hand the events of a batch on, one at a time; marks are for stages."""
        if not isinstance(signal, Batch):
            return
        on_next, events = self._on_next, signal.events
        try:
            if len(events) == 1 and not self._stopped:  # a loop for one event costs half as much as the callback
                on_next(events[0])
                return
            # The loop need not ask whether it is stopped, for `dispose` uses up what it runs over. A callback may push:
            # then it runs within another one.
            rest = iter(events) if not self._stopped else _NOTHING
            around, self._rest = self._rest, rest
            try:
                for event in rest:
                    on_next(event)
            finally:
                self._rest = around
                if self._stopped:
                    _use_up(around)
        except Exception as error:  # noqa: BLE001 - a subscriber's own exception; see the class
            self._raised(error)

    def on_next(self, value: T) -> None:
        """Hand one event on."""
        if self._stopped:
            return
        try:
            self._on_next(value)
        except Exception as error:  # noqa: BLE001 - as above
            self._raised(error)

    def on_error(self, error: Exception) -> None:
        """Hand the failure on, once."""
        if self._stopped:
            return
        self._stopped = True
        try:
            if self._on_error is not None:
                self._on_error(error)
            elif self._runtime is not None:
                self._runtime.unhandled(error)
            else:
                raise error
        except Exception as raised:  # noqa: BLE001 - as above
            if self._runtime is not None and raised is error:
                self._runtime.unhandled(error)  # the default handler of a reactivex operator raises what it gets
            else:
                self._raised(raised)
        finally:
            self.dispose()

    def on_completed(self) -> None:
        """Hand completion on, once."""
        if self._stopped:
            return
        self._stopped = True
        try:
            self._on_completed()
        except Exception as error:  # noqa: BLE001 - as above
            self._raised(error)
        finally:
            self.dispose()

    def dispose(self) -> None:
        """Stop delivery at once, also within a batch, and let go of the source."""
        self._stopped = True
        _use_up(self._rest)
        source, self._source = self._source, None
        if source is not None:
            source.dispose()

    def _raised(self, error: Exception) -> None:
        if self._runtime is None:
            raise error
        self.dispose()
        self._runtime.subscriber_raised(error)


_NOTHING: Iterator[Any] = iter(())


def _use_up(events: Iterator[Any]) -> None:
    for _ in events:
        pass


def _ignore(*_: Any) -> None:
    pass
