"""`import_jsonl()` and `import_csv()`: make a recording of files of other programs, and keep rejected rows aside.

Rows are read, judged and written one after another. Only the batch that is being made is held.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal, TypeAlias, get_args

import attrs
import msgspec

from cgrx._extras import require_extra
from cgrx._importing.entries import Entries
from cgrx._importing.rows import FIELDS, RECEIVED, Good, Reader, Reject, Row, UnreadableFileError, csv_rows, json_rows
from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._recording.entry import Recorded
from cgrx._recording.manifest import own_files, part_numbers

Kind: TypeAlias = Literal["liquidations", "trades"]
Files: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

REJECTS_SHOWN = 20
"""How many rejected rows are returned; all of them are in the file."""

_PROGRESS_ROWS = 10_000
"""How many rows lie between two calls of `progress`."""

_EVENT_TYPES: dict[str, type[Event]] = {"liquidations": Liquidation, "trades": Trade}


@attrs.frozen
class Imported:
    r"""What has become of the rows of an import: `rows == events + rejected`.

    Examples:
        >>> import pathlib
        >>> _ = pathlib.Path("day.jsonl").write_text("no JSON\n")
        >>> done = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> done.events, done.rejected
        (0, 1)
    """

    rows: int
    events: int
    rejected: int
    rejects: tuple[Reject, ...]
    """The first rejected rows, at most 20."""
    rejects_file: Path | None
    """The file with all rejected rows, one JSON object a line; None where there are none."""
    channels: tuple[Channel, ...]
    """The channels of the events, in the order of their first event."""


def import_jsonl(
    files: Files,
    to: str | os.PathLike[str],
    *,
    events: Kind,
    received: str | None = None,
    min_volume: float = 0.0,
    gapless: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    progress: Callable[[Imported], None] | None = None,
) -> Imported:
    """Make a recording of files with one JSON object a line, plain or gzip, in either generation of names.

    A row is judged as an event of a live frame is: it may be spelled loosely, and what is malformed there is rejected
    here. The order of the files and of their rows is the order of receipt.

    Args:
        files: one file or several, read one after the other.
        to: the folder of the recording: a new one, or an empty one.
        events: what the rows are, `"liquidations"` or `"trades"`: they do not say it. Trades go to the channel of
            their instrument with `min_volume`.
        received: the key that holds the time of receipt, milliseconds since the epoch. A row without one was received
            with the row before it, but not before it happened.
        min_volume: of the channels of trades, US dollars; smaller trades are rejected.
        gapless: vouch that the files miss nothing between their first row and their last. Then windows on a replay
            give complete rows; by default their `gap_ms` is None, for a file does not say what it misses.
        rejects: where rejected rows go; by default `to` with `.rejects.jsonl` behind its name.
        progress: called from time to time with what has been done so far.

    Returns:
        The counters, and the first of the rejected rows.

    Raises:
        ValueError: an argument that cannot be used.
        OSError: a file cannot be opened, or nothing can be written.
        UnreadableFileError: a file cannot be read on from some line; what came before is in the recording.
        RecordingError: the folder holds a recording already.
        ImportError: pyarrow or filelock is not installed.

    Where a `ValueError` or an `OSError` ends it, or a file of which nothing can be read, nothing is left in `to`, and
    it can be tried again.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> done = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> done.rows, done.events, done.rejected
        (2, 2, 0)
    """
    reader = _reader(events, received)
    return _import(_rows(files, lambda path: json_rows(path, reader)), Path(to), min_volume, gapless, rejects, progress)


def import_csv(
    files: Files,
    to: str | os.PathLike[str],
    *,
    events: Kind,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    received: str | None = None,
    min_volume: float = 0.0,
    gapless: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    progress: Callable[[Imported], None] | None = None,
) -> Imported:
    r"""Make a recording of comma-separated values whose first line names the columns; else as `import_jsonl`.

    Args:
        files: as of `import_jsonl`.
        to: as of `import_jsonl`.
        events: as of `import_jsonl`. The side may be a number, or `long`, `short`, `buy`, `sell`.
        columns: which column holds a field of an event (`base_asset`, `exchange`, `symbol`, `side`, `price`,
            `volume_usd`, `time_ms`), such as `{"price": "px"}`. A field that is not named is in the column of its own
            name, in either generation's spelling.
        constants: a field that no column holds, such as `{"exchange": "Binance"}`.
        received: the column that holds the time of receipt, as of `import_jsonl`.
        min_volume: as of `import_jsonl`.
        gapless: as of `import_jsonl`.
        rejects: as of `import_jsonl`.
        progress: as of `import_jsonl`.

    Returns:
        As `import_jsonl`.

    Raises:
        ValueError: also where a file lacks a column. Otherwise as `import_jsonl`.

    Examples:
        >>> import pathlib
        >>> heads = "asset,symbol,side,px,usd,ms\n"
        >>> good, bad = "BTC,BTCUSDT,buy,6e4,25e3,10\n", "BTC,BTCUSDT,up,6e4,25e3,20\n"
        >>> rows = heads + good + bad
        >>> _ = pathlib.Path("ticks.csv").write_text(rows)
        >>> done = cgrx.import_csv(
        ...     "ticks.csv",
        ...     "ticks",
        ...     events="trades",
        ...     columns={
        ...         "base_asset": "asset",
        ...         "price": "px",
        ...         "volume_usd": "usd",
        ...         "time_ms": "ms",
        ...     },
        ...     constants={"exchange": "Binance"},
        ... )
        >>> done.events, done.rejects[0].line, done.rejects[0].reason
        (1, 3, 'expected a number, got other text')
    """
    columns, constants = columns or {}, constants or {}
    for name, fields in (("columns", columns), ("constants", constants)):
        for field in fields:
            if field not in FIELDS:
                raise ValueError(f"{name}: {field!r} is no field of an event; those are {', '.join(FIELDS)}")
    reader = _reader(events, None if received is None else RECEIVED)
    named = {**columns, **({} if received is None else {RECEIVED: received})}
    rows = _rows(files, lambda path: csv_rows(path, reader, named, constants))
    return _import(rows, Path(to), min_volume, gapless, rejects, progress)


def _reader(events: str, received: str | None) -> Reader:
    if events not in get_args(Kind):
        raise ValueError(f'events={events!r} is neither "liquidations" nor "trades"')
    return Reader(_EVENT_TYPES[events], received)


def _rows(files: Files, read: Callable[[Path], Iterator[Row]]) -> Iterator[tuple[str, Row]]:
    paths = [Path(files)] if isinstance(files, str | os.PathLike) else [Path(file) for file in files]
    if not paths:
        raise ValueError("there is nothing to import: give at least one file")
    return ((str(path), row) for path in paths for row in read(path))


class _Aside:
    """The file of rejected rows, made with the first of them."""

    def __init__(self, path: Path, closing: ExitStack) -> None:
        self.path = path
        self._closing = closing
        self._file: IO[bytes] | None = None

    def put(self, reject: Reject) -> None:
        """Write a rejected row."""
        if self._file is None:
            self._file = self._closing.enter_context(self.path.open("wb"))
        self._file.write(msgspec.json.encode(attrs.asdict(reject)) + b"\n")


def _import(
    rows: Iterator[tuple[str, Row]],
    to: Path,
    min_volume: float,
    gapless: bool,
    rejects: str | os.PathLike[str] | None,
    progress: Callable[[Imported], None] | None,
) -> Imported:
    require_extra("an import")
    if to.is_dir() and any(to.iterdir()):
        raise ValueError(
            f"{to} is not empty: an import makes a recording of its own, which a replay can join to others"
        )
    FuturesTrades("any", "any", min_volume)  # says what is wrong with the least volume, if anything
    is_new = not to.exists()
    try:
        return _written(rows, to, min_volume, gapless, rejects, progress)
    except (ValueError, OSError):
        _undo(to, is_new)
        raise
    except UnreadableFileError:
        if not any(part_numbers(to).values()):  # else what came before is in the recording
            _undo(to, is_new)
        raise


def _undo(to: Path, is_new: bool) -> None:
    for path in own_files(to) if to.is_dir() else ():
        path.unlink()
    if is_new and to.is_dir():
        to.rmdir()


def _written(
    rows: Iterator[tuple[str, Row]],
    to: Path,
    min_volume: float,
    gapless: bool,
    rejects: str | os.PathLike[str] | None,
    progress: Callable[[Imported], None] | None,
) -> Imported:
    from cgrx._recording.writer import RecordingWriter  # needs the extra `recording`

    entries = Entries(min_volume, gapless)
    counted = events = 0
    first: list[Reject] = []
    with ExitStack() as closing:
        aside = _Aside(to.with_name(f"{to.name}.rejects.jsonl") if rejects is None else Path(rejects), closing)
        writer = closing.enter_context(RecordingWriter(to))

        def so_far() -> Imported:
            rejected = counted - events
            file = aside.path if rejected else None
            return Imported(counted, events, rejected, tuple(first), file, entries.channels)

        def write(said: Iterable[Recorded]) -> None:
            for entry in said:
                writer.add(entry.channel, entry.said)

        try:
            for file, row in rows:
                counted += 1
                judged = entries.judge(file, row)
                if isinstance(judged, Good):
                    events += 1
                    write(entries.take(judged))
                else:
                    aside.put(judged)
                    if len(first) < REJECTS_SHOWN:
                        first.append(judged)
                    write(entries.lose())
                if progress is not None and counted % _PROGRESS_ROWS == 0:
                    progress(so_far())
        except UnreadableFileError:
            write(entries.finish())
            raise
        write(entries.finish())
        return so_far()
