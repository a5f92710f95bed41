"""What a part must hold, whoever wrote it: the one place where the columns and the rows of a file are checked.

A checksum shows that a file is as it was written. It does not show that cgrx wrote it. What has passed these checks
can be made into entries, or queried in columns, without another look.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

from cgrx._model.events import LATEST_MS
from cgrx._recording.arrow import Rows, pa, pc
from cgrx._recording.manifest import LARGEST, Part, channel_fault
from cgrx._recording.schema import EVENT, EVENT_KINDS, MARK, SCHEMA, channel_named, in_memory
from cgrx._recording.status_text import from_text

_WHOLE: Final = {
    "seq": (0, LARGEST),
    "received_ms": (0, LATEST_MS),
    "side": (1, 2),
    "time_ms": (0, LATEST_MS),
    "start_ms": (0, LATEST_MS),
    "end_ms": (0, LATEST_MS),
    "count": (0, LARGEST),
}
"""The least and the largest value of a column of whole numbers."""

_AMOUNTS: Final = ("price", "volume_usd")
"""The columns whose values are finite and above zero."""

_HEADS: Final = ("seq", "kind", "received_ms")
"""The columns that hold no null."""

_MARKS: Final = {
    "alive": {"end_ms", "text"},
    "gap": {"start_ms", "end_ms", "text"},
    "dropped": {"count", "text"},
    "unreadable": {"count", "text"},
    "watermark": {"end_ms"},
    "status": {"text"},
}
"""The kinds of rows that are no events, and the columns of `MARK` that they fill. The others hold null."""

_MOST_GROUP_ROWS = 2**24
"""The most rows that a row group may have: a file of a few bytes can claim more than the memory holds."""

_STORED_SCHEMA: Final = b"ARROW:schema"
"""The key under which Arrow keeps types that Parquet does not have. The writer keeps none."""

UNREADABLE: Final = (OSError, EOFError, ValueError, MemoryError, pa.ArrowException)
"""What Arrow raises on bytes that it cannot read."""

_SHOWN = 100
"""How much of a type is shown: a nested one may be as long as its file."""


def unreadable(error: Exception) -> str:
    """Why a file cannot be read, in a line; messages of Arrow have several."""
    return f"it cannot be read: {' '.join(str(error).split())}"


def columns_fault(found: Any) -> str | None:
    """How the columns of a file differ from those of a recording; None where they do not."""
    try:
        return None if found.equals(SCHEMA) else _differing_columns(found)
    except UnicodeDecodeError:  # of a column, or within a type
        return "it has a name that is not UTF-8"


def _differing_columns(found: Any) -> str:
    for field in SCHEMA:
        count = found.names.count(field.name)
        if count != 1:
            return f"it has {count} columns {field.name!r}" if count else f"it has no column {field.name!r}"
        if found.field(field.name).type != field.type:
            return f"its column {field.name!r} is of the type {str(found.field(field.name).type)[:_SHOWN]}"
    strange = sorted(set(found.names).difference(SCHEMA.names))
    return f"it has a column {strange[0][:_SHOWN]!r}" if strange else "its columns are others than this cgrx reads"


def rows_fault(batch: Rows, part: Part | None, *, sparse: bool = False) -> str | None:
    """What is wrong with rows, as in files or as in memory; None where nothing is.

    Args:
        batch: the rows.
        part: what the manifest says of their part, if there is one.
        sparse: whether entries of other channels stand elsewhere, so that `seq` may rise by more than one.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowException as error:
        return f"its values are damaged: {error}"
    return next(_faults(in_memory(batch), part, sparse), None)


def order_fault(batch: Rows, *, sparse: bool) -> str | None:
    """What is wrong with the order of rows that are right by themselves; None where nothing is."""
    return next(_order(batch, _names(batch)[2], pc.is_valid(batch.column("time_ms")), sparse), None)


def footer_fault(metadata: Any, part: Part | None) -> str | None:
    """What is wrong with a finished part by what its footer says of all of it; None where nothing."""
    if _STORED_SCHEMA in (metadata.metadata or {}):
        return "it describes its columns in another way than cgrx does"
    fault = columns_fault(metadata.schema.to_arrow_schema())
    if fault is not None:
        return fault
    if part is not None and metadata.num_rows != part.rows:
        return f"it has {metadata.num_rows} rows, not {part.rows}"
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if not 0 < group.num_rows <= _MOST_GROUP_ROWS:
            return f"row group {number} has {group.num_rows} rows"
    return None


def nulls_fault(metadata: Any) -> str | None:
    """What is wrong with the columns of a finished part by its footer, without reading its rows; None where nothing.

    For those who query columns without reading them first: that no value is missing where none may be.
    """
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        nulls = {each.path_in_schema: _nulls(each.statistics) for each in columns}
        if list(nulls) != SCHEMA.names:
            return f"row group {number} has other columns than the file"
        fewest = nulls["time_ms"]
        for name, expected in (*((name, 0) for name in _HEADS), *((name, fewest) for name in EVENT)):
            if nulls[name] != expected:
                return f"row group {number} has {nulls[name]} rows without {name}, not {expected}"
    return None


