"""What a scheduler holds at a moment, as a frozen value."""

import attrs


@attrs.frozen
class SchedulerStats:
    """What a scheduler holds at this moment.

    Examples:
        >>> async with cgrx.TrioScheduler() as scheduler:
        ...     print(scheduler.stats)
        SchedulerStats(pending=0, disposed=0, tasks=0)
    """

    pending: int
    """Actions that will still run."""
    disposed: int
    """Actions that were disposed and still take room: at most as many as `pending`, or 64."""
    tasks: int
    """Tasks of `start_soon` that have not ended."""
