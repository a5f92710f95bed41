"""The options that several commands share: which events, how they are shown, and the rows of windows over them.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast

import attrs
from cyclopts import Parameter, Token

from cgrx import COINGLASS_URL, Feed, Replay, to_ms
from cgrx import operators as ops
from cgrx._cli.arguments import Count, Names, Port, Positive, Usd, keyless, passwordless, spelled
from cgrx._cli.commands.choice import Choice, Choose
from cgrx._cli.commands.metrics import MetricsAt
from cgrx._cli.commands.replay import Replayed
from cgrx._cli.commands.watch import Watch
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.streams import LogFormat, Terminal
from cgrx._cli.view.event_text import FormatName
from cgrx._cli.view.viewer import Show
from cgrx._cli.view.windows import KEYS, Key, Windowing, row_type

SideName: TypeAlias = Literal["long", "short", "buy", "sell"]
Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_CALENDAR = re.compile(r"\d+\s*(w|mo|q|y)")
"""Sizes of windows that have no fixed length."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class FileOptions:
    """The option that names a file of options."""

    config: Path | None = None
    """A TOML file of options by their names, such as min-volume = 250_000. Those of the command line win. Paths in it
    begin at its folder."""


NO_FILE = FileOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class LogOptions(FileOptions):
    """And the option that says how messages are written."""

    log_format: LogFormat = "text"
    """json: messages to standard error are JSON, one object a line."""

    def terminal(self) -> Terminal:
        """The streams of this process, for messages in this format."""
        return Terminal.of_process(self.log_format)


LOGS = LogOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ServiceOptions(LogOptions):
    """The options of the commands that run a feed."""

    metrics_port: Port | None = None
    """Serve /metrics for Prometheus, /healthz and /readyz on this port, as long as the command runs; 0 takes a free
    one."""
    metrics_host: str = "127.0.0.1"
    """The address that --metrics-port listens on; 0.0.0.0 for all of this machine."""

    def metrics(self) -> MetricsAt | None:
        """Where to serve metrics, if they are asked for.

        Raises:
            CommandError: an address without a port.
        """
        if self.metrics_port is not None:
            return MetricsAt(self.metrics_host, self.metrics_port)
        if self.metrics_host != SERVICE.metrics_host:
            raise _unusable("--metrics-host says where --metrics-port listens: add --metrics-port, such as 9464")
        return None


SERVICE = ServiceOptions()


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
class WindowOptions:
    """The options that ask for rows of windows."""

    window: str | None = None
    """Show rows in place of events: one for each window of this length, such as 1m, or 1w, 1mo, 1q or 1y of the
    calendar, and each group of --by that had an event in it."""
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
    running: bool = False
    """Write lines also for rows that are not final yet. The live table always shows them."""
    explain: bool = False
    """Print what the filters and the window keep, and how long they hold results back; run nothing."""

    def windowing(self) -> Windowing | None:
        """The window, if one is asked for.

        Raises:
            CommandError: a value that cannot be used, or one without --window.
        """
        if self.window is None:
            for name, value in self._placed.items():
                if value:
                    option = f"--{name.replace('_', '-')}"
                    raise _unusable(f"{option} says which rows a window gives: add --window, such as --window 1m")
            return None
        window, step_ms = self._window(self.window)
        words = self.window if self.every is None else f"{self.window} every {self.every}"
        words = words if self.zone is None else f"{words} of {self.zone}"
        found = Windowing(
            of=window if self.offset is None else partial(window, offset=self.offset),
            step_ms=step_ms,
            row=row_type(self.by),
            running=self.running,
            words=f"{words} by {', '.join(self.by)}" if self.by else words,
            zone=self.zone or "UTC",
        )
        try:
            found.stage(updates=False)
        except (ValueError, ImportError) as error:
            raise _unusable(str(error)) from error
        return found

    @property
    def _placed(self) -> dict[str, Any]:
        """What says nothing without a window, by the names of the arguments."""
        names = ("every", "by", "running", "zone", "start", "week_start", "offset")
        return {name: getattr(self, name) for name in names}

    def _window(self, size: str) -> tuple[Callable[..., ops.Stage[Any, ops.Row]], int]:
        """What makes the window, and how long it is from the beginning of one to that of the next."""
        tumbling, sliding = cast("tuple[Callable[..., Any], ...]", (ops.tumbling, ops.sliding))
        given = {"zone": self.zone, "start": self.start, "week_start": self.week_start}
        calendar = {name: value for name, value in given.items() if value is not None}
        if calendar or _CALENDAR.fullmatch(size):
            if self.every is not None:
                raise _unusable(f"--every {self.every} is for windows of a fixed length, such as 7d: leave it out")
            return partial(tumbling, size, **calendar), 86_400_000
        size_ms = _milliseconds(size, "--window", ", or 1w, 1mo, 1q or 1y by the calendar")
        every_ms = size_ms if self.every is None else _milliseconds(self.every, "--every")
        if every_ms > size_ms:
            raise _unusable(
                f"--every {self.every} is more than --window {size}: events between two windows would be in none"
            )
        return partial(tumbling, size) if every_ms == size_ms else partial(sliding, size, self.every), every_ms


