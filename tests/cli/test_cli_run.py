"""The command line as it is typed, within this process: help, mistakes, and each command once."""

import runpy
import sys

import pytest

import cgrx
from cgrx import API_KEY_VARIABLE, __main__
from cgrx._cli import app
from cgrx._cli.app import run
from cgrx._cli.options import WatchOptions
from cgrx._cli.showing import liquidations_command, trades_command
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.window_options import WindowOptions
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard
from tests.simulator.simulating import liquidation, trade
from tests.support import run as run_trio

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


# --- help -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", ["", "--help", "-h"])
def test_no_command_is_help(arguments: str, capsys: Captured) -> None:
    assert run(arguments.split()) == Exit.DONE
    out, err = capsys.readouterr()
    assert err == ""
    assert "Usage: cgrx COMMAND" in out
    assert all(command in out for command in ("demo", "watch", "simulate", "--version"))
    assert API_KEY_VARIABLE in out


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("demo", {"--seconds", "--seed", "--rate", "--fault", "--window", "--every", "--by", "--running", "--top"}),
        ("watch", {"liquidations", "trades"}),
        ("watch liquidations", {"--window", "--side", "long, short", "--format", "--join", "--cascades", "--market"}),
        (
            "watch trades",
            {"EXCHANGE:SYMBOL[:MIN_VOLUME]", "buy, sell", "--min-volume", "--base-asset", "--count", "--by"},
        ),
        ("simulate", {"--host", "--port", "--file", "--speed", "--generation", "--plan", "--key", "--fault"}),
    ],
)
def test_help_of_the_commands(
    arguments: str, options: set[str], capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert run([*arguments.split(), "--help"]) == Exit.DONE
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())  # however wide it is drawn
    assert {option for option in options if option not in out} == set()


def test_version(capsys: Captured) -> None:
    assert run(["--version"]) == Exit.DONE
    assert capsys.readouterr().out.startswith("cgrx 0.")


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        # The words are the CLI library's: that it names the value and what is accepted is what matters.
        (["nope"], ["nope"]),
        (["demo", "--nope"], ["--nope"]),
        (["demo", "--seconds", "soon"], ["--seconds", "soon", "float"]),
        (["watch", "liquidations", "--side", "buy"], ["--side", "buy", "long", "short"]),
        (["watch", "trades"], ["EXCHANGE:SYMBOL[:MIN_VOLUME]"]),
        (["simulate", "--generation", "3"], ["--generation", "3", "1", "2"]),
        (["simulate", "--plan", "gold"], ["--plan", "gold", "hobbyist", "enterprise"]),
        (["demo", "--x\x1b[2J\n"], ["--x\\x1b[2J"]),
        # The words are ours.
        (["demo", "--seconds", "0"], ["--seconds", "0.0", "Give a number above 0."]),
        (["demo", "--seconds", "nan"], ["Give a number above 0."]),
        (["demo", "--rate", "inf"], ["Give a finite number above 0."]),
        (["demo", "--fault", "boom"], ["'boom' is not a fault: give NAME"]),
        (["watch", "liquidations", "--min-volume", "-1"], ["Give US dollars, 0 or more."]),
        (["watch", "liquidations", "--max-volume", "2,5"], ["--max-volume: '2,5' is no amount: give", "1B. See `cgrx"]),
        (["import", "x", "--to", "y", "--events", "trades", "--min-volume", "ten"], ["'ten' is no amount"]),
        (["watch", "liquidations", "--count", "0"], ["Give a number above 0."]),
        (["watch", "liquidations", "--url", "ws://h/?cg-api-key=s3cret"], ["set COINGLASS_API_KEY instead"]),
        (["demo", "--window", "soon"], ["--window soon cannot be used: give a duration such as 250ms"]),
        (["demo", "--by", "exchange"], ["--by says which rows a window gives: add --window"]),
        (
            ["demo", "--window", "1m", "--by", "exchnage"],
            ["'exchnage' is no field", "base_asset, exchange, symbol, side"],
        ),
        (
            ["demo", "--window", "1m", "--by", "side"],
            ["--by side cannot be used here: the demo has liquidations, whose"],
        ),
        (["demo", "--window", "1m", "--by", "exchange,"], ["--by: '' is no field"]),
        (["watch", "liquidations", "--window", "1s", "--every", "2s"], ["--every 2s is more than --window 1s"]),
        (
            ["watch", "trades", "a:b:1", "--window", "1m", "--by", "x\x1b[2J"],
            ["--by: 'x\\x1b[2J' is no field of every"],
        ),
        (["watch", "trades", "Binance:BTCUSDT"], ["give EXCHANGE:SYMBOL:MIN_VOLUME, such as Binance:BTCUSDT:10000"]),
        (["watch", "trades", "a\x1b[2J"], ["'a\\x1b[2J' is no instrument"]),
        (["simulate", "--port", "65536"], ["65536", "Give 0 (any that is free) to 65535."]),
        (["simulate", "--file", "/no/such/file"], ["cannot read /no/such/file: No such file or directory"]),
        (["simulate", "--file", "x", "--rate", "5"], ["leave them out, or --file"]),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], said: list[str], capsys: Captured) -> None:
    """It names the value and what is accepted; nothing goes to standard output."""
    assert run(arguments) == Exit.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert [text for text in said if text not in err] == []
    assert err.startswith("cgrx: ")
    assert err.count("\n") == 1
    assert "s3cret" not in err


