"""How `cgrx demo` ends: what was sent, received and lost, and how the lost events were told."""

from collections import deque
from collections.abc import Iterable
from typing import Any

from cgrx import Feed, Gap, Liquidation, Trade
from cgrx import operators as ops
from cgrx._cli.commands.demo_story import MARKETS, Market
from cgrx._cli.terminal.text import clock, counted, dollars, second, short_dollars
from cgrx._cli.view.aside import Aside
from cgrx._cli.view.bursts import told
from cgrx._cli.view.viewer import Viewer
from cgrx.testing import SimulatorStats

_SECOND_MS = 1_000
_MOST_SPANS = 3
_MOST_NAMES = 8


class Seconds:
    """Windows of a second over the events, beside what is shown: which of them are complete.

    State: the latest hundred that are not.
    """

    def __init__(self) -> None:
        self.complete = 0
        self.incomplete = 0
        self.latest: deque[ops.Row] = deque(maxlen=100)
        """Incomplete ones."""
        aside = Aside(ops.tumbling("1s", emit_empty=True), self._add, Liquidation, Trade)
        self.stage: ops.Stage[Any, Any] = ops.tap(aside.see, on_mark=aside.mark)

    def _add(self, row: ops.Row) -> None:
        if row.complete:
            self.complete += 1
        else:
            self.incomplete += 1
            self.latest.append(row)

    def spans(self) -> list[tuple[int, int]]:
        """From when to when the latest incomplete windows follow one another."""
        found: list[tuple[int, int]] = []
        for row in self.latest:
            if found and found[-1][1] == row.start_ms:
                found[-1] = (found[-1][0], row.end_ms)
            else:
                found.append((row.start_ms, row.end_ms))
        return found


def summary(viewer: Viewer, feed: Feed, sent: SimulatorStats, market: Market, seconds: Seconds) -> list[str]:
    """The lines."""
    received, seen = feed.stats, viewer.market
    trip = "none" if received.round_trip_ms is None else f"{received.round_trip_ms:.1f} ms"
    lines = [
        f"sent       {counted(market.sent, 'event')} by the simulated server, of {len(MARKETS) + 1} channels",
        f"received   {viewer.summary()}",
        (
            f"           {counted(received.messages or 0, 'message')}, {received.received_bytes or 0:,} bytes,"
            f" round trip {trip}"
        ),
        *_lost(market.sent - sent.events, sent.events - received.events, viewer.latest_gaps),
        *_windows(seconds, viewer.latest_gaps),
    ]
    if seen.bursts.largest is not None:
        lines.append(f"cascade    {told([seen.bursts.largest])}, the largest one")
    names = sorted(seen.exchanges.items(), key=lambda each: -each[1].volume)[:_MOST_NAMES]
    shown = ", ".join(f"{name} {short_dollars(each.volume)}" for name, each in names)
    lines.append(f"exchanges  {f'in USD: {shown}' if shown else 'none'}")
    if seen.largest:
        event = seen.largest[0]
        what = f"{event.kind} of {dollars(event.volume_usd)} USD: {event.exchange} {event.symbol} {event.side.word}"
        lines.append(f"largest    {what}")
    return lines


def _lost(unheard: int, cut_off: int, gaps: Iterable[Gap]) -> list[str]:
    """How many events did not arrive, why, and how their absence was told.

    Args:
        unheard: those that were sent while nobody listened.
        cut_off: those that were sent to the client, less those that it received: below zero where some came twice.
        gaps: those of the channels.
    """
    reasons = ((unheard, "while the client was away"), (cut_off, "on their way, or held back, as a connection ended"))
    named = [(count, why) for count, why in reasons if count > 0]
    lost = sum(count for count, _ in named)
    match named:
        case []:
            why = ": what was sent is what was received"
        case [(_, only)]:
            why = f", all {only}"
        case _:
            why = ", " + ", ".join(f"{count:,} {why}" for count, why in named)
    lines = [f"lost       {counted(lost, 'event')}{why}"]
    if cut_off < 0:
        lines.append(f"twice      {counted(-cut_off, 'event')} came once more")
    away = [
        f"{clock(start_ms)} to {clock(end_ms)} ({(end_ms - start_ms) / 1e3:.1f} s)"
        for start_ms, end_ms in _joined(gaps)
    ]
    if away:
        lines.append(f"told       as a gap in each channel: {', '.join(away[-_MOST_SPANS:])}")
    return lines


def _joined(gaps: Iterable[Gap]) -> list[tuple[int, int]]:
    """From when to when there were gaps, of whatever channels."""
    found: list[tuple[int, int]] = []
    for start_ms, end_ms in sorted((gap.start_ms, gap.end_ms) for gap in gaps):
        if found and start_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(end_ms, found[-1][1]))
        else:
            found.append((start_ms, end_ms))
    return found


def _windows(seconds: Seconds, gaps: Iterable[Gap]) -> list[str]:
    """Which windows may miss something, and why."""
    if not seconds.incomplete:  # the first one always is: nothing is closed yet
        return []
    line = f"windows    of 1 s: {seconds.complete:,} complete, {seconds.incomplete:,} marked incomplete"
    spans = list(gaps)
    words = [
        f"{second(start_ms)} to {second(end_ms)}"
        + (
            " (the gap)"
            if any(gap.start_ms < end_ms and start_ms < gap.end_ms for gap in spans)
            else " (the beginning)"
        )
        for start_ms, end_ms in seconds.spans()[-_MOST_SPANS:]
    ]
    wider = ["           a gap counts two seconds wider on either side, for clocks differ"] if spans else []
    return [line, f"           from {', '.join(words)}", *wider]
