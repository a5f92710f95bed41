"""A stage beside what is shown: it sees the same signals, and its rows go to a function."""

from collections.abc import Callable
from typing import Any

from reactivex import abc
from reactivex.disposable import Disposable

from cgrx import Batch, Event, EventStream, Mark
from cgrx import operators as ops


class Aside:
    """Runs a stage on the signals that it is given, of these kinds of event. Where the stage fails, it is silent."""

    def __init__(self, stage: ops.Stage[Any, Any], on_row: Callable[[Any], object], *of: type[Event]) -> None:
        self._of = of
        self._observer: Any = None
        stream: EventStream[Any] = EventStream(self._connect, event_types=frozenset(of))
        stream.pipe(stage).subscribe(on_row, self._fail)

    def see(self, batch: Batch[Event]) -> None:
        """The next batch; all its events are of one kind."""
        if self._observer is not None and batch.events and isinstance(batch.events[0], self._of):
            self._observer.on_signal(batch)

    def mark(self, mark: Mark) -> None:
        """The next mark."""
        if self._observer is not None:
            self._observer.on_signal(mark)

    def end(self) -> None:
        """Nothing follows: what is open comes out."""
        if self._observer is not None:
            self._observer.on_completed()

    def _connect(self, observer: Any, _: abc.SchedulerBase | None) -> abc.DisposableBase:
        self._observer = observer
        return Disposable(self._disconnect)

    def _disconnect(self) -> None:
        self._observer = None

    def _fail(self, _: Exception) -> None:
        self._observer = None
