"""Arguments of the command line: what they mean, and that what cannot be used is said with what is accepted."""

import math
from pathlib import Path
from typing import Any

import pytest
from cyclopts import CycloptsError

from cgrx import operators as ops
from cgrx._cli.app import app
from cgrx._cli.arguments import amount, faults, instruments, keyless, parse_instrument, source
from cgrx._cli.options import WatchOptions
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.view.viewer import Show
from cgrx._cli.window_options import WindowOptions
from cgrx._model.channels import FuturesTrades
from cgrx._model.events import Liquidation, Trade
from cgrx._simulator.faults import Drop, Stall
from cgrx._simulator.market import Generator
from cgrx._simulator.sources import JsonLines
from cgrx._wire.address import parse_address


@pytest.mark.parametrize(
    ("text", "min_volume", "channel"),
    [
        ("Binance:BTCUSDT:10000", None, FuturesTrades("Binance", "BTCUSDT", 10_000)),
        ("binance:BTCUSDT:1e4", None, FuturesTrades("Binance", "BTCUSDT", 10_000)),
        ("tradeXYZ:XYZ:GOLD-USD:500", None, FuturesTrades("tradeXYZ", "XYZ:GOLD-USD", 500)),
        ("tradeXYZ:XYZ:GOLD-USD", 500, FuturesTrades("tradeXYZ", "XYZ:GOLD-USD", 500)),
        ("ApeX Omni:BTC_USDT", 0, FuturesTrades("ApeX Omni", "BTC_USDT", 0)),
        ("Binance:BTCUSDT:7", 500, FuturesTrades("Binance", "BTCUSDT", 7)),
        ("Binance:1000:5", None, FuturesTrades("Binance", "1000", 5)),
        ("Binance:1000", 5, FuturesTrades("Binance", "1000", 5)),
        ("Binance:BTCUSDT:250k", None, FuturesTrades("Binance", "BTCUSDT", 250_000)),
    ],
)
def test_instruments(text: str, min_volume: float | None, channel: FuturesTrades) -> None:
    """The exchange ends at the first colon, a number behind the last one is the least volume."""
    assert parse_instrument(text, min_volume) == channel


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Binance", "'Binance' is no instrument: give EXCHANGE:SYMBOL:MIN_VOLUME"),
        ("Binance:BTCUSDT", "or EXCHANGE:SYMBOL and --min-volume"),
        (":BTCUSDT:1", "no instrument"),
        ("Binance::1", "no instrument"),
        ("Binance:", "no instrument"),
        ("Binance:BTCUSDT:-1", "min_volume=-1.0 takes a finite number"),
        ("Binance:BTCUSDT:nan", "min_volume=nan"),
        ("Bin_ance:BTCUSDT:1", "exchange='Bin_ance' cannot stand in a channel name"),
    ],
)
def test_what_is_no_instrument(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_instrument(text, None)


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("250000", 250_000.0),
        ("0", 0.0),
        ("2.5e5", 250_000.0),
        ("250k", 250_000.0),
        ("250K", 250_000.0),
        ("5M", 5e6),
        ("5m", 5e6),
        ("1.1M", 1_100_000.0),
        (".5M", 500_000.0),
        ("1b", 1e9),
        ("1.5G", 1.5e9),
        ("2T", 2e12),
        ("1_000_000", 1e6),
        ("250,000", 250_000.0),
        ("1,234,567.89", 1_234_567.89),
        ("1,500k", 1.5e6),
        ("-1", -1.0),
    ],
)
def test_amounts(text: str, usd: float) -> None:
    """As people write them, and exactly; that none is negative is for the option to say."""
    assert amount(text) == usd


@pytest.mark.parametrize(
    "text", ["", "k", "ten", "2,5", "2,50", "1,0000", "1000,000", ",500", "5kk", "5 k", "1e4k", "$5"]
)
def test_what_is_no_amount(text: str) -> None:
    """A comma that may be a decimal sign is refused too."""
    with pytest.raises(
        ValueError, match=r"is no amount: give US dollars such as 250000, 250_000, 250,000, 250k"
    ) as why:
        amount(text)
    assert str(why.value).startswith(repr(text))


