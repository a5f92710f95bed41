"""What a feed said, written to disk and read back."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Recording
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import RecordingWriter
from tests.recording.entries import ENTRIES, comparable
from tests.support import examples


@settings(deadline=None, max_examples=examples(50))  # files are as slow as the machine's disk
@given(ENTRIES, st.data())
def test_everything_said_comes_back_however_it_was_written(entries: list[Recorded], data: st.DataObject) -> None:
    """Flushed, finished and gone on with anywhere, finished or not: the same entries, in the same order."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as closing:
        folder = Path(name)
        writer = closing.enter_context(RecordingWriter(folder))
        for entry in entries:
            writer.append(entry)
            match data.draw(st.sampled_from(["go on", "go on", "flush", "finish", "reopen"])):
                case "flush":
                    writer.flush()
                case "finish":
                    writer.finish()
                case "reopen":
                    closing.close()
                    writer = closing.enter_context(RecordingWriter(folder))
                case _:
                    pass
        writer.flush()
        expected = comparable(entries)
        assert comparable(Recording(folder).entries()) == expected
        closing.close()
        assert comparable(Recording(folder).entries()) == expected
