"""The frame parser by itself: what is taken, what passes, in which pieces, at which cost.

That taking and passing add up to what trio-websocket alone would do is tested in test_transport_reference.py.
"""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._wire.frames import FrameParser
from tests.wire.wires import BINARY, CONTINUATION, PING, PONG, TEXT, close_frame, frame, split

BOUND = 70_000


def feed_all(pieces: Iterable[bytes], bound: int = BOUND) -> tuple[list[bytes], bytes]:
    """The messages taken from all pieces, and all that passed."""
    parser = FrameParser(bound)
    messages: list[bytes] = []
    passed = b""
    for piece in pieces:
        some, rest = parser.feed(piece)
        messages += some
        passed += rest
    return messages, passed


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, BOUND])
def test_whole_messages_are_taken(opcode: int, size: int) -> None:
    """Of every width of the length, several in one read, with nothing left to pass."""
    assert feed_all([frame(opcode, b"x" * size) * 3]) == ([b"x" * size] * 3, b"")


def test_payloads_are_bytes_whatever_is_fed() -> None:
    """trio's streams in memory give bytearrays; the messages must not change with them."""
    data = bytearray(frame(TEXT, b"one") + frame(BINARY, b"x" * 70_000) + frame(PING, b"p"))
    messages, passed = FrameParser(BOUND).feed(data)
    assert [type(message) for message in messages] == [bytes, bytes]
    data[:] = bytes(len(data))
    assert (messages, passed) == ([b"one", b"x" * 70_000], frame(PING, b"p"))


def test_fragments_are_assembled_around_control_frames() -> None:
    """Control frames pass at once, in order; empty fragments add nothing."""
    data = (
        frame(BINARY, b"ab", fin=False)
        + frame(PING, b"1")
        + frame(CONTINUATION, b"", fin=False)
        + frame(PONG, b"2")
        + frame(CONTINUATION, b"cd")
        + frame(TEXT, b"ef")
    )
    assert feed_all([data]) == ([b"abcd", b"ef"], frame(PING, b"1") + frame(PONG, b"2"))


good = st.lists(
    st.builds(frame, st.sampled_from([TEXT, BINARY]), st.binary(max_size=300))
    | st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125))
    | st.binary(max_size=300).map(lambda body: frame(TEXT, body[:100], fin=False) + frame(CONTINUATION, body[100:])),
    max_size=8,
).map(b"".join)
bad = st.sampled_from(
    [b"", frame(TEXT, b"x" * 400), frame(TEXT, masked=True), close_frame(), frame(TEXT, b"begun", fin=False) + b"\x81"]
)


@given(good, bad, good, st.lists(st.integers(0, 2000)))
def test_any_split_gives_the_same(first: bytes, turn: bytes, second: bytes, cuts: list[int]) -> None:
    """However the bytes arrive, the same messages are taken and the same bytes pass."""
    data = first + turn + second
    whole = feed_all([data], 300)
    if turn == frame(TEXT, b"x" * 400):
        # Behind a message that is too long, nothing of the same read passes; of later ones it does not matter.
        messages, passed = feed_all(split(data, cuts), 300)
        assert messages == whole[0]
        assert passed.startswith(whole[1])
    else:
        assert feed_all(split(data, cuts), 300) == whole


@pytest.mark.parametrize(
    "data",
    [
        close_frame(1001, b"bye"),
        b"\x88",
        frame(TEXT, b"1", masked=True),
        frame(TEXT, b"1", reserved=4),
        frame(PING, b"1", reserved=1),
        frame(0x3, b"1"),
        frame(0xB, b"1"),
        frame(PING, b"1", fin=False),
        frame(PONG, bytes(126)),
        frame(CONTINUATION, b"1"),
        frame(TEXT, bytes(125), width=2),
        frame(TEXT, bytes(65_535), width=8),
        b"\x82\x7f\x80" + bytes(7),
    ],
    ids=lambda data: data[:4].hex(),
)
def test_from_a_close_or_invalid_frame_on_everything_passes(data: bytes) -> None:
    """Messages before it are taken, none behind it, and no byte is lost."""
    parser = FrameParser(BOUND)
    before, behind = frame(TEXT, b"before"), frame(TEXT, b"behind")
    assert not parser.passing
    assert feed_all([before + data + behind]) == ([b"before"], data + behind)
    assert parser.feed(before + data) == ([b"before"], data if len(data) > 1 else b"")
    assert parser.passing == (len(data) > 1)
    assert parser.feed(behind) == ([], data + behind if len(data) == 1 else behind)


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
def test_a_message_that_breaks_off_passes_as_one_fragment(size: int) -> None:
    """What was assembled goes to trio-websocket first, so that it sees what it would have seen."""
    rest = frame(TEXT, b"not a continuation")
    data = frame(BINARY, b"x" * (size - 1), fin=False) + frame(CONTINUATION, b"x", fin=False) + rest
    assert feed_all([data]) == ([], frame(BINARY, b"x" * size, fin=False) + rest)


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"123456"),
        frame(BINARY, b"123456")[:2],
        frame(TEXT, b"123", fin=False) + frame(CONTINUATION, b"456"),
        frame(TEXT, b"x" * 126)[:4],
        frame(TEXT, b"x" * 70_000)[:10],
    ],
)
def test_a_message_too_long_passes_as_one_that_is_just_too_long(data: bytes) -> None:
    """Known from its header, before any of it is kept; what was read behind it does not pass."""
    parser = FrameParser(5)
    stand_in = frame(BINARY, bytes(6), fin=False)
    assert parser.feed(frame(TEXT, b"12345") + frame(PING) + data + close_frame()) == (
        [b"12345"],
        frame(PING) + stand_in,
    )
    assert parser.passing


def test_after_our_close_no_ping_passes() -> None:
    """A pong must not follow our close frame; the server's own close passes."""
    parser = FrameParser(BOUND)
    parser.drop_pings()
    data = frame(PING, b"1") + frame(TEXT, b"late") + frame(PONG) + close_frame()
    assert parser.feed(data) == ([b"late"], close_frame())


@pytest.mark.parametrize("fragments", [1, 4])
def test_a_large_message_that_drips_in_is_looked_at_a_few_times_only(
    fragments: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are appended until they are enough: the cost grows with its size, not with its square."""
    looks = 0
    look = FrameParser._take_other

    def counted(self: FrameParser, data: bytes, position: int, messages: list[bytes], passed: list[bytes]) -> int:
        nonlocal looks
        looks += 1
        return look(self, data, position, messages, passed)

    monkeypatch.setattr(FrameParser, "_take_other", counted)
    payload = bytes(BOUND)
    parts = split(payload, range(0, BOUND, BOUND // fragments))
    data = b"".join(frame(CONTINUATION if i else TEXT, part, fin=i == fragments - 1) for i, part in enumerate(parts))
    assert feed_all(data[i : i + 7] for i in range(0, len(data), 7)) == ([payload], b"")
    assert looks <= 3 * fragments
