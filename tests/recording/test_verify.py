"""`verify`: everything is read, and what is damaged is told with its place."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from cgrx import Recording, compact, verify
from cgrx._recording import manifest, stretch
from cgrx._recording.arrow import pa, pq
from cgrx._recording.finished_part import checksum_of, parquet_writer
from cgrx._recording.manifest import NAME, Manifest
from cgrx._recording.schema import SCHEMA
from tests.recording.test_compact import all_of, recorded


@pytest.fixture(params=["as recorded", "by channel"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Three finished parts, and one that is being written."""
    recorded(tmp_path, range(4), is_open=True)
    if request.param == "by channel":
        compact(tmp_path)
    return tmp_path


def parquet(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def test_nothing_is_damaged(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    found = verify(folder, progress=lambda done, total: told.append((done, total)))
    assert (found.folder, found.parts, found.rows, found.events, found.problems) == (folder, 4, 28, 12, ())
    assert told[-1] == (28, 28)
    assert found == verify(str(folder))


def test_each_damage_is_told(folder: Path) -> None:
    """Bytes in one file, another cut off, a third missing, and one in the part being written."""
    flipped, cut, gone = parquet(folder)[:3]
    content = bytearray(flipped.read_bytes())
    content[100:400] = bytes(300)
    flipped.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:-7])
    gone.unlink()
    (unfinished,) = folder.glob("*.open")
    unfinished.write_bytes(unfinished.read_bytes()[:-1] + b"x")
    found = verify(folder)
    files = [problem.file for problem in found.problems]
    assert files.count(str(flipped)) == 2
    assert {str(cut), str(gone), str(unfinished)} < set(files)
    assert "its checksum does not match" in str(found.problems)
    assert found.rows < 28


def forge(path: Path, change: Any) -> None:
    """Change a manifest, whose checksum agrees."""
    content = json.loads(path.read_text())
    del content["crc32"]
    change(content)
    plain = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    path.write_text(json.dumps({**content, "crc32": zlib.crc32(plain)}))


def test_counts_that_differ(tmp_path: Path) -> None:
    """The manifest and the rows say different things."""
    recorded(tmp_path, range(2))
    known = manifest.read(tmp_path)
    wrong = attrs.evolve(known.parts[1], events=known.parts[1].events + 1, end_ms=known.parts[1].end_ms + 1)
    manifest.write(tmp_path, Manifest((known.parts[0], wrong)))
    problems = verify(tmp_path).problems
    assert [problem.place for problem in problems] == ["events", "end_ms"]
    assert "it is 3, the manifest says 4" in str(problems[0])


def test_an_entry_that_is_missing(tmp_path: Path) -> None:
    """Each row group is right by itself, and so are the counts of a manifest that was forged."""
    recorded(tmp_path, range(1))
    path = tmp_path / "part-00000000.parquet"
    table = pq.read_table(path, schema=SCHEMA)
    with path.open("w+b") as file:
        with parquet_writer(file) as writer:
            writer.write_table(table.slice(0, 3))
            writer.write_table(table.slice(4))
        (part,) = manifest.read(tmp_path).parts
        checksum = checksum_of(file)
        manifest.write(tmp_path, Manifest((attrs.evolve(part, rows=6, bytes=file.tell(), crc32=checksum),)))
    (problem,) = verify(tmp_path).problems
    assert (problem.file, problem.place) == (str(tmp_path), "seq 2 to 5")
    assert problem.reason == "the entry 2 is missing"


FORGED: list[tuple[Callable[[Any], object], str]] = [
    (lambda content: content.update(parts=[]), "others than the name"),
    (lambda content: content["files"][1].update(number=5), "no file of one channel"),
    (lambda content: content["files"][1].update(events=-1), "cannot hold its entries"),
    (lambda content: content["files"].pop(), "the parts 21"),
    (lambda content: content["parts"][1].update(first_seq=0), "do not follow one another"),
    (lambda content: content.update(format="other"), "not the manifest"),
]


