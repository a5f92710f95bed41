"""The live table of events: the latest ones, and beside them the exchanges where there is room."""

from itertools import islice

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cgrx import Event
from cgrx._cli.terminal.text import clock, dollars, one_line, price, second, short_dollars
from cgrx._cli.view.columns import MEDIUM, WIDE, Column, blank_table, filled_table
from cgrx._cli.view.event_board import Board
from cgrx._cli.view.picture import View, page

_EXCHANGES_WIDTH = 28
_FULL = 84
"""From this width on there are milliseconds and the type of event (which the side tells too)."""

# A long that is liquidated is a forced sell.
_SIDES = {"long": "red", "sell": "red", "short": "green", "buy": "green"}
_BIG_USD = 1e6


def picture(board: Board, view: View, width: int, height: int) -> RenderableType:
    """The table, `height` lines high at most and `width` columns wide."""
    counters = [Text(f"shown from {dollars(board.min_volume)} USD", "dim")] if board.min_volume else []

    def body(rows: int) -> tuple[RenderableType, int]:
        used = max(len(board.latest), len(board.exchanges) if width >= WIDE else 0)
        return _body(board, width, rows), min(used, rows)

    return page(view, counters, body, list(board.messages), width, height)


def _body(board: Board, width: int, rows: int) -> RenderableType:
    if width < WIDE:
        return _latest(board, width, rows)
    left = width - _EXCHANGES_WIDTH - 2
    columns = Table.grid(padding=(0, 2, 0, 0))
    columns.add_column(width=left)
    columns.add_column(width=_EXCHANGES_WIDTH)
    columns.add_row(_latest(board, left, rows), _exchanges(board, rows))
    return columns


def _loud(event: Event) -> str:
    return "bold" if event.volume_usd >= _BIG_USD else ""


def _side(event: Event) -> Text:
    return Text(event.side.word, _SIDES[event.side.word])


_COLUMNS: tuple[Column[Event], ...] = (
    Column("UTC", lambda e: Text(clock(e.time_ms), "dim"), 12, from_width=_FULL),
    Column("UTC", lambda e: Text(second(e.time_ms), "dim"), 8, below_width=_FULL),
    Column("Event", lambda e: Text(e.kind), 11, from_width=_FULL),
    Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 11, from_width=MEDIUM),
    Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 8, below_width=MEDIUM),
    Column("Symbol", lambda e: Text(one_line(e.symbol, 60)), None),
    Column("Side", _side, 5),
    Column("Price", lambda e: Text(price(e.price)), 10, is_number=True, from_width=MEDIUM),
    Column("USD", lambda e: Text(dollars(e.volume_usd), _loud(e)), 11, is_number=True, from_width=MEDIUM),
    Column("USD", lambda e: Text(short_dollars(e.volume_usd), _loud(e)), 5, is_number=True, below_width=MEDIUM),
)


def _latest(board: Board, width: int, rows: int) -> Table:
    return filled_table(_COLUMNS, islice(board.latest, rows), width)


def _exchanges(board: Board, rows: int) -> Table:
    table = blank_table()
    table.add_column("Exchange", no_wrap=True, width=11)
    table.add_column("Events", no_wrap=True, justify="right", width=7)
    table.add_column("USD", no_wrap=True, justify="right", width=6)
    for name, count in board.busiest(rows):
        table.add_row(Text(one_line(name, 40)), Text(f"{count.events:,}"), Text(short_dollars(count.volume_usd)))
    return table
