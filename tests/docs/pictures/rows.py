"""What each signal of a stream releases, and how far the stream has come then: asked of the real pipeline."""

from collections.abc import Sequence
from typing import TypeVar

from cgrx import Event, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Timeline, play_timeline

E = TypeVar("E", bound=Event)
In = TypeVar("In")
Out = TypeVar("Out")


def released(stage: ops.Stage[In, Out], signals: Sequence[Signal[In]]) -> list[list[Out]]:
    """What each signal releases."""
    found: list[list[Out]] = []
    shown = 0
    for count in range(1, len(signals) + 1):
        results = play_timeline(stage, Timeline(tuple(signals[:count]), completed=False)).results
        found.append(results[shown:])
        shown = len(results)
    return found


def watermarks(signals: Sequence[Signal[E]], lateness: str, idle: str) -> list[int | None]:
    """The watermark behind each signal, in milliseconds to the next tenth of a second below; None before there is one.

    Windows of a tenth of a second, one behind the other without a hole, close as far as it has come.
    """
    fine = ops.tumbling("100ms", n=agg.count(), lateness=lateness, idle=idle, emit_empty=True)
    found: list[int | None] = []
    last: int | None = None
    for rows in released(fine, signals):
        last = rows[-1].end_ms if rows else last
        found.append(last)
    return found


def in_words(row: ops.Row) -> str:
    """A row of events that are counted in `n`, for those who hear a picture."""
    events = "1 event" if row["n"] == 1 else f"{row['n']} events"
    window = f"the window {row.start_ms // 1000} to {row.end_ms // 1000} s with {events}"
    if row.complete:
        return f"{window}, complete"
    missed = [f"a gap of {(row.gap_ms or 0) / 1000:g} s"] if row.gap_ms else []
    missed += [f"{row.dropped} dropped"] if row.dropped else []
    return f"{window}, not complete: {' and '.join(missed)}"
