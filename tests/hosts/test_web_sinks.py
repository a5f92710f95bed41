"""The sinks for web services from asyncio and from code without a loop."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import reactivex as rx

import cgrx.aio
import cgrx.sync
from cgrx.sinks import message
from cgrx.testing import trade
from tests.sinks.webhooks import EVENTS

LINES = ["a", "b"]


@pytest.fixture
def bodies() -> Iterator[tuple[str, list[Any]]]:
    """The URL of a server in a thread of its own, and what was posted to it."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers as Telegram does."""

        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", posted
        server.shutdown()
        thread.join()


def told(posted: list[Any]) -> list[Any]:
    """The texts, or the rows."""
    return [each if isinstance(each, list) else each.get("text", each.get("content")) for each in posted]


EXPECTED = [[event.asdict() for event in EVENTS], "a\nb", "a\nb", message(trade())]


def test_in_asyncio(bodies: tuple[str, list[Any]]) -> None:
    url, posted = bodies
    sinks = cgrx.aio.sinks

    async def main() -> None:
        async with sinks.webhook(url, rx.from_iterable(EVENTS)):
            pass
        async with sinks.slack(url, rx.from_iterable(LINES)), sinks.discord(url, rx.from_iterable(LINES)):
            pass
        async with sinks.telegram("1:x", rx.of(trade()), chat=1, base_url=url) as sink:
            await sink.flush()
            assert sink.stats.delivered == 1

    asyncio.run(main())
    assert told(posted) == EXPECTED


def test_without_a_loop(bodies: tuple[str, list[Any]]) -> None:
    url, posted = bodies
    sinks = cgrx.sync.sinks
    with sinks.webhook(url, rx.from_iterable(EVENTS)):
        pass
    with sinks.slack(url, rx.from_iterable(LINES)):
        pass
    with sinks.discord(url, rx.from_iterable(LINES)):
        pass
    with sinks.telegram("1:x", rx.of(trade()), chat=1, base_url=url) as sink:
        sink.flush(timeout="5s")
        assert sink.stats.delivered == 1
    assert told(posted) == EXPECTED
