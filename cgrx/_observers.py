"""Who receives signals: the protocol, the end of every subscription, and the gate that keeps signals in turn."""

import inspect
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from cgrx._signals import Batch, Signal

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class SignalObserver(Protocol[T_contra]):
    """Receives whole signals, in order, and then at most one of `on_error` and `on_completed`."""

    def on_signal(self, signal: Signal[T_contra], /) -> None:
        """A batch of events, or a mark."""
        ...

    def on_error(self, error: Exception, /) -> None:
        """The stream has failed; nothing follows."""
        ...

    def on_completed(self) -> None:
        """The stream has ended; nothing follows."""
        ...


class Runtime(Protocol):
    """What a stream knows of the feed that it begins on."""

    @property
    def scheduler(self) -> abc.SchedulerBase:
        """Where timed reactivex operators run."""
        ...

    def check_thread(self) -> None:
        """Raise `ThreadError` unless called in the feed's thread."""
        ...

    def subscriber_raised(self, error: Exception) -> None:
        """A subscriber raised; its subscription is disposed already."""
        ...

    def unhandled(self, error: Exception) -> None:
        """A stream ended with an error for which its subscriber has no `on_error`."""
        ...

    def hold(self) -> None:
        """Stop reading until `release` has been called as often."""
        ...

    def release(self) -> None:
        """Take one `hold` back."""
        ...


def refuse_async(callback: object) -> None:
    """Raise `TypeError` for an async function: Rx would call it and drop the coroutine."""
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(getattr(callback, "__call__", None)):
        raise TypeError(
            f"subscribe({callback!r}): an async function cannot be a subscriber; iterate instead:"
            " `async with cgrx.stream(observable) as events: async for event in events: ...`"
        )


class Subscriber(abc.ObserverBase[T], Generic[T]):
    """The end of a subscription: the user's callbacks, single events, and what happens when they raise.

    With a runtime no exception leaves it: the subscription is disposed and the runtime told, so that siblings
    miss nothing. Without one, exceptions go to the caller, as in Rx.
    """

    def __init__(
        self,
        runtime: Runtime | None,
        on_next: Callable[[T], None] | None,
        on_error: Callable[[Exception], None] | None,
        on_completed: Callable[[], None] | None,
    ) -> None:
        for callback in (on_next, on_error, on_completed):
            refuse_async(callback)
        self._runtime = runtime
        self._on_next = on_next or _ignore
        self._on_error = on_error
        self._on_completed = on_completed or _ignore
        self._stopped = False
        self.subscription = SingleAssignmentDisposable()

    def on_signal(self, signal: Signal[T]) -> None:
        """Hand the events of a batch on, one at a time; marks are for stages."""
        if not isinstance(signal, Batch):
            return
        on_next = self._on_next
        try:
            for event in signal.events:
                if self._stopped:
                    return
                on_next(event)
        except Exception as error:  # a subscriber's own exception; see the class
            self._raised(error)

    def on_next(self, value: T) -> None:
        """Hand one event on."""
        if self._stopped:
            return
        try:
            self._on_next(value)
        except Exception as error:  # as above
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
        except Exception as raised:  # as above
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
        except Exception as error:  # as above
            self._raised(error)
        finally:
            self.dispose()

    def dispose(self) -> None:
        """Stop delivery at once, also within a batch, and let go of the source."""
        self._stopped = True
        self.subscription.dispose()

    def _raised(self, error: Exception) -> None:
        if self._runtime is None:
            raise error
        self.dispose()
        self._runtime.subscriber_raised(error)


def _ignore(*_: Any) -> None:
    pass


class InTurn(Generic[T]):
    """Hands signals on one at a time: one that arises while another is handled waits for it.

    Without it a subscriber that pushes into a Subject of its own pipeline would enter a stage that is still busy.
    """

    def __init__(self, observer: SignalObserver[T]) -> None:
        self._observer = observer
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    def on_signal(self, signal: Signal[T]) -> None:
        self._hand_on(lambda: self._observer.on_signal(signal))

    def on_error(self, error: Exception) -> None:
        self._hand_on(lambda: self._observer.on_error(error))

    def on_completed(self) -> None:
        self._hand_on(self._observer.on_completed)

    def _hand_on(self, notification: Callable[[], None]) -> None:
        self._waiting.append(notification)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._busy = False
