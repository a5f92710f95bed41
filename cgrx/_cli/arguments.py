"""The arguments of commands: their types for the parser, and functions that parse their texts.

A text that cannot be used raises a `ValueError` or a `CommandError` that names the text and what is accepted.
"""

import math
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from cyclopts import Parameter, Token

from cgrx import (
    API_KEY_VARIABLE,
    Channel,
    FuturesTrades,
    Liquidation,
    LiquidationOrders,
    SpellingWarning,
    Trade,
    canonical_exchange,
    parse_channel,
)
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.fault_text import parse_fault
from cgrx._cli.terminal.streams import Terminal
from cgrx.testing import Fault, Generator, JsonLines

T = TypeVar("T")

RATE = 200.0
"""Events a second of the simulated market."""

_POWERS = {"k": "e3", "m": "e6", "b": "e9", "g": "e9", "t": "e12"}
"""What an amount may end with. G for a billion is what the live table writes."""

_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)

_KEY_PARAMETER = "cg-api-key"
"""The query parameter in which the server expects the API key."""


def _above_zero(_: object, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError("Give a number above 0.")


def _finite(_: object, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        raise ValueError("Give a finite number above 0.")


def _any_finite(_: object, value: float | None) -> None:
    if value is not None and not math.isfinite(value):
        raise ValueError("Give a finite number.")


def _not_negative(_: object, value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise ValueError("Give US dollars, 0 or more.")


def _port(_: object, value: int | None) -> None:
    if value is not None and not 0 <= value <= 65_535:
        raise ValueError("Give 0 (any that is free) to 65535.")


def amount(text: str, of: str = "US dollars") -> float:
    """Read an amount as people write it: `250000`, `2.5e5`, `250_000`, `250,000`, `250k`, `1.5M`, `1b`.

    The letter may be of either case. A comma stands before three digits and nowhere else: `2,5` is refused, for it is
    2.5 to some and 25 to others.

    Raises:
        ValueError: it is none, naming it and what is accepted.
    """
    power = _POWERS.get(text[-1:].lower(), "")
    number = text[:-1] if power else text
    if _THOUSANDS.fullmatch(number):
        number = number.replace(",", "")
    try:
        return float(number + power)  # not a product: 1.1 times a million is no whole number
    except ValueError:
        raise ValueError(
            f"{text!r} is no amount: give {of} such as 250000, 250_000, 250,000, 250k, 1.5M or 1B"
        ) from None


def _amount(_: object, tokens: Sequence[Token]) -> float:
    return amount(tokens[0].value)


def _number_of(_: object, tokens: Sequence[Token]) -> float:
    return amount(tokens[0].value, "a number")


def _whole_number(_: object, tokens: Sequence[Token]) -> int:
    found = amount(tokens[0].value, "a whole number")
    if not found.is_integer():
        raise ValueError(f"{tokens[0].value!r} is no whole number: give one such as 1000, 1_000, 1,000 or 1k")
    return int(found)


Usd = Annotated[float, Parameter(validator=_not_negative, converter=_amount)]
Positive = Annotated[float, Parameter(validator=_above_zero)]
Rate = Annotated[float, Parameter(validator=_finite, converter=_number_of)]
Level = Annotated[float, Parameter(validator=_any_finite, converter=_number_of, allow_leading_hyphen=True)]
Count = Annotated[int, Parameter(validator=_above_zero, converter=_whole_number)]
Port = Annotated[int, Parameter(validator=_port)]
Names = Annotated[tuple[str, ...], Parameter(show_default=False)]
Files = Annotated[Path, Parameter(name="FILE", required=True)]
Folders = Annotated[Path, Parameter(name="FOLDER", required=True)]
Channels = Annotated[str, Parameter(name="CHANNEL", required=True)]
Instruments = Annotated[str, Parameter(name="EXCHANGE:SYMBOL[:MIN_VOLUME]", required=True)]


def keyless(url: str) -> str:
    """Return the URL unchanged; raise a `CommandError` where it holds an API key."""
    try:
        names = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    except ValueError:
        return url  # `connect` refuses it with a better message
    if _KEY_PARAMETER in names:
        raise CommandError(
            Exit.USAGE, f"a key in --url can be seen by every user of this machine: set {API_KEY_VARIABLE} instead"
        )
    return url


def passwordless(proxy: str | None) -> str | None:
    """Return the proxy unchanged; raise a `CommandError` where it holds a user or a password."""
    if proxy is not None and "@" in proxy:
        raise CommandError(
            Exit.USAGE,
            "a password in --proxy can be seen by every user of this machine: set HTTPS_PROXY and give --proxy env",
        )
    return proxy


def usable(make: Callable[..., T], *arguments: Any) -> T:
    """Return `make(*arguments)`; a `ValueError`, or an `ImportError` for data that is missing, is the last line."""
    try:
        return make(*arguments)
    except (ValueError, ImportError) as error:
        raise CommandError(Exit.USAGE, str(error)) from error


def unusable(message: str) -> CommandError:
    """The error of an option that cannot be used."""
    return CommandError(Exit.USAGE, message)


def spelled(make: Callable[..., T], names: Sequence[str]) -> T:
    """Return `make(*names)`, a filter by name; a name that is probably misspelt is a line on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SpellingWarning)
        made = usable(make, *names)
    for each in caught:
        Terminal.of_process().say(str(each.message))
    return made


def instruments(texts: Iterable[str], min_volume: float | None) -> tuple[FuturesTrades, ...]:
    """The channels of some instruments, each once. `min_volume` is for texts that name no minimum volume."""
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


def parse_channels(texts: Iterable[str]) -> tuple[Channel, ...]:
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


def channels_in(file: Path) -> tuple[Channel, ...]:
    """The channels of a file, one a line, as on the command line or by their wire names; `#` begins a comment.

    Raises:
        CommandError: it cannot be read, or a line is no channel.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(f"--channels {file} cannot be read: {error}") from error
    found = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
    return tuple(dict.fromkeys(usable(_channel_of, file, number, text) for number, text in found if text))


def _channel_of(file: Path, number: int, text: str) -> Channel:
    try:
        return parse_channel(text)
    except ValueError:
        try:
            return parse_channel_argument(text)
        except ValueError as error:
            raise ValueError(f"--channels {file}, line {number}: {error}; or its wire name") from None


def _number(text: str) -> float | None:
    try:
        return amount(text)
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


def pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    """Parse texts of the form `field=value,field=value` into one mapping."""
    found: dict[str, str] = {}
    for text in (each for given in texts for each in given.split(",")):
        field, equals, value = text.partition("=")
        if not equals or not field.strip() or not value.strip():
            raise CommandError(Exit.USAGE, f"{option} {text!r} cannot be read: give FIELD=VALUE, such as price=px")
        found[field.strip()] = value.strip()
    return found
