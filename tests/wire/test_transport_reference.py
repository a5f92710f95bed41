"""The tap against the reference: the same bytes, split anywhere, give the same messages and the same ending."""

from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cgrx._wire.transport import Limits
from tests.support import examples, run_mock
from tests.wire.wires import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    ScriptedServer,
    Story,
    close_frame,
    frame,
    tell,
)

# What is generated leaves out the two differences there are, both on purpose (the tests at the end show them):
# - Text is valid UTF-8. wsproto ends the connection with 1007 where it is not; the tap hands the bytes on, and the
#   codec reports one malformed message.
# - A message that is too long comes whole, comes last, and is too long in characters too. The tap refuses it by the
#   length in its header; trio-websocket counts characters, as they arrive, and reports what follows as the ending.
texts = st.text(max_size=60).map(str.encode) | st.text(st.characters(codec="ascii"), max_size=400).map(str.encode)
messages = st.tuples(st.just(TEXT), texts) | st.tuples(st.just(BINARY), st.binary(max_size=400))
short = st.binary(max_size=125)
controls = st.builds(frame, st.sampled_from([PING, PONG]), short)
closes = (
    st.builds(close_frame, st.sampled_from([None, 1000, 1001, 1008, 1011, 1012, 3000, 4999]))
    | st.builds(close_frame, st.just(1008), st.text(max_size=20).map(str.encode))
    | st.builds(close_frame, st.sampled_from([0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65535]))
    | st.sampled_from([frame(CLOSE, b"\x03"), close_frame(1000, b"\xff"), frame(CLOSE, bytes(126)), frame(CLOSE)])
)
invalid = st.one_of(
    st.builds(partial(frame, masked=True), st.sampled_from([TEXT, CLOSE, PING]), short),
    st.builds(frame, st.sampled_from([TEXT, PING]), short, reserved=st.integers(1, 7)),
    st.builds(frame, st.sampled_from([*range(0x3, 0x8), *range(0xB, 0x10)]), short),
    # Valid behind an unfinished message, which it must not make invalid UTF-8.
    st.builds(frame, st.just(CONTINUATION), st.text(st.characters(codec="ascii"), max_size=125).map(str.encode)),
    st.builds(partial(frame, width=2), st.sampled_from([TEXT, BINARY]), short.map(bytes.hex).map(str.encode)),
    st.builds(partial(frame, width=8), st.sampled_from([TEXT, BINARY]), st.just(b"x" * 200)),
    st.builds(partial(frame, width=2), st.sampled_from([PING, PONG, CLOSE]), st.binary(max_size=200)),
    st.builds(partial(frame, fin=False), st.sampled_from([PING, PONG, CLOSE]), short),
    st.just(b"\x81\xff" + b"\xff" * 8 + b"x" * 20),
    st.just(b"\x82\x7f\x80" + bytes(7) + b"x" * 20),
)


@st.composite
def fragmented(draw: st.DrawFn, opcode: int, payload: bytes, *, complete: bool) -> bytes:
    """A message in fragments, cut anywhere (within a character too), with control frames between them."""
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
    parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    data = b""
    for i, part in enumerate(parts):
        final = complete and i == len(parts) - 1
        data += frame(CONTINUATION if i else opcode, part, fin=final)
        if not final:
            data += b"".join(draw(st.lists(controls, max_size=2)))
    return data


@st.composite
def conversations(draw: st.DrawFn) -> tuple[int, bytes]:
    """A bound and what a server sends: messages, whole or not; a close, or something invalid; perhaps cut off."""
    bound = draw(st.sampled_from([1, 10, 125, 126, 300, 65_535, 65_536, 70_000]))
    data = b""
    for kind in draw(st.lists(st.sampled_from("wwwffcclix"), max_size=8)):
        if kind in "wfl":
            opcode, payload = draw(messages)
            if kind == "l":
                payload = b"x" * (draw(st.sampled_from([125, 126, 65_535, 65_536, bound])) + draw(st.integers(0, 1)))
            if len(payload) > bound:
                payload = b"x" * len(payload)
            complete = len(payload) > bound or draw(st.integers(0, 4)) > 0
            data += draw(fragmented(opcode, payload, complete=complete)) if kind == "f" else frame(opcode, payload)
            if len(payload) > bound:
                return bound, data
        else:
            data += draw({"c": controls, "i": invalid, "x": closes}[kind])
    return bound, data[: draw(st.just(len(data)) | st.integers(0, len(data)))]


