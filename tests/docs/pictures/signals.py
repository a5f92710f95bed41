"""What arrives on the one path of a stream, in order, and what a window stage gives at each."""

from cgrx import Alive, Batch, Dropped, Gap, Liquidation, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, dropped, gap, liquidation, watermark
from tests.docs.pictures.rows import in_words, released
from tests.docs.sheet import Box, Sheet

STAGE = ops.tumbling("10s", n=agg.count(), lateness="1s", idle="1s")
SIGNALS: list[Signal[Liquidation]] = [
    gap(0, "2s"),
    batch(liquidation(time="4s"), liquidation(time="4.5s"), received="5s"),
    alive("6s"),
    dropped(1),
    batch(liquidation(time="10.5s")),
    alive("14s"),
    gap("16s", "18s"),
    alive("24s"),
    batch(liquidation(time="26s")),
    watermark("30s"),
]
TOP, STEP = 66.0, 58.0
PATH, WORDS, ROWS = 20.0, 40.0, 286.0


def told(signal: Signal[Liquidation]) -> tuple[str, str]:
    """What a signal holds, and what it says."""
    match signal:
        case Batch(received_ms=at_ms, events=events):
            times = ", ".join(f"{event.time_ms / 1000:g}" for event in events)
            return f"{len(events)} at {times}; received at {at_ms / 1000:g}", "something happened"
        case Alive(at_ms=at_ms):
            return f"up to {at_ms / 1000:g}", "nothing older is on its way"
        case Gap(start_ms=start_ms, end_ms=end_ms):
            return f"{start_ms / 1000:g} to {end_ms / 1000:g}", "events may be missing here"
        case Dropped(count=count):
            return f"{count} event", "it came, and was lost"
        case _:
            return f"{signal.time_ms / 1000:g}", "nothing earlier will follow"


def draw() -> Sheet:
    """The picture."""
    given = list(zip(SIGNALS, released(STAGE, SIGNALS), strict=True))
    said = [f"at {type(signal).__name__} {told(signal)[0]} {in_words(row)}" for signal, rows in given for row in rows]
    sheet = Sheet(
        "Ten signals on one path, from top to bottom: gaps, batches of events, proofs of life, a loss and a watermark;"
        " beside them the rows that a window of ten seconds gives at each",
        f"The rows, times in seconds: {'; '.join(said)}.",
        TOP + STEP * len(SIGNALS) + 4,
    )
    sheet.text(8, 20, "signals, in order ↓", "head")
    sheet.text(8, 38, "times in seconds", "soft")
    sheet.text(ROWS, 20, "rows of a window", "head")
    sheet.text(ROWS, 38, "of ten seconds", "soft")
    sheet.line([(PATH, TOP - 16), (PATH, TOP + STEP * len(SIGNALS) - 16)], "rule", width=2)
    for number, (signal, rows) in enumerate(given):
        down = TOP + number * STEP
        _glyph(sheet, signal, down - 5)
        name = sheet.text(WORDS, down, type(signal).__name__, "head")
        held, means = told(signal)
        sheet.text(name.x + name.width + 8, down, held, "soft", within=Box(WORDS, down - 20, ROWS - WORDS - 8, 40))
        sheet.text(WORDS, down + 18, means)
        for row in rows:
            _row(sheet, row, down)
    return sheet


def _glyph(sheet: Sheet, signal: Signal[Liquidation], down: float) -> None:
    match signal:
        case Batch():
            sheet.dot(PATH, down)
        case Alive():
            sheet.triangle(PATH, down)
        case Gap():
            sheet.hatched(Box(PATH - 9, down - 9, 18, 18))
        case Dropped():
            sheet.cross(PATH, down)
        case _:
            sheet.line([(PATH - 9, down), (PATH + 9, down)], "mark", width=4)


def _row(sheet: Sheet, row: ops.Row, down: float) -> None:
    words = [f"n={row['n']} gap_ms={row.gap_ms}", f"dropped={row.dropped}"]
    box = sheet.box(Box(ROWS, down - 18, 146, 58), edge="proof" if row.complete else "gap")
    end = f"{row.start_ms // 1000}-{row.end_ms // 1000} s"
    sheet.text(
        box.x + 8,
        box.y + 17,
        f"{end} {'complete' if row.complete else 'not complete'}",
        "soft",
        within=box,
        colour="ink",
    )
    sheet.lines(box.x + 8, box.y + 34, words, "code", box)
    sheet.arrow(ROWS - 28, down + 4, ROWS - 2, down + 4)
