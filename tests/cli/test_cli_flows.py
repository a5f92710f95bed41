"""`--join flow` and `--cascades`: rows of liquidations beside the trade flow of their asset at that moment."""

import csv
import io
import json
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from cgrx import API_KEY_VARIABLE, Channel, FuturesTrades
from cgrx import operators as ops
from cgrx._cli.app import run
from cgrx._cli.options import WatchOptions
from cgrx._cli.showing import liquidations_command
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.market import Market
from cgrx._cli.view.row_board import RowBoard
from cgrx._cli.view.row_table import row_picture
from cgrx._cli.window_options import LiquidationOptions
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from cgrx.testing import Simulator, batch, liquidation, play, trade
from tests.cli.terminals import Heard
from tests.cli.test_cli_row_table import ROW_VIEW
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, alive, at, events, gap
from tests.support import run_fast

Captured = pytest.CaptureFixture[str]

BTC = FuturesTrades("Binance", "BTCUSDT", 0)
ETH = FuturesTrades("Binance", "ETHUSDT", 0)
MARKETS = ("--market", "Binance:BTCUSDT:0", "--market", "Binance:ETHUSDT")
LAST_S = 80
TWO_CASCADES = ((10, 10, 10), (13, 13, 13), (14, 14), (14.2, 11.5))
"""When liquidations are received, and their times: the last joins what were two cascades."""


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


def of(asset: str, make: Any, side: str, volume: float, second: float) -> Any:
    return make(side, volume, time=START_MS / 1000 + second, symbol=f"{asset}USDT", base_asset=asset)


def is_in(event: Event, row: dict[str, Any]) -> bool:
    start_ms, end_ms = int(row["start_ms"]), int(row["end_ms"])
    return start_ms <= event.time_ms < end_ms and event.base_asset == row["base_asset"]


LIQUIDATIONS: list[Liquidation] = [
    of(asset, liquidation, "long" if second % 3 else "short", 1_000.0 + second, second + 0.25)
    for second in range(LAST_S)
    for asset in ("BTC", "ETH", "SOL")
    if second % 10 < (6 if asset == "BTC" else 2)
]
TRADES: list[Trade] = [
    of(asset, trade, "buy" if second % 4 else "sell", 10.0 * second + 1, second + 0.5)
    for second in range(LAST_S)
    for asset in ("BTC", "ETH")
    if asset == "BTC" or second % 30 >= 10
]
EVENTS: list[Event] = [*LIQUIDATIONS, *TRADES]


def said(*, lost: tuple[float, float] | None = None) -> list[Recorded]:
    """What the three channels said, with a gap in the trades of BTC where one is asked for."""
    channel_of: dict[tuple[str, str], Channel] = {
        ("Liquidation", "BTC"): L,
        ("Trade", "BTC"): BTC,
        ("Trade", "ETH"): ETH,
    }
    entries = [gap(0, channel) for channel in (L, BTC, ETH)]
    for event in sorted(EVENTS, key=lambda event: event.time_ms):
        channel = channel_of.get((type(event).__name__, event.base_asset), L)
        second = (event.time_ms - START_MS) / 1000
        if lost is None or channel != BTC or not lost[0] <= second < lost[1]:
            entries.append(events(second, event, channel=channel))
        if second % 5 == 0.5:
            entries += [alive(second, each) for each in (L, BTC, ETH)]
    if lost is not None:
        entries.append(gap(lost[1], BTC, start=lost[0]))
    entries += [alive(LAST_S + 10, each) for each in (L, BTC, ETH)]
    return sorted(entries, key=_time)