@settings(max_examples=examples(400), deadline=None)
@given(conversations(), st.lists(st.integers(0, 800), max_size=12), st.sampled_from(["eof", "reset"]))
@example((10, frame(TEXT, b"x" * 11)), [], "eof")
@example((10, frame(TEXT, b"123456", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"123456")), [], "eof")
@example((10, frame(TEXT, b"1", fin=False) + close_frame(1001) + frame(CONTINUATION, b"2") + frame(TEXT)), [], "eof")
@example((10, frame(TEXT, b"1", fin=False) + frame(TEXT, b"2")), [140], "eof")
@example((10, frame(TEXT, b"1", fin=False) + frame(PING, b"2", fin=False)), [], "eof")
@example((10, frame(TEXT, b"1") + frame(TEXT, b"2", masked=True) + frame(TEXT, b"3")), [], "eof")
def test_the_tap_sees_what_trio_websocket_sees(story: tuple[int, bytes], cuts: list[int], end: str) -> None:
    """The same messages in the same order, the same close code and text, the same frames sent back."""
    limits = Limits(message_bytes=story[0])
    servers = [ScriptedServer(story[1], cuts, end="eof" if end == "eof" else "reset") for _ in range(2)]
    tapped = run_mock(partial(tell, limits=limits), servers[0])
    plain = run_mock(partial(tell, limits=limits, plain=True), servers[1])
    assert tapped == plain
    assert servers[0].answers == servers[1].answers


@settings(max_examples=examples(30), deadline=None)
@given(conversations())
def test_a_drip_changes_nothing(story: tuple[int, bytes]) -> None:
    """Byte by byte the story is the same as at one blow."""
    limits, data = Limits(message_bytes=story[0]), story[1][:3000]
    drip = run_mock(partial(tell, limits=limits), ScriptedServer(data, drip=True))
    assert drip == run_mock(partial(tell, limits=limits), ScriptedServer(data))


@pytest.mark.parametrize("text", [b"\xff", b"caf\xc3", b"\xed\xa0\x80"])
def test_a_text_that_is_not_utf8_is_handed_on(text: bytes) -> None:
    """The one difference to the plain path, which wsproto ends with 1007: the codec reports such a message."""
    data = frame(TEXT, b"a") + frame(TEXT, text) + frame(TEXT, b"b") + close_frame(1000)
    tapped = run_mock(tell, ScriptedServer(data))
    assert (tapped.messages, tapped.code) == ([b"a", text, b"b"], 1000)
    plain = run_mock(partial(tell, plain=True), ScriptedServer(data))
    assert (plain.messages, plain.code) == ([b"a"], 1007)


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"123456"),
        frame(TEXT, b"123456")[:2],
        frame(TEXT, b"123456") + close_frame(1000) + frame(TEXT, masked=True),
        frame(TEXT, "ééé".encode()),
        frame(TEXT, b"123", fin=False) + frame(CONTINUATION, b"456"),
        b"\x82\x7f\x7f" + bytes(7),
    ],
    ids=["whole", "its header", "with more behind it", "in characters it is short", "fragments", "exabytes"],
)
def test_a_message_is_refused_by_its_header(data: bytes) -> None:
    """Its length is known from its header: 1009 at once, whatever else was read; the plain path waits for it."""
    server = ScriptedServer(frame(TEXT, b"12345") + data, end="silence")
    story = run_mock(partial(tell, limits=Limits(message_bytes=5)), server)
    assert story == Story([b"12345"], 1009, "Exceeded maximum message size: 5 bytes")
    assert server.answers == [(CLOSE, (1009).to_bytes(2, "big") + story.reason.encode())]
