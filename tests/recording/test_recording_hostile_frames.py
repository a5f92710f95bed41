"""Open parts and manifests that somebody forged: whatever reads them says which file is wrong, and where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cgrx import Recording, RecordingError
from cgrx._recording.arrow import pa
from cgrx._recording.framing import HEADER_BYTES, encode
from cgrx._recording.manifest import NAME, Manifest, read, write
from cgrx._recording.schema import SCHEMA
from cgrx._recording.writer import RecordingWriter
from tests.recording import forging
from tests.recording.forging import (
    FINISHED,
    GAP,
    NESTED,
    OPEN,
    TRADE,
    changed,
    parquet,
)
from tests.recording.forging import folder as folder
from tests.recording.forging import whole as whole
from tests.recording.reading import QUERIES, READERS, refused, refused_by_command

# The part that is being written.


def rows(folder: Path) -> Any:
    (batch,) = forging.table(folder).combine_chunks().to_batches()
    seqs = pa.array([seq + 5 for seq in batch["seq"].to_pylist()])
    return batch.set_column(0, "seq", seqs)


def payload(message: Any) -> bytes:
    content: bytes = message.serialize().to_pybytes()
    return content


FRAMES: dict[str, tuple[Callable[[Any], tuple[bytes, list[tuple[int, bytes]]]], str]] = {
    "no schema": (lambda _: (b"what?", []), "it cannot be read"),
    "rows for a schema": (lambda good: (payload(good), []), "it cannot be read"),
    "other columns": (lambda good: (payload(good.schema.remove(3)), []), "it has no column 'received_ms'"),
    "nested columns": (
        lambda good: (payload(good.schema.set(3, pa.field("received_ms", NESTED))), []), "is of the type struct"
    ),
    "no rows": (lambda good: (payload(SCHEMA), [(5, b"what?")]), "it cannot be read"),
    "a schema for rows": (lambda good: (payload(SCHEMA), [(5, payload(SCHEMA))]), "it cannot be read"),
    "rows of other columns": (
        lambda good: (payload(SCHEMA), [(5, payload(good.select(["seq", "text"])))]), "it cannot be read"
    ),
    "rows of nothing": (lambda good: (payload(SCHEMA), [(5, payload(good.slice(0, 0)))]), "it has no rows"),
    "rows with another number": (
        lambda good: (payload(SCHEMA), [(5, payload(good.slice(1)))]), "its rows begin with seq=6"
    ),
    "a frame with another number": (lambda good: (payload(SCHEMA), [(6, payload(good))]), "it does not follow"),
    "rows without a number": (
        lambda good: (payload(SCHEMA), [(5, payload(good.set_column(0, "seq", pa.nulls(6, pa.int64()))))]),
        "seq is missing in a row",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("forge", "reason"), FRAMES.values(), ids=FRAMES)
def test_other_frames(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    forge: Callable[[Any], tuple[bytes, list[tuple[int, bytes]]]],
    reason: str,
) -> None:
    """Whoever reads the recording says it, and so does who would write on."""
    schema, batches = forge(rows(folder))
    forging.forge_open(folder, schema, *batches)
    error = refused(folder, OPEN, *READERS, *QUERIES)
    assert reason in error.reason
    assert (error.place or "").startswith("frame at byte ")
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"
    with pytest.raises(RecordingError):
        RecordingWriter(folder)


@pytest.mark.parametrize(
    ("row", "name", "value", "reason"),
    [(GAP, "side", 1, "a row that is no event has side"), (TRADE, "symbol", None, "an event has no symbol")],
)
def test_rows_that_no_footer_tells_of(folder: Path, row: int, name: str, value: object, reason: str) -> None:
    good = rows(folder)
    (batch,) = changed(row, name, value)(pa.Table.from_batches([good])).combine_chunks().to_batches()
    forging.forge_open(folder, payload(SCHEMA), (5, payload(batch)))
    assert refused(folder, OPEN, *READERS, *QUERIES).reason == reason


def test_texts_that_are_none(folder: Path) -> None:
    """Neither their bytes nor their lengths are believed."""
    good = rows(folder)
    for before, after in ((b"hello", b"he\xff\xffo"), (b"Binance", b"Bin\xffnce")):
        assert before in payload(good)
        forging.forge_open(folder, payload(SCHEMA), (5, payload(good).replace(before, after)))
        assert "its values are damaged" in refused(folder, OPEN, *READERS, *QUERIES).reason


def test_a_frame_that_claims_more_than_the_file_takes_no_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken for one that was cut off."""
    good = (folder / OPEN).read_bytes()
    frame = encode(10, b"x" * 100_000)[: HEADER_BYTES + 10]
    (folder / OPEN).write_bytes(good + frame)
    assert len(list(Recording(folder).entries())) == 10


