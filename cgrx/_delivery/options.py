"""The keyword arguments that all sinks share, and their values once they have been checked."""

import os
from pathlib import Path
from typing import TypedDict

import attrs

from cgrx._extras import require_extra
from cgrx._model.times import Duration, to_seconds

BATCH = 1000
EVERY = "1s"
BUFFER = 100_000
DRAIN = "5s"


class DeliveryOptions(TypedDict, total=False):
    """Those of all sinks.

    Examples:
        >>> options: cgrx.sinks.DeliveryOptions = {
        ...     "batch": 500,
        ...     "every": "5s",
        ...     "dead_letters": "refused.jsonl",
        ... }
        >>> import reactivex
        >>> async with cgrx.sinks.parquet(
        ...     "bars", reactivex.of(liquidation()), **options
        ... ) as sink:
        ...     print(sink.stats.dead)
        0
    """

    batch: int
    """How many items a batch holds at the most, 1000 by default."""
    every: Duration
    """How long an item waits for its batch to fill, `"1s"` by default."""
    buffer: int
    """How many items may wait in memory, 100,000 by default. When more come, running rows are given up first, the
    oldest first, and then others; a replay at full speed waits instead."""
    final_only: bool
    """Leave running rows out."""
    dead_letters: str | os.PathLike[str] | None
    """A file for what is refused: JSON Lines with `sink`, `reason` and `item`. None: such items are counted and told
    alone."""
    spill: str | os.PathLike[str] | None
    """A folder for what finds no room in memory, and for what is left on leaving, up to 1 GiB. A later sink with the
    same folder delivers it first, also where the process was killed. It must be writable for this user alone, for what
    it holds is unpickled. Needs the extra `spill`."""
    drain: Duration
    """How long leaving may wait for the system, `"5s"` by default: less than `cgrx.run` waits."""


@attrs.frozen
class Terms:
    """How a sink delivers."""

    batch: int
    every_s: float
    buffer: int
    final_only: bool
    dead_letters: Path | None
    spill: Path | None
    drain_s: float

    @classmethod
    def of(cls, options: DeliveryOptions) -> "Terms":
        """Check the options.

        Raises:
            ValueError, TypeError: one cannot be used.
            ImportError: `spill` is given, and filelock is not installed.
        """
        unknown = sorted(set(options) - set(DeliveryOptions.__annotations__))
        if unknown:
            raise TypeError(
                f"{unknown[0]!r} is no option of a sink; those are {', '.join(DeliveryOptions.__annotations__)}"
            )
        letters, spill = options.get("dead_letters"), options.get("spill")
        if spill is not None:
            require_extra("spill=", "spill")
        batch, buffer = options.get("batch", BATCH), options.get("buffer", BUFFER)
        counts: tuple[tuple[str, object], ...] = (("batch", batch), ("buffer", buffer))
        for name, value in counts:
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number, at least 1")
        if batch > buffer:
            raise ValueError(f"batch={batch!r} is more than may wait: give buffer={buffer!r} at least as many")
        return cls(
            batch=batch,
            every_s=to_seconds(options.get("every", EVERY), "every"),
            buffer=buffer,
            final_only=options.get("final_only", False),
            dead_letters=None if letters is None else Path(letters),
            spill=None if spill is None else Path(spill),
            drain_s=to_seconds(options.get("drain", DRAIN), "drain"),
        )
