"""Whom a board answers, and the headers of its answers."""

import os
import re
from pathlib import Path

import pytest
import trio

import cgrx
from cgrx._board.files import page_files
from cgrx._board.guard import Hosts
from tests.board.serving import RATE, TOKEN, shown
from tests.feed.feeding import KEY
from tests.simulator.simulating import liquidation
from tests.support import run, run_fast

UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""What begins a WebSocket."""

OURS = ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}")
FOREIGN = ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "")


def test_every_file_of_the_page_is_served_and_nothing_else() -> None:
    """As it lies in the package; a browser that has it is told so."""

    async def main() -> None:
        async with shown() as there:
            for path, file in page_files().items():
                answer = await there.get(path)
                assert (answer.status_code, answer.content) == (200, file.content)
                assert answer.headers["content-type"] == file.content_type
                assert answer.headers["content-encoding"] == "gzip"  # which httpx asks for, and undoes
                plain = await there.get(path, **{"accept-encoding": "br, gzip;q=0"})
                assert (plain.content, "content-encoding" in plain.headers) == (file.content, False)
                again = await there.get(path, **{"if-none-match": file.etag})
                assert (again.status_code, again.content) == (304, b"")
            for path in ("/index.html", "/board.py", "/../bounds.py", "/%2e%2e/bounds.py", "//etc/passwd", "/live"):
                assert (await there.get(path)).status_code == 404, path
            assert (await there.get("/", "POST")).status_code == 405
            assert (await there.get("/healthz")).text == "live: the event loop comes round\n"

    run(main)


def test_every_answer_says_what_the_page_may_do() -> None:
    """Also a refusal, and what is not found."""

    async def main() -> None:
        async with shown(host="localhost") as there:
            for path, host in (("/", None), ("/nothing", None), ("/", "evil.example")):
                headers = (await there.get(path, **({"host": host} if host else {}))).headers
                policy = headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["cross-origin-resource-policy"] == "same-origin"
                assert headers["referrer-policy"] == "no-referrer"
                assert "server" not in headers

    run(main)


@pytest.mark.parametrize(("host", "status"), [*((each, 200) for each in OURS), *((each, 421) for each in FOREIGN)])
def test_a_foreign_host_is_refused(host: str, status: int) -> None:
    """A name that somebody else points here is no name of the board."""

    async def main() -> None:
        async with shown() as there:
            assert (await there.get(host=host.format(port=there.board.port))).status_code == status

    run(main)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "https://127.0.0.1",
        "http://[",
        "",
    ],
)
def test_a_foreign_page_is_refused(origin: str) -> None:
    """Its requests, and its WebSocket; the board's own page is not."""

    async def main() -> None:
        async with shown() as there:
            foreign, own = origin.format(port=there.board.port), f"http://127.0.0.1:{there.board.port}"
            assert (await there.get(origin=foreign)).status_code == 421
            assert (await there.get(origin=own)).status_code == 200
            assert (await there.get("/live", origin=foreign, **UPGRADE)).status_code == 421
            async with there.browser(origin=own) as browser:
                assert (await browser.hear())["kind"] == "snapshot"

    run(main)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("192.0.2.7:{port}", 200),
        ("[2001:db8::7]:{port}", 200),
        ("192.0.2.7", 421),
        ("evil.example:{port}", 421),
        ("board.example", 200),
        ("Board.Example:8443", 200),
        ("other.example:8443", 200),
        ("other.example", 421),
        ("board.example:99999999", 421),
    ],
)
def test_a_board_of_the_network_answers_to_addresses_and_to_the_names_it_is_told(host: str, status: int) -> None:
    async def main() -> None:
        names = ("board.example", "other.example:8443")
        async with shown(host="0.0.0.0", token=TOKEN, allow_hosts=names) as there:
            assert (await there.get(host=host.format(port=there.board.port))).status_code == status
            assert there.board.url == f"http://127.0.0.1:{there.board.port}/#token={TOKEN}"

    run(main)