# The manifest.

MANIFESTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a number that is a text": ({"rows": "6"}, NAME, "Expected `int`, got `str`"),
    "a number that is a fraction": ({"first_seq": 0.5}, NAME, "Expected `int`, got `float`"),
    "a missing field": ({"end_ms": ...}, NAME, "missing required field `end_ms`"),
    "channels that are a text": ({"channels": "liquidationOrders"}, NAME, "Expected `array`"),
    "a channel that is a number": ({"channels": [1]}, NAME, "Expected `str`, got `int`"),
    "no channel's name": ({"channels": ["../x"]}, NAME, "channel '../x' is not known"),
    "another name of a channel": ({"channels": ["liquidation_orders"]}, NAME, "is called 'liquidation_orders'"),
    "a number below zero": ({"number": -1}, NAME, "the parts do not follow one another"),
    "a number that is huge": ({"number": 10**300}, NAME, ""),
    "a path for a number": ({"number": "../../x"}, NAME, "Expected `int`, got `str`"),
    "entries below zero": ({"last_seq": -1}, NAME, "-1 is no number of its last entry"),
    "entries without end": ({"last_seq": 2**63}, NAME, ""),
    "rows below zero": ({"rows": -6}, NAME, "-6 rows cannot hold its entries, with 3 events"),
    "more rows than a file": ({"rows": 2**62}, FINISHED, "it has 6 rows, not 4611686018427387904"),
    "more events than rows": ({"events": 7}, NAME, "6 rows cannot hold its entries, with 7 events"),
    "a time below zero": ({"start_ms": -1}, NAME, "is no time"),
    "an end before its start": ({"end_ms": 1}, NAME, "is no time"),
    "a time that no clock shows": ({"end_ms": 2**62}, NAME, "is no time"),
    "bytes below zero": ({"bytes": -1}, NAME, "-1 bytes and the checksum"),
    "more bytes than a file": ({"bytes": 2**62}, FINISHED, "bytes, not 4611686018427387904"),
    "no checksum": ({"crc32": None}, NAME, "and the checksum None are those of no file"),
    "a checksum that is none": ({"crc32": 2**32}, NAME, "and the checksum 4294967296 are those of no file"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "file", "reason"), MANIFESTS.values(), ids=MANIFESTS)
def test_other_manifests(
    folder: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], file: str, reason: str
) -> None:
    forging.forge_manifest(folder, **fields)
    error = refused(folder, file, *READERS, *QUERIES)
    assert reason in error.reason
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "part-00000000.open"])
def test_a_manifest_leads_to_no_other_file(folder: Path, name: str) -> None:
    """The names of files follow from the numbers of the parts; a name in the manifest is not looked at."""
    forging.forge_manifest(folder, file=name, path=name)
    assert [part.file for part in Recording(folder).parts] == [FINISHED, OPEN]


@pytest.mark.parametrize("number", [-1, 0, 7, 10**18])
def test_an_open_part_of_another_number(folder: Path, number: int) -> None:
    known = read(folder)
    write(folder, Manifest(known.parts, number))
    error = refused(folder, NAME, *READERS, *QUERIES)
    assert (error.place, error.reason.split()[0]) == ("open", str(number))


def test_the_same_part_twice(folder: Path) -> None:
    (part,) = read(folder).parts
    write(folder, Manifest((part, part), 2))
    assert "do not follow one another" in refused(folder, NAME, *READERS, *QUERIES).reason


def test_files_that_this_user_may_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as a user who may read all."""
    opened = Path.open
    for file in (NAME, FINISHED, OPEN):

        def refuse(path: Path, mode: str = "r", *arguments: Any, denied: str = file) -> Any:
            if path.name == denied:
                raise PermissionError(13, "Permission denied", str(path))
            file: Any = opened(path, mode, *arguments)
            return file

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", refuse)
            assert "Permission denied" in refused(folder, file, *READERS, *QUERIES).reason


def test_with_salvage_the_rest_is_there(folder: Path) -> None:
    """The open part, and what is wrong with the other beside it."""
    forging.forge_part(folder, parquet(changed(TRADE, "side", 3)(forging.table(folder))))
    recording = Recording(folder, salvage=True)
    assert list(recording.entries()) == forging.SAID
    assert [problem.place for problem in recording.problems] == ["row group 0"]
