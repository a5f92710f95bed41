"""The options that several commands share: which events, and how they are shown.

cyclopts reads the attributes of these classes as options and the texts below them as their help.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import attrs
from cyclopts import Parameter

from cgrx import API_KEY_VARIABLE, COINGLASS_URL, Feed, Replay
from cgrx import operators as ops
from cgrx._cli.arguments import Count, Names, Port, Positive, Usd, keyless, passwordless, spelled, unusable
from cgrx._cli.commands.choice import Choice, Choose
from cgrx._cli.commands.metrics import MetricsAt
from cgrx._cli.commands.replay import Replayed
from cgrx._cli.commands.watch import Watch
from cgrx._cli.targets import Targets, target
from cgrx._cli.terminal.streams import LogFormat, Terminal
from cgrx._cli.view.delivery import Deliveries, Open
from cgrx._cli.view.event_text import FormatName
from cgrx._cli.view.viewer import Show
from cgrx._cli.window_options import NO_WINDOW, WindowOptions
from cgrx.engines.spark import Recordings

KEY = (
    f"The API key is read from the environment variable {API_KEY_VARIABLE} and from nowhere else: a command line can be"
    " seen by every user of the machine."
)
"""For the help of commands."""

SideName: TypeAlias = Literal["long", "short", "buy", "sell"]


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
            raise unusable("--metrics-host says where --metrics-port listens: add --metrics-port, such as 9464")
        return None


SERVICE = ServiceOptions()


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class TargetOptions:
    """Where what is shown goes as well."""

    to: Targets = ()
    """A system that gets what is shown as well; may be repeated: postgresql://HOST/DATABASE?table=NAME,
    redis://HOST/0?stream=NAME, kafka://HOST:9092/TOPIC, FOLDER/ for Parquet files, duckdb:FILE, https://... for a
    webhook, slack:, discord:, telegram:CHAT, or env:NAME for a target that holds a secret."""
    dead_letters: Path | None = None
    """With --to: a file for what a system refuses, with the reasons."""
    spill: Path | None = None
    """With --to: a folder for what finds no room in memory while a system is away, and for what is left at the end. The
    next run with the same targets delivers it."""

    def deliveries(self, open_: Open | None = None) -> Deliveries:
        """What is to be delivered where; `open_` makes the sinks, by default those of `cgrx.sinks.to`.

        Raises:
            CommandError: an option without --to.
        """
        for option, value in (("--dead-letters", self.dead_letters), ("--spill", self.spill)):
            if value is not None and not self.to:
                raise unusable(f"{option} {value} is for what --to delivers: add --to, such as --to duckdb:bars.db")
        more = {} if open_ is None else {"open": open_}
        targets = tuple(target(text) for text in dict.fromkeys(self.to))
        return Deliveries(targets=targets, dead_letters=self.dead_letters, spill=self.spill, **more)


NO_TARGETS = TargetOptions()


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
    """End after this many events, or with --window or --cascades after this many final rows."""

    def show(
        self,
        title: str,
        windows: WindowOptions = NO_WINDOW,
        targets: TargetOptions = NO_TARGETS,
        *,
        people_from: float = 0.0,
    ) -> Show:
        """How to show them, or the rows of a window over them, and where they go as well.

        `people_from` is the volume from which a table for people shows events where no --min-volume is given.

        Raises:
            CommandError: a value that cannot be used, or one without the option that it needs.
        """
        if self.escape_formulas and self.format != "csv":
            raise unusable("--escape-formulas is for spreadsheets: add --format csv, or leave it out")
        is_for_people = people_from > 0 and self.format == "table" and self.min_volume is None and not targets.to
        return Show(
            title=title,
            min_volume=people_from if is_for_people else 0.0,
            shows_all="--min-volume 0" if is_for_people else "",
            format=self.format,
            escape_formulas=self.escape_formulas,
            seconds=self.seconds,
            count=math.inf if self.count is None else self.count,
            window=windows.windowing(),
            deliveries=targets.deliveries(),
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
    state: Path | None = None
    """A folder for what is open: windows, and alerts that are not over. The next run with it goes on from there, even
    after a kill -9; the time between is a gap. Rows of the last ten seconds before a kill may come twice."""
    proxy: str | None = None
    """A proxy to connect through: http://HOST:PORT, https://, socks5:// or socks5h://, or env for the one that the
    environment names."""

    def resumed(self, show: Show) -> Show:
        """The same, going on from --state where that is given.

        Raises:
            CommandError: nothing stays open there.
        """
        if self.state is not None and show.window is None and show.alerting is None:
            raise unusable(f"--state {self.state} keeps windows that are open: add --window, such as --window 1h")
        return attrs.evolve(show, state=self.state)

    def watch(self, choose: Choose[Feed], side: SideName | None, *, trades: Choose[Feed] | None = None) -> Watch:
        """What to watch: events of these channels and this side that pass the filters; `trades` for their flow."""
        return Watch(
            url=keyless(self.url),
            choice=Choice(choose, self.filters(side)),
            connect_timeout_s=self.connect_timeout,
            proxy=passwordless(self.proxy),
            trades=None if trades is None else Choice(trades),
        )


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ReplayOptions(ShowOptions):
    """The options of both `cgrx replay` commands."""

    speed: Positive = math.inf
    """1 replays at the recorded pace, 10 ten times as fast, inf as fast as the output is read."""
    start: Annotated[str | None, Parameter(name="--from")] = None
    """Leave out events received before this time, such as 2024-08-09T00:00:05 (UTC, unless it names a zone)."""
    end: Annotated[str | None, Parameter(name="--until")] = None
    """Leave out events received at this time or later."""

    def recorded(self, folders: Sequence[Path]) -> Recordings:
        """The recordings, for an engine.

        Raises:
            CommandError: --speed, which an engine does not know.
        """
        if self.speed != math.inf:
            raise unusable(f"--speed {self.speed:g} is for a replay: leave it out with --engine")
        return Recordings(*folders, start=self.start, end=self.end)

    def replayed(
        self,
        folders: Sequence[Path],
        choose: Choose[Replay],
        side: SideName | None,
        *,
        trades: Choose[Replay] | None = None,
    ) -> Replayed:
        """What to replay: events of these channels and this side that pass the filters; `trades` for their flow."""
        return Replayed(
            folders=folders,
            choice=Choice(choose, self.filters(side)),
            speed=self.speed,
            start=self.start,
            end=self.end,
            trades=None if trades is None else Choice(trades),
        )
