"""Rows or events as a table for people, in a notebook or a terminal."""

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from cgrx._model import html
from cgrx._model.events import Event
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.shown import QUALITY, WINDOW, sign
from cgrx.operators._rows.standing import standing

MOST = 20
"""How many rows are shown unless told otherwise."""

_Part: TypeAlias = tuple[tuple[str, ...], list[html.Line | html.LeftOut]]
"""The heads and the lines of a stretch of items of one class."""


@attrs.frozen(repr=False)
class Table:
    """What `cgrx.table` gives: the first and the last of some rows or events.

    Prints as text, and shows itself in a notebook.

    Examples:
        >>> rows = play(
        ...     ops.tumbling("1m", by="side"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.table(rows)
        from (UTC)           to        quality   side  count  volume    buy_volume  sell_volume  delta
        1970-01-01 00:00:00  00:01:00  complete  long  1      5,000.00  0.00        5,000.00     -5,000.00
    """

    items: tuple[object, ...]
    """Those that are shown."""
    left_out: int = 0
    """How many are not; they belong between the first half of `items` and the second."""

    def _repr_html_(self) -> str:
        return html.page(*(html.table(heads, lines) for heads, lines in self._parts()))

    def __repr__(self) -> str:
        return "\n\n".join(_as_text(heads, lines) for heads, lines in self._parts()) or "no rows"

    def _parts(self) -> list[_Part]:
        """The columns of two classes differ, so each stretch of one class is a part."""
        parts: list[_Part] = []
        for index, item in enumerate(self.items):
            heads, line = _row(item) if isinstance(item, Row) else _other(item)
            if not parts or type(item) is not type(self.items[index - 1]):
                parts.append((heads, []))
            parts[-1][1].append(line)
            if self.left_out and index + 1 == (len(self.items) + 1) // 2:
                parts[-1][1].append(self.left_out)
        return parts


def ends(items: Sequence[object], most: float = MOST) -> Table:
    """The table of any items that stand: of many the first and the last."""
    items = standing(items)
    if len(items) <= most:
        return Table(tuple(items))
    first, last = (int(most) + 1) // 2, int(most) // 2
    return Table((*items[:first], *items[len(items) - last :]), len(items) - first - last)


def _row(row: Row) -> tuple[tuple[str, ...], html.Line]:
    own = tuple(field for field in type(row).fields if field not in WINDOW + QUALITY)
    start, end = html.moment(row.start_ms), html.moment(row.end_ms)
    if start[:10] == end[:10]:
        end = end[11:]
    values = (start, end, sign(row), *(row[field] for field in own))
    return ("from (UTC)", "to", "quality", *own), html.Line(values, not row.complete)


def _other(item: object) -> tuple[tuple[str, ...], html.Line]:
    if not isinstance(item, Event):
        return ("result",), html.Line((item,))
    names = tuple(name for name in item.__struct_fields__ if name != "time_ms")
    return ("time (UTC)", *names), html.Line((html.moment(item.time_ms), *(getattr(item, name) for name in names)))


def _as_text(heads: tuple[str, ...], lines: Sequence[html.Line | html.LeftOut]) -> str:
    cells = [f"… {line:,} left out …" if isinstance(line, int) else _texts(line) for line in lines]
    rows = [heads, *(each for each in cells if not isinstance(each, str))]
    widths = [max(len(row[index]) for row in rows) for index in range(len(heads))]
    return "\n".join(each if isinstance(each, str) else _aligned(each, widths) for each in [heads, *cells])


def _texts(line: html.Line) -> tuple[str, ...]:
    return tuple(map(html.text_of, line.cells))


def _aligned(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
