"""What a viewer shows: events, or the rows of a window over them."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Protocol, TypeVar

import attrs
from rich.console import RenderableType

from cgrx import Batch, Event, EventStream
from cgrx import operators as ops
from cgrx._cli.terminal.text import counted
from cgrx._cli.view.event_table import SORTS, picture
from cgrx._cli.view.event_text import FormatName, LineFormat, event_formats
from cgrx._cli.view.market import Market
from cgrx._cli.view.picture import View
from cgrx._cli.view.row_board import SORTS as ROW_SORTS
from cgrx._cli.view.row_board import RowBoard
from cgrx._cli.view.row_table import row_picture
from cgrx._cli.view.row_text import row_formats
from cgrx._cli.view.tally import Tally
from cgrx._cli.view.windows import Windowing

BoardT = TypeVar("BoardT", Market, RowBoard)


@attrs.frozen
class Made:
    """The stream of the items."""

    shown: EventStream[Any]
    kinds: frozenset[type] | None
    """The classes of the items, where they are known."""
    pipelines: Mapping[str, EventStream[Any]]
    """The streams whose stages count for the metrics, by their labels."""


class Lines(Protocol):
    """Something that a viewer can write as lines."""

    @property
    def count(self) -> int:
        """How many items there were, as `--count` counts them."""
        ...

    def of(self, events: EventStream[Event], trades: EventStream[Any] | None, *, live: bool) -> Made:
        """The items, made of the events; `trades` are those of `--join`."""
        ...

    def add(self, items: Sequence[Any], most: float) -> Sequence[Any]:
        """Take items until `count` reaches `most`; return those that become lines."""
        ...

    def line_format(self, name: FormatName, *, escape_formulas: bool) -> LineFormat[Any]:
        """How items become lines; `escape_formulas` is as of `csv_line`."""
        ...

    def words(self) -> list[str]:
        """The parts of the summary about these items."""
        ...

    def left_out(self) -> str:
        """A message that counts the items which became no line; empty where there are none."""
        ...


class Content(Lines, Protocol):
    """Something that a viewer can show as a live table too: events, or rows."""

    @property
    def sorts(self) -> tuple[str, ...]:
        """The orders that a user can choose from, the first one first."""
        ...

    def stop(self) -> None:
        """Have `draw` show this moment until `go_on`, whatever comes."""
        ...

    def go_on(self) -> None:
        """Have `draw` show the present again."""
        ...

    def draw(self, view: View, width: int, height: int) -> RenderableType:
        """The live table."""
        ...


def still(board: BoardT) -> BoardT:
    """A copy that does not change; the events and rows in it are frozen and stay themselves."""
    return deepcopy(board, {id(each): each for each in board.frozen()})


class EventContent:
    """The events themselves."""

    sorts = SORTS

    def __init__(self, tally: Tally, market: Market) -> None:
        self._tally = tally
        self._market = self._drawn = market

    @property
    def count(self) -> int:
        """The number of events, small ones included."""
        return self._tally.events

    def of(self, events: EventStream[Event], trades: EventStream[Any] | None, *, live: bool) -> Made:
        """The events: they are shown as they come."""
        return Made(events, events.event_types, {"output": events})

    def add(self, items: Sequence[Event], most: float) -> Sequence[Event]:
        """Count all events; those below the minimum volume become no lines."""
        left = most - self.count
        chosen = items if len(items) <= left else items[: int(left)]
        self._tally.events += len(chosen)
        least = self._market.min_volume
        return [event for event in chosen if event.volume_usd >= least]

    def stop(self) -> None:
        """See `Content`."""
        self._drawn = still(self._market)

    def go_on(self) -> None:
        """See `Content`."""
        self._drawn = self._market

    def line_format(self, name: FormatName, *, escape_formulas: bool) -> LineFormat[Event]:
        """See `Content`."""
        return event_formats(escape_formulas=escape_formulas)[name]

    def draw(self, view: View, width: int, height: int) -> RenderableType:
        """See `Content`."""
        self._drawn.look_for(view.controls.words.split())
        return picture(self._drawn, view, list(self._tally.messages), width, height)

    def words(self) -> list[str]:
        """Nothing: the viewer counts events in any case."""
        return []

    def left_out(self) -> str:
        """Nothing: no message for small events."""
        return ""


class RowContent:
    """The rows of a window."""

    sorts = ROW_SORTS

    def __init__(self, tally: Tally, market: Market, window: Windowing) -> None:
        self._tally = tally
        self._market = self._drawn_market = market
        self._window = window
        self._rows = self._drawn = RowBoard(
            top=window.top, top_by=window.top_by, on_grid=not issubclass(window.row, ops.Cascade)
        )

    @property
    def count(self) -> int:
        """The number of final rows."""
        return self._rows.final

    def of(self, events: EventStream[Event], trades: EventStream[Any] | None, *, live: bool) -> Made:
        """The window, behind a tap that counts the events, and what stands behind it.

        The live table sees running rows before a stage that takes final rows alone.
        """
        window = self._window
        kinds = frozenset[type]({window.shown})
        rows = events.pipe(ops.tap(self._count), window.stage(updates=live or window.running))
        if live and window.only_final:
            rows = rows.pipe(ops.tap(self._see_running), ops.final())
        rows = rows.pipe(*window.leaders())
        if window.join is None or trades is None:
            return Made(rows, kinds, {"output": rows})
        flow = trades.pipe(window.join.window)
        return Made(window.join.beside(rows, flow), kinds, {"output": rows, "flow": flow})

    def _count(self, batch: Batch[Event]) -> None:
        self._tally.events += len(batch.events)

    def _see_running(self, batch: Batch[ops.Row]) -> None:
        join = self._window.join
        for row in batch.events:
            if not row.final:
                self._rows.add(row if join is None else join.alone(row))

    def add(self, items: Sequence[ops.Row], most: float) -> Sequence[ops.Row]:
        """Final rows become lines; with `--running` the others do too."""
        chosen: list[ops.Row] = []
        for row in items:
            if self.count >= most:
                break
            self._rows.add(row)
            if row.final or self._window.running:
                chosen.append(row)
        return chosen

    def line_format(self, name: FormatName, *, escape_formulas: bool) -> LineFormat[ops.Row]:
        """See `Content`."""
        return row_formats(self._window.shown, escape_formulas=escape_formulas)[name]

    def draw(self, view: View, width: int, height: int) -> RenderableType:
        """See `Content`."""
        messages = list(self._tally.messages)
        return row_picture(self._drawn, self._window, self._drawn_market, view, messages, width, height)

    def stop(self) -> None:
        """See `Content`."""
        self._drawn, self._drawn_market = still(self._rows), still(self._market)

    def go_on(self) -> None:
        """See `Content`."""
        self._drawn, self._drawn_market = self._rows, self._market

    def words(self) -> list[str]:
        """Counts of rows, incomplete rows and late events."""
        rows = self._rows
        text = counted(rows.final, "row") + (f" ({rows.incomplete:,} incomplete)" if rows.incomplete else "")
        return [text, *([counted(rows.late, "late event")] if rows.late else [])]

    def left_out(self) -> str:
        """How many rows the end of the command cut short; empty with `--running`, where they are lines."""
        count = 0 if self._window.running else len(self._rows.running)
        more = "" if self._window.only_final else ": --running shows them"
        return f"left out {counted(count, 'row')} of windows that the end cut short{more}" if count else ""
