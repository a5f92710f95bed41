"""What Spark calls for each shard and micro-batch: its pipelines take their records; Spark keeps their state.

Spark's timers and watermarks have no part in it (`timeMode="None"`), because time is data: the marks are records.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql.streaming import StatefulProcessor

from cgrx._model.data_errors import RecordError
from cgrx._shards.record import Record
from cgrx._shards.shard import Shard
from cgrx._spark.groups import ADVICE, Keyed
from cgrx._spark.rows import Columns, Pickled
from cgrx.operators._rows.row import Row

STATE = "cgrx"
_RUNS = 4

logger = logging.getLogger("cgrx")

_live: dict[str, dict[str, tuple[bytes, Shard[Any]]]] = {}
"""Of each run of this process the pipelines that it has advanced, with the stamp of the state that they are in.

In the module, since Spark makes the processor anew for each task, and keeps the process. A pipeline whose stamp is the
stored one goes on without being restored; after a failure, or a task that ran elsewhere, the stamps differ.
"""


class ShardsProcessor(StatefulProcessor):
    """Runs the groups of a shard. Its state in Spark: of each group a stamp and the snapshot of its `Shard`."""

    def __init__(
        self, run: str, groups: Mapping[int, Sequence[Keyed]], form: Columns | Pickled, *, final_only: bool
    ) -> None:
        self._run = run
        self._groups = groups
        self._form = form
        self._final_only = final_only

    def init(self, handle: Any) -> None:
        """Name the state."""
        self._state = handle.getMapState(STATE, "key string", "topic_partition int, stamp binary, data binary")

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Any]:
        """The rows that these records of a shard give.

        Raises:
            ValueError: the channels of a group are in several partitions of the topic.
            Exception: what a pipeline fails with.
        """
        groups = self._groups[int(key[0])]
        takers: dict[str, list[list[tuple[int, Record]]]] = {}
        taken: list[list[tuple[int, Record]]] = [[] for _ in groups]
        for group, records in zip(groups, taken, strict=True):
            for channel in group.channels:
                takers.setdefault(channel, []).append(records)
        columns = ("topic_partition", "offset", "channel", "value")
        # Spark promises no order of rows.
        for partition, offset, channel, value in sorted(
            each for frame in rows for each in zip(*(frame[name] for name in columns), strict=True)
        ):
            try:
                record = Record.decode(channel, value, f"partition {partition}, offset {offset}")
            except RecordError as error:  # as behind `cgrx.consume`: the hole that it leaves is a gap
                logger.warning("left out: %s", error)
                continue
            for records in takers[channel]:
                records.append((partition, record))
        given = [
            row
            for group, records in zip(groups, taken, strict=True)
            if records
            for row in self._take(group, records)
            if not (self._final_only and isinstance(row, Row) and not row.final)
        ]
        if given:
            yield self._form.pandas(given)

    def _take(self, group: Keyed, records: Sequence[tuple[int, Record]]) -> list[Any]:
        known: tuple[Any, ...] | None = self._state.getValue((group.key,)) if self._state.exists() else None
        partition, stamp, data = (records[0][0], None, None) if known is None else known
        if len(group.channels) > 1:
            _require_together(group, partition, records)
        live = _live_of(self._run)
        alive = live.pop(group.key, None)
        if alive is not None and alive[0] == stamp:
            pipeline = alive[1]
        else:
            pipeline = Shard(group.group) if data is None else Shard.restore(group.group, bytes(data))
        rows = pipeline.take([record for _, record in records])
        stamp = os.urandom(8)
        self._state.updateValue((group.key,), (partition, stamp, pipeline.snapshot()))
        live[group.key] = (stamp, pipeline)
        return rows

    def close(self) -> None:
        """Nothing is open."""


def _live_of(run: str) -> dict[str, tuple[bytes, Shard[Any]]]:
    if run not in _live:
        _live[run] = {}
        if len(_live) > _RUNS:
            del _live[next(iter(_live))]
    return _live[run]


def _require_together(group: Keyed, partition: int, records: Sequence[tuple[int, Record]]) -> None:
    """Refuse a group whose records are in several partitions, between which a log has no order.

    Raises:
        ValueError: its channels are so.
    """
    for found, record in records:
        if found != partition:
            raise ValueError(
                f"{record.channel} is in partition {found} of the topic, and others of its group in {partition}:"
                f" {' '.join(group.channels)}. Between partitions there is no order. {ADVICE}"
            )
