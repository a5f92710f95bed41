"""`cgrx replay` and `cgrx import`: data, words, exit codes, and the progress bar."""

import csv
import gzip
import io
import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.lowlevel
from rich.console import Console

import cgrx
from cgrx import FuturesTrades
from cgrx._cli.app import run
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.import_ import Import, import_files
from cgrx._cli.commands.replay import Replayed, replay_files
from cgrx._cli.terminal.bar import Done, bar
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.status import Status
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.viewer import Show
from cgrx._importing import files
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from cgrx.testing import liquidation, trade
from tests.cli.terminals import Heard, exit_code_of
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, alive, events, gap
from tests.support import run as run_trio

Captured = pytest.CaptureFixture[str]

BTC = FuturesTrades("Binance", "BTCUSDT", 0)
OKX = FuturesTrades("OKX", "BTC-USDT-SWAP", 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of ten liquidations, one a second, and of a trade of two instruments each."""
    said = [gap(0), gap(0, BTC), gap(0, OKX)]
    said += [
        events(n, liquidation("long" if n % 2 else "short", 100 * n + 1, time=START_MS / 1000 + n)) for n in range(10)
    ]
    said += [events(9, trade(time=START_MS / 1000 + 9), channel=BTC), alive(9)]
    said += [events(10, trade(time=START_MS / 1000 + 10, exchange="OKX", symbol="BTC-USDT-SWAP"), channel=OKX)]
    said += [Recorded(None, cgrx.NoticeReceived(START_MS + 10_000, "hello"))]
    write_recording(tmp_path / "recording", said)
    return tmp_path / "recording"


def replayed(capsys: Captured, *arguments: object) -> tuple[list[dict[str, object]], str]:
    """The lines of JSON, and what was said."""
    assert run(["replay", *map(str, arguments), "--format", "jsonl"]) == Exit.DONE
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def test_liquidations_through_filters(folder: Path, capsys: Captured) -> None:
    """With the options of `watch`, and the parts of the time asked for."""
    lines, err = replayed(capsys, "liquidations", folder, "--side", "long", "--min-volume", 300)
    assert [line["volume_usd"] for line in lines] == [301.0, 501.0, 701.0, 901.0]
    assert "the server says: hello" in err
    assert "cgrx: 4 events in" in err
    start, end = "2023-11-14T22:13:23", "2023-11-14T22:13:25+00:00"
    lines, _ = replayed(capsys, "liquidations", folder, "--from", start, "--until", end)
    assert [line["volume_usd"] for line in lines] == [301.0, 401.0]
    lines, _ = replayed(capsys, "liquidations", folder, "--count", "3", "--speed", "50")
    assert len(lines) == 3


def test_trades_of_all_instruments_or_some(folder: Path, capsys: Captured) -> None:
    lines, _ = replayed(capsys, "trades", folder)
    assert [line["exchange"] for line in lines] == ["Binance", "OKX"]
    lines, _ = replayed(capsys, "trades", folder, "--market", "okx:BTC-USDT-SWAP:10", "--side", "buy")
    assert [line["exchange"] for line in lines] == ["OKX"]


def test_rows_of_windows(folder: Path, capsys: Captured) -> None:
    lines, _ = replayed(capsys, "liquidations", folder, "--window", "2s", "--by", "side", "--running")
    assert sum(int(str(line["count"])) for line in lines if line["final"]) > 0


@pytest.mark.parametrize("window", [(), ("--window", "2s", "--by", "exchange,symbol")], ids=["events", "rows"])
def test_formulas_in_a_spreadsheet(tmp_path: Path, capsys: Captured, window: tuple[str, ...]) -> None:
    """With `--escape-formulas` no cell of text begins one, and numbers below zero are still numbers."""
    said = [gap(0)]
    said += [events(n, liquidation("long", 50, symbol="=1+1", time=START_MS / 1000 + n)) for n in range(10)]
    write_recording(tmp_path / "a", said)
    found: list[dict[str, str]] = []
    for more in ((), ("--escape-formulas",)):
        assert run(["replay", "liquidations", str(tmp_path / "a"), "--format", "csv", *window, *more]) == Exit.DONE
        found.append(next(iter(csv.DictReader(io.StringIO(capsys.readouterr().out)))))
    plain, escaped = found
    assert (plain["symbol"], escaped["symbol"]) == ("=1+1", "'=1+1")
    assert {**escaped, "symbol": plain["symbol"]} == plain


def test_numbers_below_zero_stay_numbers(folder: Path, capsys: Captured) -> None:
    arguments = ["replay", "liquidations", str(folder), "--format", "csv", "--window", "1d", "--running"]
    assert run([*arguments, "--escape-formulas", "--side", "long"]) == Exit.DONE
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(rows[-1]["delta"]) < 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("liquidations", "{}", "--escape-formulas"), Exit.USAGE, "add --format csv"),
        (
            ("trades", "{}", "--market", "Gate:X:1"),
            Exit.FAILED,
            "futures_trades@Gate_X@1 is not recorded; the channels",
        ),
        (("liquidations", "{}/none"), Exit.FAILED, "there is no recording"),
        (("liquidations", "{}", "--from", "soon"), Exit.USAGE, "start='soon' is no moment"),
        (("liquidations", "{}", "--speed", "0"), Exit.USAGE, "Give a number above 0."),
        (("liquidations",), Exit.USAGE, "FOLDER"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(
    folder: Path, capsys: Captured, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    assert run(["replay", *(each.format(folder) for each in arguments)]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_a_recording_without_trades_says_what_it_has(tmp_path: Path, capsys: Captured) -> None:
    write_recording(tmp_path / "a", [gap(0), events(1, liquidation())])
    assert run(["replay", "trades", str(tmp_path / "a")]) == Exit.FAILED
    assert "no trades are recorded there, but liquidationOrders" in capsys.readouterr().err
    write_recording(tmp_path / "b", [])
    assert run(["replay", "trades", str(tmp_path / "b")]) == Exit.FAILED
    assert "no trades are recorded there, but nothing" in capsys.readouterr().err


def request(folder: Path, speed: float) -> Replayed:
    return Replayed(folders=[folder], choice=Choice(liquidations), speed=speed, start=None, end=None)


def test_a_bar_on_standard_error_where_lines_go_elsewhere(folder: Path) -> None:
    """With events a second and the time left; what is said meanwhile stands above it; at the end it is gone."""
    heard, drawn = Heard(), io.StringIO()
    plain = heard.terminal()
    console = Console(file=drawn, force_terminal=True, width=100, height=10, color_system=None)
    terminal = Terminal(plain.output, plain.write_error, plain.console, is_live=False, is_shared=True, bar=console)
    show = Show(title="liquidations", format="jsonl")
    assert run_trio(replay_files, request(folder, 20.0), show, terminal) == Exit.DONE
    assert len(heard.lines) == 10
    assert "events/s" in drawn.getvalue()
    assert "2023-11-14 22:13:2" in drawn.getvalue()
    assert "listening to liquidationOrders" in drawn.getvalue()
    assert "10 events in" in heard.last_words


def test_the_live_table_says_how_far_it_is(folder: Path) -> None:
    heard = Heard()
    show = Show(title="liquidations")
    assert run_trio(replay_files, request(folder, 20.0), show, heard.terminal(live=True)) == Exit.DONE
    assert "% at 2023-11-14 22:13:2" in heard.drawn.getvalue()


def test_nobody_reads_any_more(folder: Path) -> None:
    def gone(_: bytes) -> int:
        raise BrokenPipeError

    heard = Heard(on_data=gone)
    show = Show(title="liquidations", format="jsonl")
    assert run_trio(replay_files, request(folder, 20.0), show, heard.terminal()) == Exit.DONE
    assert not heard.has_said("events in")


def test_a_bar_says_lines_plainly_when_it_is_not_drawn() -> None:
    said: list[str] = []
    drawn = io.StringIO()

    async def main() -> None:
        status = Status(Console(file=drawn, force_terminal=True, width=60, color_system=None))
        say = status.over(said.append)
        say("before\n")
        async with status.showing(bar(lambda: Done(0.5, 10, "here"))):
            await trio.lowlevel.checkpoint()
            say("[bold]while\n")
        say("after\n")

    run_trio(main)
    assert said == ["before\n", "after\n"]
    assert "[bold]while" in drawn.getvalue()


# Import


ROW: dict[str, Any] = {
    "baseAsset": "BTC", "exName": "Binance", "symbol": "BTCUSDT", "side": 1, "price": 60_000.5, "volUsd": 12.5,
    "time": 1_700_000_000_000,
}  # fmt: skip


def test_files_become_a_recording(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rejected is said with its line, and where all of it is; also where the import looks up meanwhile."""
    monkeypatch.setattr(files, "_PROGRESS_ROWS", 2)
    path = tmp_path / "a.jsonl.gz"
    rows = [json.dumps(ROW), *["nonsense"] * 7, json.dumps(ROW | {"seen": 1_700_000_000_005})]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    folder = tmp_path / "to"
    arguments = ["import", str(path), "--to", str(folder), "--events", "trades", "--received", "seen", "--gapless"]
    assert run(arguments) == Exit.DONE
    err = capsys.readouterr().err.splitlines()
    assert err[0] == f"cgrx: rejected {path}, line 2, at $: not JSON: Expecting value: line 1 column 1 (char 0)"
    assert err[5:] == [
        "cgrx: rejected 2 more rows",
        f"cgrx: all rejected rows are in {tmp_path / 'to.rejects.jsonl'}",
        f"cgrx: 2 events of 1 channel in {folder}, 7 rows rejected",
    ]
    lines, _ = replayed(capsys, "trades", folder)
    assert len(lines) == 2


def test_csv(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.csv"
    path.write_text("symbol,px,taker,size,at\nBTCUSDT,60000.5,buy,12.5,1700000000000\n")
    arguments = ["import", str(path), "--to", str(tmp_path / "to"), "--events", "trades", "--csv"]
    arguments += ["--columns", "price=px,side=taker", "--columns", "volume_usd=size, time_ms=at"]
    assert run([*arguments, "--constants", "exchange=OKX,base_asset=BTC"]) == Exit.DONE
    assert "1 event of 1 channel" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("--events", "trades", "--columns", "price"),
            Exit.USAGE,
            "--columns 'price' cannot be read: give FIELD=VALUE",
        ),
        (("--events", "trades", "--columns", "price=px"), Exit.USAGE, "are for --csv"),
        (("--events", "trades", "--csv", "--columns", "cost=px"), Exit.USAGE, "'cost' is no field of an event"),
        (("--events", "quotes"), Exit.USAGE, "quotes"),
        (("--events", "trades", "--rejects", "/no/such/folder/x"), Exit.FAILED, "No such file or directory"),
    ],
)
def test_what_cannot_be_imported(
    tmp_path: Path, capsys: Captured, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("nonsense\n")
    assert run(["import", str(path), "--to", str(tmp_path / "to"), *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_file_that_breaks_off_is_said(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(json.dumps(ROW).encode() * 9)[:-12])
    assert run(["import", str(path), "--to", str(tmp_path / "to"), "--events", "trades"]) == Exit.FAILED
    assert "cannot be read beyond line" in capsys.readouterr().err


def test_an_import_that_is_interrupted_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at the next row at which it looks up, and what it has written is whole."""

    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if not self.tell():
                signal.raise_signal(signal.SIGINT)
            return super().write(text)

    monkeypatch.setattr(files, "_PROGRESS_ROWS", 10)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(ROW | {"time": ROW["time"] + n}) + "\n" for n in range(20_000)))
    request = Import(
        files=[path], to=tmp_path / "to", events="trades", is_csv=False, columns={}, constants={}, received=None,
        min_volume=0.0, gapless=False, rejects=None,
    )  # fmt: skip
    heard = Heard()
    console = Console(file=Interrupting(), force_terminal=True, width=80, color_system=None)
    assert exit_code_of(partial(import_files, request, attrs.evolve(heard.terminal(), bar=console))) == 130
    assert heard.last_words == f"interrupted: {request.to} holds a part of the files"
    assert 0 < cgrx.Recording(request.to).events < 20_000


def test_channels_of_the_fixture(folder: Path) -> None:
    assert set(cgrx.Recording(folder).channels) == {L, BTC, OKX}
