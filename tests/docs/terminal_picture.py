"""The picture of `cgrx demo` in the docs: `python -m tests.docs.terminal_picture` draws it anew, always the same.

What is drawn is what the live table draws of the demo's market, a moment after its cascade has begun.
"""

import io
import re
from itertools import takewhile

import attrs
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from cgrx import Alive, Batch, Liquidation, LiquidationOrders
from cgrx._cli.commands.demo_story import BIG_USD, Market, is_asked_for
from cgrx._cli.view import market as seen
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.event_table import SORTS, picture
from cgrx._cli.view.picture import View
from cgrx.testing import Generator
from tests.cli.test_cli_table import STATS
from tests.house import plan

PICTURE = plan.ROOT / "docs" / "images" / "demo.svg"
SECONDS = 9.6
_START_MS = 1_795_824_000_000
_THEME = TerminalTheme(
    (16, 20, 28),
    (204, 208, 216),
    [
        (0, 0, 0),
        (213, 94, 0),
        (0, 158, 115),
        (230, 159, 0),
        (0, 114, 178),
        (204, 121, 167),
        (86, 180, 233),
        (204, 208, 216),
    ],
)


def svg() -> str:
    """The picture, without anything that a browser would fetch."""
    market = seen.Market(BIG_USD)
    watched = seen.Watched(market, lambda: SECONDS)
    count = 0
    made = Market(Generator(seed=0, rate=200.0, start_ms=_START_MS), SECONDS, tells_story=True)
    for event in filter(is_asked_for, takewhile(lambda event: event.time_ms < _START_MS + SECONDS * 1e3, made)):
        channel = LiquidationOrders() if isinstance(event, Liquidation) else None
        watched.see(Batch(channel, event.time_ms, (event,)))
        watched.mark(Alive("feed", event.time_ms))
        count += 1
    view = View(
        title="cgrx demo",
        where="ws://127.0.0.1:38445/ws-api",
        stats=attrs.evolve(STATS, events=count),
        gaps=0,
        rate=79.2,
        now_s=SECONDS,
        elapsed_s=SECONDS,
        seconds=20,
        controls=Controls(SORTS, keys=True),
        least="shown from 10,000 USD on",
    )
    console = Console(
        file=io.StringIO(), width=120, height=34, record=True, force_terminal=True, color_system="truecolor"
    )
    console.print(picture(market, view, ["00:00:00 connected"], 120, 34))
    plain = re.sub(r"@font-face \{.*?\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    fonts = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
    code = plain.replace("Fira Code, monospace", fonts)
    return console.export_svg(title="cgrx demo", theme=_THEME, code_format=code, unique_id="demo")


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