def _nulls(statistics: Any) -> int | None:
    return statistics.null_count if statistics is not None and statistics.has_null_count else None


def _faults(batch: Rows, part: Part | None, sparse: bool) -> Iterator[str]:
    """The first one that comes is true; those behind it rely on what is before them."""
    if not batch.num_rows:
        yield "it has no rows"
    for name in _HEADS:
        if batch.column(name).null_count:
            yield f"{name} is missing in a row"
    yield from _numbers(batch, part)
    kinds, channels, codes = _names(batch)
    found: list[int] = pc.unique(codes).to_pylist()
    for code in found:
        yield from _name_faults(kinds[code // len(channels)], channels[code % len(channels)], part)
    of_events = [place for place, kind in enumerate(kinds) if kind in EVENT_KINDS.values()]
    is_event = pc.is_in(batch.column("kind").indices, pa.array(of_events, pa.int32()))
    yield from _order(batch, codes, is_event, sparse)
    yield from _values(batch, is_event)


def _numbers(batch: Rows, part: Part | None) -> Iterator[str]:
    bounds = dict(_WHOLE)
    if part is not None:
        bounds |= {"seq": (part.first_seq, part.last_seq), "received_ms": (part.start_ms, part.end_ms)}
    for name, (least, largest) in bounds.items():
        found = pc.min_max(batch.column(name)).as_py()
        for value in (found["min"], found["max"]):
            if value is not None and not least <= value <= largest:
                yield f"{name}={value} is not within {least} to {largest}"
    for name in _AMOUNTS:
        column = batch.column(name)
        if not pc.all(pc.and_(pc.greater(column, 0.0), pc.less(column, math.inf)), min_count=0).as_py():
            yield f"{name} is not above zero, or not finite"


def _names(batch: Rows) -> tuple[list[str | None], list[str | None], Any]:
    """The kinds, the channels and None, and for each row a number for both: their places among these."""
    kind, channel = batch.column("kind"), batch.column("channel")
    channels = [*channel.dictionary.to_pylist(), None]
    places = pc.fill_null(channel.indices, len(channels) - 1)
    codes = pc.add(pc.multiply(kind.indices.cast(pa.int64()), len(channels)), places.cast(pa.int64()))
    return kind.dictionary.to_pylist(), channels, codes


def _name_faults(kind: str | None, channel: str | None, part: Part | None) -> Iterator[str]:
    if kind not in _MARKS and kind not in EVENT_KINDS.values():
        yield f"kind={kind!r} is none that a recording holds"
    if (channel is None) != (kind == "status"):
        yield f"a row of the kind {kind} has {'no' if channel is None else 'a'} channel"
    if channel is None:
        return
    fault = channel_fault(channel)
    if fault is not None:
        yield fault
    if kind not in _MARKS and kind != EVENT_KINDS[channel_named(channel).event_type]:
        yield f"a row of the kind {kind} is of {channel}"
    if part is not None and channel not in part.channels:
        yield f"the manifest does not say that it holds {channel}"


def _order(batch: Rows, codes: Any, is_event: Any, sparse: bool) -> Iterator[str]:
    """The rows of one entry stand together, and are events of one channel and of one time."""
    seqs, times = batch.column("seq"), batch.column("received_ms")
    steps = pc.subtract(seqs[1:], seqs[:-1])
    found = pc.min_max(steps).as_py()
    most = LARGEST if sparse else 1
    if found["min"] is not None and not 0 <= found["min"] <= found["max"] <= most:
        yield "seq does not rise by one from entry to entry" if most == 1 else "seq falls from one entry to the next"
    same = pc.equal(steps, 0)
    if same.true_count:
        alike = pc.and_(pc.equal(codes[1:], codes[:-1]), pc.equal(times[1:], times[:-1]))
        if not pc.all(pc.or_(pc.invert(same), pc.and_(alike, is_event[1:]))).as_py():
            yield "an entry has rows that do not belong together"


def _values(batch: Rows, is_event: Any) -> Iterator[str]:
    """Each row has the values of its kind, and no others."""
    others = batch.filter(pc.invert(is_event))
    for name in EVENT:
        if others.column(name).null_count < len(others):
            yield f"a row that is no event has {name}"
        if batch.column(name).null_count > len(others):
            yield f"an event has no {name}"
    for name in MARK:
        if batch.column(name).null_count - others.column(name).null_count < len(batch) - len(others):
            yield f"an event has {name}"
    for kind in pc.unique(others.column("kind").cast(pa.string())).to_pylist():
        rows = others.filter(pc.equal(others.column("kind"), kind))
        for name in MARK:
            nulls = 0 if name in _MARKS[kind] else len(rows)
            if rows.column(name).null_count != nulls:
                yield f"a row of the kind {kind} has {'' if nulls else 'no '}{name}"
        if kind == "status":
            yield from _status_faults(rows.column("text").to_pylist())


def _status_faults(texts: list[str]) -> Iterator[str]:
    for text in texts:
        try:
            from_text(text)
        except ValueError as error:
            yield str(error)
