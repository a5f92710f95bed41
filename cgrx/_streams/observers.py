"""Who receives signals: the protocol, the end of every subscription, and the gate that keeps signals in turn."""

import inspect
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import attrs
from reactivex import abc
from reactivex.disposable import SingleAssignmentDisposable

from cgrx._model.signals import Batch, Signal

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

    @property
    def waits(self) -> bool:
        """Whether it would rather wait for its consumers than let a buffer overflow, as a replay at full speed."""
        ...

    def begin(self) -> None:
        """Somebody waits for its streams: a replay starts."""
        ...

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """Call it in so many seconds of trio's clock, whatever the feed's own time is."""
        ...

    def hold(self) -> None:
        """Stop reading until `release` has been called as often."""
        ...

    def release(self) -> None:
        """Take one `hold` back."""
        ...


def stages_of(observer: object) -> tuple[Any, ...]:
    """The stages that all signals for this observer go through first, where it tells."""
    found: tuple[Any, ...] = getattr(observer, "stages", ())
    return found


def is_async(function: object) -> bool:
    """Whether calling it makes a coroutine or an async generator (also a partial, or an object with such a call)."""
    call = getattr(type(function), "__call__", None)  # noqa: B004 - not asked whether it can be called, but how
    return any(inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in (function, call))


def refuse_async(callback: object) -> None:
    """Raise `TypeError` for an async function: Rx would call it and drop the coroutine."""
    if is_async(callback):
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
        self.subscription.dispose()

    def _raised(self, error: Exception) -> None:
        if self._runtime is None:
            raise error
        self.dispose()
        self._runtime.subscriber_raised(error)


def _ignore(*_: Any) -> None:
    pass


class InTurn(abc.DisposableBase, Generic[T]):
    """Hands signals on one at a time: one that arises while another is handled waits for it.

    Without it a subscriber that pushes into a Subject of its own pipeline would enter a stage that is still busy.
    Nothing goes on behind an error or completion, nor after disposal.
    """

    def __init__(self, observer: SignalObserver[T]) -> None:
        self._observer = observer
        self._waiting: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._busy = False
        self._stopped = False

    def on_signal(self, signal: Signal[T]) -> None:
        self._hand_on(self._observer.on_signal, signal)

    def on_error(self, error: Exception) -> None:
        self._hand_on(self._end, self._observer.on_error, error)

    def on_completed(self) -> None:
        self._hand_on(self._end, self._observer.on_completed)

    def dispose(self) -> None:
        self._stopped = True
        self._waiting.clear()

    def _end(self, notify: Callable[..., None], *arguments: Any) -> None:
        self.dispose()
        notify(*arguments)

    def _hand_on(self, notify: Callable[..., None], *arguments: Any) -> None:
        if self._stopped:
            return
        if self._busy:
            self._waiting.append((notify, arguments))
            return
        self._busy = True
        raised: Exception | None = None
        try:
            while True:
                try:
                    notify(*arguments)
                except Exception as error:  # noqa: BLE001 - raised again when what waits has had its turn
                    raised = raised or error
                if not self._waiting:
                    break
                notify, arguments = self._waiting.popleft()
        finally:
            self._busy = False
        if raised is not None:
            raise raised


def joint(runtimes: Iterable[Runtime]) -> Runtime | None:
    """The runtime of a stream made of others, None where none of them has one."""
    distinct = tuple(dict.fromkeys(runtimes))
    return _Joint(distinct) if len(distinct) > 1 else next(iter(distinct), None)


@attrs.frozen
class _Joint:
    """The runtimes of several feeds, for a stream made of all of them; the first one takes the errors."""

    members: tuple[Runtime, ...]

    @property
    def scheduler(self) -> abc.SchedulerBase:
        return self.members[0].scheduler

    def check_thread(self) -> None:
        for member in self.members:
            member.check_thread()

    def subscriber_raised(self, error: Exception) -> None:
        self.members[0].subscriber_raised(error)

    def unhandled(self, error: Exception) -> None:
        self.members[0].unhandled(error)

    @property
    def waits(self) -> bool:
        return all(member.waits for member in self.members)

    def begin(self) -> None:
        for member in self.members:
            member.begin()

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        return self.members[0].after(delay_s, action)

    def hold(self) -> None:
        for member in self.members:
            member.hold()

    def release(self) -> None:
        for member in self.members:
            member.release()