@pytest.mark.parametrize(
    ("host", "port", "asked", "answered"),
    [
        ("127.0.0.1", 80, "127.0.0.1", True),  # browsers leave out the port that is usual
        ("127.0.0.1", 80, "localhost:80", True),
        ("127.0.0.1", 80, "localhost:81", False),
        ("127.0.0.2", 8764, "127.0.0.2:8764", True),
        ("0.0.0.0", 8764, "localhost:8764", True),
        ("Board.Example", 8764, "board.example:8764", True),
        ("Board.Example", 8764, "evil.example:8764", False),
    ],
)
def test_what_a_board_is_called(host: str, port: int, asked: str, answered: bool) -> None:
    """On ports and addresses that a test cannot have."""
    assert Hosts(host, port).answers_to(asked) is answered


@pytest.mark.parametrize("token", [None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ä" * 22])
def test_who_has_no_token_is_shown_nothing(token: str | None) -> None:
    async def main() -> None:
        async with shown(token=TOKEN) as there:
            assert TOKEN not in repr(there.board)
            async with there.browser({"token": token}) as browser:
                code, reason = await browser.closed()
                assert (code, reason[:18]) == (1008, "the token is wrong")
            async with there.browser({"token": TOKEN}) as browser:
                assert (await browser.hear())["kind"] == "snapshot"

    run(main)


def test_no_secret_and_no_path_of_the_machine_is_served() -> None:
    """In no file, and in no message."""
    secrets = (KEY, TOKEN, os.fspath(Path(cgrx.__file__).parents[1]), os.fspath(Path.home()))

    async def main() -> None:
        async with shown(token=TOKEN) as there, there.browser({"token": TOKEN}) as browser:
            await there.simulator.wait_subscribed("liquidationOrders")
            await there.simulator.send(liquidation(1))
            said = [str(await browser.hear()) for _ in range(3)]
            there.simulator.drop_all()
            said += [str(await browser.hear()) for _ in range(3)]
            files = [file.content.decode("latin-1") for file in page_files().values()]
            heads = [str((await there.get(path)).headers) for path in ("/", "/nothing", "/healthz")]
        for text in (*said, *files, *heads):
            assert [secret for secret in secrets if secret in text] == []

    run_fast(RATE, main)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 70_000}, "port=70000 takes a port from 1 to 65535, or 0 for a free one"),
        ({"port": True}, "port=True takes a port from 1 to 65535, or 0 for a free one"),
        ({"host": "0.0.0.0"}, "host='0.0.0.0' is reached by others than this machine, and demands a token: token="),
        (
            {"host": "board.example"},
            "host='board.example' is reached by others than this machine, and demands a token: token=",
        ),
        ({"token": "short"}, "token takes at least 16 letters, digits, '-' and '_', not these 5 characters"),
        ({"token": "a b " * 9}, "token takes at least 16 letters, digits, '-' and '_', not these 36 characters"),
        (
            {"allow_hosts": ["http://board.example"]},
            "allow_hosts: 'http://board.example' takes the name of a host, such as 'board.example' or 'board.example:8",
        ),
        ({"allow_hosts": [""]}, "allow_hosts: '' takes the name of a host"),
        ({"allow_hosts": ["me@board.example"]}, "allow_hosts: 'me@board.example' takes the name of a host"),
        ({"window": "0s"}, "window='0s'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    """At the call."""

    async def main() -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            cgrx.board("a folder", **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # wrong on purpose

    run(main)


def test_a_request_without_a_host_or_with_two_is_refused() -> None:
    async def main() -> None:
        async with shown() as there:
            name = b"Host: 127.0.0.1:%d\r\n" % there.board.port
            for hosts in (b"", name * 2):
                async with await trio.open_tcp_stream("127.0.0.1", there.board.port) as stream:
                    await stream.send_all(b"GET / HTTP/1.0\r\n" + hosts + b"\r\n")
                    assert (await stream.receive_some())[8:12] in (b" 421", b" 400")

    run(main)


def test_a_port_that_is_taken_is_told_on_entering() -> None:
    async def main() -> None:
        async with shown() as there:
            with pytest.raises(OSError, match="in use"):
                async with cgrx.board(there.feed, port=there.board.port):
                    raise AssertionError("the body was entered")

    run(main)


def test_outside_trio() -> None:
    with pytest.raises(cgrx.NotInTrioError, match=r"board\(\) needs a running trio loop"):
        cgrx.board("a folder")
