"""How a connection may end: every close code, and within any byte of a message or of the handshake."""

from collections.abc import Callable

import attrs
import pytest
import trio

import cgrx
from tests.feed.feeding import eventually
from tests.hostile.parts import CODES, DELIVERED, ENDING, KINDS, MALFORMED, Part, fragments, of, text
from tests.hostile.promise import QUICK, Trial, trial
from tests.hostile.server import End, Play
from tests.support import run, run_mock
from tests.wire.wires import BINARY, CONTINUATION, PING, TEXT, accept_head, close_frame, frame

_HALF = b"{"
SESSION: list[Part] = [
    *(KINDS[kind] for kind in ("empty ping", DELIVERED, "pong text", "empty text", "notice", "no data", "pong")),
    Part(fragments(_HALF, [0, 1, 0]), of(MALFORMED, _HALF)),
    Part(frame(TEXT, _HALF, fin=False) + frame(PING, b"?") + frame(CONTINUATION), of(MALFORMED, _HALF)),
    text(_HALF, MALFORMED, BINARY),
    ENDING["close with the key"],
]
"""One of each that the parser treats in a way of its own, and as short as it can be."""

SIZE = sum(len(part.data) for part in SESSION)
HEAD_SIZE = 129

PATIENT = cgrx.Limits(ping_every_s=5, pong_within_s=2, handshake_s=2, close_s=1, backoff_most_s=0.01)
"""For a mock clock, on which time-outs cost nothing."""


def codes(t: Trial) -> list[int]:
    errors = [status.error for status in t.statuses if isinstance(status, cgrx.Disconnected)]
    return [error.code for error in errors if isinstance(error, cgrx.DisconnectedError)]


@pytest.mark.parametrize(
    "reason", [b"", b"bye", b"x" * 123, "\u20ac".encode() * 41], ids=["none", "short", "longest", "\u20ac"]
)
def test_close_codes(reason: bytes) -> None:
    """What the server sent before it is delivered; the feed connects again, whatever the code says."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for code in CODES:
                if code is not None or not reason:
                    told = len(codes(t))
                    await t.survive(Play([KINDS[DELIVERED], Part(close_frame(code, reason), ends=True)], "silence"))
                    known = {1005} if code is None else {code}
                    assert codes(t)[told + 1] in known | {1002, 1006}

    run(main)


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["end of stream", "silence"])
def test_half_frames_at_every_byte(end: End) -> None:
    """Messages that are whole are delivered; of the half one nothing is heard."""

    async def main() -> None:
        async with trial(memory=True, limits=PATIENT) as t:
            for size in range(SIZE + 1):
                await t.survive(Play(SESSION, end, size))

    run_mock(main)


@pytest.mark.parametrize("end", ["end of stream", "reset"])
def test_half_frames_over_loopback(end: End) -> None:
    """The same on sockets, at some of the bytes."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for size in range(0, SIZE + 1, 9):
                await t.survive(Play(SESSION, end, size))

    run(main)


def test_bytes_that_drip() -> None:
    """Each read brings one byte."""

    async def main() -> None:
        async with trial(memory=True, limits=PATIENT) as t:
            await t.survive(Play(SESSION, piece=1))
            await t.survive(Play([*KINDS.values()][:4], "goes on", piece=1))

    run_mock(main)


def first(size: int) -> Callable[[bytes], bytes]:
    """The answer of a server that sends so many bytes of it."""
    return lambda request: accept_head(request)[:size]


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["end of stream", "silence"])
def test_handshakes_that_stop_at_every_byte(end: End) -> None:
    """The next attempt gets in."""

    async def main() -> None:
        async with trial(memory=True, limits=PATIENT) as t:
            for size in range(HEAD_SIZE):
                await t.survive(Play(end=end, answer=first(size), opens=False))

    run_mock(main)


