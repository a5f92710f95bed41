"""What is to end in good order when the process is asked to stop: each open feed, and what a program adds.

A host that listens for signals (`cgrx.run`) puts a `Draining` into the run of trio; without one nothing is kept here.
Once it has been asked:

    open feeds, and what `on_drain` keeps   are stopped: they end by themselves, and the code behind them runs
    nothing is open                         main is cancelled
    a feed that waits for its connection    main is cancelled, as soon as nothing else is open
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import attrs
import trio

from cgrx._trio.require import require_trio


@attrs.define(eq=False)
class Draining:
    """What is open in one run of trio. `cancel` cancels its main."""

    cancel: Callable[[], None]
    _open: dict[object, Callable[[], object]] = attrs.field(factory=dict[object, Callable[[], object]], init=False)
    """How to stop each."""
    _opening: int = attrs.field(default=0, init=False)
    """How many feeds wait for their connection."""
    _asked: bool = attrs.field(default=False, init=False)

    def ask(self) -> None:
        """Stop all that is open, the innermost first. Raises what stopping one of them raises."""
        self._asked = True
        if not self._open:
            self.cancel()
        for stop in reversed(tuple(self._open.values())):
            stop()

    @contextmanager
    def opening(self) -> Generator[None]:
        """A feed waits for its connection in the body."""
        self._opening += 1
        self._cancel_opening()
        try:
            yield
        finally:
            self._opening -= 1

    @contextmanager
    def open(self, stop: Callable[[], object]) -> Generator[None]:
        """What is done in the body ends soon after `stop` was called."""
        me = object()
        self._open[me] = stop
        try:
            if self._asked:
                stop()
            yield
        finally:
            del self._open[me]
            self._cancel_opening()

    def _cancel_opening(self) -> None:
        if self._asked and self._opening and not self._open:
            self.cancel()


DRAINING: trio.lowlevel.RunVar[Draining | None] = trio.lowlevel.RunVar("cgrx.draining", None)
"""That of the running trio loop; None where nothing listens for signals."""


def opening() -> AbstractContextManager[None]:
    """See `Draining.opening`."""
    draining = DRAINING.get()
    return nullcontext() if draining is None else draining.opening()


def on_drain(stop: Callable[[], object]) -> AbstractContextManager[None]:
    """Have something of your own end in good order on a signal: `with cgrx.on_drain(server.close): await serve()`.

    While the body runs, the first signal that `cgrx.run` gets calls `stop` beside closing the open feeds, and does not
    cancel main. Entered after that signal, `stop` is called at once. Outside `cgrx.run` it is never called.

    Args:
        stop: takes no arguments, returns at once, and makes the body end soon, such as `scope.cancel` of a
            `trio.CancelScope` around the work. What it raises cancels main, and leaves `cgrx.run`.

    Raises:
        NotInTrioError: called outside trio.

    Examples:
        >>> import trio
        >>> async def main() -> None:
        ...     with trio.CancelScope() as scope, cgrx.on_drain(scope.cancel):
        ...         scope.cancel()  # as the first signal does
        ...         await trio.sleep_forever()
        ...     print("closed in good order")
        >>> cgrx.run(main)
        closed in good order
    """
    require_trio("on_drain()")
    draining = DRAINING.get()
    return nullcontext() if draining is None else draining.open(stop)
