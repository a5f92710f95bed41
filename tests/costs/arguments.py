"""What the arguments of the command line cost."""

from collections.abc import Callable

from cgrx._cli.app import run
from cgrx._cli.arguments import faults, instruments, keyless, pairs, parse_channels
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.toml import lines_of
from tests.costs.counting import Input, work


def _texts(read: Callable[[list[str]], object], text: str) -> Callable[[int], int]:
    """The cost of reading so many texts, each another one."""
    return lambda size: work(lambda: read([text.format(number) for number in range(size)]))


def _refused(read: Callable[[str], object], text: str) -> Callable[[int], int]:
    """The cost of refusing a long text, or taking it."""

    def call(given: str) -> None:
        try:
            read(given)
        except (CommandError, ValueError):
            """It costs too to say what is wrong."""

    return lambda size: work(lambda: call(text * size))


def _lines(text: str) -> Callable[[int], int]:
    """The cost of finding the line of each of so many names."""
    return lambda size: work(lambda: lines_of("".join(text.format(number) for number in range(size))))


def _command(text: str) -> Callable[[int], int]:
    """The cost of a command with so many arguments, which ends because one cannot be used."""

    def call(size: int) -> None:
        assert run(["watch", "trades", *(text.format(number) for number in range(size)), "--by", "x"]) == Exit.USAGE

    return lambda size: work(lambda: call(size))


INPUTS = (
    Input("instruments", _texts(lambda texts: instruments(texts, None), "Binance:A{}:5"), 100),
    Input("channels", _texts(parse_channels, "trades:Binance:A{}:5"), 100),
    Input("faults", _texts(faults, "drop@1{}s"), 100),
    Input("columns", _texts(lambda texts: pairs("--columns", texts), "price=p{}"), 200),
    Input("a long instrument", _refused(lambda text: instruments([text], None), "a:"), 50_000),
    Input("a long least volume", _refused(lambda text: instruments(["Binance:BTC:" + text], None), "9"), 50_000),
    Input("a long fault", _refused(lambda text: faults([text]), "close:"), 20_000),
    Input("columns in a text", _refused(lambda text: pairs("--columns", [text]), "price=px,"), 500),
    Input("a long address", _refused(keyless, "ws://a/?b=c&"), 200),
    Input("names of a file", _lines("name-{} = 1 # [\n"), 200),
    Input("tables of a file", _lines("[name-{}]\na = 1\n"), 200),
    Input("texts and lists of a file", _lines('"name {}" = [\n"""a "" """, {{ b = [] }} ]\n'), 200),
    Input("arguments of a command", _command("Binance:A{}:5"), 20),
)
