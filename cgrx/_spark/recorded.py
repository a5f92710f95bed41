"""Recordings as a source of Spark: a task is a group, and gives the rows of its backtest."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from cgrx._backtest.backtest import backtest
from cgrx._spark.groups import Keyed
from cgrx._spark.rows import Columns, Pickled
from cgrx._spark.settings import Recordings
from cgrx.operators._rows.row import Row

_CHUNK = 10_000


@attrs.frozen
class Job(InputPartition):
    """The number of a group."""

    at: int


@attrs.frozen
class BacktestReader(DataSourceReader):
    """Runs the backtests."""

    recordings: Recordings
    groups: Sequence[Keyed]
    form: Columns | Pickled
    final_only: bool

    def partitions(self) -> list[Job]:
        """The tasks."""
        return [Job(at) for at in range(len(self.groups))]

    def read(self, partition: Any) -> Iterator[Any]:
        """The rows of a task, as batches of Arrow.

        Raises:
            Exception: what `backtest` raises, with a note that names the group.
        """
        at: int = partition.at
        keyed, asked = self.groups[at], self.recordings
        try:
            found = backtest(keyed.group, asked.folders, start=asked.start, end=asked.end, channels=keyed.channels).rows
        except Exception as error:
            error.add_note(f"in the group {keyed.key}")
            raise
        rows = [row for row in found if not (self.final_only and isinstance(row, Row) and not row.final)]
        for start in range(0, len(rows), _CHUNK):
            yield from self.form.arrow(rows[start : start + _CHUNK]).to_batches()


def recorded_source(name: str, reader: BacktestReader) -> type[DataSource]:
    """A source of this name that gives the rows of these backtests."""

    class Backtests(DataSource):
        @classmethod
        def name(cls) -> str:
            return name

        def schema(self) -> Any:
            return reader.form.schema

        def reader(self, schema: object) -> BacktestReader:
            return reader

    return Backtests
