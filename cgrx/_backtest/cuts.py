"""Where a table of events may be cut, so that no two of the parts have events of one group.

What a query groups is much larger than the memory near a processor. In parts that fit it, the same groups are found for
less, and several at a time.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import polars as pl

from cgrx.operators._windows.calendar import Calendar
from cgrx.operators._windows.spacing import Regular

_PART = 65_536
"""About so many events are a part. To begin a query takes as long as to group some thousand."""

_NEAR = 4_096
"""Among so many events it is looked for a place, each time."""


def parted(events: pl.DataFrame, keys: Sequence[str], spacing: Regular | Calendar) -> list[pl.DataFrame]:
    """The events of a grid's panes in parts, by the first of the keys by which they stand apart, and by time.

    Args:
        events: in any order, with `time_ms`. In an order neither by a key nor nearly by time, they are one part.
        keys: the columns by which rows are apart. Those that are no enums are not looked at.
        spacing: where the panes lie. Those of a calendar are one part.
    """
    if len(events) < 2 * _PART or not isinstance(spacing, Regular):
        return [events]
    by_key = _cut(events, _between_values(events, keys))
    return [part for each in by_key for part in _cut(each, _between_panes(each["time_ms"], spacing))]


def _cut(events: pl.DataFrame, places: Iterator[int]) -> list[pl.DataFrame]:
    return [events[start:end] for start, end in pairwise([0, *places, len(events)])]


def _between_values(events: pl.DataFrame, keys: Sequence[str]) -> Iterator[int]:
    """Where another value of a key begins, if the events of each value stand side by side; parts are not too small."""
    last = 0
    for place in _first_places(events, keys):
        if place - last >= _PART:
            last = place
            yield place


def _first_places(events: pl.DataFrame, keys: Sequence[str]) -> list[int]:
    for key in keys:
        if isinstance(names := events.schema[key], pl.Enum):
            codes = events[key].to_physical()
            places = (codes != codes.shift()).arg_true()
            if len(places) < len(names.categories) and codes[[0, *places]].is_unique().all():
                return places.to_list()
    return []


def _between_panes(times: pl.Series, spacing: Regular) -> Iterator[int]:
    """Where all panes of the events in front have ended when the first of those behind begins."""
    starts = range(_PART, len(times) - _NEAR, _PART)
    if not starts:
        return
    time_ms, table = pl.col(times.name), times.to_frame()

    def pane(times: pl.Expr) -> pl.Expr:
        return (times - spacing.offset_ms) // spacing.pane_ms

    def looked_for(start: int, before_ms: int, behind_ms: int) -> pl.Expr:
        near = time_ms.slice(start, _NEAR)
        reached = near.cum_max().shift(fill_value=before_ms).clip(before_ms)
        ahead = near.cum_min(reverse=True).clip(upper_bound=behind_ms)
        return (pane(reached) < pane(ahead)).arg_true().first().alias(str(start))

    before = table.select(time_ms.slice(start - _PART, _PART).max().alias(str(start)) for start in starts)
    behind = table.select(time_ms.slice(start + _NEAR, _PART).min().alias(str(start)) for start in starts)
    before_ms = accumulate(before.row(0), max)
    behind_ms = [*accumulate(reversed(behind.row(0)), min)][::-1]
    found = table.select(map(looked_for, starts, before_ms, behind_ms)).row(0)
    yield from (start + place for start, place in zip(starts, found, strict=True) if place is not None)
