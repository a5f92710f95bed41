"""What `cgrx record` shows while it runs: the counters, and a line for each channel."""

import attrs
from rich.console import Group, RenderableType
from rich.text import Text

from cgrx import FeedStats, RecorderStats
from cgrx._cli.terminal.text import clock, counted, one_line, short_dollars
from cgrx._cli.view.colours import BAD, WARN
from cgrx._cli.view.picture import STATES

_MOST = 8
"""Channels that have a line; the busiest ones."""


@attrs.frozen(kw_only=True)
class Recorded:
    """A recording at a moment."""

    stats: RecorderStats
    feed: FeedStats
    rate: float
    """Events a second."""
    elapsed_s: float
    seconds: float
    """How long the command runs; infinite where only Ctrl-C ends it."""


def picture(at: Recorded, width: int) -> RenderableType:
    """The lines, `width` columns wide at most."""
    stats, (sign, style) = at.stats, STATES[at.feed.state]
    gaps = sum(channel.gaps for channel in at.feed.channels.values())
    time = f"{at.elapsed_s:.0f} s" + (f" of {at.seconds:g} s" if at.seconds < float("inf") else "")
    parts = [
        Text.assemble((f"{sign} {at.feed.state.value}", style), f" {time}"),
        Text(f"{counted(stats.events, 'event')}, {at.rate:,.1f}/s"),
        Text(f"{stats.queued:,} waiting"),
        Text(f"{stats.lost:,} lost", BAD if stats.lost else ""),
        Text(counted(gaps, "gap"), WARN if gaps else ""),
        Text(f"{short_dollars(stats.bytes)}B, part {stats.parts + 1:,}"),
    ]
    busiest = sorted(at.feed.channels.items(), key=lambda each: -each[1].events)
    rows = [Text(" · ").join(parts)]
    for channel, counts in busiest[:_MOST]:
        last = "-" if counts.last_event_ms is None else clock(counts.last_event_ms)
        rows.append(Text(f"  {one_line(channel.name, 60):<44} {counts.events:>11,}  last {last}", "dim"))
    if len(busiest) > _MOST:
        rows.append(Text(f"  and {counted(len(busiest) - _MOST, 'more channel')}", "dim"))
    for row in rows:
        row.no_wrap = True
        row.truncate(width, overflow="ellipsis")
    return Group(*rows)
