"""Recordings that are not as they were written: it is said what is wrong and where; the rest is there on request."""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Alive, Batch, Gap, Recording, RecordingError
from cgrx._recording.entry import Recorded
from cgrx._recording.manifest import LOCK, NAME, Manifest, write
from cgrx._recording.writer import RecordingWriter
from tests.recording.entries import LIQUIDATIONS, TRADES
from tests.simulator.simulating import liquidation, trade
from tests.support import examples

FINISHED = tuple(f"part-{number:08}.parquet" for number in range(3))
OPEN = "part-00000003.open"
FILES = (NAME, *FINISHED, OPEN)


def said(part: int) -> list[Recorded]:
    """What one part of the recording holds."""
    at_ms = 1_700_000_000_000 + part * 10_000
    return [
        Recorded(LIQUIDATIONS, Gap(LIQUIDATIONS, 0, at_ms, "subscribed")),
        Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, at_ms, tuple(map(liquidation, range(part + 2))))),
        Recorded(TRADES, Batch(TRADES, at_ms + 1, tuple(trade(number, 5.5 * number + 1) for number in range(40)))),
        Recorded(LIQUIDATIONS, Alive("feed", at_ms + part)),
    ]


ALL = [entry for part in range(4) for entry in said(part)]


def write_all(folder: Path) -> None:
    """Three finished parts and one that is being written, in a frame for each entry."""
    writer = RecordingWriter(folder)
    for part in range(3):
        writer.append(*said(part))
        writer.finish()
    for entry in said(3):
        writer.append(entry)
        writer.flush()
    writer.abandon()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that nobody changes for good."""
    folder = tmp_path_factory.mktemp("whole")
    write_all(folder)
    assert {path.name for path in folder.iterdir()} == {*FILES, LOCK}
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A recording of one's own."""
    return Path(shutil.copytree(whole, tmp_path / "recording"))


