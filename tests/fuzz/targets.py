"""What a fuzzer plays with: each target takes any bytes, and raises where a property of cgrx does not hold.

codec       any message gives a message, nothing is raised; the fast ways of decoding give what the slow one gives
frames      any split of a server's bytes gives the same messages, and passes the same bytes on
recording   whatever a recording's files hold, reading it gives entries or raises `RecordingError`; so does salvage
import      any file gives events and rejected rows, and a recording that holds these events; or an error that
            `import_jsonl` and `import_csv` document
"""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import cgrx
from cgrx._importing.rows import UnreadableFileError
from cgrx._recording import framing, manifest
from cgrx._recording.manifest import Manifest, Part
from cgrx._recording.schema import SCHEMA
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.frames import FrameParser
from cgrx._wire.lenient import read_message
from cgrx._wire.messages import EXCERPT_LENGTH, NOTICE_LENGTH, Frame, Malformed, Message, Notice, Pong
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Secret, Texts

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each target, of files of our own making and of what the fuzzer found."""

_MEMORY = Path("/dev/shm")
"""Where a file system in memory is usual."""


def codec(data: bytes) -> None:
    """`decode`, and what is read out of a notice."""
    message = decode(data)
    assert message == read_message(data)
    if isinstance(message, Frame):
        for event in message.events:
            assert 0 < event.price < math.inf
            assert 0 < event.volume_usd < math.inf
        for generation in (1, 2):
            again = decode(encode_frame(message.channel, message.events, generation))
            assert again == Frame(message.channel, message.events, ())
        _check_malformed(message.malformed)
    elif isinstance(message, Notice):
        assert 0 < len(message.text) <= NOTICE_LENGTH
        assert message.text.isprintable()
        assert message.plan_channel is None or message.plan_channel in message.text
    elif isinstance(message, Malformed):
        _check_malformed((message,))
    else:
        assert isinstance(message, Pong)
    lines = data.split(b"\n")
    assert _events(Reader(Texts(Secret(()))).read(lines)) == _events(list(map(decode, lines)))


def _check_malformed(found: tuple[Malformed, ...]) -> None:
    for malformed in found:
        assert malformed.path.startswith("$")
        assert malformed.reason
        assert len(malformed.excerpt) <= EXCERPT_LENGTH
        assert malformed.excerpt.isprintable()


def _events(messages: list[Message]) -> list[object]:
    """The messages, the events of each channel together up to the next message that is no frame."""
    found: list[object] = []
    by_channel: dict[str, list[object]] = {}
    for message in [*messages, None]:
        if isinstance(message, Frame):
            by_channel.setdefault(message.channel, []).extend(message.events)
        else:
            found += [*by_channel.items(), message]
            by_channel.clear()
    return found


def frames(data: bytes) -> None:
    """The first byte is the bound of a message, the second how the bytes behind it are split."""
    if len(data) < 2:
        return
    bound, step, data = data[0] + 1, data[1] % 16 + 1, data[2:]
    whole = FrameParser(bound)
    messages, passed = whole.feed(data)
    assert all(len(message) <= bound for message in messages)
    split = FrameParser(bound)
    pieces = [split.feed(data[start : start + step]) for start in range(0, len(data), step)]
    assert [message for taken, _ in pieces for message in taken] == messages
    rest = b"".join(left for _, left in pieces)
    # The one who comes first to a message that is too long does not look behind it; in pieces the rest passes too.
    assert rest == passed or (whole.passing and rest.startswith(passed))
    assert split.passing == whole.passing


def recording(data: bytes) -> None:
    """The first byte says what the others are: a file, or what stands in it behind a right checksum."""
    if not data:
        return
    with _folder() as folder:
        _RECORDINGS[data[0] % len(_RECORDINGS)](folder, data[1:])
        for salvage in (False, True):
            with suppress(cgrx.RecordingError):
                opened = cgrx.Recording(folder, salvage=salvage)
                assert opened.channels is not None
                assert sum(1 for _ in opened.entries()) >= 0


def _manifest(folder: Path, data: bytes) -> None:
    (folder / manifest.NAME).write_bytes(data)


def _sealed_manifest(folder: Path, data: bytes) -> None:
    with suppress(ValueError, RecursionError):
        content = cast("object", json.loads(data))
        if isinstance(content, dict):
            sealed = cast("dict[str, object]", content)
            sealed.pop("crc32", None)
            text = json.dumps(sealed, sort_keys=True, separators=(",", ":"))
            data = json.dumps({**sealed, "crc32": zlib.crc32(text.encode())}).encode()
    _manifest(folder, data)


def _open_part(folder: Path, data: bytes) -> None:
    manifest.write(folder, Manifest(open=0))
    (folder / manifest.open_name(0)).write_bytes(data)


def _sealed_open_part(folder: Path, data: bytes) -> None:
    """Behind the first frame, which has the columns, frames of 2 bytes of length and their payload."""
    sealed = framing.encode(0, SCHEMA.serialize().to_pybytes())
    while data:
        length = int.from_bytes(data[:2], "big")
        sealed += framing.encode(0, data[2 : 2 + length])
        data = data[2 + length :]
    _open_part(folder, sealed)


def _first_frame(folder: Path, data: bytes) -> None:
    _open_part(folder, framing.encode(0, data))


def _finished_part(folder: Path, data: bytes) -> None:
    checksum = zlib.crc32(data)
    part = Part(
        number=0, first_seq=0, last_seq=2, events=3, rows=3, start_ms=0, end_ms=2**41, channels=("liquidationOrders",),
        bytes=len(data), crc32=checksum,
    )  # fmt: skip
    manifest.write(folder, Manifest((part,)))
    (folder / manifest.finished_name(0)).write_bytes(data)


_RECORDINGS = (_manifest, _sealed_manifest, _open_part, _sealed_open_part, _first_frame, _finished_part)


def import_(data: bytes) -> None:
    """The first byte says what kind of file the others are."""
    if not data:
        return
    options, data = data[0], data[1:]
    with _folder() as folder:
        file, to = folder / "file", folder / "to"
        file.write_bytes(gzip.compress(data, 1) if options & 4 else data)
        arguments: dict[str, Any] = {
            "events": "trades" if options & 1 else "liquidations",
            "gapless": bool(options & 8),
        }
        if options & 16:
            arguments["received"] = "at"
        read = cgrx.import_csv if options & 2 else cgrx.import_jsonl
        try:
            imported = read(file, to, **arguments)
        except ValueError:
            assert options & 2, "only a file with a header can lack a column"
            assert [path.name for path in folder.iterdir()] == ["file"]
            return
        except UnreadableFileError:
            return
        assert imported.rows == imported.events + imported.rejected
        assert len(imported.rejects) == min(imported.rejected, 20)
        entries = [entry.said for entry in cgrx.Recording(to).entries()]
        batches = [said for said in entries if isinstance(said, cgrx.Batch)]
        assert sum(len(batch.events) for batch in batches) == imported.events
        received = [batch.received_ms for batch in batches]
        assert received == sorted(received)


@contextmanager
def _folder() -> Generator[Path]:
    """A folder of its own."""
    with TemporaryDirectory(prefix="cgrx-fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": codec,
    "frames": frames,
    "recording": recording,
    "import": import_,
}
