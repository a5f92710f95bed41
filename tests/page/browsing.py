"""A real Chromium that looks at real boards: each board runs in a trio loop of its own thread, on a loopback socket."""

import json
import shutil
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs
import pytest
import trio

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

T = TypeVar("T")
R = TypeVar("R")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

FOREIGN = "evil.example"
"""A name that the browser takes for this machine."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1",
)

SCRIPT = ("FireAnimationFrame", "FunctionCall", "RunMicrotasks", "EvaluateScript")
"""What Chromium calls script in its traces, where it is not a part of such a thing itself."""


def needed() -> str:
    """The path of the browser; skips the test where there is none."""
    pytest.importorskip("playwright", reason="playwright is not installed: it is in the extra `dev`")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    return CHROMIUM


@contextmanager
def chromium() -> "Generator[Browser]":
    """A browser for all tests of a worker."""
    path = needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Running(Generic[T]):
    """What an asynchronous context manager gives, in a trio loop of another thread.

    Args:
        opening: makes the context manager, in that loop.
    """

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._opening = opening
        self._opened: SimpleQueue[tuple[T, trio.lowlevel.TrioToken, trio.Event] | BaseException] = SimpleQueue()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> "Running[T]":
        self._thread.start()
        opened = self._opened.get(timeout=20)
        if isinstance(opened, BaseException):
            raise opened
        self.value, self._token, self._end = opened
        return self

    def __exit__(self, *_: object) -> None:
        trio.from_thread.run_sync(self._end.set, trio_token=self._token)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def do(self, function: Callable[..., Awaitable[R]], *args: object) -> R:
        """Call an asynchronous function there, and wait for what it returns."""
        return trio.from_thread.run(function, *args, trio_token=self._token)

    def do_sync(self, function: Callable[..., R], *args: object) -> R:
        """The same for a plain function."""
        return trio.from_thread.run_sync(function, *args, trio_token=self._token)

    def _run(self) -> None:
        async def main() -> None:
            end = trio.Event()
            async with self._opening() as value:
                self._opened.put((value, trio.lowlevel.current_trio_token(), end))
                await end.wait()

        try:
            trio.run(main)
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            self._opened.put(error)


class Visit:
    """One page in a context of its own, and what must not happen on any."""

    def __init__(self, page: "Page", url: str) -> None:
        self.page = page
        self.url = url
        self.wrong: list[str] = []
        origin = url.partition("#")[0].rstrip("/")
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

        def judge(asked: str) -> None:
            if not asked.startswith((origin, origin.replace("http", "ws"), "data:")):
                self.wrong.append(f"a request to {asked}")

        page.on("request", lambda request: judge(request.url))
        page.on("websocket", lambda socket: judge(socket.url))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation',"
            " event => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))"
        )

    def open(self) -> "Page":
        """Load the board, up to its first picture."""
        self.page.goto(self.url)
        self.page.wait_for_selector("#board[data-ready]", timeout=10_000)
        return self.page

    def until(self, script: str, within_ms: int = 10_000) -> None:
        """Wait until an expression holds. Playwright's own way of waiting evaluates text, which the policy forbids."""
        for _ in range(within_ms // 20):
            if self.page.evaluate(script):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"not within {within_ms} ms: {script}")

    def until_each_has(self, cells: str, text: str) -> None:
        """Wait until there are such elements, and the text is in each of them."""
        found = f"[...document.querySelectorAll({json.dumps(cells)})]"
        self.until(f"{found}.length && {found}.every((each) => each.textContent.includes({json.dumps(text)}))")

    def rows(self, table: str) -> list[list[str]]:
        """The cells of the body of a table."""
        script = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
        rows: list[list[str]] = self.page.eval_on_selector_all(f"{table} tbody tr", script)
        return rows


@attrs.frozen
class Frame:
    """The script of one frame: what the page did to draw it, and to hear what came since the frame before."""

    cpu_ms: float
    """Of the thread, however busy the machine is."""
    wall_ms: float


def frames_of(page: "Page", during_ms: int) -> list[Frame]:
    """What each frame took that the page asked for, in the time from now on."""
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.wait_for_timeout(during_ms)
    traced = json.loads(browser.stop_tracing())["traceEvents"]
    events = [event for event in traced if event["name"] in SCRIPT and "tdur" in event]  # what the end cut has none
    threads = {(event["pid"], event["tid"]) for event in events if event["name"] == "FireAnimationFrame"}
    frames: list[Frame] = []
    cpu_us = wall_us = end_us = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        if (event["pid"], event["tid"]) not in threads or event["ts"] < end_us:
            continue
        end_us = event["ts"] + event["dur"]
        cpu_us, wall_us = cpu_us + event["tdur"], wall_us + event["dur"]
        if event["name"] == "FireAnimationFrame":
            frames.append(Frame(cpu_us / 1000, wall_us / 1000))
            cpu_us = wall_us = 0
    return frames


@contextmanager
def visit(browser: "Browser", url: str, *, width: int = 1280, height: int = 900, **options: str) -> Generator[Visit]:
    """A page that has nothing of others: no error, no violation of the policy, no request to another origin."""
    settings = {"color_scheme": "light", "timezone_id": "UTC", "locale": "en-GB"} | options
    context = browser.new_context(viewport={"width": width, "height": height}, **settings)  # type: ignore[arg-type]  # mypy wants each by itself
    try:
        visited = Visit(context.new_page(), url)
        yield visited
        assert visited.wrong == []
    finally:
        context.close()