def parsed(*arguments: str) -> dict[str, Any]:
    _, bound, *_ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    return dict(bound.arguments)


def test_counts_rates_and_levels_are_written_so_too() -> None:
    """A level may be below zero."""
    assert parsed("watch", "liquidations", "--count", "2k")["options"].count == 2_000
    assert parsed("demo", "--rate", "1.5k")["rate"] == 1_500.0
    assert parsed("demo", "--window", "1m", "--by", "symbol", "--top", "1_0")["windows"].top == 10
    for given in (("--below", "-250k"), ("--below=-250k",)):
        assert parsed("alert", "liquidations", *given)["alerts"].below == -250_000.0


@pytest.mark.parametrize("text", ["1.5", "inf", "2,5", "ten"])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(CycloptsError, match=rf"--count: '{text}' is no (whole number|amount): give"):
        parsed("watch", "liquidations", "--count", text)


def test_an_instrument_given_twice_is_one() -> None:
    assert len(instruments(["Binance:BTCUSDT:1", "BINANCE:BTCUSDT", "OKX:BTC-USDT-SWAP"], 1)) == 2


def test_filters() -> None:
    """Each option is a stage of its own, the side first."""
    options = WatchOptions(
        min_volume=1, max_volume=2, exchange=("OKX", "Gate"), symbol=("BTCUSDT",), base_asset=("BTC",)
    )
    assert options.filters("long") == (
        ops.side("long"),
        ops.min_volume(1),
        ops.max_volume(2),
        ops.exchange("OKX", "Gate"),
        ops.symbol("BTCUSDT"),
        ops.base_asset("BTC"),
    )
    assert WatchOptions().filters(None) == ()


def test_keys_with_commas_and_repeated() -> None:
    _, bound, *_ = app.parse_args(["demo", "--by", "symbol, exchange", "--by", "exchange,side"], exit_on_error=False)
    assert bound.arguments["windows"] == WindowOptions(by=("symbol", "exchange", "side"))


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(CommandError, match="not empty") as caught:
        WatchOptions(exchange=("",)).filters(None)
    assert caught.value.exit == Exit.USAGE


def test_how_to_show() -> None:
    assert WatchOptions().show("x") == Show(title="x", seconds=math.inf, count=math.inf)
    assert WatchOptions(format="csv", seconds=2, count=3).show("x") == Show(title="x", format="csv", seconds=2, count=3)


@pytest.mark.parametrize("url", ["ws://host/?cg-api-key=secret", "ws://host/?a=b&cg%2Dapi-key="])
def test_no_key_on_the_command_line(url: str) -> None:
    """Everybody on the machine can read it there; the message does not repeat it."""
    with pytest.raises(CommandError, match="set COINGLASS_API_KEY instead") as caught:
        keyless(url)
    assert "secret" not in str(caught.value)


def test_the_key_that_is_looked_for_is_the_one_that_the_feed_sends() -> None:
    """The command line knows the name of the parameter by itself."""
    sent = parse_address("ws://host/", "my-secret-key").resource
    with pytest.raises(CommandError):
        keyless(f"ws://host{sent}")


@pytest.mark.parametrize("url", ["ws://host/?a=b", "ws://[::1", "nonsense"])
def test_other_urls_are_left_to_connect(url: str) -> None:
    assert keyless(url) == url


def test_sources() -> None:
    path = Path("x.jsonl")
    assert source(None, "liquidations", None, None) == Generator(rate=200.0, seed=0)
    assert source(None, "liquidations", 5, 6) == Generator(rate=5, seed=6)
    assert source(path, "liquidations", None, None) == JsonLines(path, Liquidation)
    assert source(path, "trades", None, None) == JsonLines(path, Trade)


@pytest.mark.parametrize(("rate", "seed"), [(5.0, None), (None, 0)])
def test_a_file_has_no_rate(rate: float | None, seed: int | None) -> None:
    with pytest.raises(CommandError, match="leave them out"):
        source(Path("x.jsonl"), "trades", rate, seed)


def test_faults() -> None:
    assert faults(["drop", "stall@1s"]) == (Drop(), Stall(after=1))
    with pytest.raises(CommandError, match="is not a fault"):
        faults(["boom"])
