"""The answer to the opening handshake: where it ends, what it refuses, when to come back."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.errors import AddressError, AuthError, CgrxError, HandshakeError
from cgrx._wire.address import Address
from cgrx._wire.handshake import AnswerHead, retry_after_s

ADDRESS = Address("a.example", 443, tls=True, resource="/ws?cg-api-key=S3CRET55")
NOW_S = 1_732_301_234.0
DATE = "Fri, 22 Nov 2024 18:47:44 GMT"  # 30 s after NOW_S


def read(data: bytes) -> AnswerHead:
    head = AnswerHead()
    head.feed(data)
    return head


def refusal(data: bytes) -> CgrxError:
    head = read(data)
    assert head.refused
    return head.refusal(ADDRESS, NOW_S)


@given(st.lists(st.integers(0, 200), max_size=6), st.sampled_from([b"\r\n", b"\n"]))
def test_frames_begin_behind_the_blank_line(cuts: list[int], line_end: bytes) -> None:
    """However the head is split, and with either line end that h11 accepts."""
    lines = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"X: \xff", b"", b""]
    data, frames = line_end.join(lines), b"\x81\x01\n\n\nframes"
    head = AnswerHead()
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data) - 1]
    for start, end in pairwise(edges):
        assert head.feed(data[start:end]) == b""
        assert not head.complete
    assert head.feed(data[-1:] + frames) == frames
    assert (head.complete, head.refused, head.status) == (True, False, 101)


EARLY = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
OPENED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize(
    "early",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        EARLY,
        EARLY.replace(b"\r", b""),
        b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 100 + b"\r\n\r\n",
    ],
)
def test_informational_answers_come_before_the_answer(early: bytes) -> None:
    """Wherever the bytes are split in two, and byte by byte."""
    data, frames = early + OPENED, b"\x81\x01\n\n\nframes"
    everything = data + frames
    for pieces in [
        *((everything[:cut], everything[cut:]) for cut in range(len(everything))),
        [everything[at : at + 1] for at in range(len(everything))],
    ]:
        head = AnswerHead()
        rest = b""
        for piece in pieces:
            rest += piece if head.complete else head.feed(piece)
        assert (head.refused, head.status, head.raw, rest) == (False, 101, OPENED, frames)


@given(st.lists(st.integers(0, 70_000), max_size=4), st.sampled_from([b"HTTP/1.1 103 \n\n", b"HTTP/1.1 103 x"]))
def test_informational_answers_have_an_end(cuts: list[int], early: bytes) -> None:
    """A flood of them, and one without an end: 64 KiB are waited for, however they are split."""
    data, bound = early * 6000, 64 * 1024
    head = AnswerHead()
    edges = [0, *sorted(cut for cut in cuts if cut < bound), bound]
    for start, end in pairwise(edges):
        assert head.feed(data[start:end]) == b""
        assert not head.complete
    head.feed(data[bound:])
    assert head.refused
    error = head.refusal(ADDRESS, NOW_S)
    assert isinstance(error, HandshakeError)
    assert (error.reason, error.status) == ("the answer is longer than 64 KiB", None)


def test_the_answer_ends_within_the_bound_as_well() -> None:
    """Also where all of it comes in one read."""
    assert read(b"HTTP/1.1 101 " + b"x" * (64 * 1024 - 15) + b"\n\n").status == 101
    assert read(b"HTTP/1.1 101 " + b"x" * (64 * 1024 - 14) + b"\n\n").refused


def test_a_refusal_behind_an_informational_answer() -> None:
    error = refusal(EARLY + b"HTTP/1.1 503 No\r\nRetry-After: 7\r\n\r\nbody")
    assert isinstance(error, HandshakeError)
    assert (error.status, error.retry_after_s) == (503, 7.0)


@pytest.mark.parametrize(
    "data",
    [
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"220 mail.example ESMTP\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTPS?",
        b"\r\n\r\n",
        b"HTTP/2.0\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"GET /ws?cg-api-key=S3CRET55 HTTP/1.1\r\n",
    ],
)
def test_what_is_no_http_is_known_at_once(data: bytes) -> None:
    """A banner without a blank line is not waited for; an echo of the request is not repeated."""
    error = refusal(data)
    assert isinstance(error, HandshakeError)
    assert (error.reason, error.status, error.retry_after_s) == ("the peer does not speak HTTP", None, None)


def test_a_beginning_that_may_become_http_is_waited_for() -> None:
    for size in range(1, len(b"HTTP/1.1 200 OK\r\n\r")):
        assert not read(b"HTTP/1.1 200 OK\r\n\r"[:size]).complete


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key(status: int) -> None:
    error = refusal(b"HTTP/1.1 %d No\r\n\r\n" % status)
    assert isinstance(error, AuthError)
    assert error.status == status


def test_an_unknown_address() -> None:
    """With the URL, without its query."""
    error = refusal(b"HTTP/1.1 404 Not Found\r\n\r\n")
    assert isinstance(error, AddressError)
    assert error.url == "wss://a.example:443/ws"


@pytest.mark.parametrize("status", [200, 301, 400, 426, 429, 500, 503, 999])
def test_any_other_status(status: int) -> None:
    """Kept as a number; nothing that the server wrote is repeated."""
    error = refusal(b"HTTP/1.0 %d S3CRET55\r\nLocation: /?cg-api-key=S3CRET55\r\nretry-AFTER:  7 \r\n\r\nbody" % status)
    assert isinstance(error, HandshakeError)
    assert (error.status, error.retry_after_s) == (status, 7.0)
    assert "S3CRET55" not in str(error)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (DATE, 30.0),
        ("Friday, 22-Nov-24 18:47:44 GMT", 30.0),
        ("Fri Nov 22 18:47:44 2024", 30.0),
        ("Fri, 22 Nov 2024 18:47:44 -0000", 30.0),
        ("Fri, 22 Nov 2024 18:46:00 GMT", 0.0),
        ("9" * 5000, math.inf),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("Fri, 99 Nov 2024 18:47:44 GMT", None),
        ("Fri, 22 Nov 99999999999999999999 18:47:44 GMT", None),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    """Seconds, or a date in each of HTTP's three forms; None where it cannot be read."""
    assert retry_after_s({"retry-after": value}, NOW_S) == expected


def test_retry_after_on_the_servers_clock() -> None:
    """Its `Date` says what time it is there; where it says nothing useful, our clock has to do."""
    an_hour_ahead = "Fri, 22 Nov 2024 19:47:34 GMT"
    later = "Fri, 22 Nov 2024 19:47:44 GMT"
    assert retry_after_s({"retry-after": later, "date": an_hour_ahead}, NOW_S) == 10.0
    assert retry_after_s({"retry-after": later, "date": "?"}, NOW_S) == 3630.0
    assert retry_after_s({}, NOW_S) is None
    assert retry_after_s({"retry-after": later}, None) is None, "a date, and no clock to measure it by"


@given(st.text() | st.text("0123456789 ,:-+GMTNovFri"))
def test_retry_after_never_raises(value: str) -> None:
    delay_s = retry_after_s({"retry-after": value, "date": value}, NOW_S)
    assert delay_s is None or delay_s >= 0
