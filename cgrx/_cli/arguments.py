"""What stands behind a command on the command line: its types, their checks, and what they mean.

Whatever cannot be used is a `ValueError` or a `CommandError` that names the value and what is accepted.
"""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import attrs
from cyclopts import Parameter

from cgrx import operators as ops
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.fault_text import parse_fault
from cgrx._cli.view.event_text import FormatName
from cgrx._cli.view.viewer import Show
from cgrx._cli.view.windows import Windowing
from cgrx._feed.feed import KEY_VARIABLE, URL
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Liquidation, Trade
from cgrx._model.exchanges import canonical_exchange
from cgrx._simulator.faults import Fault
from cgrx._simulator.market import Generator
from cgrx._simulator.sources import JsonLines
from cgrx._streams.stream import Stage
from cgrx._wire.address import KEY_PARAMETER

T = TypeVar("T")

RATE = 200.0
"""Events a second of the simulated market."""


def _above_zero(_: object, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError("Give a number above 0.")


def _finite(_: object, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise ValueError("Give a finite number above 0.")


def _not_negative(_: object, value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise ValueError("Give US dollars, 0 or more.")


def _port(_: object, value: int) -> None:
    if not 0 <= value <= 65_535:
        raise ValueError("Give 0 (any that is free) to 65535.")


Usd = Annotated[float, Parameter(validator=_not_negative)]
Positive = Annotated[float, Parameter(validator=_above_zero)]
Rate = Annotated[float, Parameter(validator=_finite)]
Count = Annotated[int, Parameter(validator=_above_zero)]
Port = Annotated[int, Parameter(validator=_port)]
Names = Annotated[tuple[str, ...], Parameter(show_default=False)]
Files = Annotated[Path, Parameter(name="FILE", required=True)]
Folders = Annotated[Path, Parameter(name="FOLDER", required=True)]
Channels = Annotated[str, Parameter(name="CHANNEL", required=True)]
Instruments = Annotated[str, Parameter(name="EXCHANGE:SYMBOL[:MIN_VOLUME]", required=True)]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ShowOptions:
    """Which events are shown, and how."""

    min_volume: Usd | None = None
    """US dollars, at least."""
    max_volume: Usd | None = None
    """US dollars, at most."""
    exchange: Names = ()
    """Only this exchange, in any case; may be repeated."""
    symbol: Names = ()
    """Only this symbol, as the exchange spells it, in any case; may be repeated."""
    base_asset: Names = ()
    """Only this asset, such as BTC; may be repeated."""
    format: FormatName = "table"
    """A live table (lines where it is no terminal), one JSON object a line, or CSV."""
    seconds: Positive = math.inf
    """How long, from the first connection on."""
    count: Count | None = None
    """How many events, or with --window how many final rows; all by default."""

    def show(self, title: str, window: Windowing | None = None) -> Show:
        """How to show them, or the rows of a window over them."""
        count = math.inf if self.count is None else self.count
        return Show(title=title, format=self.format, seconds=self.seconds, count=count, window=window)

    def filters(self, chosen_side: Stage[Any, Any] | None) -> tuple[Stage[Any, Any], ...]:
        """The stages that the options ask for."""
        stages: list[Stage[Any, Any]] = [] if chosen_side is None else [chosen_side]
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
                stages.append(usable(make, *names))
        return tuple(stages)


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class WatchOptions(ShowOptions):
    """What both kinds of events are watched with."""

    url: str = URL
    """Of the server, ws:// or wss://."""
    connect_timeout: Positive = 30.0
    """Seconds for the first connection, all attempts together."""

    def keyless_url(self) -> str:
        """The URL; refused with a key in it."""
        return keyless(self.url)


def keyless(url: str) -> str:
    """A URL from the command line; refused with a key in it."""
    try:
        names = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    except ValueError:
        return url  # said in better words by whoever connects
    if KEY_PARAMETER in names:
        raise CommandError(
            Exit.USAGE, f"a key in --url can be seen by every user of this machine: set {KEY_VARIABLE} instead"
        )
    return url


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ReplayOptions(ShowOptions):
    """What both kinds of events are replayed with."""

    speed: Positive = math.inf
    """1 as recorded, 10 ten times as fast, inf as fast as the output is taken."""
    start: Annotated[str | None, Parameter(name="--from")] = None
    """Leave out what was received before, such as 2024-08-09T00:00:05 (UTC, unless it names a zone)."""
    end: Annotated[str | None, Parameter(name="--to")] = None
    """Leave out what was received then or later."""


def usable(make: Callable[..., T], *arguments: Any) -> T:
    """What `make` makes of the arguments; its `ValueError` becomes the command's last line."""
    try:
        return make(*arguments)
    except ValueError as error:
        raise CommandError(Exit.USAGE, str(error)) from error


def instruments(texts: Iterable[str], min_volume: float | None) -> tuple[FuturesTrades, ...]:
    """The channels of some instruments, each once; `min_volume` is that of those that have none."""
    return tuple(dict.fromkeys(usable(parse_instrument, text, min_volume) for text in texts))


def parse_instrument(text: str, min_volume: float | None) -> FuturesTrades:
    """Read `exchange:symbol[:min_volume]`, where symbols may hold colons.

    Raises:
        ValueError: it cannot be read, naming it and what is accepted.
    """
    exchange, _, rest = text.partition(":")
    before, _, last = rest.rpartition(":")
    volume = _number(last) if before else None
    symbol = rest if volume is None else before
    volume = min_volume if volume is None else volume
    if not exchange or not symbol or volume is None:
        raise ValueError(
            f"{text!r} is no instrument: give EXCHANGE:SYMBOL:MIN_VOLUME, such as Binance:BTCUSDT:10000,"
            " or EXCHANGE:SYMBOL and --min-volume"
        )
    try:
        return FuturesTrades(canonical_exchange(exchange), symbol, volume)
    except ValueError as error:
        raise ValueError(f"{text!r} is no instrument: {error}") from error


def channels(texts: Iterable[str]) -> tuple[Channel, ...]:
    """The channels that some texts name, each once."""
    return tuple(dict.fromkeys(usable(parse_channel_argument, text) for text in texts))


def parse_channel_argument(text: str) -> Channel:
    """Read `liquidations` or `trades:EXCHANGE:SYMBOL:MIN_VOLUME`.

    Raises:
        ValueError: it cannot be read, naming it and what is accepted.
    """
    if text == "liquidations":
        return LiquidationOrders()
    kind, _, instrument = text.partition(":")
    if kind == "trades" and instrument:
        return parse_instrument(instrument, None)
    raise ValueError(f"{text!r} is no channel: give liquidations, or trades:EXCHANGE:SYMBOL:MIN_VOLUME")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def faults(texts: Iterable[str]) -> tuple[Fault, ...]:
    """The faults that some texts describe."""
    return tuple(usable(parse_fault, text) for text in texts)


def source(file: Path | None, events: str, rate: float | None, seed: int | None) -> Generator | JsonLines:
    """Where simulated events come from."""
    if file is None:
        return Generator(seed=seed or 0, rate=rate or RATE)
    if rate is not None or seed is not None:
        raise CommandError(Exit.USAGE, "--rate and --seed are for a made-up market: leave them out, or --file")
    return JsonLines(file, Liquidation if events == "liquidations" else Trade)
