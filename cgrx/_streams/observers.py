"""What gives signals and what receives them, as protocols; and the gate that hands signals on one at a time."""

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from reactivex import abc

from cgrx._model.signals import Signal

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)
X = TypeVar("X")


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


class SignalSource(Protocol[T_co]):
    """What can be subscribed to for signals: an EventStream."""

    def subscribe_signals(
        self, observer: SignalObserver[T_co], *, scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase: ...


def stages_of(observer: object) -> tuple[Any, ...]:
    """The stages through which all signals for this observer go first; none if it does not tell."""
    found: tuple[Any, ...] = getattr(observer, "stages", ())
    return found


class Items(Generic[T]):
    """Signals as the items of a plain observer."""

    def __init__(self, observer: abc.ObserverBase[Signal[T]]) -> None:
        self.on_signal = observer.on_next
        self.on_error = observer.on_error
        self.on_completed = observer.on_completed


class InTurn(abc.DisposableBase, Generic[T]):
    """Hands signals on one at a time: one that arises while another is handled waits for it.

    Without it a subscriber that pushes into a Subject of its own pipeline would enter a stage that is still busy.
    Nothing goes on behind an error or completion, nor after disposal.
    """

    def __init__(self, observer: SignalObserver[T]) -> None:
        self._observer = observer
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        self.is_free = True
        """Whether what comes is handled at once: nothing else is, and nothing has ended it."""
        self._stopped = False

    def on_signal(self, signal: Signal[T]) -> None:
        self.take(self._observer.on_signal, signal)

    def on_error(self, error: Exception) -> None:
        self.take(self._fail, error)

    def on_completed(self) -> None:
        self.take(self._complete, None)

    def dispose(self) -> None:
        self._stopped = True
        self.is_free = False
        self._waiting.clear()

    @property
    def stopped(self) -> bool:
        """Whether nothing goes on any more."""
        return self._stopped

    def take(self, notify: Callable[[X], None], what: X) -> None:
        """Do something in turn with the signals, as to hand one on. As a rule nothing waits, and it costs a call."""
        if not self.is_free:
            if not self._stopped:
                self._waiting.append((notify, what))
            return
        self.is_free = False
        try:
            notify(what)
        except Exception as error:  # noqa: BLE001 - raised again when what waits has had its turn
            self._take_waiting(error)
        else:
            if self._waiting:
                self._take_waiting(None)
        finally:
            self.is_free = not self._stopped

    def _take_waiting(self, raised: Exception | None) -> None:
        while self._waiting:
            notify, what = self._waiting.popleft()
            try:
                notify(what)
            except Exception as error:  # noqa: BLE001 - likewise
                raised = raised or error
        if raised is not None:
            raise raised

    def _fail(self, error: Exception) -> None:
        self.dispose()
        self._observer.on_error(error)

    def _complete(self, _: None) -> None:
        self.dispose()
        self._observer.on_completed()
