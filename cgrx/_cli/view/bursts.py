"""The cascades of the moment: those that run and those that are just over, as one line across the screen."""

from typing import Any

import attrs
from rich.text import Text

from cgrx import operators as ops
from cgrx._cli.terminal.text import counted, one_line, short_dollars
from cgrx._cli.view.colours import side_style, sided

GAP_S = 1.5
"""The longest silence within a cascade, seconds."""
EACH_USD = 10_000.0
"""Smaller liquidations are no part of one: in a busy market there is always some."""
LEAST_USD = 250_000.0
LEAST_COUNT = 5
SHOWN_S = 10.0
"""How long one that is over is still shown."""
_MOST = 50
_NAMES = 3


def cascades() -> ops.Stage[Any, ops.Cascade]:
    """The stage that finds them: a row behind each liquidation of one that is large enough, and the final row."""
    by = ("base_asset", "side")
    found = ops.cascades(f"{GAP_S}s", min_volume=LEAST_USD, min_count=LEAST_COUNT, by=by, updates=0)
    return ops.pipeline(ops.min_volume(EACH_USD), found)


@attrs.frozen
class _Seen:
    row: ops.Cascade
    changed_s: float


class Bursts:
    """The latest row of each cascade that is not long over. State: `_MOST` rows, and the largest of the run."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Any, ...], _Seen] = {}
        self.largest: ops.Cascade | None = None

    def add(self, row: ops.Cascade, now_s: float) -> None:
        """Take the next row: by its asset, a later one takes the place of the one before."""
        before = self._seen.pop(row.identity, None)
        if row.withdrawn:
            return
        changed_s = before.changed_s if before is not None and row.final else now_s
        self._seen[row.identity] = _Seen(row, changed_s)
        while len(self._seen) > _MOST:
            del self._seen[next(iter(self._seen))]
        if self.largest is None or row.volume >= self.largest.volume:
            self.largest = row

    def rows(self) -> list[ops.Cascade]:
        """All that is kept."""
        return [*(each.row for each in self._seen.values()), *([] if self.largest is None else [self.largest])]

    def banner(self, now_s: float, width: int) -> Text | None:
        """The line; None where there was no cascade of late."""
        running = [each.row for each in self._seen.values() if now_s - each.changed_s <= GAP_S]
        recent = [each for each in self._seen.values() if now_s - each.changed_s <= GAP_S + SHOWN_S]
        if running:
            return _line(" ▌CASCADE▐ ", running, "", width)
        if not recent:
            return None
        ago_s = now_s - max(each.changed_s for each in recent)
        return _line(" ▌cascade over▐ ", [each.row for each in recent], f"{ago_s:.0f} s ago", width)


def told(rows: list[ops.Cascade]) -> str:
    """Cascades of a side as people tell them: `5.3M USD of longs in 34 liquidations over 4.2 s: BTC 3.1M, ETH 2.2M`."""
    rows = sorted(rows, key=lambda row: -row.volume)
    seconds = (max(row.end_ms for row in rows) - min(row.start_ms for row in rows)) / 1e3
    names = [f"{one_line(row.base_asset, 12)} {short_dollars(row.volume)}" for row in rows[:_NAMES]]
    more = f" and {len(rows) - _NAMES} more" if len(rows) > _NAMES else ""
    return (
        f"{short_dollars(sum(row.volume for row in rows))} USD of {rows[0].side.word}s in"
        f" {counted(sum(row.count for row in rows), 'liquidation')} over {seconds:.1f} s: {', '.join(names)}{more}"
    )


def _line(head: str, rows: list[ops.Cascade], tail: str, width: int) -> Text:
    """Those of the side on which more was liquidated."""
    side = max(rows, key=lambda row: row.volume).side
    text = f"{sided(side.word).plain[0] * 3}{head}{told([row for row in rows if row.side is side])}"
    line = Text(text, f"{side_style(side.word)} {'reverse' if tail else 'bold reverse'}", no_wrap=True)
    line.truncate(max(width - len(tail) - 1, 0) if tail else width, pad=True)  # by cells: a name may be wide
    if tail:
        line.append(f" {tail}")
    return line
