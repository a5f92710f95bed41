"""The live picture of one moment: values in, a rich renderable out. It fits any size of terminal.

From top to bottom: a title with the state, the counters, the sides, a cascade, a table, the last messages, the keys.
What does not fit in height is left out from the bottom.
"""

from collections.abc import Callable, Iterable, Sequence

import attrs
from rich.console import Group, RenderableType
from rich.text import Text

from cgrx import FeedStats, State
from cgrx._cli.terminal.text import counted, one_line
from cgrx._cli.view.colours import BAD, GOOD, WARN
from cgrx._cli.view.columns import HEADING
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.help_page import help_page

_MESSAGES = 3
_TALL = 14
"""From this height on there are messages, and the line of keys."""

STATES = {
    State.CONNECTING: ("○", WARN),
    State.CONNECTED: ("●", GOOD),
    State.RECONNECTING: ("○", WARN),
    State.CLOSED: ("○", "dim"),
    State.FAILED: ("✗", BAD),
}
"""The sign and the colour of each state of a feed."""

Body = Callable[[int], tuple[RenderableType, int]]
"""Draws a table of at most this many rows, headings not counted; returns it and the number of its rows."""


@attrs.frozen(kw_only=True)
class View:
    """What a picture shows of the feed."""

    title: str
    where: str
    """What the feed is connected to, or how far a replay has come."""
    stats: FeedStats
    gaps: int
    rate: float
    """Events a second."""
    now_s: float
    """The time of trio's clock."""
    elapsed_s: float
    seconds: float
    """How long the command runs; infinite where only Ctrl-C ends it."""
    controls: Controls
    least: str = ""
    """Which events are shown, where not all are."""
    came: int = 0
    """Events that came since the picture was stopped."""


def page(
    view: View,
    counters: Iterable[Text],
    lines: Iterable[Text],
    body: Body,
    messages: Sequence[str],
    width: int,
    height: int,
) -> RenderableType:
    """The picture, `height` lines high at most and `width` columns wide.

    `counters` follow those of the feed, on as few lines as they fit on; each of `lines` has one of its own.
    """
    helps = view.controls.helps
    head = [_title(view, width), *_packed([*_counters(view), *counters], width)]
    head += () if helps else lines
    last = [_message(text) for text in messages[-_MESSAGES:]] if height >= _TALL else []
    if height >= _TALL or view.controls.typing:
        last += _keys(view.controls)
    # A blank line above the table and one above the messages, which stand at the bottom.
    rows = height - len(head) - 1 - (len(last) + 1 if last else 0) - HEADING
    parts: list[RenderableType] = [*head]
    if rows > 0:
        table, used = help_page(view.controls.sorts, rows) if helps else body(rows)
        parts += [Text(), table, *[Text()] * (rows - used)]
    if last:
        parts += [Text(), *last]
    return Group(*parts)


def _title(view: View, width: int) -> Text:
    sign, style = STATES[view.stats.state]
    state = Text.assemble((view.title, "bold"), "  ", (f"{sign} {view.stats.state.value}", style))
    if view.controls.paused:
        state.append(f"  ‖ stopped, {counted(view.came, 'event')} since", f"bold {WARN}")
    time = f"{view.elapsed_s:.0f} s" + (f" of {view.seconds:g} s" if view.seconds < float("inf") else "")
    where = one_line(view.where, max(width - state.cell_len - len(time) - 4, 1))
    if len(where) > 10:
        state.append(f"  {where}", "dim")
    space = width - state.cell_len - len(time)
    if space > 0:
        state.append(" " * space + time)
    state.truncate(width, overflow="ellipsis")
    return state


def _counters(view: View) -> list[Text]:
    stats = view.stats
    trip = "-" if stats.round_trip_ms is None else f"{stats.round_trip_ms:.1f} ms"
    reconnects = max(stats.connections - 1, 0)
    return [
        Text(f"{view.rate:,.1f} events/s"),
        Text(counted(stats.events, "event")),
        Text(f"round trip {trip}"),
        Text(counted(view.gaps, "gap"), WARN if view.gaps else ""),
        *([Text(f"{stats.malformed:,} malformed", WARN)] if stats.malformed else []),
        *([Text(counted(reconnects, "reconnect"), WARN)] if reconnects else []),
        *([Text(view.least, "dim")] if view.least else []),
    ]


def _packed(items: list[Text], width: int) -> list[Text]:
    """The items on as few lines as they fit on."""
    lines: list[Text] = [Text(no_wrap=True)]
    for item in items:
        if lines[-1] and lines[-1].cell_len + 3 + item.cell_len > width:
            lines.append(Text(no_wrap=True))
        lines[-1].append_text(Text(" · ", "dim") if lines[-1] else Text()).append_text(item)
    return lines


def _keys(controls: Controls) -> list[Text]:
    """The line of keys; what is typed stands in it."""
    if not controls.keys:
        return []
    if controls.typing:
        typed = Text.assemble(("/", "bold"), one_line(controls.words), ("█  Enter keeps it, Esc shows all", "dim"))
        typed.no_wrap, typed.overflow = True, "ellipsis"
        return [typed]
    words = f"/ filter: {one_line(controls.words)} (Esc shows all)" if controls.words else "/ filter"
    pause = "space go on" if controls.paused else "space stop"
    text = f"q end   {pause}   s order: {controls.sort}   {words}   ? help"
    return [Text(text, WARN if controls.words or controls.paused else "dim", no_wrap=True, overflow="ellipsis")]


def _message(text: str) -> Text:
    return Text(one_line(text), "dim", no_wrap=True, overflow="ellipsis")