@contextmanager
def changed(path: Path, content: bytes) -> Generator[None]:
    """A file with another content for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def read(folder: Path) -> tuple[list[Recorded], RecordingError | None]:
    """The entries; what is wrong where they cannot be read."""
    try:
        return list(Recording(folder).entries()), None
    except RecordingError as error:
        return [], error


def is_subsequence(found: list[Recorded], expected: list[Recorded]) -> bool:
    rest = iter(expected)
    return all(any(entry == other for other in rest) for entry in found)


def test_all_is_well_at_first(whole: Path) -> None:
    recording = Recording(whole)
    assert list(recording.entries()) == ALL
    assert [part.file for part in recording.parts] == [*FINISHED, OPEN]
    assert recording.problems == ()


@settings(deadline=None, max_examples=examples(40))
@given(file=st.sampled_from(FILES), position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_changes_nothing(whole: Path, file: str, position: float, bit: int) -> None:
    """Anywhere in any file; and on request the rest is what was written, with the problem beside it."""
    content = bytearray((whole / file).read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    with changed(whole / file, bytes(content)):
        found, error = read(whole)
        rest = Recording(whole, salvage=True)
        saved = list(rest.entries())
    if error is None:
        assert found == ALL
    else:
        assert error.file == str(whole / file)
        assert is_subsequence(saved, ALL)
        assert error.file in {problem.file for problem in rest.problems}


@settings(deadline=None, max_examples=examples(40))
@given(file=st.sampled_from(FILES), position=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_is_noticed(whole: Path, file: str, position: float) -> None:
    """The part that is being written is the exception: a killed process leaves it so, and what is whole is read."""
    content = (whole / file).read_bytes()
    with changed(whole / file, content[: int(position * len(content))]):
        found, error = read(whole)
        saved = list(Recording(whole, salvage=True).entries())
    if error is None:
        assert found == ALL or file == OPEN  # a manifest may lose its last line break
        assert found == ALL[: len(found)]
        assert len(found) >= 12
    else:
        assert error.file == str(whole / file)
        assert is_subsequence(saved, ALL)


@pytest.mark.parametrize("file", FILES)
def test_an_empty_file_is_noticed(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"")
    with pytest.raises(RecordingError) as raised:
        Recording(folder)
    assert raised.value.file == str(folder / file)
    assert is_subsequence(list(Recording(folder, salvage=True).entries()), ALL)


@pytest.mark.parametrize("number", range(4))
def test_a_missing_part_is_noticed(folder: Path, number: int) -> None:
    """Of each it is said which file; on request the others are there."""
    file = (*FINISHED, OPEN)[number]
    (folder / file).unlink()
    with pytest.raises(RecordingError, match="this part of the recording is missing") as raised:
        Recording(folder)
    assert raised.value.file == str(folder / file)
    rest = Recording(folder, salvage=True)
    assert list(rest.entries()) == [entry for part in range(4) if part != number for entry in said(part)]
    assert [problem.file for problem in rest.problems] == [str(folder / file)]


def test_what_is_missing_is_named_by_its_numbers(folder: Path) -> None:
    (folder / FINISHED[1]).unlink()
    with pytest.raises(RecordingError) as raised:
        Recording(folder)
    assert raised.value.place == "seq 4 to 7"


def test_a_manifest_of_a_newer_version_is_refused(folder: Path) -> None:
    content = json.loads((folder / NAME).read_bytes())
    (folder / NAME).write_text(json.dumps({**content, "version": 2}))
    with pytest.raises(RecordingError, match="2 is newer than 1, which this cgrx reads") as raised:
        Recording(folder)
    assert (raised.value.file, raised.value.place) == (str(folder / NAME), "version")


NESTED = '{"format": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "another"}', "\ufeff", NESTED], ids=range(5))
def test_another_file_is_no_manifest(folder: Path, content: str) -> None:
    (folder / NAME).write_text(content)
    with pytest.raises(RecordingError, match="manifest"):
        Recording(folder)


def test_without_a_manifest_the_files_speak_on_request(folder: Path) -> None:
    """All finished parts; of the one being written only what follows them."""
    (folder / NAME).unlink()
    with pytest.raises(RecordingError, match="there is no recording here: its manifest is missing"):
        Recording(folder)
    assert list(Recording(folder, salvage=True).entries()) == ALL


def test_a_folder_that_is_not_there_holds_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no recording here"):
        Recording(tmp_path / "nowhere")
    nothing = Recording(tmp_path / "nowhere", salvage=True)
    assert (nothing.parts, nothing.channels, nothing.start_ms, nothing.end_ms) == ((), (), 0, 0)


def test_parts_that_do_not_follow_one_another_are_noticed(folder: Path) -> None:
    """A manifest that is whole in itself, of other parts."""
    parts = Recording(folder).parts
    write(folder, Manifest((parts[0], parts[2]), 3))
    with pytest.raises(RecordingError, match="the parts do not follow one another"):
        Recording(folder)


def test_an_old_manifest_is_noticed(folder: Path) -> None:
    """The part being written does not follow what it knows; nobody writes on there."""
    parts = Recording(folder).parts
    write(folder, Manifest(parts[:2]))
    (folder / OPEN).rename(folder / "part-00000002.open")
    with pytest.raises(RecordingError, match="seq 12: it does not follow the part before"):
        Recording(folder)
    (folder / "part-00000002.open").rename(folder / OPEN)
    with pytest.raises(RecordingError, match="the manifest does not know this part"):
        RecordingWriter(folder)


@pytest.mark.parametrize("file", FILES)
def test_nobody_writes_on_where_something_is_damaged(folder: Path, file: str) -> None:
    """A finished part is not looked at; where one is missing is said to who reads."""
    (folder / file).write_bytes(b"")
    if file in FINISHED:
        RecordingWriter(folder).close()
    else:
        with pytest.raises(RecordingError) as raised:
            RecordingWriter(folder)
        assert raised.value.file == str(folder / file)


@pytest.mark.parametrize("file", [NAME, OPEN])
def test_nobody_writes_on_where_something_is_missing(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(RecordingError, match="missing"):
        RecordingWriter(folder)


def test_frames_in_another_order_are_noticed(folder: Path) -> None:
    """Each frame is whole, but what they hold does not follow."""
    content = (folder / OPEN).read_bytes()
    starts = [index for index in range(len(content)) if content.startswith(b"cgrx", index)]
    (folder / OPEN).write_bytes(content[: starts[1]] + content[starts[2] :])
    with pytest.raises(RecordingError, match="it does not follow the one before"):
        Recording(folder)


def test_a_table_is_only_given_of_parts_that_are_whole(folder: Path) -> None:
    """polars does not look at checksums: they are compared before."""
    content = bytearray((folder / FINISHED[1]).read_bytes())
    content[200] ^= 1
    (folder / FINISHED[1]).write_bytes(content)
    with pytest.raises(RecordingError, match="damaged"):
        Recording(folder).to_polars()
    rest = Recording(folder, salvage=True)
    assert rest.to_polars().collect()["seq"].unique().to_list() == [*range(4), *range(8, 16)]
    assert [problem.file for problem in rest.problems] == [str(folder / FINISHED[1])]


def test_files_of_others_are_left_alone(folder: Path) -> None:
    """Whatever their names end with; drafts of a killed writer are removed."""
    (folder / "notes.tmp").write_text("mine")
    (folder / "part-1.tmp").write_text("mine too")
    (folder / "part-00000003.tmp").write_text("a draft")
    (folder / "manifest.json.tmp").write_text("another")
    RecordingWriter(folder).close()
    assert {path.name for path in folder.glob("*.tmp")} == {"notes.tmp", "part-1.tmp"}


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """And left as it was; what a writer left that was killed as it began is no obstacle."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RecordingError, match="not empty, and holds no recording"):
        RecordingWriter(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / LOCK).touch()
    (begun / "manifest.json.tmp").touch()
    RecordingWriter(begun).close()
    assert Recording(begun).events == 0
