"""Losses, told as they begin, and then summed up once a second, so that a flood of them is no flood of statuses."""

from collections.abc import Callable

import trio

from cgrx._model.output_status import Undelivered
from cgrx._model.status import Status

_EVERY_S = 1.0


class Losses:
    """Tells how many items a sink has given up, and the latest reason."""

    def __init__(self, sink: str, tell: Callable[[Callable[[int], Status]], object]) -> None:
        self._sink = sink
        self._tell = tell
        self._count = 0
        self._reason = ""
        self._told = -_EVERY_S
        self._some = trio.Event()

    def add(self, count: int, reason: str) -> None:
        """Some more were given up."""
        self._count += count
        self._reason = reason
        if trio.current_time() - self._told >= _EVERY_S:
            self.tell()
        else:
            self._some.set()

    def tell(self) -> None:
        """Report those that have not been told."""
        count, reason, self._count = self._count, self._reason, 0
        if count:
            self._told = trio.current_time()
            self._tell(lambda at_ms: Undelivered(at_ms, self._sink, count, reason))

    async def run(self) -> None:
        """Tell the rest of each second."""
        while True:
            await self._some.wait()
            await trio.sleep_until(self._told + _EVERY_S)
            self._some = trio.Event()
            self.tell()