@pytest.mark.parametrize(("change", "match"), FORGED)
def test_a_forged_list_of_a_stretch(tmp_path: Path, change: Any, match: str) -> None:
    """It is refused by name; without it the files give what they hold."""
    recorded(tmp_path, range(3))
    before = all_of(tmp_path)
    compact(tmp_path)
    (numbers,) = stretch.listed(tmp_path)
    path = stretch.folder_of(tmp_path, numbers) / NAME
    forge(path, change)
    (problem,) = verify(tmp_path).problems
    assert problem.file == str(path)
    assert match in str(problem)
    salvaged = Recording(tmp_path, salvage=True)
    assert salvaged.to_arrow().num_rows == len(before[4])


def test_a_list_that_is_lost_with_a_file(tmp_path: Path) -> None:
    """The other files of the stretch still give what they hold."""
    recorded(tmp_path, range(3))
    compact(tmp_path)
    (path,) = tmp_path.glob("by-channel*")
    (path / NAME).unlink()
    parquet(tmp_path)[1].write_bytes(b"")
    salvaged = Recording(tmp_path, salvage=True)
    assert 0 < salvaged.to_arrow().num_rows < 21
    assert [problem.file for problem in salvaged.problems] == [str(path / NAME), str(parquet(tmp_path)[1])]


def test_files_that_hold_the_same_entries(tmp_path: Path) -> None:
    """A forged stretch, each file of which is right by itself."""
    recorded(tmp_path, range(2))
    compact(tmp_path)
    (numbers,) = stretch.listed(tmp_path)
    folder = stretch.folder_of(tmp_path, numbers)
    found = stretch.read(tmp_path, numbers)
    files = list(found.files)
    at = next(at for at, file in enumerate(files) if not file.channels)
    path = folder / files[at].file
    table = pq.read_table(path, schema=SCHEMA)
    first = 0
    seqs = pa.array([first, *table["seq"].to_pylist()[1:]])
    with path.open("w+b") as file:
        with parquet_writer(file) as writer:
            writer.write_table(table.set_column(0, SCHEMA.field(0), seqs))
        checksum = checksum_of(file)
        files[at] = attrs.evolve(files[at], first_seq=first, bytes=file.tell(), crc32=checksum)
    stretch.write(folder, stretch.Stretch(found.parts, tuple(files)))
    (problem,) = verify(tmp_path).problems
    assert problem.reason == "an entry has rows that do not belong together"


def test_a_part_that_is_damaged_while_it_is_written(tmp_path: Path) -> None:
    """After the recording was opened: a query of the rest is made."""
    recorded(tmp_path, range(2), is_open=True)
    (unfinished,) = tmp_path.glob("*.open")
    salvaged = Recording(tmp_path, salvage=True)
    unfinished.write_bytes(b"x" * unfinished.stat().st_size)
    assert salvaged.to_polars().collect().height == 7
    assert [problem.file for problem in salvaged.problems] == [str(unfinished)]


def test_a_manifest_that_is_lost(tmp_path: Path) -> None:
    """What was compacted says itself which parts it holds."""
    recorded(tmp_path, range(3))
    left = (tmp_path / "part-00000001.parquet").read_bytes()
    compact(tmp_path)
    recorded(tmp_path, [3])
    (tmp_path / "part-00000001.parquet").write_bytes(left)  # as where the compaction was killed
    rows = Recording(tmp_path).to_arrow()
    (tmp_path / NAME).unlink()
    salvaged = Recording(tmp_path, salvage=True)
    assert len(salvaged.parts) == 4
    assert salvaged.to_arrow().equals(rows)
    assert len(salvaged.problems) == 1


def test_what_cannot_be_verified(tmp_path: Path) -> None:
    """No recording is a problem, as any; a wrong argument is an error."""
    found = verify(tmp_path / "nothing")
    assert (found.parts, found.rows) == (0, 0)
    assert "there is no recording here" in str(found.problems)
    with pytest.raises(TypeError, match="progress=5 is no function"):
        verify(tmp_path, progress=cast("Any", 5))
