"""Where rows go: what Spark hands on once a micro-batch, perhaps again after a failure, is there once."""

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import trio
from reactivex.subject import Subject

from cgrx._model.data_errors import SinkDataError
from cgrx._sinks.postgres import postgres
from cgrx._spark.folders import holds_something
from cgrx._spark.rows import unpickled

_ROWS_A_FILE = 1_000_000
_CHUNK = 10_000


@attrs.frozen
class Parquet:
    """Final rows as files of Parquet, written by the workers: `folder/batch=17/part-*.parquet`.

    A micro-batch is a folder of its own, which is written anew where a micro-batch runs again: each row is there once,
    whoever reads the files. One that gave no row writes nothing. The columns are those of `cgrx.to_frame`.

    Examples:
        >>> from cgrx.engines import spark
        >>> spark.Parquet("s3a://bucket/bars")
        Parquet(folder='s3a://bucket/bars')
    """

    folder: str
    """Where all workers can write: a path, or a URL such as `"s3a://bucket/bars"`."""
    pickled = False

    def begin(self, session: Any) -> None:
        """Refuse a folder with rows of another run: micro-batches of a new checkpoint count from 0.

        Raises:
            ValueError: it holds some.
        """
        if holds_something(session, self.folder):
            raise ValueError(f"{self.folder} is not empty, and the checkpoint is new: give another folder")

    def write(self, frame: Any, batch: int) -> None:
        """Write a micro-batch."""
        rows = frame.persist()  # else Spark would run the pipelines twice: to count, and to write
        try:
            count = rows.count()
            if count:
                files = -(-count // _ROWS_A_FILE)
                rows.repartition(files).write.mode("overwrite").parquet(f"{self.folder.rstrip('/')}/batch={batch}")
        finally:
            rows.unpersist()


@attrs.frozen
class Rows:
    """Rows as objects, to a function in the driver: `callback(rows)`, a list, once for each micro-batch that gave some.

    What the driver did not live to commit is handed over again: by `identity` a table of rows takes it once.

    Examples:
        >>> from cgrx.engines import spark
        >>> sink = spark.Rows(lambda rows: print(len(rows)))
    """

    callback: Callable[[list[Any]], object]
    """Called in a thread of the driver."""
    pickled = True

    def begin(self, session: Any) -> None:
        """Nothing is to be refused."""

    def write(self, frame: Any, batch: int) -> None:
        """Hand over a micro-batch."""
        rows = unpickled(frame)
        if rows:
            self.callback(rows)


@attrs.frozen
class Postgres:
    """Rows into a table, by the driver, through `cgrx.sinks.postgres`: by their identity, so each is there once.

    A database that is away holds the micro-batch up. Needs the extra `postgres`.

    Examples:
        >>> from cgrx.engines import spark
        >>> spark.Postgres("postgresql://localhost/market", table="bars", create=True)
        Postgres(table='bars', pipeline=None, create=True)
    """

    dsn: str = attrs.field(repr=False)
    """Where the database is, as for `cgrx.sinks.postgres`."""
    table: str
    """Its name."""
    pipeline: str | None = None
    """Where several pipelines share the table: the value of its column `pipeline`."""
    create: bool = False
    """Make the table where it is missing."""
    pickled = True

    def begin(self, session: Any) -> None:
        """Nothing is to be refused."""

    def write(self, frame: Any, batch: int) -> None:
        """Deliver a micro-batch.

        Raises:
            SinkRefusedError, SinkDataError: the database takes none of it, or not all of it.
        """
        rows = unpickled(frame)
        if rows:
            trio.run(self._deliver, rows)

    async def _deliver(self, rows: list[Any]) -> None:
        stream: Subject[Any] = Subject()
        async with postgres(self.dsn, stream, table=self.table, pipeline=self.pipeline, create=self.create) as sink:
            for start in range(0, len(rows), _CHUNK):
                for row in rows[start : start + _CHUNK]:
                    stream.on_next(row)
                await sink.flush()
        if sink.stats.dead:
            raise SinkDataError(f"{sink.stats.dead} of {len(rows)} rows do not fit {sink.name}")


SparkSink: TypeAlias = Parquet | Postgres | Rows
