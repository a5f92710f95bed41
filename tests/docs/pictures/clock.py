"""The one clock of a feed: the same market live, live on a machine two hours ahead, and replayed.

The feeds are real ones on a simulated server, in memory; the replay is of what the first of them recorded.
"""

import datetime
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from unittest import mock

import attrs
import trio
from reactivex import operators as rx

import cgrx
from cgrx import Batch, Liquidation, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Simulator, liquidation
from tests.docs.pictures.rows import in_words
from tests.docs.sheet import Box, Sheet
from tests.support import run_mock

T = TypeVar("T")

NOON_S = 1_717_243_200
"""2024-06-01 12:00:00 UTC."""
AHEAD_S = 7_200
EVENTS_S = (*range(1, 13), *range(20, 34))
"""In the pause between them the timer goes off."""
PAUSE_S = 5.0
STAGE = ops.tumbling("10s", n=agg.count())
COLUMN, STEP = 136.0, 144.0


@attrs.define(eq=False)
class Seen:
    """What a subscriber saw."""

    first: Batch[Liquidation] | None = None
    paused_ms: int | None = None
    """When the timer went off, by the feed's clock."""
    rows: list[ops.Row] = attrs.field(factory=list[ops.Row])

    def on_signal(self, signal: Signal[Liquidation]) -> None:
        if self.first is None and isinstance(signal, Batch):
            self.first = signal

    def on_error(self, error: Exception) -> None:
        raise error

    def on_completed(self) -> None:
        """At the end of the feed."""

    def subscribe_to(self, feed: cgrx.Feed) -> None:
        def paused(_: Liquidation) -> None:
            self.paused_ms = self.paused_ms or feed.now_ms

        feed.liquidations().subscribe_signals(self)
        feed.liquidations().pipe(STAGE).subscribe(self.rows.append)
        feed.liquidations().pipe(rx.debounce(PAUSE_S)).subscribe(paused)


async def in_this_thread(function: Callable[..., T], *args: object) -> T:
    """Instead of a thread for the files, whose work the jumping clock would not wait for."""
    await trio.lowlevel.checkpoint()
    return function(*args)


async def live(folder: Path, ahead_s: float) -> Seen:
    """Some seconds of a market, recorded."""
    seen, began = Seen(), trio.current_time()
    async with (
        Simulator(listen=False) as simulator,
        cgrx.connect(
            url=simulator.url,
            dial=simulator.dial,
            api_key="any-key-will-do",
            wall_clock=lambda: NOON_S + ahead_s + trio.current_time() - began,
        ) as feed,
        cgrx.record(feed, folder, channels=[cgrx.LiquidationOrders()]),
    ):
        seen.subscribe_to(feed)
        for second in EVENTS_S:
            await trio.sleep_until(began + second)
            await simulator.send(liquidation(time=NOON_S + second))
        await trio.sleep(1)
    return seen


async def replayed(folder: Path) -> Seen:
    """The same from the recording, as fast as it can."""
    seen = Seen()
    async with cgrx.replay(folder) as feed:
        seen.subscribe_to(feed)
        await feed.run()
    return seen


def watched() -> tuple[Seen, Seen, Seen]:
    """Live, on a clock that is ahead, and replayed."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(trio.to_thread, "run_sync", in_this_thread):
        folder = Path(name)
        right, ahead = (run_mock(functools.partial(live, folder / str(by), by)) for by in (0, AHEAD_S))
        return right, ahead, run_mock(functools.partial(replayed, folder / "0"))


def shown(time_ms: int | None) -> str:
    """A time of day."""
    if time_ms is None:
        raise ValueError("what is to be drawn did not happen")
    return f"{datetime.datetime.fromtimestamp(time_ms / 1000, datetime.UTC):%H:%M:%S}"


def draw() -> Sheet:
    """The picture."""
    seen = watched()
    if not seen[0].rows == seen[1].rows == seen[2].rows:
        raise ValueError("the rows are to be the same")
    firsts = [each.first for each in seen if each.first is not None]
    (happened,) = {shown(batch.events[0].time_ms) for batch in firsts}
    received = [shown(batch.received_ms) for batch in firsts]
    timers = [shown(each.paused_ms) for each in seen]
    sheet = Sheet(
        "Three feeds of one market, each with its own clock: live, live on a machine two hours ahead, and replayed;"
        " receipts and timers follow the clock of the feed, and the rows are the same",
        f"The first event happened at {happened}. It was received at {', '.join(received)}. A timer of five seconds"
        f" without an event went off at {', '.join(timers)}, by each feed's clock. The rows of all three:"
        f" {'; '.join(map(_words, seen[0].rows))}.",
        426,
    )
    down = _columns(sheet)
    down = _across(sheet, down, "an event happens, by its exchange's clock", happened)
    down = _each(sheet, down, "received_ms, by the clock of the feed", received)
    down = _each(sheet, down, "a timer of reactivex: 5 s without an event", timers)
    sheet.text(8, down, "the rows of all three, by event time", "head")
    box = sheet.box(Box(8, down + 10, 424, 17 * len(seen[0].rows) + 12), edge="event")
    sheet.lines(18, down + 30, map(_row, seen[0].rows), "code", box)
    return sheet


def _columns(sheet: Sheet) -> float:
    heads = (
        ("live", "the system's clock", "at connect, plus", "the time since"),
        ("live, 2 h ahead", "the same; this", "clock is wrong", ""),
        ("replay", "the recorded times", "of receipt, at", "any speed"),
    )
    for number, (name, *words) in enumerate(heads):
        box = sheet.box(Box(8 + number * STEP, 8, COLUMN, 84))
        sheet.text(box.middle, 28, name, "head", at="middle", within=box)
        for line, each in enumerate(filter(None, words)):
            sheet.text(box.middle, 47 + 17 * line, each, "soft", at="middle", within=box)
        sheet.arrow(box.middle, 92, box.middle, 112)
    return 130


def _across(sheet: Sheet, down: float, name: str, value: str) -> float:
    sheet.text(8, down, name, "head")
    box = sheet.box(Box(8, down + 10, 424, 28), edge="event")
    sheet.text(box.middle, down + 28, value, "code", at="middle", within=box)
    return down + 66


def _each(sheet: Sheet, down: float, name: str, values: list[str]) -> float:
    sheet.text(8, down, name, "head")
    for number, value in enumerate(values):
        box = sheet.box(Box(8 + number * STEP, down + 10, COLUMN, 28), edge="mark")
        sheet.text(box.middle, down + 28, value, "code", at="middle", within=box)
    return down + 66


def _row(row: ops.Row) -> str:
    quality = "complete" if row.complete else f"not complete, gap_ms={row.gap_ms}"
    return f"{shown(row.start_ms)} to {shown(row.end_ms)}  n={row['n']}, {quality}"


def _words(row: ops.Row) -> str:
    return in_words(row).replace(f"{row.start_ms // 1000} to {row.end_ms // 1000} s", _row(row).partition("  ")[0])