@pytest.mark.parametrize("end", ["end of stream", "reset", "silence"])
def test_handshakes_that_stop_over_loopback(end: End) -> None:
    """The same on sockets, at some of the bytes."""

    async def main() -> None:
        async with trial(memory=False, limits=attrs.evolve(QUICK, handshake_s=0.02)) as t:
            for size in range(0, HEAD_SIZE, 8):
                await t.survive(Play(end=end, answer=first(size), opens=False))

    run(main)


ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "no HTTP": lambda _: b"220 mail.example ESMTP\r\n",
    "the request": lambda request: request,
    "no key": lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "a wrong key": lambda _: accept_head(b"\r\nSec-WebSocket-Key: AAAA\r\n"),
    "a status of none": lambda _: b"HTTP/1.1 999 ?\r\n\r\n",
    "a status line alone": lambda _: b"HTTP/1.1 101\r\n\r\n",
    "a redirect with the key": lambda request: b"HTTP/1.1 302 Go\r\nLocation: " + request.split()[1] + b"\r\n\r\n",
    "an error page with the request": lambda request: b"HTTP/1.1 500 No\r\n\r\n" + request,
    "a header without end": lambda _: b"HTTP/1.1 101 OK\r\nX: " + b"x" * 100_000,
    "headers without end": lambda _: b"HTTP/1.1 101 OK\r\n" + b"X: x\r\n" * 20_000,
    "headers that are no ASCII": lambda request: accept_head(request, extra=b"X: \xff\r\n\xfe: x\r\n"),
    "a null": lambda request: accept_head(request, extra=b"X: \x00\r\n"),
    "an extension": lambda request: accept_head(request, extra=b"Sec-WebSocket-Extensions: permessage-deflate\r\n"),
    "a protocol": lambda request: accept_head(request, extra=b"Sec-WebSocket-Protocol: soap\r\n"),
    "compressed": lambda _: b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n123456789",
    "chunks": lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
    "retry after an hour": lambda _: b"HTTP/1.1 503 No\r\nRetry-After: 3600\r\n\r\n",
    "retry after for ever": lambda _: b"HTTP/1.1 503 No\r\nRetry-After: " + b"9" * 5_000 + b"\r\n\r\n",
    "retry after a strange date": lambda _: b"HTTP/1.1 503 No\r\nRetry-After: Fri, 99 Foo 99999 99:99:99\r\n\r\n",
    "early hints": lambda _: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 30,
    "nothing": lambda _: b"",
}
"""None of these opens a connection."""


@pytest.mark.parametrize("end", ["end of stream", "silence"])
def test_answers_that_open_nothing(end: End) -> None:
    """Whatever the server says instead; a `Retry-After` counts for five minutes at most."""

    async def main() -> None:
        async with trial(memory=True, limits=PATIENT) as t:
            for answer in ANSWERS.values():
                await t.survive(Play(end=end, answer=answer, opens=False))

    run_mock(main)


@pytest.mark.parametrize("code", [b"100 Continue", b"103 Early Hints"])
def test_informational_answers_before_the_one_that_opens(code: bytes) -> None:
    """They are no refusal."""

    async def main() -> None:
        async with trial(memory=False) as t:
            for count in (1, 2, 10):
                before = (b"HTTP/1.1 " + code + b"\r\nX: y\r\n\r\n") * count
                await t.survive(Play([KINDS[DELIVERED]], answer=lambda request: before + accept_head(request)))  # noqa: B023 - used at once

    run(main)


def test_a_feed_that_is_left_while_the_server_floods_it() -> None:
    """It closes within `close_s`, and completes its streams."""

    async def main() -> None:
        async with trial(memory=False, limits=QUICK) as t:
            t.server.plays.append(Play([KINDS[DELIVERED]] * 20_000, "silence", deaf=True))
            t.server.hang_up()
            await eventually(lambda: len(t.seen.events) > 3)
            left_at = trio.current_time()
            await t.feed.aclose()
            assert trio.current_time() - left_at < 2

    run(main)
