"""Reads files that other programs wrote, row by row, and judges each as an event of a live frame is judged.

Text in, `Row` out; nothing a file holds raises, but a file that cannot be read does.
"""

import csv
import gzip
import reprlib
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, cast

import attrs
import msgspec

from cgrx._model.errors import CgrxError
from cgrx._model.events import LATEST_MS, SIDES, Event, Liquidation, Trade
from cgrx._wire.lenient import read_event, read_json, read_number
from cgrx._wire.messages import Malformed

LINE_BYTES = 1024 * 1024
"""The longest line that may be an event. A longer one is rejected, and its beginning kept."""

FIELDS = {
    "base_asset": "baseAsset",
    "exchange": "exName",
    "symbol": "symbol",
    "side": "side",
    "price": "price",
    "volume_usd": "volUsd",
    "time_ms": "time",
}
"""The fields of an event, and their names in a frame. A column of CSV is found by either, unless it is named."""

KIND = "kind"
"""What tells liquidations and trades apart, in the rows that cgrx wrote itself."""
_KINDS = (Liquidation.kind, Trade.kind)

RECEIVED = "received"
"""The key under which a row of CSV has its time of receipt."""

_TOO_LONG = f"longer than {LINE_BYTES:,} bytes"
_COLUMNS_SHOWN = 20
_GZIP_MAGIC = b"\x1f\x8b"
_decode = msgspec.json.Decoder().decode


class UnreadableFileError(CgrxError):
    """A file to import cannot be read on from some point. What was read until then is in the recording.

    Cause:
        The file is cut off or damaged, as a gzip file is whose copy ended early, or it is no text.

    Remedy:
        Fetch the file again, and import it into a new folder. Rows that are no events are none of these: they are kept
        aside.

    Attributes:
        path (Path): the file.
        line (int): the last line that could be read.
        reason (str): what is wrong.

    Examples:
        >>> print(
        ...     cgrx.UnreadableFileError(
        ...         "trades.jsonl.gz", 2, "Compressed file ended early"
        ...     )
        ... )
        trades.jsonl.gz cannot be read beyond line 2: Compressed file ended early
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path} cannot be read beyond line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@attrs.frozen
class Reject:
    r"""A row that is no event, and why.

    Examples:
        >>> import pathlib
        >>> _ = pathlib.Path("day.jsonl").write_text('{"side": 3}\n')
        >>> done = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> reject = done.rejects[0]
        >>> reject.line, reject.path, reject.text
        (1, '$.baseAsset', '{"side": 3}')
    """

    file: str
    line: int
    """Counted from 1."""
    path: str
    """Where in the row, as `"$.price"`; `"$"` for the whole."""
    reason: str
    text: str
    """The row as it stands in the file; bytes that are no UTF-8 are escaped."""


@attrs.frozen
class Good:
    """A row that is an event. `received_ms` is None where the row has no time of receipt."""

    line: int
    event: Event
    received_ms: int | None
    text: str


Row: TypeAlias = Good | Reject


@attrs.frozen
class Reader:
    """Judges rows: which type of event they are, and where their time of receipt stands."""

    event_type: type[Event]
    received: str | None
    """The key or column that holds the time of receipt, milliseconds since the epoch."""

    def judge(self, file: str, line: int, value: object, text: str) -> Row:
        """An event, or why the row is none."""
        if isinstance(value, Malformed):
            return Reject(file, line, value.path, value.reason, text)
        kind = _value(value, KIND)
        if kind in _KINDS and kind != self.event_type.kind:
            return Reject(file, line, f"$.{KIND}", f"expected {self.event_type.kind!r}, got {kind!r}", text)
        received_ms: int | None = None
        said = None if self.received is None else _value(value, self.received)
        if said is not None and said != "":
            try:
                received_ms = int(read_number(said))
            except ValueError as error:
                return Reject(file, line, f"$.{self.received}", str(error), text)
            if not 0 <= received_ms <= LATEST_MS:
                return Reject(file, line, f"$.{self.received}", "expected a time between 1970 and 9999", text)
        event = read_event(_framed(value), "$", self.event_type)
        if isinstance(event, Malformed):
            return Reject(file, line, event.path, event.reason, text)
        return Good(line, event, received_ms, text)


def _value(row: object, key: str) -> object:
    return cast("dict[str, object]", row).get(key) if isinstance(row, dict) else None


def _framed(row: object) -> object:
    """A row as an event stands in a frame: its side is a number, its time has the name that it has there."""
    if not isinstance(row, dict):
        return row
    fields = cast("dict[str, object]", row)
    side = fields.get("side")
    if isinstance(side, str):
        fields["side"] = SIDES.get(side.strip().casefold(), side)
    if "time_ms" in fields:
        fields.setdefault(FIELDS["time_ms"], fields["time_ms"])
    return fields


def json_rows(path: Path, reader: Reader) -> Iterator[Row]:
    """The rows of a file with one JSON object a line, plain or gzip; blank lines are none.

    Raises:
        UnreadableFileError: from some line on.
    """
    for number, line in _lines(path):
        text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
        if len(line) > LINE_BYTES:
            yield Reject(str(path), number, "$", _TOO_LONG, text)
            continue
        if line.isspace():
            continue
        try:
            value: object = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = read_json(line)
        yield reader.judge(str(path), number, value, text)


def csv_rows(path: Path, reader: Reader, columns: Mapping[str, str], constants: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a file of comma-separated values whose first line names its columns, plain or gzip.

    Raises:
        ValueError: the first line cannot be read, or a column that is asked for is not there.
        UnreadableFileError: from some line on.
    """
    numbered = _Numbered(_lines(path))
    rows = csv.reader(numbered, strict=True)
    names = _header(path, numbered, rows)
    places = _places(path, names, columns, constants)
    fixed = {FIELDS[field]: value for field, value in constants.items()}
    while True:
        numbered.begin()
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(str(path), numbered.first, "$", str(error), numbered.text)
            rows = csv.reader(numbered, strict=True)
            continue
        if not row:
            continue
        if numbered.is_cut:
            yield Reject(str(path), numbered.first, "$", _TOO_LONG, numbered.text)
            continue
        if len(row) != len(names):
            reason = f"expected {len(names)} values, got {len(row)}"
            yield Reject(str(path), numbered.first, "$", reason, numbered.text)
            continue
        value = {name: row[place] for name, place in places.items()} | fixed
        yield reader.judge(str(path), numbered.first, value, numbered.text)