def _time(entry: Recorded) -> float:
    said: Any = entry.said
    return float(getattr(said, "received_ms", getattr(said, "at_ms", getattr(said, "end_ms", 0))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("flows") / "recording"
    write_recording(made, said())
    return made


def replayed(capsys: Captured, *arguments: object) -> list[dict[str, Any]]:
    assert run(["replay", "liquidations", *map(str, arguments), "--format", "jsonl"]) == Exit.DONE
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def flow_of(trades: list[Trade]) -> tuple[float, float]:
    signed = sum(each.volume_usd if each.side.word == "buy" else -each.volume_usd for each in trades)
    return sum(each.volume_usd for each in trades), signed


# --- the flow of the same window ------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [(), ("--every", "5s")], ids=["tumbling", "sliding"])
def test_each_window_has_the_flow_of_its_asset(folder: Path, capsys: Captured, every: tuple[str, ...]) -> None:
    """That of the same window, counted here by hand; in words where there was none."""
    rows = replayed(capsys, folder, "--window", "10s", *every, "--by", "base_asset", "--join", "flow")
    rows = [row for row in rows if row["final"]]
    assert len(rows) > 20
    for row in rows:
        inside = [each for each in TRADES if is_in(each, row)]
        assert row["count"] == len([each for each in LIQUIDATIONS if is_in(each, row)])
        found = row["flow_volume"], row["flow_delta"], row["flow_quality"]
        if row["start_ms"] < at(2):  # the time before the subscription, and what may have been late
            assert found[2] in ("incomplete", "unknown")
        else:
            assert found == ((*flow_of(inside), "complete") if inside else (None, None, "none"))
    assert {row["base_asset"] for row in rows if row["flow_quality"] == "none"} == {"ETH", "SOL"}


def test_the_instruments_may_be_chosen(folder: Path, capsys: Captured) -> None:
    arguments = (folder, "--window", "10s", "--by", "base_asset", "--join", "flow", "--market", "binance:ETHUSDT")
    rows = replayed(capsys, *arguments)
    assert {row["base_asset"] for row in rows if row["flow_volume"] is not None} == {"ETH"}


def test_a_gap_in_the_trades_is_said(tmp_path: Path, capsys: Captured) -> None:
    """The liquidations are complete, their flow is not; where no trade is known of, nobody knows whether there were."""
    write_recording(tmp_path / "a", said(lost=(33, 38)))
    rows = replayed(capsys, tmp_path / "a", "--window", "10s", "--by", "base_asset", "--join", "flow")
    told = {(row["base_asset"], row["start_ms"]): (row["complete"], row["flow_quality"]) for row in rows}
    assert (told["BTC", at(20)], told["BTC", at(30)]) == ((True, "complete"), (True, "incomplete"))
    assert (told["SOL", at(20)], told["SOL", at(30)]) == ((True, "none"), (True, "unknown"))
    assert {row["flow_volume"] for row in rows if row["flow_quality"] in ("none", "unknown")} == {None}


def test_joined_rows_as_lines_and_csv(folder: Path, capsys: Captured) -> None:
    arguments = ["replay", "liquidations", str(folder), "--window", "10s", "--by", "base_asset", "--join", "flow"]
    assert run([*arguments, "--format", "csv"]) == Exit.DONE
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    fields = list(rows[0])
    assert fields[fields.index("delta") + 1 :] == (
        ["flow_volume", "flow_delta", "flow_quality", "gap_ms", "dropped", "late", "final", "complete"]
    )
    assert {"complete", "none"} <= {row["flow_quality"] for row in rows}
    assert run(arguments) == Exit.DONE
    out, err = capsys.readouterr()
    header, *lines = out.splitlines()
    assert header.split()[-4:] == ["flow_volume", "flow_delta", "flow_quality", "state"]
    assert any(line.split()[-4:] == ["-", "-", "none", "complete"] for line in lines)
    place = header.index("flow_quality")
    assert {line[place - 2 : place] for line in lines} == {"  "}
    assert "--running" not in err


# --- cascades -------------------------------------------------------------------------------------------------------


def test_each_cascade_has_the_flow_of_the_minute_before_it_ended(folder: Path, capsys: Captured) -> None:
    """To the second; the runs of BTC are large enough, the others are not."""
    rows = replayed(capsys, folder, "--cascades", "2s", "--cascade-volume", "5k", "--join", "flow")
    assert [row["count"] for row in rows if row["final"]] == 8 * [6]
    for row in rows:
        end_ms = row["end_ms"] // 1000 * 1000
        minute = {"start_ms": end_ms - 60_000, "end_ms": end_ms, "base_asset": "BTC"}
        assert (row["flow_volume"], row["flow_delta"]) == flow_of([each for each in TRADES if is_in(each, minute)])
        assert row["flow_quality"] == ("complete" if end_ms > at(62) else "incomplete")
    assert rows[0]["dominant_side"] == "long"


def test_cascades_alone(folder: Path, capsys: Captured) -> None:
    rows = replayed(capsys, folder, "--cascades", "2s", "--by", "base_asset,exchange", "--min-volume", "1020")
    assert {(row["base_asset"], row["exchange"]) for row in rows} == {
        (asset, "Binance") for asset in ("BTC", "ETH", "SOL")
    }
    assert run(["replay", "liquidations", str(folder), "--cascades", "2s"]) == Exit.DONE
    header, first, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[1:] == "base_asset dominant_side volume count exchanges first_price last_price state".split()
    assert first.split()[2] in ("BTC", "ETH", "SOL")
    assert run(["replay", "liquidations", str(folder), "--cascades", "2s", "--format", "csv"]) == Exit.DONE
    assert {row["exchanges"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))} == {"Binance"}


# --- live -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "live"),
    [
        ({"window": "2s", "by": ("base_asset",), "top": 1}, False),
        ({"window": "2s", "by": ("base_asset", "exchange", "symbol")}, True),
    ],
    ids=["lines", "table"],
)
def test_watched(rows: dict[str, Any], live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a simulator; rows come when the trades have come as far."""
    heard = Heard()
    terminal = heard.terminal(live=live, width=140)

    def of_process(*_: object) -> Terminal:
        return terminal

    monkeypatch.setattr(Terminal, "of_process", of_process)

    async def main() -> None:
        sent = sorted((each for each in EVENTS if each.base_asset != "SOL"), key=lambda each: each.time_ms)
        async with Simulator(sent, start=3, times="now") as simulator:
            options = WatchOptions(url=simulator.url, seconds=26)
            windows = LiquidationOptions(**rows, join="flow", market=("Binance:BTCUSDT", "Binance:ETHUSDT:0"))
            assert await liquidations_command(options=options, windows=windows) == Exit.DONE

    run_fast(30.0, main)
    if live:
        drawn = heard.drawn.getvalue()
        assert "with flow" in drawn
        assert "Flow Δ" in drawn
        assert "✓" in drawn
        assert "listening to futures_trades@Binance_ETHUSDT@0" in drawn
    else:
        assert any(line.split()[-2:] == ["complete", "complete"] for line in heard.lines[1:])
        assert heard.has_said("listening to futures_trades@Binance_ETHUSDT@0")


@pytest.mark.parametrize(
    ("width", "shown"),
    [(60, "{} 5.0k {} final"), (80, "{} 5.0k {} {} final"), (170, "{} 5.0k 6 60,000.00 - OKX Bybit {} {} final")],
)
def test_cascades_in_the_live_table(width: int, shown: str) -> None:
    """How much was traded, at least how much, or in a word why nobody can say."""
    window = LiquidationOptions(cascades="2s", join="flow").windowing()
    assert window is not None
    assert window.words == "cascades within 2s by base_asset, with flow"
    flows = [
        (1_500.0, -500.0, "complete"),
        (1_500.0, -500.0, "incomplete"),
        (None, None, "none"),
        (None, None, "unknown"),
    ]
    board = RowBoard()
    for number, (volume, delta, quality) in enumerate(flows):
        board.add(
            window.shown(
                start_ms=at(-number),
                end_ms=at(10 - number),
                base_asset="BTC",
                dominant_side=None if quality == "none" else LiquidationSide.LONG,
                volume=5_000.0,
                count=6,
                exchanges=("OKX", "Bybit"),
                first_price=60_000.0,
                last_price=None,
                flow_volume=volume,
                flow_delta=delta,
                flow_quality=quality,
            )
        )
    drawn = io.StringIO()
    console = Console(file=drawn, width=width)
    console.print(row_picture(board, window, Market(), ROW_VIEW, [], width, 20))
    lines = [" ".join(line.split()[3:]) for line in drawn.getvalue().splitlines() if line.startswith("✓")]
    cells = [("long", "1.5k", "-500"), ("long", "≥1.5k", "-500"), ("-", "none", "-"), ("long", "unknown", "-")]
    assert lines == [shown.format(*each) for each in cells]


# --- options --------------------------------------------------------------------------------------------------------


def test_options_from_a_file(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        'window = "10s"\nby = "base_asset"\njoin = "flow"\nmarket = ["Binance:BTCUSDT:0"]\ntop = 1\ntop-by = "count"\n',
        encoding="utf-8",
    )
    rows = replayed(capsys, folder, "--config", path)
    assert {row["base_asset"] for row in rows} == {"BTC"}
    assert all("flow_volume" in row for row in rows)
    path.write_text('cascades = "2s"\ncascade-volume = "5k"\njoin = "flows"\n', encoding="utf-8")
    assert run(["replay", "liquidations", str(folder), "--config", str(path)]) == Exit.USAGE
    assert capsys.readouterr().err.startswith(f"cgrx: {path}:3: ")


@pytest.mark.parametrize(
    ("rows", "flow"),
    [
        (("--window", "1m", "--by", "base_asset", "--top", "3"), 'tumbling("1m", Flow)'),
        (("--window", "1d", "--zone", "Europe/Berlin", "--by", "base_asset"), 'zone="Europe/Berlin"'),
        (("--cascades", "3s", "--min-volume", "250k", "--cascade-volume", "5M"), 'sliding("1m", "1s", Flow)'),
    ],
)
def test_explained(rows: tuple[str, ...], flow: str, capsys: Captured) -> None:
    assert run(["watch", "liquidations", *rows, "--join", "flow", *MARKETS, "--explain"]) == Exit.DONE
    left, _, other = capsys.readouterr().out.partition('joined by latest_of(flow, by="base_asset", max_age="')
    assert ("top(3, 'volume')" in left) == ("--top" in rows)
    assert ("min_volume(250000.0)" in left) == ("--min-volume" in rows)
    assert flow in other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"join": "flow"}, "--join flow stands beside rows: add --window, such as --window 1m, or --cascades 3s"),
        ({"join": "flow", "window": "1m"}, "--join flow goes by the asset of each row: add base_asset to --by"),
        ({"join": "flow", "cascades": "3s", "by": ("side",)}, "--join flow goes by the asset of each row"),
        (
            {"join": "flow", "window": "1m", "by": ("base_asset",), "running": True},
            "--join flow gives final rows alone",
        ),
        ({"market": ("Binance:BTCUSDT:0",)}, "--market says whose trades --join takes: add --join flow"),
        ({"cascade_volume": 1e6}, "--cascade-volume says which cascades to show: add --cascades"),
        ({"cascades": "soon"}, "--cascades soon cannot be used: give a duration such as 250ms"),
        ({"cascades": "3s", "window": "1m"}, "--cascades 3s makes rows of its own kind: leave out --window"),
        (
            {"cascades": "3s", "zone": "UTC", "by": ("side",)},
            "--cascades 3s makes rows of its own kind: leave out --zone",
        ),
        ({"cascades": "3s", "top": 3}, "--cascades 3s makes rows of its own kind: leave out --top"),
    ],
)
def test_what_cannot_be_used(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        LiquidationOptions(**options).windowing()
    assert caught.value.exit == Exit.USAGE
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--join flow takes the trades of instruments: add --market, such as --market Binance:BTCUSDT:0"),
        (("--market", "BTC"), "'BTC' is no instrument"),
    ],
)
def test_the_flow_of_what(arguments: tuple[str, ...], message: str, capsys: Captured) -> None:
    rows = ("--window", "1m", "--by", "base_asset", "--join", "flow")
    assert run(["watch", "liquidations", *rows, *arguments]) == Exit.USAGE
    assert message in capsys.readouterr().err


def test_no_trades_are_recorded(tmp_path: Path, capsys: Captured) -> None:
    write_recording(tmp_path / "a", [gap(0), events(1, LIQUIDATIONS[0])])
    assert run(["replay", "liquidations", str(tmp_path / "a"), "--cascades", "3s", "--join", "flow"]) == Exit.FAILED
    assert "no trades are recorded there, but liquidationOrders" in capsys.readouterr().err


def test_running_cascades_as_lines(tmp_path: Path, capsys: Captured) -> None:
    """Of two that turn out to be one the later is withdrawn."""
    said = [events(time, *(liquidation(time=at(each) / 1000) for each in times)) for time, *times in TWO_CASCADES]
    write_recording(tmp_path, [gap(1), *said, alive(90)])
    arguments = ["replay", "liquidations", str(tmp_path), "--cascades", "2s", "--running", "--format"]
    assert run([*arguments, "jsonl"]) == Exit.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["start_ms"] - START_MS, row["count"], row["final"], "withdrawn" in row) for row in rows] == [
        (10_000, 2, False, False),
        (13_000, 2, False, False),
        (13_000, 2, False, True),
        (10_000, 6, False, False),
        (10_000, 6, True, False),
    ]
    assert run([*arguments, "csv"]) == Exit.DONE
    assert len(capsys.readouterr().out.splitlines()) == len(rows)  # a header, and no line of what is withdrawn


def test_a_withdrawn_cascade_stays_one_beside_a_flow() -> None:
    """So the live table takes it down, which sees running rows before the flow is asked for."""
    window = LiquidationOptions(cascades="2s", join="flow").windowing()
    assert window is not None
    assert window.join is not None
    liquidations = [liquidation(time=time) for time in (10, 10, 13, 13, 11.5)]
    stage = cast("Any", ops.cascades("2s", emit="crossed", lateness="5s"))
    rows = play(stage, [batch(*liquidations)])
    beside = [window.join.alone(row) for row in rows]
    assert [row.withdrawn for row in beside] == [False, False, True, False, False]
    board = RowBoard()
    for row in beside:
        board.add(row)
    assert [row.start_ms for row in board.open_rows()] == [10_000]
