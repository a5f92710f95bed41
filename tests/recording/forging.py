"""Recordings that somebody forged: their checksums and their manifest agree, but no feed gave what they hold."""

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from cgrx import Alive, Batch, Gap, NoticeReceived
from cgrx._recording.arrow import pa, pq
from cgrx._recording.entry import Recorded
from cgrx._recording.framing import encode
from cgrx._recording.manifest import NAME, Manifest, finished_name, open_name, read, write
from cgrx._recording.schema import SCHEMA
from cgrx._recording.writer import RecordingWriter
from tests.recording.entries import LIQUIDATIONS, TRADES
from tests.simulator.simulating import liquidation, trade

START_MS = 1_700_000_000_000
FINISHED = finished_name(0)
OPEN = open_name(1)

SAID = [
    Recorded(LIQUIDATIONS, Gap(LIQUIDATIONS, 0, START_MS, "subscribed")),
    Recorded(TRADES, Batch(TRADES, START_MS + 1, (trade(1), trade(2)))),
    Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, START_MS + 2, (liquidation(3),))),
    Recorded(None, NoticeReceived(START_MS + 3, "hello")),
    Recorded(LIQUIDATIONS, Alive("feed", START_MS + 4)),
]
"""Six rows: a gap, two trades, a liquidation, a status, a proof."""
GAP, TRADE, TRADE_2, LIQUIDATION, STATUS, ALIVE = range(6)

NESTED = pa.struct([("a", pa.list_(pa.struct([("b", pa.map_(pa.string(), pa.int8()))])))])
"""A type that no column has."""

Change = Callable[[Any], Any]
"""Takes the table of a part, and returns another."""


def begin(folder: Path) -> None:
    """A recording with a finished part, and one that is being written."""
    writer = RecordingWriter(folder)
    writer.append(*SAID)
    writer.finish()
    writer.append(*SAID)
    writer.flush()
    writer.abandon()


def table(folder: Path) -> Any:
    """The finished part."""
    return pq.read_table(folder / FINISHED, schema=SCHEMA)


def forge_part(folder: Path, content: bytes, **said: object) -> None:
    """Give the finished part another content, and the manifest its size, its checksum, and what else it says."""
    (folder / FINISHED).write_bytes(content)
    known = read(folder)
    part = attrs.evolve(known.parts[0], bytes=len(content), crc32=zlib.crc32(content))
    write(folder, Manifest((attrs.evolve(part, **said),), known.open))  # type: ignore[arg-type]  # wrong on purpose


def parquet(changed: Any, **options: Any) -> bytes:
    """A table as a file of Parquet."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, changed.schema, **{"store_schema": False, "compression": "zstd"} | options) as writer:
        writer.write_table(changed)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def forge_open(folder: Path, schema: bytes, *batches: tuple[int, bytes]) -> None:
    """Give the open part other frames: a schema, and batches with their `seq`."""
    frames = [encode(5, schema), *(encode(seq, batch) for seq, batch in batches)]
    (folder / OPEN).write_bytes(b"".join(frames))


def forge_manifest(folder: Path, **fields: Any) -> None:
    """Give the first part of the manifest other values; the checksum agrees. A value of `...` leaves it out."""
    content = json.loads((folder / NAME).read_text())
    entry = {**content["parts"][0], **fields}
    content["parts"][0] = {name: value for name, value in entry.items() if value is not ...}
    forge_content(folder, content)


def forge_content(folder: Path, content: dict[str, Any]) -> None:
    """Write a manifest with this content; the checksum agrees."""
    content.pop("crc32", None)
    plain = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    (folder / NAME).write_text(json.dumps({**content, "crc32": zlib.crc32(plain)}))


def changed(row: int, name: str, value: object) -> Change:
    """A table with another value in a row."""

    def change(before: Any) -> Any:
        values = before[name].to_pylist()
        values[row] = value
        field = SCHEMA.field(name)
        return before.set_column(SCHEMA.get_field_index(name), field, pa.array(values, field.type))

    return change


def without(name: str) -> Change:
    """A table without a column."""
    return lambda before: before.drop_columns([name])


def typed(name: str, type_: Any) -> Change:
    """A table with a column of nulls of another type."""
    return lambda before: before.set_column(
        SCHEMA.get_field_index(name), pa.field(name, type_), [pa.nulls(len(before), type_)]
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that nobody changes."""
    folder = tmp_path_factory.mktemp("whole")
    begin(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A recording to forge."""
    return Path(shutil.copytree(whole, tmp_path / "recording"))
