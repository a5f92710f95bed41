"""Alerts: where a number of a window passes a level, as values, as lines, and as what a viewer shows."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import attrs

from cgrx import Batch, Event, EventStream, sinks
from cgrx import operators as ops
from cgrx._cli.terminal.text import clock, counted, date
from cgrx._cli.view.contents import Made
from cgrx._cli.view.event_text import FormatName, LineFormat, csv_line, json_object
from cgrx._cli.view.row_text import csv_cell
from cgrx._cli.view.row_types import with_values
from cgrx._cli.view.tally import Tally
from cgrx._cli.view.windows import Windowing
from cgrx.operators import agg

Direction: TypeAlias = Literal["above", "below"]

_GROWING = frozenset({"volume", "count", "buy_volume", "sell_volume"})
"""Numbers that only grow while a window is open: that one is low is known when it is closed."""

FIELDS = ("at_ms", "text", "field", "value", "level", "direction", "resolved", "silenced")
"""What an alert says in front of the fields of its row."""


@attrs.frozen
class Alert:
    """One alert, or the end of one."""

    text: str
    crossing: ops.Crossing[ops.Row]
    silenced: int
    """How many of its group were silenced since the last one."""

    @property
    def line(self) -> str:
        """The moment in event time, and the text."""
        at_ms = self.crossing.item.time_ms
        return f"{date(at_ms)} {clock(at_ms)}  {self.text}"

    def asdict(self) -> dict[str, object]:
        """What programs get of it: what has happened, then the row."""
        crossing = self.crossing
        values = (
            crossing.item.time_ms,
            self.text,
            crossing.field,
            crossing.value,
            crossing.level,
            crossing.direction,
            crossing.back,
            self.silenced,
        )
        return dict(zip(FIELDS, values, strict=True)) | crossing.item.asdict()


@attrs.frozen(kw_only=True)
class Alerting:
    """The alerts that are asked for."""

    window: Windowing
    """Rows that name their exchanges: see `with_exchanges`."""
    field: str
    level: float
    direction: Direction
    """On which side of the level the alert is."""
    back: float | None = None
    """Where it is over; None at the level itself."""
    cooldown: str | None = None
    resolved: bool = False
    """Whether the end of an alert is told too."""
    what: str
    """What the events are, such as "longs liquidated"."""

    @property
    def stages(self) -> tuple[ops.Stage[Any, Any], ...]:
        """What makes alerts of events.

        Each event is followed by a row that holds it, so an alert comes on the event that crosses. A group without an
        event in a window has a row as well: else it would stay where it was before.
        """
        above, below = (self.level, self.back) if self.direction == "above" else (self.back, self.level)
        quiet: Direction = "below" if self.direction == "above" else "above"
        crosses = ops.crosses(self.field, above=above, below=below, begins=quiet, returns=self.resolved)
        return (self._windows(), crosses, *([] if self.cooldown is None else [ops.cooldown(self.cooldown)]))

    @property
    def delay(self) -> str:
        """When an alert comes, for `--explain`."""
        if self._waits:
            return "an alert comes when its window is closed: before that nobody knows that the number stays low"
        return "an alert comes with the event that brings it, and waits for nothing"

    @property
    def _waits(self) -> bool:
        return self.direction == "below" and self.field in _GROWING

    def _windows(self) -> ops.Stage[Any, Any]:
        return self.window.of(self.window.row, updates=None if self._waits else 0, emit_empty=True)

    def alert(self, item: ops.Cooled[ops.Crossing[ops.Row]] | ops.Crossing[ops.Row]) -> Alert:
        """What comes out of the stages, with its text."""
        crossing, silenced = (item.item, item.silenced) if isinstance(item, ops.Cooled) else (item, 0)
        text = sinks.message(item, what=None if "side" in self.window.row.key_fields else self.what)
        return Alert(f"resolved: {text}" if crossing.back else text, crossing, silenced)


def with_exchanges(row: type[ops.Row]) -> type[ops.Row]:
    """A class of rows that name the exchanges of their events, be it in their key."""
    if "exchange" in row.key_fields:
        return row
    return with_values(row, exchanges=agg.exchanges())


class AlertContent:
    """The alerts, as lines. See `contents.Lines`."""

    def __init__(self, tally: Tally, alerting: Alerting) -> None:
        self._tally = tally
        self._alerting = alerting
        self._resolved = 0
        self.count = 0
        """The number of alerts, those that say that one is over not counted."""

    def of(self, events: EventStream[Event], trades: EventStream[Any] | None, *, live: bool) -> Made:
        """The stages, behind a tap that counts the events."""
        crossings: EventStream[Any] = events.pipe(ops.tap(self._count), *self._alerting.stages)
        return Made(crossings.pipe(ops.map(self._alerting.alert)), None, {"output": crossings})

    def _count(self, batch: Batch[Event]) -> None:
        self._tally.events += len(batch.events)

    def add(self, items: Sequence[Alert], most: float) -> Sequence[Alert]:
        """Each becomes a line."""
        chosen: list[Alert] = []
        for alert in items:
            if self.count >= most:
                break
            chosen.append(alert)
            self._resolved += alert.crossing.back
            self.count += not alert.crossing.back
        return chosen

    def line_format(self, name: FormatName, *, escape_formulas: bool) -> LineFormat[Alert]:
        """With `table` the moment and the text."""

        def csv_alert(alert: Alert) -> str:
            return csv_line(map(csv_cell, alert.asdict().values()), escape_formulas=escape_formulas)

        formats: dict[FormatName, LineFormat[Alert]] = {
            "table": LineFormat(lambda alert: f"{alert.line}\n"),
            "jsonl": LineFormat(lambda alert: json_object(alert.asdict())),
            "csv": LineFormat(csv_alert, csv_line((*FIELDS, *self._alerting.window.row.fields))),
        }
        return formats[name]

    def words(self) -> list[str]:
        """The parts of the summary about these items."""
        return [counted(self.count, "alert"), *([f"{self._resolved:,} resolved"] if self._alerting.resolved else [])]

    def left_out(self) -> str:
        """Nothing."""
        return ""
