"""What became of the items that a sink was given, counted so that every one is in exactly one place."""

import attrs


@attrs.frozen
class SinkStats:
    """`received == delivered + superseded + dropped + dead + queued + in_flight`, at every moment.

    Examples:
        >>> import reactivex
        >>> async def write(batch):
        ...     raise ValueError("no such column")
        >>> async with cgrx.sinks.deliver(write, reactivex.of(liquidation())) as sink:
        ...     await sink.flush()
        >>> sink.stats.received, sink.stats.delivered, sink.stats.dead
        (1, 0, 1)
    """

    received: int
    """Items that came, those included that an earlier process had left in the spill folder."""
    delivered: int
    """Items that the system has acknowledged."""
    superseded: int
    """Running rows that a later row of the same window replaced before they were sent."""
    dropped: int
    """Items given up because there was no room for them, or no time on leaving."""
    dead: int
    """Items that the system refuses; they are in the dead-letter file, where there is one."""
    queued: int
    """Items that wait, in memory and in the spill folder."""
    in_flight: int
    """Items of the batch that is being written."""
    spilled: int
    """Of those that wait, how many are in the spill folder."""
    batches: int
    """Batches that the system has acknowledged."""
    retries: int
    """Attempts to write a batch that did not succeed, and were or will be repeated."""
    error: Exception | None
    """What keeps the sink from delivering now; None while it delivers."""


@attrs.define
class Accounts:
    """The counters while they change. What waits is counted by the backlog itself."""

    received: int = 0
    delivered: int = 0
    superseded: int = 0
    dropped: int = 0
    dead: int = 0
    in_flight: int = 0
    batches: int = 0
    retries: int = 0
    error: Exception | None = None

    def stats(self, queued: int, spilled: int) -> SinkStats:
        """A snapshot."""
        return SinkStats(queued=queued, spilled=spilled, **attrs.asdict(self, recurse=False))
