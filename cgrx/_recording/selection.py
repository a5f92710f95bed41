"""Which rows of a recording are asked for."""

from functools import reduce
from typing import Any

import attrs

from cgrx._recording.arrow import Rows, pa, pc


@attrs.frozen
class Wanted:
    """Rows of these channels (by wire name; None: of all), received in [start_ms, end_ms)."""

    channels: tuple[str, ...] | None
    start_ms: int | None
    end_ms: int | None

    def holds(self, start_ms: int, end_ms: int) -> bool:
        """Whether something received between these two times (both included) may be wanted."""
        return (self.start_ms is None or end_ms >= self.start_ms) and (self.end_ms is None or start_ms < self.end_ms)

    def of(self, batch: Rows) -> Rows:
        """The wanted rows among these (as in memory); what a feed said of itself belongs to every channel."""
        masks: list[Any] = []
        if self.channels is not None:
            channel = batch.column("channel")
            known = pc.is_in(channel.dictionary, pa.array(self.channels, pa.string()))
            masks.append(pc.fill_null(known.take(channel.indices), True))
        received_ms = batch.column("received_ms")
        if self.start_ms is not None:
            masks.append(pc.greater_equal(received_ms, self.start_ms))
        if self.end_ms is not None:
            masks.append(pc.less(received_ms, self.end_ms))
        telling = [mask for mask in masks if mask.true_count < len(mask)]
        return batch.filter(reduce(pc.and_, telling)) if telling else batch