def test_a_mistake_names_the_help_to_read(capsys: Captured) -> None:
    run(["watch", "liquidations", "--nope"])
    assert "See `cgrx watch liquidations --help`." in capsys.readouterr().err


# --- the commands ---------------------------------------------------------------------------------------------------


def test_demo(capsys: Captured) -> None:
    assert run(["demo", "--seconds", "0.2", "--rate", "300", "--seed", "7", "--fault", "duplicate@1h"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert "sent " in out
    assert "\nreceived " in out
    assert "Traceback" not in err


def test_simulate(capsys: Captured) -> None:
    assert run(["simulate", "--port", "0", "--seconds", "0.1", "--key", "a", "--key", "b"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert out == ""
    assert "2 keys accepted" in err


def test_watch_without_a_key(capsys: Captured) -> None:
    assert run(["watch", "liquidations"]) == Exit.NO_KEY
    assert run(["watch", "trades", "Binance:BTCUSDT:1"]) == Exit.NO_KEY
    assert capsys.readouterr().err.count("no API key") == 2


def test_watch_liquidations(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(Terminal, "of_process", heard.of_process)

    async def main() -> None:
        events = [liquidation(number) for number in range(3)]
        async with Simulator(events, speed=1_000) as simulator:
            options = WatchOptions(url=simulator.url, count=2, format="csv")
            assert await liquidations_command(side="long", options=options) == Exit.DONE

    run_trio(main)
    assert [line.split(",")[0] for line in heard.lines] == ["kind", "liquidation", "liquidation"]


def test_watch_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several instruments, in one stream; what one read of the socket gives comes channel by channel."""
    heard = Heard()
    monkeypatch.setattr(Terminal, "of_process", heard.of_process)

    async def main() -> None:
        events = [trade(1), trade(2, symbol="BNBUSDT"), trade(3, symbol="BTCUSDT")]
        async with Simulator(events, speed=1_000, start=2) as simulator:
            options = WatchOptions(url=simulator.url, count=3, format="csv", min_volume=0)
            code = await trades_command("Binance:BTCUSDT", "binance:BNBUSDT:5", side="buy", options=options)
            assert code == Exit.DONE

    run_trio(main)
    assert sorted(line.split(",")[3] for line in heard.lines[1:]) == ["BNBUSDT", "BTCUSDT", "BTCUSDT"]
    assert heard.has_said("listening to futures_trades@Binance_BNBUSDT@5")


def test_windows_over_the_trades_of_several_instruments(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are merged before: one window for all, a row for each."""
    heard = Heard()
    monkeypatch.setattr(Terminal, "of_process", heard.of_process)

    async def main() -> None:
        events = [trade(number, symbol=symbol) for number in range(8) for symbol in ("BTCUSDT", "BNBUSDT")]
        async with Simulator(events, speed=1_000, start=2) as simulator:
            options = WatchOptions(url=simulator.url, count=4, format="csv", min_volume=0)
            windows = WindowOptions(window="2s", by=("exchange", "symbol"))
            code = await trades_command("Binance:BTCUSDT", "Binance:BNBUSDT", options=options, windows=windows)
            assert code == Exit.DONE

    run_trio(main)
    assert [line.split(",")[:4] + line.split(",")[10:11] for line in heard.lines[1:]] == [
        ["0", "2000", "Binance", "BNBUSDT", "2"],
        ["0", "2000", "Binance", "BTCUSDT", "2"],
        ["2000", "4000", "Binance", "BNBUSDT", "2"],
        ["2000", "4000", "Binance", "BTCUSDT", "2"],
    ]


# --- main -----------------------------------------------------------------------------------------------------------


def test_main(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(sys, "argv", ["cgrx", "--version"])
    assert __main__.main() == 0
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(__main__.__file__), run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out.count("cgrx 0.") == 2


@pytest.mark.parametrize("library", ["cyclopts", "rich"])
def test_without_the_extra(library: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    for name in [name for name in sys.modules if name.startswith(("cgrx._cli", f"{library}."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in vars(cgrx) if name.startswith("_cli")]:
        monkeypatch.delattr(cgrx, name)
    assert __main__.main() == Exit.NO_EXTRA
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f'cgrx: the command line needs {library}: python -m pip install "cgrx[cli]"\n'


def test_another_library_that_is_missing_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cgrx._cli.app")
    monkeypatch.setitem(sys.modules, "cgrx._cli.commands.demo", None)
    with pytest.raises(ModuleNotFoundError):
        __main__.main()


def test_ctrl_c_at_any_other_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before signals are waited for, as while importing."""

    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "run", interrupted)
    assert __main__.main() == 130
