"""The five stories of the tutorial about a window that waits, from its own script: what comes, and when the row."""

import contextlib
import io
import runpy
from collections.abc import Mapping
from typing import cast

from cgrx import Alive, Batch, Signal, Trade
from cgrx import operators as ops
from cgrx.testing import Timeline, marbles, play_signals
from tests.docs.sheet import Box, Sheet
from tests.house import plan

LEFT, ACROSS = 16.0, 40.0
"""Of second 0, and of a second."""
TOP, DOWN = 14.0, 84.0
"""Of the first story, and from one to the next."""
WINDOW_S, LAST_S = 5, 10


def x(second: float) -> float:
    """Where a time is."""
    return LEFT + second * ACROSS


def draw() -> Sheet:
    """The picture."""
    with contextlib.redirect_stdout(io.StringIO()):
        names = runpy.run_path(str(plan.ROOT / "docs" / "examples" / "tutorial" / "why_it_waits.py"))
    window = cast("ops.Stage[Trade, ops.Flow]", names["window"])
    events = cast("Mapping[str, Trade]", names["events"])
    stories = cast("dict[str, str]", names["stories"])
    told = {title: marbles(story, events).signals for title, story in stories.items()}
    comes = {title: _row_s(window, signals) for title, signals in told.items()}
    said = [f"{title}: {_said(row_s)}" for title, row_s in comes.items()]
    end = TOP + DOWN * len(stories)
    sheet = Sheet(
        "Five stories of ten seconds, and when each releases the row of the window from second 0 to second 5",
        f"{'. '.join(said)}.",
        end + 62,
    )
    for i, (title, signals) in enumerate(told.items()):
        _story(sheet, TOP + DOWN * i, f"{i + 1}. {title}", signals, comes[title])
    for second in (0, WINDOW_S, LAST_S):
        sheet.text(x(second), end + 12, f"{second} s", "soft", at="middle")
    _legend(sheet, end + 44)
    return sheet


def _row_s(window: ops.Stage[Trade, ops.Flow], signals: tuple[Signal[Trade], ...]) -> int | None:
    """The second in which the row of the window comes; None where it does not."""
    # As a Timeline, for the stories go on behind their last signal.
    played = play_signals(window, Timeline(signals, completed=False))
    return next((signal.received_ms // 1000 for signal in played if isinstance(signal, Batch)), None)


def _said(row_s: int | None) -> str:
    return "no row comes" if row_s is None else f"the row waits {row_s - WINDOW_S} s"


def _story(sheet: Sheet, top: float, title: str, signals: tuple[Signal[Trade], ...], row_s: int | None) -> None:
    sheet.text(LEFT - 8, top + 4, title, "head")
    lane = top + 28
    sheet.box(Box(x(0), lane - 14, x(WINDOW_S) - x(0), 28))
    sheet.line([(x(0), lane), (x(LAST_S), lane)], "rule")
    for signal in signals:
        match signal:
            case Batch(events=(trade,)):
                (sheet.dot if trade.exchange == "Binance" else sheet.square)(x(trade.time_ms / 1000), lane)
            case Alive(at_ms=at_ms):
                sheet.triangle(x(at_ms / 1000), lane)
            case _:
                pass
    down = lane + 25
    until = x(LAST_S if row_s is None else row_s)
    sheet.line([(x(WINDOW_S), down - 6), (x(WINDOW_S), down + 6)], "mark", width=2)
    sheet.line([(x(WINDOW_S), down), (until, down)], "mark", width=2, dashed=row_s is None)
    if row_s is not None:
        sheet.dot(until, down, "mark")
    sheet.text(x(WINDOW_S) - 8, down + 4, _said(row_s), at="end", colour="mark")


def _legend(sheet: Sheet, down: float) -> None:
    sheet.dot(16, down - 4)
    sheet.text(27, down, "Binance")
    sheet.square(104, down - 4)
    sheet.text(115, down, "OKX")
    sheet.triangle(162, down - 4)
    sheet.text(175, down, "proof of life")
    sheet.box(Box(270, down - 12, 20, 15))
    sheet.text(296, down, "the window")
