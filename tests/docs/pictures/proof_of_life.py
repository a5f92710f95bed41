"""A feed on a connection that falls silent, and later hangs: what proves that it is alive, and what its windows do.

It is a real feed on a simulated server, in memory, on a clock that jumps over every wait.
"""

import random

import attrs
import trio

import cgrx
from cgrx import Alive, Batch, Disconnected, Gap, Liquidation, Signal, Status
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import NoPong, Simulator, liquidation
from tests.docs.pictures.rows import in_words
from tests.docs.sheet import Box, Sheet, broken
from tests.support import run_mock

STAGE = ops.tumbling("10s", n=agg.count(), emit_empty=True)
EVENTS_S = (3, 8, 13)
HANGS_S, LAST_S = 43, 75
TOP, DOWN = 46.0, 8.0
LANE, NOTES, ROWS = 74.0, 96.0, 250.0


@attrs.define(eq=False)
class Seen:
    """All that happened, with the seconds since the beginning."""

    began: float = attrs.field(factory=trio.current_time)
    signals: list[tuple[float, Signal[Liquidation]]] = attrs.field(factory=list[tuple[float, Signal[Liquidation]]])
    rows: list[tuple[float, ops.Row]] = attrs.field(factory=list[tuple[float, ops.Row]])
    status: list[tuple[float, Status]] = attrs.field(factory=list[tuple[float, Status]])
    pings: list[tuple[float, bool]] = attrs.field(factory=list[tuple[float, bool]])
    """When, and whether it was answered."""

    def on_signal(self, signal: Signal[Liquidation]) -> None:
        self.signals.append((self.now_s(), signal))

    def on_error(self, error: Exception) -> None:
        raise error

    def on_completed(self) -> None:
        """At the end of the feed."""

    def now_s(self) -> float:
        return trio.current_time() - self.began


async def watch() -> Seen:
    """What a subscriber sees."""
    seen = Seen()
    async with (
        Simulator(listen=False) as simulator,
        cgrx.connect(
            url=simulator.url,
            dial=simulator.dial,
            api_key="any-key-will-do",
            wall_clock=seen.now_s,
            rng=random.Random(4),
        ) as feed,
    ):
        feed.status.subscribe(lambda status: seen.status.append((seen.now_s(), status)))
        feed.liquidations().subscribe_signals(seen)
        feed.liquidations().pipe(STAGE).subscribe(lambda row: seen.rows.append((seen.now_s(), row)))
        pings = pongs = 0
        for second in range(LAST_S):
            await trio.sleep_until(seen.began + second + 0.001)
            if second in EVENTS_S:
                await simulator.send(liquidation(time=second))
            if second == HANGS_S:
                simulator.script([NoPong(connection=1)])
            stats = simulator.stats
            if stats.pings > pings:
                seen.pings.append((second, stats.pongs > pongs))
            pings, pongs = stats.pings, stats.pongs
    return seen


def y(second: float) -> float:
    """Where a time is."""
    return TOP + second * DOWN


def draw() -> Sheet:
    """The picture."""
    seen = run_mock(watch)
    said = [f"At second {at_s:.0f} {status}" for at_s, status in seen.status if isinstance(status, Disconnected)]
    said += [f"At second {at_s:.0f} comes {in_words(row)}" for at_s, row in seen.rows if at_s < LAST_S]
    sheet = Sheet(
        "Seventy-five seconds of a connection: events, then silence with an answered ping every 20 seconds, then a ping"
        " without an answer; windows close at the proofs alone",
        f"{'. '.join(said)}.",
        y(LAST_S) + 46,
    )
    sheet.text(8, 20, "the connection", "head")
    sheet.text(ROWS, 20, "rows, when they come", "head")
    for second in range(0, LAST_S + 1, 10):
        sheet.text(50, y(second) + 4, f"{second} s", "soft", at="end")
        sheet.line([(56, y(second)), (62, y(second))], "rule")
    sheet.line([(LANE, y(0)), (LANE, y(LAST_S))], "rule", width=2)
    for _, signal in seen.signals:
        if isinstance(signal, Gap) and signal.end_ms > signal.start_ms:
            sheet.hatched(Box(LANE - 9, y(signal.start_ms / 1000), 18, (signal.end_ms - signal.start_ms) / 1000 * DOWN))
    _connection(sheet, seen)
    for at_s in sorted({at_s for at_s, _ in seen.rows if at_s < LAST_S}):
        _rows(sheet, at_s, [row for each_s, row in seen.rows if each_s == at_s])
    _legend(sheet, y(LAST_S) + 34)
    return sheet


def _connection(sheet: Sheet, seen: Seen) -> None:
    for at_s, signal in seen.signals:
        if isinstance(signal, Batch):
            sheet.dot(LANE, y(at_s))
        elif isinstance(signal, Alive):
            events = any(isinstance(other, Batch) and each_s == at_s for each_s, other in seen.signals)
            sheet.triangle(LANE + (13 if events else 0), y(signal.at_ms / 1000))
    for at_s, answered in seen.pings[1:]:
        if at_s % 20 == 0:
            sheet.text(NOTES, y(at_s) + 4, "ping and pong" if answered else "ping, no pong")
    for at_s, status in seen.status:
        if isinstance(status, Disconnected) and at_s < LAST_S:
            _note(sheet, at_s, f"{status.error}: a new connection")


def _note(sheet: Sheet, at_s: float, words: str) -> None:
    sheet.lines(NOTES, y(at_s) + 4, broken(words, ROWS - NOTES - 12))


def _rows(sheet: Sheet, at_s: float, rows: list[ops.Row]) -> None:
    box = Box(ROWS, y(at_s) - 9, 182, 17 * len(rows) + 6)
    sheet.box(box, edge="proof" if all(row.complete for row in rows) else "gap")
    sheet.lines(box.x + 8, box.y + 15, map(_short, rows), "code", box)


def _short(row: ops.Row) -> str:
    quality = "complete" if row.complete else f"gap {(row.gap_ms or 0) / 1000:g} s"
    return f"{row.start_ms // 1000}-{row.end_ms // 1000} s: n={row['n']}, {quality}"


def _legend(sheet: Sheet, down: float) -> None:
    sheet.dot(16, down - 4)
    sheet.text(28, down, "event")
    sheet.triangle(92, down - 4)
    sheet.text(106, down, "Alive: proven up to here")
    sheet.hatched(Box(278, down - 11, 20, 14))
    sheet.text(304, down, "Gap")
