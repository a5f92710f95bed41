"""The worked example of the page on event time, as a plane: when things happened, and when they were received."""

import contextlib
import io
import runpy
from typing import Any, cast

from cgrx import Alive, Batch, Gap, Signal, Trade
from cgrx import operators as ops
from tests.docs.pictures.rows import in_words, released, watermarks
from tests.docs.sheet import Box, Sheet
from tests.house import plan

LEFT, TOP, RIGHT_S, LAST_S = 72.0, 92.0, 40, 50
ACROSS, DOWN = 9.0, 11.5
"""Of a second."""


def example() -> tuple[ops.Stage[Trade, ops.Row], list[Signal[Trade]]]:
    """What the script on the page has made."""
    with contextlib.redirect_stdout(io.StringIO()):
        names = runpy.run_path(str(plan.ROOT / "docs" / "examples" / "event_time.py"))
    told = cast("list[tuple[str, Signal[Trade]]]", names["signals"])
    return cast("ops.Stage[Trade, ops.Row]", names["stage"]), [signal for _, signal in told]


def x(time_ms: float) -> float:
    """Where a time of an event is."""
    return LEFT + time_ms / 1000 * ACROSS


def y(time_ms: float) -> float:
    """Where a time of receipt is."""
    return TOP + time_ms / 1000 * DOWN


def received_ms(signal: Signal[Any]) -> int:
    match signal:
        case Batch(received_ms=time_ms) | Alive(at_ms=time_ms) | Gap(end_ms=time_ms):
            return time_ms
        case _:
            raise ValueError(f"{signal!r} has no time of receipt")


def draw() -> Sheet:
    """The picture."""
    stage, signals = example()
    given = list(zip(signals, released(stage, signals), strict=True))
    said = [
        f"At second {received_ms(signal) / 1000:g} comes {in_words(row)}, on {row['exchange']}"
        for signal, rows in given
        for row in rows
    ]
    sheet = Sheet(
        "Event time runs to the right, the time of receipt runs down; the watermark follows the events and the proofs"
        " of life, and each window closes where the watermark passes its end",
        f"Trades lie near the diagonal. The watermark is a staircase to the left of it. {'. '.join(said)}.",
        y(LAST_S * 1000) + 74,
    )
    _axes(sheet)
    for signal in signals:
        if isinstance(signal, Gap):
            sheet.hatched(
                Box(LEFT, y(signal.start_ms), x(RIGHT_S * 1000) - LEFT, y(signal.end_ms) - y(signal.start_ms))
            )
    _watermark(sheet, signals)
    for signal, rows in given:
        if rows:
            _rows(sheet, rows, y(received_ms(signal)))
    for signal in signals:
        match signal:
            case Batch(received_ms=at_ms, events=(trade,)):
                (sheet.dot if trade.exchange == "Binance" else sheet.square)(x(trade.time_ms), y(at_ms))
            case Alive(at_ms=at_ms):
                sheet.triangle(LEFT, y(at_ms))
            case _:
                pass
    _legend(sheet, y(LAST_S * 1000) + 22)
    return sheet


def _axes(sheet: Sheet) -> None:
    sheet.text(LEFT, 20, "when it happened: event time, in seconds →", "head")
    sheet.text(LEFT - 4, 74, "received", "soft", at="end")
    for start in range(0, RIGHT_S, 10):
        window = Box(x(start * 1000), 30, 10 * ACROSS, 24)
        sheet.box(window, round_by=3)
        sheet.text(window.middle, 46, f"{start}-{start + 10}", at="middle", within=window)
        sheet.line([(window.x, 54), (window.x, y(LAST_S * 1000))], "rule", dashed=start > 0)
    sheet.line([(x(RIGHT_S * 1000), 54), (x(RIGHT_S * 1000), y(LAST_S * 1000))], "rule", dashed=True)
    for second in range(0, LAST_S + 1, 5):
        sheet.text(LEFT - 10, y(second * 1000) + 4, f"{second} s", "soft", at="end")
        sheet.line([(LEFT - 4, y(second * 1000)), (LEFT, y(second * 1000))], "rule")
    sheet.line([(x(0), y(0)), (x(RIGHT_S * 1000), y(RIGHT_S * 1000))], "rule", dashed=True)


def _watermark(sheet: Sheet, signals: list[Signal[Trade]]) -> None:
    points: list[tuple[float, float]] = []
    for signal, come_ms in zip(signals, watermarks(signals, "2s", "2s"), strict=True):
        if come_ms is None:
            continue
        across, down = x(min(come_ms, RIGHT_S * 1000)), y(received_ms(signal))
        points += [(points[-1][0] if points else x(0), down), (across, down)]
    points.append((points[-1][0], y(LAST_S * 1000)))
    sheet.line(points, "mark", width=3)


def _rows(sheet: Sheet, rows: list[ops.Row], down: float) -> None:
    """A note in the column of their window, below the moment at which they came."""
    whole = all(row.complete for row in rows)
    gap_s = rows[0].gap_ms
    words = [
        *(f"{row['exchange']}: {row['n']}" for row in rows),
        f"late: {rows[0].late}",
        "complete" if whole else f"gap {(gap_s or 0) / 1000:g} s",
    ]
    box = Box(x(rows[0].start_ms) + 3, down + 9, 10 * ACROSS - 6, 17 * len(words) + 7)
    sheet.box(box, edge="proof" if whole else "gap")
    sheet.lines(box.x + 5, box.y + 16, words, "soft", box)


def _legend(sheet: Sheet, down: float) -> None:
    sheet.dot(16, down - 4)
    sheet.text(28, down, "trade on Binance")
    sheet.square(166, down - 4)
    sheet.text(178, down, "on OKX")
    sheet.triangle(250, down - 4)
    sheet.text(264, down, "proof of life")
    sheet.line([(8, down + 19), (24, down + 19)], "mark", width=3)
    sheet.text(30, down + 23, "watermark")
    sheet.hatched(Box(140, down + 12, 20, 14))
    sheet.text(166, down + 23, "gap")
    sheet.box(Box(218, down + 12, 20, 14))
    sheet.text(244, down + 23, "rows of a window")
    sheet.line([(8, down + 42), (24, down + 42)], "rule", dashed=True)
    sheet.text(30, down + 46, "received the moment it happened")
