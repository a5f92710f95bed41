"""Who is pressed: longs against shorts, sellers against buyers, each on a line with its sparkline; cascades; gaps."""

from rich.text import Text

from cgrx._cli.terminal.text import short_dollars
from cgrx._cli.view.colours import side_style, sided, signed
from cgrx._cli.view.delta import STEPS
from cgrx._cli.view.market import Market, OfKind

_WORDS = {"liquidation": ("liquidated", "long", "short"), "trade": ("traded", "sell", "buy")}
"""What is summed, the side that sold and the side that bought."""
_LONGEST = len("short")
_LEAST_BAR, _MOST_BAR = 6, 30


def pressure(market: Market, now_s: float, width: int) -> list[Text]:
    """A line for each kind of event that was seen, and one for a cascade and for a gap, where there was one of late."""
    lines = [_line(kind, market.kinds[kind], width) for kind in _WORDS if kind in market.kinds]
    return [*lines, *(each for each in (market.bursts.banner(now_s, width), market.gaps.banner(now_s, width)) if each)]


def _line(kind: str, of_kind: OfKind, width: int) -> Text:
    """`liquidated ▼ long 12.3M ████████░░░ 4.5M ▲ short Δ -7.8M ▂▃▇ 60 s`."""
    what, sold, bought = _WORDS[kind]
    sides, delta = of_kind.sides, of_kind.delta
    share = sides.sold / sides.volume if sides.volume else 0.5
    net = sides.bought - sides.sold
    head = Text.assemble((f"{what:<11}", "bold"), sided(sold), f"{short_dollars(sides.sold):>7} ")
    tail = Text.assemble(f" {short_dollars(sides.bought):<6} ", sided(bought), " " * (_LONGEST - len(bought)))
    net_text = Text.assemble(" Δ ", signed(f"{f'{net:+.0f}'[0]}{short_dollars(abs(net)):<6}", net))
    room = width - head.cell_len - tail.cell_len
    bar_width = min(max(room // 3, _LEAST_BAR), _MOST_BAR)
    line = head.append_text(_split(share, bar_width, sold, bought)).append_text(tail)
    if room - bar_width < net_text.cell_len:
        line.truncate(width)
        return line
    line.append_text(net_text)
    steps = min(width - line.cell_len - 8, STEPS)
    if steps > 4:
        line.append(" ").append_text(delta.line(steps)).append(f" {delta.seconds(steps):,} s", "dim")
    line.no_wrap = True
    line.truncate(width)
    return line


def _split(share: float, width: int, sold: str, bought: str) -> Text:
    """A bar in two parts, told apart by how dense they are."""
    left = round(share * width)
    return Text.assemble(("█" * left, side_style(sold)), ("░" * (width - left), side_style(bought)))
