"""The live table as a picture of one moment: values in, a rich renderable out. It fits any size of terminal.

From top to bottom: a title with the state, the counters, the latest events (beside them the exchanges, where there is
room), the last messages. What does not fit in height is left out from the bottom; columns give way to the width.
"""

from collections.abc import Callable
from itertools import islice

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cgrx._cli_board import Board
from cgrx._cli_formats import kind, side
from cgrx._cli_text import clock, counted, dollars, one_line, price, second, short_dollars
from cgrx._events import Event
from cgrx._status import FeedStats, State

_WIDE = 98
"""From this width on the exchanges stand beside the events."""
_EXCHANGES_WIDTH = 28
_MEDIUM = 62
"""From this width on there are prices, and volumes in full."""
_FULL = 84
"""From this width on there are milliseconds and the type of event (which the side tells too)."""
_HEADING = 2
_MESSAGES = 3
_TALL = 14
"""From this height on there are messages."""

_STATES = {
    State.CONNECTING: ("○", "yellow"),
    State.CONNECTED: ("●", "green"),
    State.RECONNECTING: ("○", "yellow"),
    State.CLOSED: ("○", "dim"),
    State.FAILED: ("○", "red"),
}
# A long that is liquidated is a forced sell.
_SIDES = {"long": "red", "sell": "red", "short": "green", "buy": "green"}
_BIG_USD = 1e6


@attrs.frozen(kw_only=True)
class View:
    """What a picture shows beside the board."""

    title: str
    url: str
    stats: FeedStats
    gaps: int
    rate: float
    """Events a second."""
    elapsed_s: float
    seconds: float
    """How long it lasts; infinite where until Ctrl-C."""


def picture(board: Board, view: View, width: int, height: int) -> RenderableType:
    """The table, `height` lines high at most and `width` columns wide."""
    head = [_title(view, width), *_packed(_counters(view, board.min_volume), width)]
    messages = [_message(text) for text in list(board.messages)[-_MESSAGES:]] if height >= _TALL else []
    # A blank line above the table and one above the messages, which stand at the bottom.
    room = height - len(head) - 1 - (len(messages) + 1 if messages else 0)
    parts: list[RenderableType] = [*head]
    if room > _HEADING:
        rows = room - _HEADING
        used = min(max(len(board.latest), len(board.exchanges) if width >= _WIDE else 0), rows)
        parts += [Text(), _body(board, width, rows), *[Text()] * (rows - used)]
    if messages:
        parts += [Text(), *messages]
    return Group(*parts)


def _title(view: View, width: int) -> Text:
    sign, style = _STATES[view.stats.state]
    state = Text.assemble((view.title, "bold"), "  ", (f"{sign} {view.stats.state.value}", style))
    time = f"{view.elapsed_s:.0f} s" + (f" of {view.seconds:g} s" if view.seconds < float("inf") else "")
    url = one_line(view.url, max(width - state.cell_len - len(time) - 4, 1))
    if len(url) > 10:
        state.append(f"  {url}", "dim")
    space = width - state.cell_len - len(time)
    if space > 0:
        state.append(" " * space + time)
    state.truncate(width, overflow="ellipsis")
    return state


def _counters(view: View, min_volume: float) -> list[Text]:
    stats = view.stats
    trip = "-" if stats.round_trip_ms is None else f"{stats.round_trip_ms:.1f} ms"
    counters = [
        Text(f"{view.rate:,.1f} events/s"),
        Text(counted(stats.events, "event")),
        Text(f"round trip {trip}"),
        Text(counted(view.gaps, "gap"), "yellow" if view.gaps else ""),
        Text(f"{stats.malformed:,} malformed", "yellow" if stats.malformed else ""),
        Text(counted(max(stats.connections - 1, 0), "reconnect"), "yellow" if stats.connections > 1 else ""),
    ]
    if min_volume:
        counters.append(Text(f"shown from {dollars(min_volume)} USD", "dim"))
    return counters


def _packed(items: list[Text], width: int) -> list[Text]:
    """The items on as few lines as they fit on."""
    lines: list[Text] = [Text(no_wrap=True)]
    for item in items:
        if lines[-1] and lines[-1].cell_len + 3 + item.cell_len > width:
            lines.append(Text(no_wrap=True))
        lines[-1].append_text(Text(" · ", "dim") if lines[-1] else Text()).append_text(item)
    return lines


def _body(board: Board, width: int, rows: int) -> RenderableType:
    if width < _WIDE:
        return _latest(board, width, rows)
    left = width - _EXCHANGES_WIDTH - 2
    columns = Table.grid(padding=(0, 2, 0, 0))
    columns.add_column(width=left)
    columns.add_column(width=_EXCHANGES_WIDTH)
    columns.add_row(_latest(board, left, rows), _exchanges(board, rows))
    return columns


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold dim")


@attrs.frozen
class _Column:
    """One column of the latest events."""

    heading: str
    cell: Callable[[Event], Text]
    width: int | None
    """None: what is left."""
    is_number: bool = False
    from_width: int = 0
    """In a table of at least this width."""
    below_width: int = 10_000


def _loud(event: Event) -> str:
    return "bold" if event.volume_usd >= _BIG_USD else ""


def _side(event: Event) -> Text:
    return Text(side(event), _SIDES[side(event)])


_COLUMNS = (
    _Column("UTC", lambda e: Text(clock(e.time_ms), "dim"), 12, from_width=_FULL),
    _Column("UTC", lambda e: Text(second(e.time_ms), "dim"), 8, below_width=_FULL),
    _Column("Event", lambda e: Text(kind(e)), 11, from_width=_FULL),
    _Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 11, from_width=_MEDIUM),
    _Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 8, below_width=_MEDIUM),
    _Column("Symbol", lambda e: Text(one_line(e.symbol, 60)), None),
    _Column("Side", _side, 5),
    _Column("Price", lambda e: Text(price(e.price)), 10, is_number=True, from_width=_MEDIUM),
    _Column("USD", lambda e: Text(dollars(e.volume_usd), _loud(e)), 11, is_number=True, from_width=_MEDIUM),
    _Column("USD", lambda e: Text(short_dollars(e.volume_usd), _loud(e)), 5, is_number=True, below_width=_MEDIUM),
)


def _latest(board: Board, width: int, rows: int) -> Table:
    columns = [column for column in _COLUMNS if column.from_width <= width < column.below_width]
    table = _table()
    table.expand = True
    for column in columns:
        table.add_column(
            column.heading,
            no_wrap=True,
            width=column.width,
            ratio=1 if column.width is None else None,
            justify="right" if column.is_number else "left",
        )
    for event in islice(board.latest, rows):
        table.add_row(*(column.cell(event) for column in columns))
    return table


def _exchanges(board: Board, rows: int) -> Table:
    table = _table()
    table.add_column("Exchange", no_wrap=True, width=11)
    table.add_column("Events", no_wrap=True, justify="right", width=7)
    table.add_column("USD", no_wrap=True, justify="right", width=6)
    for name, count in board.busiest(rows):
        table.add_row(Text(one_line(name, 40)), Text(f"{count.events:,}"), Text(short_dollars(count.volume_usd)))
    return table


def _message(text: str) -> Text:
    return Text(one_line(text), "dim", no_wrap=True, overflow="ellipsis")
