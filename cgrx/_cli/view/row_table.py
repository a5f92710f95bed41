"""The live table of rows. A sign leads each: `…` runs, `✓` is final and complete, `!` is final and incomplete."""

from collections.abc import Callable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import attrs
from rich.console import RenderableType
from rich.text import Text

from cgrx import Liquidation
from cgrx import operators as ops
from cgrx._cli.terminal.text import clock, counted, date, one_line, second, short_dollars
from cgrx._cli.view.colours import GOOD, WARN, signed
from cgrx._cli.view.columns import MEDIUM, WIDE, Column, filled_table
from cgrx._cli.view.market import Market
from cgrx._cli.view.market_bar import Bar as MarketBar
from cgrx._cli.view.picture import View, page
from cgrx._cli.view.pressure import pressure
from cgrx._cli.view.row_board import RowBoard, delta, key_text, number
from cgrx._cli.view.row_text import missing, text_value, value_text
from cgrx._cli.view.windows import Windowing

_ROOMY = 118
"""From this width on there is room for the highest and the lowest price."""
_HUGE = 150
"""From this width on every column is shown."""
_DAY_MS = 86_400_000


def row_picture(
    board: RowBoard, window: Windowing, market: Market, view: View, messages: Sequence[str], width: int, height: int
) -> RenderableType:
    """The table, `height` lines high at most and `width` columns wide."""
    counters = [
        Text(window.words, "dim"),
        Text(counted(board.final, "row")),
        Text(f"{board.incomplete:,} incomplete", WARN if board.incomplete else ""),
        Text(f"{board.late:,} late", WARN if board.late else ""),
        Text(f"{len(board.open_rows()):,} running"),
    ]
    controls = view.controls

    def body(rows: int) -> tuple[RenderableType, int]:
        shown = board.shown(rows, controls.sort, view.now_s, controls.words.casefold().split())
        return filled_table(_columns(window, market), shown, width), len(shown)

    return page(view, counters, pressure(market, view.now_s, width), body, messages, width, height)


def _columns(window: Windowing, market: Market) -> list[Column[ops.Row]]:
    columns = [Column("", _sign, 1), _start(window)]
    for field in window.row.key_fields:
        columns += _KEYS[field]
    values = _values(window.row, of_liquidations=set(market.kinds) == {Liquidation.kind})
    if window.join is not None:  # the flow takes the room of what is less than essential
        wider = WIDE - MEDIUM
        values = [attrs.evolve(each, from_width=each.from_width and each.from_width + wider) for each in values]
        values += _JOINED
    columns += values
    return [*columns, Column("State", _state, None)]


def _values(row: type[ops.Row], *, of_liquidations: bool) -> list[Column[ops.Row]]:
    """The columns of its values. Of liquidations alone, what was bought are shorts, what was sold are longs."""
    if issubclass(row, ops.Cascade):
        return _CASCADE
    bought, sold = ("Shorts", "Longs") if of_liquidations else ("Bought", "Sold")
    if issubclass(row, ops.Flow):
        return [
            _value("volume", 6, "USD"),
            _value("buy_volume", 6, bought, from_width=MEDIUM),
            _value("sell_volume", 6, sold, from_width=MEDIUM),
            _delta(),
            _value("count", 7, "Events"),
        ]
    is_market = issubclass(row, MarketBar)
    return [
        *(attrs.evolve(each, from_width=_HUGE) if is_market and each.from_width else each for each in _PRICES),
        _value("volume", 6, "USD"),
        _value("buy_volume", 6, bought, from_width=WIDE),
        _value("sell_volume", 6, sold, from_width=WIDE),
        _delta(from_width=MEDIUM),
        *(_LIQUIDATED if is_market else []),
        _value("count", 7, "Trades" if is_market else "Events", from_width=_ROOMY),
    ]


def _sign(row: ops.Row) -> Text:
    if row.complete:
        return Text("✓", GOOD)
    return Text("!", f"bold {WARN}") if row.final else Text("…", "dim")


