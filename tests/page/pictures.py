"""The pictures of the board in docs/: `python -m tests.page.pictures` writes them, of the recording of the tests."""

from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image

import cgrx
from cgrx._recording.writer import write_recording
from tests.board.boards import CHANNELS, begun, market, said
from tests.page.browsing import Running, chromium, visit
from tests.page.conftest import EVENTS, TRADES

FOLDER = Path(__file__).parents[2] / "docs" / "images"

PICTURES: tuple[tuple[str, Literal["light", "dark"], int, int], ...] = (
    ("board-light.png", "light", 1280, 960),
    ("board-dark.png", "dark", 1280, 960),
)


def write(folder: Path) -> list[Path]:
    """Write all of them into this folder."""
    written: list[Path] = []
    with TemporaryDirectory() as temporary, chromium() as browser:
        recording = Path(temporary) / "recording"
        write_recording(recording, [*begun(*CHANNELS), *said(market(EVENTS))])
        with Running(
            lambda: cgrx.board(str(recording), trades=TRADES, speed=float("inf"), large_trade=5_000, title="cgrx")
        ) as running:
            for name, scheme, width, height in PICTURES:
                with visit(browser, running.value.url, width=width, height=height, color_scheme=scheme) as visited:
                    page = visited.open()
                    page.wait_for_selector("#play:disabled", timeout=20_000)
                    page.select_option("#asset", "BTC")
                    page.select_option("#zone", "utc")
                    visited.until("document.title.startsWith('BTC')")
                    page.fill("#at-least-liquidation", "1k")
                    page.evaluate("document.activeElement.blur()")
                    page.wait_for_timeout(300)
                    picture = Image.open(BytesIO(page.screenshot()))
                    picture.convert("RGB").quantize(128).save(folder / name, optimize=True)
                    written.append(folder / name)
    return written


if __name__ == "__main__":
    write(FOLDER)
