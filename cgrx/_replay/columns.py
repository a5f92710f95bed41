"""A piece of a recording as columns: a row becomes an event only where a subscriber wants it.

A subscriber that begins with filters (`side`, `min_volume`, `max_volume`, `exchange`, `symbol`, `base_asset`) wants the
events that meet their conditions; any other wants them all. A row is wanted if one subscriber of its channel wants it.
A row too many does no harm, because each subscriber still filters; a row that a filter would keep is never left out,
because the columns hold what the events hold. Marks and the status are always wanted. So is the last event before a
channel begins anew, because the gap there begins when the channel was last heard.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from cgrx._model.channels import Channel
from cgrx._recording.arrow import Rows, pa, pc
from cgrx._recording.schema import channel_named, in_memory, placed
from cgrx._replay.cursors import Conditions, Said, Wanted
from cgrx._streams.conditions import Condition

_EVENT_KINDS = frozenset({"liquidation", "trade"})


class Columns:
    """One record batch of a recording; see `Chunk`."""

    def __init__(self, batch: Rows) -> None:
        self.batch: Rows = in_memory(batch)

    @property
    def last_ms(self) -> int:
        """See `Chunk`."""
        last: int = self.batch.column("received_ms")[-1].as_py()
        return last

    def wanted(self, wanted: Wanted, after: int, now_ms: int) -> Iterator[tuple[int, Said]]:
        """See `Chunk`: the place is `seq`."""
        batch = self.batch
        mask = pc.and_(pc.greater(batch.column("seq"), after), pc.or_(self._matters(wanted), self._precedes_a_new_gap))
        if now_ms:
            mask = pc.and_(mask, pc.greater_equal(pc.cumulative_max(batch.column("received_ms")), now_ms))
        chosen = batch.filter(mask)
        for place, time_ms, channel, said in placed(chosen):
            yield place, Said(time_ms, channel, said)

    def events(self) -> Mapping[Channel, tuple[int, int]]:
        """See `Chunk`."""
        events = self.batch.select(["channel", "received_ms"]).filter(self._is_event())
        groups = pa.table(events).group_by("channel").aggregate([("received_ms", "count"), ("received_ms", "max")])
        return {
            channel_named(group["channel"]): (group["received_ms_count"], group["received_ms_max"])
            for group in groups.to_pylist()
        }

    def _is_event(self) -> Any:
        return _is_in(self.batch.column("kind"), _EVENT_KINDS.__contains__)

    def _matters(self, wanted: Wanted) -> Any:
        """Of each row, whether it is no event, or one that a subscriber wants."""
        channels = self.batch.column("channel")
        by_conditions: dict[frozenset[Conditions], set[str]] = defaultdict(set)
        for name in channels.dictionary.to_pylist():
            by_conditions[wanted.of(channel_named(name))].add(name)
        matters = pc.invert(self._is_event())
        for asked, names in by_conditions.items():
            for conditions in asked:
                met = _is_in(channels, names.__contains__)
                for condition in conditions:
                    met = pc.and_(met, self._meets(condition))
                matters = pc.or_(matters, met)
        return matters

    @cached_property
    def _precedes_a_new_gap(self) -> Any:
        """Of each row, whether it is the last event of its channel before a gap from 0."""
        batch = self.batch
        gaps = pc.equal(batch.column("start_ms"), 0).fill_null(False)
        found = [False] * batch.num_rows
        end = pc.indices_nonzero(gaps)[-1].as_py() + 1 if gaps.true_count else 0
        last: dict[str, int] = {}
        rows = (batch.column("channel")[:end], self._is_event()[:end], gaps[:end])
        for row, (channel, is_event, is_gap) in enumerate(zip(*(column.to_pylist() for column in rows), strict=True)):
            if is_event:
                last[channel] = row
            elif is_gap and channel in last:
                found[last[channel]] = True
        return pa.array(found, pa.bool_())

    def _meets(self, condition: Condition) -> Any:
        column = self.batch.column(condition.field)
        match condition.comparison:
            case "==":
                met = pc.equal(column, condition.value)
            case ">=":
                met = pc.greater_equal(column, condition.value)
            case "<=":
                met = pc.less_equal(column, condition.value)
            case _:
                return _is_in(column, condition.accepts)
        return met.fill_null(False)


def _is_in(column: Any, accepts: Any) -> Any:
    """Of each row, whether its text is accepted; null is not. `accepts` is called once for each different text."""
    codes = [code for code, text in enumerate(column.dictionary.to_pylist()) if accepts(text)]
    return pc.is_in(column.indices, value_set=pa.array(codes, column.indices.type))
