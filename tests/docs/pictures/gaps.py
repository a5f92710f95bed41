"""A gap and a loss, and what the rows of a window stage say of them."""

from cgrx import Batch, Gap, Liquidation, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, dropped, gap, liquidation
from tests.docs.pictures.rows import in_words, released
from tests.docs.sheet import Box, Sheet

LATENESS_MS = 1000
STAGE = ops.tumbling("10s", n=agg.count(), lateness="1s", idle="1s")
SIGNALS: list[tuple[float, Signal[Liquidation]]] = [
    (2, gap(0, "2s")),
    (4, batch(liquidation(time="4s"))),
    (7, batch(liquidation(time="7s"))),
    (13.5, batch(liquidation(time="13.5s"))),
    (15, dropped(1)),
    (17, batch(liquidation(time="17s"))),
    (22, batch(liquidation(time="22s"))),
    (28, gap("23.5s", "28s")),
    (28, batch(liquidation(time="28s"))),
    (34, batch(liquidation(time="34s"))),
    (37, batch(liquidation(time="37s"))),
    (43, alive("43s")),
]
TOP, DOWN = 58.0, 12.5
LANE, WIDE, ROWS = 76.0, 124.0, 226.0


def y(second: float) -> float:
    """Where a time is."""
    return TOP + second * DOWN


def draw() -> Sheet:
    """The picture."""
    given = released(STAGE, [signal for _, signal in SIGNALS])
    sheet = Sheet(
        "Time runs down: two gaps and a lost event on the left, and on the right the four windows of ten seconds that"
        " say what they missed",
        f"The rows: {'; '.join(in_words(row) for rows in given for row in rows)}.",
        y(44) + 40,
    )
    sheet.text(8, 20, "on the path", "head")
    sheet.text(WIDE - 14, 20, "gap, as the", "soft")
    sheet.text(WIDE - 14, 37, "windows take it", "soft")
    sheet.text(ROWS, 20, "the row of each window", "head")
    for second in range(0, 45, 5):
        sheet.text(48, y(second) + 4, f"{second} s", "soft", at="end")
        sheet.line([(54, y(second)), (60, y(second))], "rule")
    sheet.line([(LANE, y(0)), (LANE, y(44))], "rule", width=2)
    for at_s, signal in SIGNALS:
        match signal:
            case Gap(start_ms=start_ms, end_ms=end_ms):
                _gap(sheet, start_ms, end_ms)
            case Batch():
                sheet.dot(LANE, y(at_s))
            case _:
                (sheet.triangle if signal == SIGNALS[-1][1] else sheet.cross)(LANE, y(at_s))
    for (at_s, _), rows in zip(SIGNALS, given, strict=True):
        for row in rows:
            _row(sheet, row, at_s)
    _legend(sheet, y(44) + 24)
    return sheet


def wide_ms(one: Gap) -> tuple[int, int]:
    """A gap as windows take it."""
    return one.start_ms - LATENESS_MS, one.end_ms + LATENESS_MS


def _gap(sheet: Sheet, start_ms: int, end_ms: int) -> None:
    start, end = y(start_ms / 1000), y(end_ms / 1000)
    sheet.hatched(Box(LANE - 9, start, 18, end - start))
    first = max(start_ms - LATENESS_MS, 0) / 1000
    last = (end_ms + LATENESS_MS) / 1000
    sheet.hatched(Box(WIDE, y(first), 40, (last - first) * DOWN))


def missed_ms(row: ops.Row) -> int:
    """How much of a window the gaps that are drawn cover."""
    wide = [wide_ms(signal) for _, signal in SIGNALS if isinstance(signal, Gap)]
    return sum(max(0, min(row.end_ms, end) - max(row.start_ms, start)) for start, end in wide)


def _row(sheet: Sheet, row: ops.Row, at_s: float) -> None:
    if row.gap_ms != missed_ms(row):
        raise ValueError(f"{row!r} has another gap than what is drawn: {missed_ms(row)} ms")
    box = Box(ROWS, y(row.start_ms / 1000) + 3, 206, 10 * DOWN - 6)
    sheet.box(box, edge="proof" if row.complete else "gap")
    words = [f"{row.start_ms // 1000}-{row.end_ms // 1000} s, out at {at_s:g} s", f"n = {row['n']}"]
    words += [f"gap_ms = {row.gap_ms}", f"dropped = {row.dropped}", f"complete = {row.complete}"]
    sheet.text(box.x + 10, box.y + 20, words[0], "head", within=box)
    sheet.lines(box.x + 10, box.y + 40, words[1:], "code", box)
    line = y(row.start_ms / 1000)
    sheet.line([(60, line), (ROWS + 206, line)], "rule", dashed=True)


def _legend(sheet: Sheet, down: float) -> None:
    sheet.dot(16, down - 4)
    sheet.text(28, down, "event")
    sheet.cross(92, down - 4)
    sheet.text(104, down, "Dropped")
    sheet.hatched(Box(178, down - 11, 20, 14))
    sheet.text(204, down, "Gap")
    sheet.triangle(252, down - 4)
    sheet.text(266, down, "Alive: proof of life")