def _header(path: Path, numbered: "_Numbered", rows: Iterator[list[str]]) -> list[str]:
    """The names of the columns, none where the file is empty.

    Raises:
        ValueError: they cannot be read.
    """
    try:
        names = next(rows, list[str]())
    except csv.Error as error:
        raise ValueError(f"{path}, line 1: the names of its columns cannot be read: {error}") from None
    if numbered.is_cut:
        raise ValueError(f"{path}, line 1: the names of its columns are {_TOO_LONG}")
    return names


def _places(path: Path, names: list[str], columns: Mapping[str, str], constants: Mapping[str, str]) -> dict[str, int]:
    """Where in a row each value of an event stands."""
    sought = {field: (columns[field],) if field in columns else (field, wire) for field, wire in FIELDS.items()}
    if RECEIVED in columns:
        sought[RECEIVED] = (columns[RECEIVED],)
    places = {KIND: names.index(KIND)} if KIND in names else dict[str, int]()
    for field, accepted in sought.items():
        if field in constants:
            continue
        column = next((name for name in accepted if name in names), None)
        if column is None:
            shown = ", ".join(map(reprlib.repr, names[:_COLUMNS_SHOWN]))
            more = f" and {len(names) - _COLUMNS_SHOWN:,} more" if len(names) > _COLUMNS_SHOWN else ""
            either = " or ".join(map(repr, dict.fromkeys(accepted)))
            raise ValueError(f"{path}, line 1: there is no column {either} for {field}; its columns are {shown}{more}")
        places[FIELDS.get(field, field)] = names.index(column)
    return places


class _Numbered(Iterator[str]):
    """Lines for a reader that may take several for one row, because quoted values may hold line ends."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines = lines
        self._taken: list[str] = []
        self.first = 0
        """The number of the first line of the present row."""
        self.is_cut = False
        """Whether a line of the present row is longer than `LINE_BYTES`, and its rest has been left out."""

    def begin(self) -> None:
        """Begin a new row."""
        self._taken = []
        self.is_cut = False

    @property
    def text(self) -> str:
        """The lines of the present row."""
        return "".join(self._taken).rstrip("\r\n")

    def __next__(self) -> str:
        number, line = next(self._lines)
        if not self._taken:
            self.first = number
        self.is_cut = self.is_cut or len(line) > LINE_BYTES
        self._taken.append(line.decode("utf-8-sig" if number == 1 else "utf-8", "backslashreplace"))
        return self._taken[-1]


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers. A very long line is cut one byte behind `LINE_BYTES`."""
    number = 0
    try:
        with path.open("rb") as start:
            is_gzip = start.read(2) == _GZIP_MAGIC
        with gzip.open(path, "rb") if is_gzip else path.open("rb") as file:
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                piece = line
                while not piece.endswith(b"\n") and len(piece) > LINE_BYTES:
                    piece = file.readline(LINE_BYTES + 1)
                yield number, line
    except (OSError, EOFError, zlib.error) as error:  # a gzip file that is cut short or damaged, among others
        if number == 0 and isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableFileError(path, number, str(error)) from error
