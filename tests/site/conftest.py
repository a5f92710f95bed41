"""The documentation as `nox -s docs` has built it into site/, on a loopback socket, and a browser that reads it."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.house import plan
from tests.page.browsing import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BUILT = plan.ROOT / "site"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real Chromium, for one module."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site."""
    if not (BUILT / "index.html").exists():
        pytest.skip("no site: `nox -s docs` builds it, and runs these tests")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(BUILT))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(10)
