"""What the stages of a stream hold and have counted, asked of their running forms: it costs nothing per event."""

from collections.abc import Iterable
from typing import Protocol
from weakref import WeakSet

import attrs


@attrs.frozen
class StageStats:
    """What the stages of a stream hold and have counted, all its subscriptions together.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     rows = feed.liquidations().pipe(ops.tumbling("1m", by="symbol"))
        ...     subscription = rows.subscribe(print)
        ...     print(rows.stage_stats)
        StageStats(keys=0, late=0)
    """

    keys: int = 0
    """Keys that windows hold open now."""
    late: int = 0
    """Events that came when their window had closed, those of subscriptions that have ended included."""

    @classmethod
    def together(cls, several: Iterable["StageStats"]) -> "StageStats":
        """The sums."""
        keys = late = 0
        for each in several:
            keys, late = keys + each.keys, late + each.late
        return cls(keys, late)


class Counting(Protocol):
    """What a running form is asked for."""

    @property
    def stats(self) -> StageStats: ...


class Subscriptions:
    """The running forms of one stream: those that run, and what those that have ended counted."""

    def __init__(self) -> None:
        self._running: WeakSet[Counting] | None = None  # made with the first: most streams have no stages
        self._late = 0

    def begin(self, running: Counting) -> None:
        """A subscription has begun."""
        if self._running is None:
            self._running = WeakSet()
        self._running.add(running)

    def end(self, running: Counting) -> None:
        """It has ended; a second time changes nothing."""
        if self._running is not None and running in self._running:
            self._running.discard(running)
            self._late += running.stats.late

    @property
    def stats(self) -> StageStats:
        """A snapshot."""
        return StageStats.together((StageStats(late=self._late), *(each.stats for each in self._running or ())))
