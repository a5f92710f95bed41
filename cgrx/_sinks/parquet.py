"""`cgrx.sinks.parquet`: final rows, or events, into files of an hour or a day."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack, cast

import trio
from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.records import columns
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._model.events import Liquidation, Trade
from cgrx._sinks.arrow_tables import table_of
from cgrx.operators._rows.row import Row

if TYPE_CHECKING:
    from filelock import FileLock

    from cgrx._sinks.hours import Journal

Period: TypeAlias = Literal["hour", "day"]

_NAMES: dict[Period, str] = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d"}
"""How the files of an hour and of a day are called."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STEMS: dict[type, str] = {Liquidation: "liquidations", Trade: "trades"}


class ParquetWriter:
    """Writes journals, and finishes files as hours end. All of it in threads, which a cancellation waits for."""

    def __init__(self, folder: Path, period: Period, pipeline: str | None) -> None:
        self.name = f"parquet files in {folder}"
        self._folder = folder
        self._period: Period = period
        self._pipeline = pipeline
        self._kinds: dict[str, type] = {}
        self._locks: dict[str, FileLock] = {}
        self._journals: dict[str, Journal] = {}
        self._newest: dict[str, str] = {}

    async def open(self, types: frozenset[type]) -> None:
        """Make the folder, and finish what an earlier process has left."""
        await self._in_thread(lambda: self._open(types))

    async def write(self, batch: Sequence[Any], /) -> None:
        """Write a batch into journals, and wait until it is on disk."""
        await self._in_thread(lambda: self._write(batch))

    async def close(self) -> None:
        """Finish the files."""
        await self._in_thread(self._close)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        try:
            await trio.to_thread.run_sync(work)
        except (PermissionError, NotADirectoryError, FileExistsError) as error:
            raise SinkRefusedError(f"{self._folder} cannot be made or written to: {error.strerror}") from error
        except OSError as error:
            raise SinkUnavailableError(f"{self._folder}: {error.strerror or error}") from error

    def _open(self, types: frozenset[type]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self._folder, os.W_OK):
            raise PermissionError(13, "permission denied")
        for kind in types:
            self._begin(kind)

    def _begin(self, kind: type) -> str:
        """The stem of the files of a class: locked, with what an earlier process has left finished."""
        from cgrx._sinks import hours

        columns(kind)  # what is neither a row nor an event has none, and is refused
        stem = self._pipeline or _STEMS.get(kind) or kind.__name__.lower()
        known = self._kinds.setdefault(stem, kind)
        if known is not kind and columns(known) != columns(kind):
            raise SinkDataError(f"a {kind.__name__} does not fit the files of {known.__name__}")
        if stem not in self._locks:
            self._locks[stem] = hours.lock(self._folder, stem)
            for name in hours.left_behind(self._folder, stem):
                hours.finish(self._folder, name)
            found = sorted(self._folder.glob(f"{stem}-*.parquet"))
            for path in [path for path in found if hours.belongs(path.stem, stem)][-1:]:
                hours.require_same(path, _schema(kind))
        return stem

    def _write(self, batch: Sequence[Any]) -> None:
        groups: dict[tuple[str, str], list[Any]] = {}
        for item in batch:
            stem = self._begin(cast("type[object]", type(item)))
            groups.setdefault((stem, f"{stem}-{self._moment(item)}"), []).append(item)
        for stem, name in groups:
            if name > self._newest.get(stem, ""):
                self._finish_all(stem)
                self._newest[stem] = name
        touched: list[Journal] = []
        try:
            for (stem, name), items in groups.items():
                touched.append(self._journal(name, self._kinds[stem]))
                touched[-1].append(table_of(self._kinds[stem], items))
            for journal in touched:
                journal.sync()
        except Exception:
            for journal in touched:
                journal.take_back()
            raise

    def _moment(self, item: Any) -> str:
        time_ms: int = item.start_ms if isinstance(item, Row) else item.time_ms
        return (_EPOCH + timedelta(milliseconds=time_ms)).strftime(_NAMES[self._period])

    def _journal(self, name: str, kind: type) -> "Journal":
        from cgrx._sinks import hours

        if name not in self._journals:
            schema, finished = _schema(kind), self._folder / f"{name}.parquet"
            if finished.exists():
                hours.require_same(finished, schema)
            self._journals[name] = hours.Journal(self._folder, name, schema)
        return self._journals[name]

    def _finish_all(self, stem: str) -> None:
        from cgrx._sinks import hours

        for name in [name for name in self._journals if hours.belongs(name, stem)]:
            hours.finish(self._folder, name)
            self._journals.pop(name).close()

    def _close(self) -> None:
        for stem in self._locks:
            with suppress(OSError, SinkRefusedError):  # the journal stays: the next sink makes the file of it
                self._finish_all(stem)
        for journal in self._journals.values():
            journal.close()
        for held in self._locks.values():
            held.release()
        self._journals.clear()
        self._locks.clear()
        self._newest.clear()


