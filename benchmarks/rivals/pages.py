"""The page of the board in a real Chromium, while a recording is played at ten times its speed.

Each measurement loads the page anew, in a browser of its own. The script of a frame is its processor time, from a trace
of Chromium: what else the machine does changes little of it.
"""

import statistics
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import attrs

import cgrx
from benchmarks._harness.scenario import AbsentError, Contest, Results, Sample

NOTE_FIRST = """new MutationObserver((_, observer) => {
    if (document.querySelector("#board[data-ready]")) {
        window.firstMs = performance.now();
        observer.disconnect();
    }
}).observe(document, {subtree: true, attributeFilter: ["data-ready"]})"""
"""Notes when the page says that its first picture is there, milliseconds after it was asked for."""

BYTES = """() => ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
"""What the browser has loaded, as it was sent."""


@attrs.frozen
class Loaded:
    """Which figure of the page is judged, and how long it is watched for that."""

    figure: Literal["first picture", "script of a frame"]
    watched_ms: int = 0


@attrs.frozen
class Visiting:
    """A board that plays a recording, and a browser that looks at it."""

    loaded: Loaded
    recording: Path

    def results(self) -> Results:
        """There is no other page to compare with."""
        return None

    def measure(self) -> Sample:
        """See `Contest`."""
        from tests.page.browsing import Running, chromium, frames_of, visit
        from tests.page.conftest import TRADES

        def playing() -> AbstractAsyncContextManager[cgrx.Board]:
            return cgrx.board(self.recording, trades=TRADES, speed=10, large_trade=0, window="1s", keep="15m")

        with chromium() as browser, Running(playing) as running, visit(browser, running.value.url) as visited:
            visited.page.add_init_script(NOTE_FIRST)
            page = visited.open()
            if self.loaded.figure == "first picture":
                return Sample(1e6 * page.evaluate("window.firstMs"), {"loaded_bytes": page.evaluate(BYTES)})
            page.select_option("#asset", "BTC")
            page.wait_for_timeout(500)
            frames = frames_of(page, self.loaded.watched_ms)
        script_ns, wall_ns = [1e6 * frame.cpu_ms for frame in frames], [1e6 * frame.wall_ms for frame in frames]
        return Sample(
            statistics.median(script_ns),
            {"largest_ns": max(script_ns), "wall_ns": statistics.median(wall_ns), "frames": len(frames)},
        )


def prepare(loaded: Loaded, folder: str) -> Contest:
    """Write the recording, unless it has been written for another case.

    Raises:
        AbsentError: playwright or Chromium is not there.
    """
    from cgrx._recording.writer import write_recording
    from tests.board.boards import CHANNELS, begun, market, said
    from tests.page.browsing import CHROMIUM
    from tests.page.conftest import EVENTS

    if find_spec("playwright") is None:
        raise AbsentError("playwright is not installed")
    if CHROMIUM is None:
        raise AbsentError("there is no Chromium on this machine")
    recording = Path(folder) / "recording"
    if not recording.exists():
        write_recording(recording, [*begun(*CHANNELS), *said(market(EVENTS))])
    return Visiting(loaded, recording)
