"""The options that ask for rows of windows, and for what stands beside or in place of them.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias, cast

import attrs
from cyclopts import Parameter, Token

from cgrx import FuturesTrades, to_ms
from cgrx import operators as ops
from cgrx._cli.arguments import Count, Names, Usd, instruments, unusable, usable
from cgrx._cli.view.flows import BY, FlowJoin, with_flow
from cgrx._cli.view.row_types import keyed, row_type
from cgrx._cli.view.windows import KEYS, Key, RankField, Windowing

Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_CALENDAR = re.compile(r"(\d+)\s*(w|mo|q|y)")
"""Sizes of windows that have no fixed length."""

_LONGEST_H = {"w": 169, "mo": 745, "q": 2_209, "y": 8_785}
"""The most hours of such a size, that of the end of summer time among them."""


def _keys(_: object, tokens: Sequence[Token]) -> tuple[Key, ...]:
    """The keys that some texts name, each once. A text names one, or several with commas."""
    known: dict[str, Key] = {key: key for key in KEYS}
    names = [name.strip() for token in tokens for name in token.value.split(",")]
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is no field of every event: give one or more of {', '.join(KEYS)}")
    return tuple(dict.fromkeys(known[name] for name in names))


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class SizeOptions:
    """The options that say which windows, and by which fields rows are kept apart."""

    window: str | None = None
    """Rows in place of events: one for each window of this length, such as 1m, or 1w, 1mo, 1q or 1y of the calendar,
    and each group of --by that had an event in it."""
    every: str | None = None
    """The time from the start of one window to the start of the next, such as 10s. Windows overlap if it is shorter
    than --window. By default as long as --window."""
    by: Annotated[tuple[Key, ...], Parameter(converter=_keys, show_default=False)] = ()
    """The fields to group by: exchange, symbol, base_asset, side, or several with commas. Each combination of their
    values gets rows of its own. With exchange and symbol, rows also hold open, high, low and close."""
    zone: str | None = None
    """Whose calendar --window follows, such as America/New_York, where it is 1d, 1w, 1mo, 1q or 1y. By default UTC."""
    start: str | None = None
    """The time of day at which such windows begin, such as 17:00, by the clocks of --zone. By default midnight."""
    week_start: Weekday | None = None
    """The day with which windows of 1w begin. By default monday."""
    offset: str | None = None
    """How much later than at multiples of their length windows of a fixed length begin, such as 4h for --window 8h."""
    explain: bool = False
    """Print what the filters and the window keep, and how long they hold results back; run nothing."""

    def sized(self, size: str) -> Windowing:
        """Windows of this size, with the other options.

        Raises:
            CommandError: a value that cannot be used.
        """
        window, step_ms, longest = self._window(size)
        words = size if self.every is None else f"{size} every {self.every}"
        words = words if self.zone is None else f"{words} of {self.zone}"
        return Windowing(
            of=window if self.offset is None else partial(window, offset=self.offset),
            step_ms=step_ms,
            longest=longest,
            row=row_type(self.by),
            words=f"{words} by {', '.join(self.by)}" if self.by else words,
            zone=self.zone or "UTC",
        )

    def _window(self, size: str) -> tuple[Callable[..., ops.Stage[Any, ops.Row]], int, str]:
        """What makes the window, how long it is from the beginning of one to that of the next, and the longest one."""
        tumbling, sliding = cast("tuple[Callable[..., Any], ...]", (ops.tumbling, ops.sliding))
        given = {"zone": self.zone, "start": self.start, "week_start": self.week_start}
        calendar = {name: value for name, value in given.items() if value is not None}
        if calendar or _CALENDAR.fullmatch(size):
            if self.every is not None:
                raise unusable(f"--every {self.every} is for windows of a fixed length, such as 7d: leave it out")
            return partial(tumbling, size, **calendar), 86_400_000, _longest(size)
        size_ms = milliseconds(size, "--window", ", or 1w, 1mo, 1q or 1y by the calendar")
        every_ms = size_ms if self.every is None else milliseconds(self.every, "--every")
        if every_ms > size_ms:
            raise unusable(
                f"--every {self.every} is more than --window {size}: events between two windows would be in none"
            )
        window = partial(tumbling, size) if every_ms == size_ms else partial(sliding, size, self.every)
        return window, every_ms, size


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WindowOptions(SizeOptions):
    """The options that ask for rows of windows."""

    running: bool = False
    """Write lines also for rows that are not final yet. The live table always shows them."""
    top: Count | None = None
    """Show only so many rows of each window: those with the greatest --top-by of the groups of --by."""
    top_by: RankField = "volume"
    """By which number --top ranks them."""

    def windowing(self) -> Windowing | None:
        """The window, if one is asked for.

        Raises:
            CommandError: a value that cannot be used, or one without --window.
        """
        if self.window is None:
            for option in self._placed:
                raise unusable(f"{option} says which rows a window gives: add --window, such as --window 1m")
            return None
        if self.top is None and self.top_by != "volume":
            raise unusable(f"--top-by {self.top_by} says how --top ranks: add --top, such as --top 10")
        if self.top is not None and not self.by:
            raise unusable(f"--top {self.top} ranks the groups of --by: add --by, such as --by base_asset")
        if self.top_by not in row_type(self.by).fields:
            raise unusable(f"--top-by {self.top_by} is no number of rows by exchange and symbol: give volume or count")
        self._refuse_running("--top", self.top)
        found = self.sized(self.window)
        found = attrs.evolve(
            found, running=self.running, words=self._told(found.words), top=self.top, top_by=self.top_by
        )
        usable(lambda: ops.pipeline(found.stage(updates=False), *found.leaders()))
        return found

    @property
    def _placed(self) -> list[str]:
        """The options that were given and say nothing without a window."""
        names = ("every", "by", "running", "zone", "start", "week_start", "offset", "top")
        placed = [f"--{name.replace('_', '-')}" for name in names if getattr(self, name)]
        return placed if self.top_by == "volume" else [*placed, "--top-by"]

    def _told(self, words: str) -> str:
        if self.top is None:
            return words
        return f"{words}, top {self.top}" + ("" if self.top_by == "volume" else f" by {self.top_by}")

    def _refuse_running(self, option: str, value: object) -> None:
        if self.running and value is not None:
            raise unusable(f"{option} {value} gives final rows alone: leave out --running")


NO_WINDOW = WindowOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class LiquidationOptions(WindowOptions):
    """And those of liquidations: cascades, and the flow of trades beside rows."""

    cascades: str | None = None
    """Show cascades in place of events: a row for each run of liquidations of an asset, or of a group of --by, that are
    no further apart than this, such as 3s."""
    cascade_volume: Usd | None = None
    """Only cascades of at least this many US dollars in all, such as 1M."""
    join: Literal["flow"] | None = None
    """flow: beside each row of --window or --cascades how much of its asset was traded, and which way: in the same
    window, or in the minute before the cascade ended. It takes the trades of --market."""
    market: Names = ()
    """An instrument whose trades --join takes, such as Binance:BTCUSDT:10000; may be repeated. The number is the
    minimum volume in US dollars, 0 where there is none. Without it `cgrx replay` takes all recorded trades."""

    def windowing(self) -> Windowing | None:
        """The window or the cascades, with the flow, as asked for.

        Raises:
            CommandError: a value that cannot be used, or one without the option that it needs.
        """
        if self.cascades is None and self.cascade_volume is not None:
            raise unusable("--cascade-volume says which cascades to show: add --cascades, such as --cascades 3s")
        if self.join is None and self.market:
            raise unusable("--market says whose trades --join takes: add --join flow")
        found = super().windowing() if self.cascades is None else self._cascades(self.cascades)
        if self.join is None:
            return found
        if found is None:
            raise unusable("--join flow stands beside rows: add --window, such as --window 1m, or --cascades 3s")
        if BY not in found.row.key_fields:
            raise unusable(f"--join flow goes by the asset of each row: add {BY} to --by")
        self._refuse_running("--join", self.join)
        return attrs.evolve(found, join=self._flow(found), words=f"{found.words}, with flow")

    def markets(self) -> tuple[FuturesTrades, ...]:
        """The instruments of `--market`."""
        return instruments(self.market, 0.0)

    def _flow(self, found: Windowing) -> FlowJoin:
        row, joined = keyed(ops.Flow, (BY,)), with_flow(found.row)
        if self.cascades is None:
            return FlowJoin(found.of(row, updates=None), found.longest, 1, joined)
        return FlowJoin(ops.sliding("1m", "1s", row), "1m", 1_000, joined)

    def _cascades(self, gap: str) -> Windowing:
        placed = self._placed if self.window is None else ["--window", *self._placed]
        for option in (each for each in placed if each not in ("--by", "--running")):
            raise unusable(f"--cascades {gap} makes rows of its own kind: leave out {option}")
        milliseconds(gap, "--cascades")
        by = self.by or (BY,)

        def of(_: type[ops.Row], *, updates: str | None) -> ops.Stage[Any, ops.Row]:
            return ops.cascades(gap, min_volume=self.cascade_volume or 0.0, by=by, updates=updates)

        return Windowing(
            of=of,
            step_ms=1,
            longest=gap,
            row=keyed(ops.Cascade, by),
            running=self.running,
            words=f"cascades within {gap} by {', '.join(by)}",
        )


NO_CASCADES = LiquidationOptions()


def _longest(size: str) -> str:
    """How long a window of the calendar can be."""
    found = _CALENDAR.fullmatch(size)
    return "25h" if found is None else f"{int(found[1]) * _LONGEST_H[found[2]]}h"


def milliseconds(text: str, option: str, more: str = "") -> int:
    """A duration that an option gives, a millisecond or more.

    Raises:
        CommandError: it is none.
    """
    try:
        found = to_ms(text)
    except ValueError:
        found = 0
    if found < 1:
        raise unusable(f"{option} {text} cannot be used: give a duration such as 250ms, 5s, 1m, 4h or 1d{more}")
    return found