def _state(row: ops.Row) -> Text:
    why = missing(row)
    if row.final:
        return Text(why, f"bold {WARN}") if why else Text("final", GOOD)
    return Text(why or "running", "dim")


def _start(window: Windowing) -> Column[ops.Row]:
    step_ms = window.step_ms
    if step_ms % _DAY_MS == 0:
        zone = UTC if window.zone == "UTC" else ZoneInfo(window.zone)
        return Column("From", lambda row: Text(date(row.start_ms, zone), "dim"), 10)
    if step_ms % 1000 == 0:
        return Column("From", lambda row: Text(second(row.start_ms), "dim"), 8)
    return Column("From", lambda row: Text(clock(row.start_ms), "dim"), 12)


def _key(field: str) -> Callable[[ops.Row], Text]:
    return lambda row: Text(one_line(key_text(row, field), 60))


def _value(field: str, width: int, heading: str = "", from_width: int = 0) -> Column[ops.Row]:
    def cell(row: ops.Row) -> Text:
        return Text(value_text(number(row, field), field, short_dollars))

    return Column(heading or field.capitalize(), cell, width, is_number=True, from_width=from_width)


def _delta(
    read: Callable[[ops.Row], float | None] = delta, heading: str = "Delta", from_width: int = 0
) -> Column[ops.Row]:
    """What was bought minus what was sold, with its sign."""

    def cell(row: ops.Row) -> Text:
        value = read(row)
        return Text("-") if value is None else signed(value_text(value, "delta", short_dollars), value)

    return Column(heading, cell, 7, is_number=True, from_width=from_width)


def _flow(row: ops.Row) -> Text:
    """`818k`, `≥818k` where some of it may be missing, or in a word why there is none."""
    quality, volume = row["flow_quality"], number(row, "flow_volume")
    if quality not in ("complete", "incomplete"):
        return Text("-" if quality is None else str(quality), "dim")
    amount = value_text(volume, "flow_volume", short_dollars)
    return Text(amount) if quality == "complete" else Text(f"≥{amount}", WARN)


def _text(field: str, heading: str, width: int, from_width: int = 0) -> Column[ops.Row]:
    return Column(heading, lambda row: Text(text_value(row, field, width)), width, from_width=from_width)


_KEYS: dict[str, tuple[Column[ops.Row], ...]] = {
    "exchange": (
        Column("Exchange", _key("exchange"), 11, from_width=MEDIUM),
        Column("Exchange", _key("exchange"), 8, below_width=MEDIUM),
    ),
    "symbol": (
        Column("Symbol", _key("symbol"), 20, from_width=_HUGE),
        Column("Symbol", _key("symbol"), None, below_width=_HUGE),
    ),
    "base_asset": (Column("Asset", _key("base_asset"), 8),),
    "side": (Column("Side", _key("side"), 5),),
}
_PRICES = [
    _value("open", 10, from_width=_HUGE),
    _value("high", 10, from_width=_ROOMY),
    _value("low", 10, from_width=_ROOMY),
    _value("close", 10),
    _value("vwap", 10, "VWAP", from_width=_HUGE),
]
_LIQUIDATED = [
    _value("long_volume", 6, "Longs", from_width=_ROOMY),
    _value("short_volume", 6, "Shorts", from_width=_ROOMY),
]
_CASCADE = [
    _text("dominant_side", "Mostly", 6),
    _value("volume", 6, "USD"),
    _value("count", 6, "Events", from_width=MEDIUM),
    _value("first_price", 10, "First", from_width=WIDE),
    _value("last_price", 10, "Last", from_width=WIDE),
    _text("exchanges", "Exchanges", 20, from_width=_ROOMY),
]
_JOINED = [
    Column("Flow", _flow, 7, is_number=True),
    _delta(lambda row: number(row, "flow_delta"), "Flow Δ", from_width=MEDIUM),
]
