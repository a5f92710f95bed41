"""What stands beside the tape: the largest events, the assets by what was liquidated, the exchanges."""

from collections.abc import Callable, Mapping, Sequence

import attrs
from rich.table import Table
from rich.text import Text

from cgrx import Event
from cgrx._cli.terminal.text import one_line, short_dollars
from cgrx._cli.view.colours import side_style, sided
from cgrx._cli.view.columns import Column, filled_table
from cgrx._cli.view.heat import bar
from cgrx._cli.view.market import Market, Sides
from cgrx._cli.view.ranking import Ranking

_Named = tuple[str, Sides]


@attrs.frozen
class Panel:
    """One of them."""

    draw: Callable[[Market, float, int, int], Table]
    """At a time, in a width, with so many rows at most."""
    most: int
    """Rows that it can use."""


def _largest(market: Market, _: float, width: int, rows: int) -> Table:
    return filled_table(_LARGEST, market.largest[:rows], width)


_LARGEST: tuple[Column[Event], ...] = (
    Column("Largest", lambda e: Text(f"{'·' if e.kind == 'trade' else '◆'} {short_dollars(e.volume_usd)}", "bold"), 8),
    Column("Side", lambda e: sided(e.side.word), 7),
    Column("Asset", lambda e: Text(one_line(e.base_asset, 20)), 6),
    Column("Exchange", lambda e: Text(one_line(e.exchange, 40)), None),
)


def _assets(market: Market, now_s: float, width: int, rows: int) -> Table:
    shown = ranked(market.assets, market.by_asset, now_s)
    most = shown[0][1].volume if shown else 1.0
    columns: tuple[Column[_Named], ...] = (
        Column("Liq.", lambda each: Text(one_line(each[0], 20)), 6),
        Column("▼ Longs", lambda each: Text(short_dollars(each[1].sold), side_style("long")), 7, is_number=True),
        Column("▲ Shorts", lambda each: Text(short_dollars(each[1].bought), side_style("short")), 8, is_number=True),
        Column("", lambda each: _halves(each[1], most, width - 24), None),
    )
    return filled_table(columns, shown[:rows], width)


def _exchanges(market: Market, now_s: float, width: int, rows: int) -> Table:
    shown = ranked(market.exchanges, market.by_exchange, now_s)
    whole = sum(sides.volume for _, sides in shown) or 1.0
    columns: tuple[Column[_Named], ...] = (
        Column("Exchange", lambda each: Text(one_line(each[0], 40)), 11),
        Column("USD", lambda each: Text(short_dollars(each[1].volume)), 6, is_number=True),
        Column("Share", lambda each: Text(f"{each[1].volume / whole:.0%}"), 5, is_number=True),
        Column("", lambda each: _halves(each[1], shown[0][1].volume, width - 25), None),
    )
    return filled_table(columns, shown[:rows], width)


PANELS = (Panel(_largest, 12), Panel(_assets, 12), Panel(_exchanges, 8))
"""The most valuable first."""


def strips(market: Market, now_s: float, width: int) -> list[Text]:
    """The first two on a line each, for a terminal that is small."""
    largest = [Text.assemble(sided(e.side.word), f" {short_dollars(e.volume_usd)} {_asset(e)}") for e in market.largest]
    assets = [
        Text.assemble(
            f"{one_line(name, 12)} ",
            (f"▼{short_dollars(sides.sold)}", side_style("long")),
            " ",
            (f"▲{short_dollars(sides.bought)}", side_style("short")),
        )
        for name, sides in ranked(market.assets, market.by_asset, now_s)
    ]
    return [_strip("largest", largest, width), *([_strip("liquidated", assets, width)] if assets else [])]


def ranked(names: Mapping[str, Sides], ranking: Ranking[str], now_s: float) -> list[_Named]:
    """The names with their sums, those of the greatest volume first."""
    return [(name, names[name]) for name in ranking.of({name: -each.volume for name, each in names.items()}, now_s)]


def _asset(event: Event) -> str:
    return one_line(event.base_asset, 12)


def _strip(name: str, parts: Sequence[Text], width: int) -> Text:
    """As many of them as fit."""
    line = Text(f"{name:<11}", "bold", no_wrap=True)
    for at, part in enumerate(parts):
        if line.cell_len + part.cell_len + 3 > width:
            break
        line.append_text(Text(" · " if at else "", "dim")).append_text(part)
    return line


def _halves(sides: Sides, most: float, width: int) -> Text:
    """A bar as long as the volume is beside the greatest, of what was sold and what was bought."""
    whole = bar(min(sides.volume / most, 1.0) if most else 0.0, width)
    sold = round(len(whole.plain) * sides.sold / sides.volume) if sides.volume else 0
    return Text.assemble(("█" * sold, side_style("long")), ("░" * (len(whole.plain) - sold), side_style("short")))
