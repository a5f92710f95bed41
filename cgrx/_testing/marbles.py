"""Timelines as text, and back: see `marbles`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast, overload

import attrs
import msgspec

from cgrx._model.channels import Channel
from cgrx._model.events import Liquidation, Trade
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx._model.times import Duration, to_ms
from cgrx._testing.playing import Timeline
from cgrx._testing.samples import DROPPED_REASON, GAP_REASON, LIQUIDATIONS, ORIGIN

T = TypeVar("T")

_TEXT = re.compile(r"(?:\([^()]*\)|[^()])*")
_TICKS = re.compile(r"\([^()]*\)|[^()]")
_RUNS = re.compile(r"[0-9A-Za-z]+|~+|.")
_WIDEST = 10_000
"""The most ticks of a drawing. More of them mean that events have real times and `start=` was forgotten."""


@overload
def marbles(
    text: str,
    *,
    start: Duration = 0.0,
    tick: Duration = 1.0,
    channel: Channel | None = LIQUIDATIONS,
    origin: str = ORIGIN,
    error: Exception | None = None,
) -> Timeline[str]: ...
@overload
def marbles(
    text: str,
    events: Mapping[str, T],
    *,
    start: Duration = 0.0,
    tick: Duration = 1.0,
    channel: Channel | None = LIQUIDATIONS,
    origin: str = ORIGIN,
    error: Exception | None = None,
) -> Timeline[T]: ...
def marbles(
    text: str,
    events: Mapping[str, Any] | None = None,
    *,
    start: Duration = 0.0,
    tick: Duration = 1.0,
    channel: Channel | None = LIQUIDATIONS,
    origin: str = ORIGIN,
    error: Exception | None = None,
) -> Timeline[Any]:
    """Read a timeline: `marbles("[-^a-(bc^)--]~-|")`.

    Each character is one tick: the first happens at `start`, the next one `tick` later.

        -         nothing
        a Z 7     a letter or digit: an event, alone in its batch
        ^         Alive, up to this tick
        [ ... ]   a Gap from the tick of `[` to that of `]`, where it arrives
        ~         Dropped, one event
        %         Watermark of this tick
        |         completion, the end
        #         an error, the end
        ( ... )   all of it within one tick, in this order, any of the above but `-`; events side by side are one
                  batch, `~` side by side one Dropped with their number; `,` separates them
        (space)   takes no time: to line texts up

    Without `|` or `#` the stream goes on.

    Args:
        text: as above.
        events: the events by their character; a `Liquidation` or `Trade` gets the time of its tick. By default the
            characters themselves are the events.
        start: time of the first character, since the epoch.
        tick: time from one character to the next.
        channel: channel of the batches, gaps and drops. Gaps need one.
        origin: origin of the `Alive` marks.
        error: the error that `#` stands for; a `RuntimeError` by default.

    Raises:
        ValueError: the text does not follow the grammar, or has an event that is not among `events`.

    Examples:
        >>> marbles("-a-(bc)-^|").results
        ['a', 'b', 'c']
        >>> long, short = liquidation("long"), liquidation("short")
        >>> len(play(ops.side("long"), marbles("-l-s-l|", {"l": long, "s": short})))
        2
    """
    grid = _Grid.of(events, start, tick, channel, origin)
    reader = _Reader(text, grid, error or RuntimeError("#"))
    if not _TEXT.fullmatch(text):
        raise reader.wrong("( and ) do not match")
    for column, content in enumerate(_TICKS.findall("".join(text.split()))):
        reader.read(column, content)
    return reader.timeline()


def to_marbles(
    signals: Timeline[T] | Iterable[Signal[T]],
    events: Mapping[str, T] | None = None,
    *,
    start: Duration = 0.0,
    tick: Duration = 1.0,
    channel: Channel | None = LIQUIDATIONS,
    origin: str = ORIGIN,
) -> str:
    """Write a timeline as text: `marbles`, called alike, reads the same signals from it.

    Signals that are no `Timeline` complete behind the last. A `Dropped` has no time: it is drawn on the tick of the
    signal before it. `|` and `#` are drawn one tick behind the last signal.

    Raises:
        ValueError: a signal has no place in such a text: it lies off the ticks or before the one drawn last, it is of
            another channel, origin or reason, two gaps overlap, or an event is not among `events`.

    Examples:
        >>> to_marbles(marbles("-a-(bc)-^|"))
        '-a-(bc)-^|'
        >>> to_marbles([alive("2s"), gap("3s", "5s")])
        '--^[-]|'
    """
    timeline = signals if isinstance(signals, Timeline) else Timeline(tuple(signals))
    drawing = _Drawing(_Grid.of(events, start, tick, channel, origin))
    for signal in timeline.signals:
        drawing.add(signal)
    return drawing.text() + ("|" if timeline.completed else "" if timeline.error is None else "#")


@attrs.frozen
class _Grid:
    """How characters map to times and events, for reading and for drawing."""

    events: Mapping[str, Any] | None
    start_ms: int
    tick_ms: int
    channel: Channel | None
    origin: str

    @classmethod
    def of(
        cls, events: Mapping[str, Any] | None, start: Duration, tick: Duration, channel: Channel | None, origin: str
    ) -> "_Grid":
        for name in events or ():
            if not re.fullmatch("[0-9A-Za-z]", name):
                raise ValueError(f"events: {name!r} is no single letter or digit")
        tick_ms = to_ms(tick, "tick")
        if not tick_ms:
            raise ValueError(f"tick={tick!r} must be at least 1 ms")
        return cls(events, to_ms(start, "start"), tick_ms, channel, origin)

    def time_ms(self, column: int) -> int:
        return self.start_ms + column * self.tick_ms

    def column(self, time_ms: int, signal: object) -> int:
        column, rest = divmod(time_ms - self.start_ms, self.tick_ms)
        if rest or not 0 <= column < _WIDEST:
            raise ValueError(f"{signal!r} is on none of the first {_WIDEST} ticks of {self.tick_ms} ms")
        return column

    def event(self, name: str, time_ms: int) -> Any:
        return name if self.events is None else _at(self.events[name], time_ms)

    def name(self, event: object, time_ms: int) -> str:
        if self.events is None and isinstance(event, str) and re.fullmatch("[0-9A-Za-z]", event):
            return event
        for name, each in (self.events or {}).items():
            if _at(each, time_ms) == event:
                return name
        raise ValueError(f"no letter stands for {event!r} at {time_ms} ms: give `events`")


def _at(event: T, time_ms: int) -> T:
    if isinstance(event, Liquidation | Trade):
        return cast("T", msgspec.structs.replace(event, time_ms=time_ms))
    return event


@attrs.define
class _Reader:
    """Reads ticks one after the other, and collects their signals."""

    text: str
    grid: _Grid
    error: Exception
    signals: list[Signal[Any]] = attrs.field(factory=list[Signal[Any]])
    gap_from_ms: int | None = None
    """Start of the gap that is open, None where none is."""
    end: str = ""
    """`|` or `#`, once it has been read."""

    def read(self, column: int, content: str) -> None:
        """Read one tick: a character, or a group in parentheses.

        Events side by side, and `~` side by side, are one run; every other character is a run of its own.
        """
        grouped = len(content) > 1
        runs: list[str] = _RUNS.findall(content.strip("()"))
        if grouped and (not runs or "-" in runs):
            raise self.wrong(f"{content} must hold something, and no `-`")
        for run in runs:
            if self.end:
                raise self.wrong(f"{run!r} behind the end")
            if run != "-" and not (grouped and run == ","):
                self.take(run, self.grid.time_ms(column))

    def take(self, run: str, now_ms: int) -> None:
        """Add the signal of one run. A gap is added at its `]`; a case that its condition refuses has no meaning."""
        channel = self.grid.channel
        match run[0]:
            case "^":
                self.signals.append(Alive(self.grid.origin, now_ms))
            case "%":
                self.signals.append(Watermark(now_ms))
            case "~":
                self.signals.append(Dropped(channel, len(run), DROPPED_REASON))
            case "[" if self.gap_from_ms is None and channel is not None:
                self.gap_from_ms = now_ms
            case "]" if self.gap_from_ms is not None and channel is not None:
                self.signals.append(Gap(channel, self.gap_from_ms, now_ms, GAP_REASON))
                self.gap_from_ms = None
            case "|" | "#":
                self.end = run
            case name if name.isascii() and name.isalnum():
                self.signals.append(Batch(channel, now_ms, self.events(run, now_ms)))
            case _:
                raise self.wrong(f"{run!r} has no meaning here")

    def events(self, names: str, now_ms: int) -> tuple[Any, ...]:
        try:
            return tuple(self.grid.event(name, now_ms) for name in names)
        except KeyError as missing:
            raise self.wrong(f"no event is given for {missing}") from None

    def timeline(self) -> Timeline[Any]:
        if self.gap_from_ms is not None:
            raise self.wrong("a gap does not close")
        return Timeline(tuple(self.signals), completed=self.end == "|", error=self.error if self.end == "#" else None)

    def wrong(self, why: str) -> ValueError:
        return ValueError(f"marbles {self.text!r}: {why}")


@attrs.define
class _Drawing:
    """Takes signals one after the other, and collects their ticks."""

    grid: _Grid
    ticks: list[str] = attrs.field(factory=list[str])
    gap_until: int = 0
    """The column of the last `]`."""

    def add(self, signal: Signal[Any]) -> None:
        grid = self.grid
        match signal:
            case Batch(channel, time_ms, events) if events and channel == grid.channel:
                self.put("".join(grid.name(event, time_ms) for event in events), grid.column(time_ms, signal))
            case Alive(origin, time_ms) if origin == grid.origin:
                self.put("^", grid.column(time_ms, signal))
            case Gap(channel, start_ms, time_ms, reason) if (channel, reason) == (grid.channel, GAP_REASON):
                self.put_gap(grid.column(start_ms, signal), grid.column(time_ms, signal))
            case Dropped(channel, count, reason) if count > 0 and (channel, reason) == (grid.channel, DROPPED_REASON):
                self.put("~" * count, max(0, len(self.ticks) - 1))
            case Watermark(time_ms):
                self.put("%", grid.column(time_ms, signal))
            case _:
                raise ValueError(f"{signal!r} differs from what can be drawn here: it is empty, or not of {grid!r}")

    def put(self, what: str, column: int) -> None:
        self.reach(column)
        tick = self.ticks[column]
        parted = "," if tick and _kind(tick[-1]) == _kind(what[0]) else ""
        self.ticks[column] = tick + parted + what

    def put_gap(self, start: int, end: int) -> None:
        self.reach(end)
        if not self.gap_until <= start <= end:
            raise ValueError(f"the gap of ticks {start} to {end} overlaps another, or ends before it starts")
        self.gap_until = end
        self.ticks[start] += "["
        self.ticks[end] += "]"

    def reach(self, column: int) -> None:
        if column < len(self.ticks) - 1:
            raise ValueError(f"a signal of tick {column} comes behind one of tick {len(self.ticks) - 1}")
        self.ticks.extend([""] * (column + 1 - len(self.ticks)))

    def text(self) -> str:
        return "".join(tick if len(tick) == 1 else f"({tick})" if tick else "-" for tick in self.ticks)


def _kind(character: str) -> str:
    return "event" if character.isalnum() else character