def _schema(kind: type) -> Any:
    from cgrx._sinks.hours import keyed

    return keyed(table_of(kind, []).schema, [column.name for column in columns(kind) if column.key])


def parquet(
    folder: str | os.PathLike[str],
    rows: Observable[Any],
    *,
    by: Period = "hour",
    pipeline: str | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Write final rows, or events, to Parquet files: `async with cgrx.sinks.parquet("out", bars) as sink: ...`.

    A file holds one hour or day (UTC) of one class, by the start of the rows or the time of the events:
    `out/bar-2026-11-28T03.parquet`, `out/liquidations-2026-11-28.parquet`. It appears whole when the first row of the
    next hour comes, or when the sink is left; until then the rows are in a hidden journal, on disk before they count as
    delivered. A file to which late rows belong is made anew with them, so there is one of each hour. Rows of the same
    identity are there once. Events are there at least once. A process that is killed loses nothing of what was
    delivered: the next sink of this folder and class makes the files of the journals. Memory: the rows of one file,
    while it is made.

    Columns and types are those of `to_frame`; what `agg.custom` gives is JSON. Running and withdrawn rows are left out,
    since files cannot be updated. Needs the extra `recording`.

    Args:
        folder: made where it is missing; `"out/*.parquet"` means `"out"`.
        rows: an observable of rows or events.
        by: how much one file holds: `"hour"` or `"day"`.
        pipeline: a name for the files in place of that of the class, so that two sinks of one class can share a folder.
        **options: see `cgrx.sinks.deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        SinkRefusedError: on entering: the folder cannot be written to, another sink writes these files, or the files
            that are there have other columns.
        ImportError: pyarrow or filelock is not installed.

    Examples:
        >>> import pathlib, reactivex
        >>> async with cgrx.sinks.parquet(
        ...     "events", reactivex.of(liquidation("long", 5_000.0, time="1h"))
        ... ) as sink:
        ...     await sink.flush()
        >>> sink.stats.delivered, len(list(pathlib.Path("events").rglob("*.parquet")))
        (1, 1)
    """
    require_extra("cgrx.sinks.parquet()", "recording")
    if by not in _NAMES:
        raise ValueError(f"by={by!r} is none of {', '.join(map(repr, _NAMES))}")
    if pipeline is not None and not re.fullmatch(r"\w[\w.-]*", pipeline):
        raise ValueError(f"pipeline={pipeline!r} names files: give letters, digits, and -, _ or . between them")
    if not options.get("final_only", True):
        raise ValueError("final_only=False: files cannot be updated, so they hold final rows alone")
    path = Path(folder)
    path = path.parent if path.name == "*.parquet" else path
    if "*" in str(path):
        raise ValueError(f"folder={str(folder)!r} names no folder: give one, as 'out' or 'out/*.parquet'")
    options["final_only"] = True
    return delivered("cgrx.sinks.parquet()", rows, ParquetWriter(path, by, pipeline), options)
