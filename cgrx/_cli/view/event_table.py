"""The live table of events: the tape, and beside or below it what was largest and how the assets stand."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cgrx import Event
from cgrx._cli.terminal.text import clock, dollars, one_line, price, second, short_dollars
from cgrx._cli.view.colours import side_style, sided
from cgrx._cli.view.columns import FULL, HEADING, MEDIUM, WIDE, Column, filled_table
from cgrx._cli.view.heat import STYLES, bar
from cgrx._cli.view.market import Market
from cgrx._cli.view.panels import PANELS, Panel, strips
from cgrx._cli.view.picture import View, page
from cgrx._cli.view.pressure import pressure

_FIXED, _FIXED_WIDE = 75, 90
"""The columns of the tape that have a width, from FULL and from WIDE on, with a blank behind each."""
SORTS: tuple[str, ...] = ("newest", "largest")
_PANEL_WIDTH = 38
"""Of panels beside the tape; each column of them takes two more."""
_BELOW_WIDTH = 31
_BELOW_ROWS = 6
_ROOMY = 15
"""With this many rows there is room for panels below the tape."""


def picture(market: Market, view: View, messages: Sequence[str], width: int, height: int) -> RenderableType:
    """The table, `height` lines high at most and `width` columns wide."""
    beside = min(max(width - FULL, 0) // (_PANEL_WIDTH + 2), 2)
    lines = pressure(market, view.now_s, width)
    is_low = height - len(lines) < _ROOMY + 10
    if not beside and is_low and height >= 18:
        lines += strips(market, view.now_s, width)

    def body(rows: int) -> tuple[RenderableType, int]:
        if beside:
            return _with_panels_beside(market, view, width, rows, beside), rows
        if rows >= _ROOMY and not is_low:
            return _with_panels_below(market, view, width, rows), rows
        return _tape(market, view, width, rows), min(rows, len(market.tape(rows, largest_first=False)))

    return page(view, (), lines, body, messages, width, height)


def _with_panels_beside(market: Market, view: View, width: int, rows: int, beside: int) -> RenderableType:
    """The tape at the left; the panels at the right, in one column or two."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    left = width - beside * (_PANEL_WIDTH + 2)
    grid.add_column(width=left)
    cells: list[RenderableType] = [_tape(market, view, left, rows, fills=True)]
    for at in range(beside):
        grid.add_column(width=_PANEL_WIDTH)
        cells.append(_stacked(PANELS[at::beside], market, view, rows))
    grid.add_row(*cells)
    return grid


def _stacked(panels: Sequence[Panel], market: Market, view: View, rows: int) -> RenderableType:
    grid = Table.grid()
    room = rows + HEADING
    for left, panel in zip(range(len(panels), 0, -1), panels, strict=True):
        most = min(room // left - HEADING - (left > 1), panel.most)
        if most > 0:
            grid.add_row(panel.draw(market, view.now_s, _PANEL_WIDTH, most))
            for _ in range(left > 1):
                grid.add_row(Text())
            room -= most + HEADING + (left > 1)
    return grid


def _with_panels_below(market: Market, view: View, width: int, rows: int) -> RenderableType:
    """The tape above, and below it as many panels as there is room for."""
    count = max(min((width + 2) // (_BELOW_WIDTH + 2), len(PANELS)), 1)
    each = (width + 2) // count - 2
    most = min(_BELOW_ROWS, rows // 3)
    below = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(count):
        below.add_column(width=each)
    below.add_row(*(panel.draw(market, view.now_s, each, most) for panel in PANELS[:count]))
    grid = Table.grid()
    tape_rows = rows - most - HEADING - 1
    grid.add_row(_tape(market, view, width, tape_rows, fills=True))
    grid.add_row(Text())
    grid.add_row(below)
    return grid


def _tape(market: Market, view: View, width: int, rows: int, *, fills: bool = False) -> Table:
    shown = market.tape(rows, largest_first=view.controls.sort == "largest")
    table = filled_table(_columns(market, width), shown, width)
    for _ in range(rows - len(shown) if fills else 0):
        table.add_row()
    return table


def _columns(market: Market, width: int) -> tuple[Column[Event], ...]:
    """The columns; what is large beside the others of its kind is loud, and its bar is long."""
    bars = width - (_FIXED_WIDE if width >= WIDE else _FIXED)

    def heat(event: Event) -> str:
        return market.kinds[event.kind].heat.style(event.volume_usd)

    def size(event: Event) -> Text:
        kept = market.kinds[event.kind].heat
        level = kept.level(event.volume_usd)
        style = f"{STYLES[min(level, 2)]} {side_style(event.side.word)}"
        return bar(kept.share(event.volume_usd, market.min_volume), bars, style)

    return (
        Column("UTC", lambda e: Text(clock(e.time_ms), "dim"), 12, from_width=WIDE),
        Column("UTC", lambda e: Text(second(e.time_ms), "dim"), 8, below_width=WIDE),
        Column("Event", kind, 13, from_width=FULL),
        Column("Event", lambda e: kind(e, short=True), 7, below_width=FULL),
        Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 11, from_width=FULL),
        Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), 8, from_width=MEDIUM - 10, below_width=FULL),
        Column("Symbol", lambda e: Text(one_line(e.symbol, 60)), 19, from_width=WIDE),
        Column("Symbol", lambda e: Text(one_line(e.symbol, 60)), 13, from_width=FULL, below_width=WIDE),
        Column("Symbol", lambda e: Text(one_line(e.symbol, 60)), None, below_width=FULL),
        Column("Side", lambda e: sided(e.side.word), 7),
        Column("Price", lambda e: Text(price(e.price)), 10, is_number=True, from_width=MEDIUM),
        Column("USD", lambda e: Text(dollars(e.volume_usd), heat(e)), 11, is_number=True, from_width=WIDE),
        Column("USD", lambda e: Text(short_dollars(e.volume_usd), heat(e)), 6, is_number=True, below_width=WIDE),
        Column("Size", size, None, from_width=FULL),
    )


def kind(event: Event, *, short: bool = False) -> Text:
    """What happened: a sign and a word."""
    if event.kind == "trade":
        return Text("· trade", "dim")
    return Text("◆ liq." if short else "◆ liquidation", "bold")