NO_WINDOW = WindowOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ShowOptions:
    """Which events are shown, and how."""

    min_volume: Usd | None = None
    """Only events of at least this many US dollars, such as 250k or 1.5M."""
    max_volume: Usd | None = None
    """Only events of at most this many US dollars."""
    exchange: Names = ()
    """Only this exchange, in any case; may be repeated."""
    symbol: Names = ()
    """Only this symbol, as the exchange spells it, in any case; may be repeated."""
    base_asset: Names = ()
    """Only this asset, such as BTC; may be repeated."""
    format: FormatName = "table"
    """table: a live table in a terminal, aligned lines elsewhere; jsonl: one JSON object a line; csv."""
    escape_formulas: bool = False
    """With --format csv: write an apostrophe before texts that begin with =, +, - or @, such as a symbol that the
    server made up. A spreadsheet would run them as formulas."""
    seconds: Positive = math.inf
    """End this many seconds after the first connection."""
    count: Count | None = None
    """End after this many events, or with --window after this many final rows."""

    def show(self, title: str, windows: WindowOptions = NO_WINDOW) -> Show:
        """How to show them, or the rows of a window over them.

        Raises:
            CommandError: a value that cannot be used, or one without the option that it needs.
        """
        if self.escape_formulas and self.format != "csv":
            raise _unusable("--escape-formulas is for spreadsheets: add --format csv, or leave it out")
        return Show(
            title=title,
            format=self.format,
            escape_formulas=self.escape_formulas,
            seconds=self.seconds,
            count=math.inf if self.count is None else self.count,
            window=windows.windowing(),
            explains=windows.explain,
        )

    def filters(self, side: SideName | None) -> tuple[ops.Stage[Any, Any], ...]:
        """The stages that the options ask for, that of the side first."""
        stages: list[ops.Stage[Any, Any]] = [] if side is None else [ops.side(side)]
        if self.min_volume is not None:
            stages.append(ops.min_volume(self.min_volume))
        if self.max_volume is not None:
            stages.append(ops.max_volume(self.max_volume))
        for make, names in (
            (ops.exchange, self.exchange),
            (ops.symbol, self.symbol),
            (ops.base_asset, self.base_asset),
        ):
            if names:
                stages.append(spelled(make, names))
        return tuple(stages)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WatchOptions(ShowOptions):
    """The options of both `cgrx watch` commands."""

    url: str = COINGLASS_URL
    """Address of the server, ws:// or wss://."""
    connect_timeout: Positive = 30.0
    """Seconds for the first connection, all attempts together."""
    proxy: str | None = None
    """A proxy to connect through: http://HOST:PORT, https://, socks5:// or socks5h://, or env for the one that the
    environment names."""

    def watch(self, choose: Choose[Feed], side: SideName | None) -> Watch:
        """What to watch: events of these channels and this side that pass the filters."""
        return Watch(
            url=keyless(self.url),
            choice=Choice(choose, self.filters(side)),
            connect_timeout_s=self.connect_timeout,
            proxy=passwordless(self.proxy),
        )


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ReplayOptions(ShowOptions):
    """The options of both `cgrx replay` commands."""

    speed: Positive = math.inf
    """1 replays at the recorded pace, 10 ten times as fast, inf as fast as the output is read."""
    start: Annotated[str | None, Parameter(name="--from")] = None
    """Leave out events received before this time, such as 2024-08-09T00:00:05 (UTC, unless it names a zone)."""
    end: Annotated[str | None, Parameter(name="--to")] = None
    """Leave out events received at this time or later."""

    def replayed(self, folders: Sequence[Path], choose: Choose[Replay], side: SideName | None) -> Replayed:
        """What to replay: events of these channels and this side that pass the filters."""
        choice = Choice(choose, self.filters(side))
        return Replayed(folders=folders, choice=choice, speed=self.speed, start=self.start, end=self.end)


def _milliseconds(text: str, option: str, more: str = "") -> int:
    try:
        found = to_ms(text)
    except ValueError:
        found = 0
    if found < 1:
        raise _unusable(f"{option} {text} cannot be used: give a duration such as 250ms, 5s, 1m, 4h or 1d{more}")
    return found


def _unusable(message: str) -> CommandError:
    return CommandError(Exit.USAGE, message)
