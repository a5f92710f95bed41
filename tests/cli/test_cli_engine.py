"""`--engine spark`: the rows of a window by an engine, here one that computes them in this process."""

import json
from pathlib import Path
from typing import Any, Self

import pytest

import cgrx
from cgrx import FuturesTrades, LiquidationOrders
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._spark.groups import Group
from cgrx.engines import spark
from tests.cli.terminals import Heard
from tests.spark.market import BTC, ETH, LIQUIDATIONS, OKX, entries, record

WINDOW = ("--window", "10s", "--by", "exchange,symbol", "--format", "jsonl", "--engine", "spark")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "r", entries(30, 1, [BTC, OKX, ETH, LIQUIDATIONS]))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    found = Heard()
    monkeypatch.setattr(Terminal, "of_process", found.of_process)
    return found


class Engine:
    """Computes in place of Spark."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, Any]] = []
        self.recording: Path | None = None
        self.waits = 0
        monkeypatch.setattr(spark, "run", self.run)
        monkeypatch.setattr(spark, "start", self.start)

    def run(self, build: Any, **arguments: Any) -> None:
        self.asked.append(arguments)
        for item in arguments["channels"]:
            given = (item,) if isinstance(item, FuturesTrades | LiquidationOrders) else item
            found = cgrx.backtest(Group(build, given), self.recording or arguments["source"].folders)
            arguments["sink"].callback([row for row in found.rows if row.final])

    def start(self, build: Any, **arguments: Any) -> "Engine":
        self.run(build, **arguments)
        return self

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        return self.waits > 2

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def rows_of(heard: Heard) -> list[tuple[Any, ...]]:
    """What of the lines is exact, in one order."""
    names = ("start_ms", "end_ms", "exchange", "symbol", "open", "close", "count", "final")
    return sorted(tuple(json.loads(line)[name] for name in names) for line in heard.lines)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def test_recorded_trades(recording: Path, heard: Heard, engine: Engine) -> None:
    """The lines are those of the command without an engine, but for the quality: each instrument has its own gaps."""
    assert run(["replay", "trades", str(recording), "--side", "buy", *WINDOW]) == Exit.DONE
    found, heard.data = rows_of(heard), bytearray()
    assert run(["replay", "trades", str(recording), "--side", "buy", *WINDOW[:-2]]) == Exit.DONE
    assert found == [row for row in rows_of(heard) if row[-1]]
    assert engine.asked[0]["channels"] == sorted([BTC, OKX, ETH], key=lambda channel: channel.name)


def test_one_group_where_rows_are_about_several_channels(recording: Path, heard: Heard, engine: Engine) -> None:
    command = ["replay", "trades", str(recording), "--window", "10s", "--by", "exchange", "--format", "csv"]
    market = ["--market", "Binance:BTCUSDT", "--market", "Binance:ETHUSDT"]
    assert run([*command, *market, "--engine", "spark"]) == Exit.DONE
    assert engine.asked[0]["channels"] == [(BTC, ETH)]
    assert heard.lines[0].startswith("start_ms,end_ms,exchange,count")
    assert len(heard.lines) > 1


def test_recorded_liquidations(recording: Path, heard: Heard, engine: Engine) -> None:
    assert run(["replay", "liquidations", str(recording), *WINDOW, "--from", "2020-01-01"]) == Exit.DONE
    assert engine.asked[0]["channels"] == [LiquidationOrders()]
    assert engine.asked[0]["source"].start == "2020-01-01"
    assert heard.lines


@pytest.mark.parametrize(
    ("command", "channel"),
    [("liquidations", LiquidationOrders()), ("trades Binance:BTCUSDT:0", FuturesTrades("Binance", "BTCUSDT", 0))],
)
def test_behind_a_log(
    command: str, channel: cgrx.Channel, recording: Path, heard: Heard, engine: Engine, tmp_path: Path
) -> None:
    engine.recording = recording
    behind = ["--log", "kafka://broker:9092/signals", "--checkpoint", str(tmp_path)]
    assert run(["watch", *command.split(), *WINDOW, *behind]) == Exit.DONE
    (asked,) = engine.asked
    assert (asked["channels"], asked["checkpoint"]) == ([channel], tmp_path)
    assert asked["source"] == spark.Kafka("kafka://broker:9092/signals")
    assert engine.waits == 3
    assert heard.lines


def test_the_plan(recording: Path, heard: Heard) -> None:
    assert run(["replay", "trades", str(recording), *WINDOW, "--explain"]) == Exit.DONE
    assert "shard key: CRC-32" in heard.text
    assert "one task for each group, which runs cgrx.backtest in a worker" in heard.text


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("replay trades {0} --engine spark", "--engine spark writes the final rows of --window as lines"),
        ("replay trades {0} --window 1m --running --engine spark", "without --join, --running and --to"),
        ("replay trades {0} --window 1m --engine spark --speed 2", "--speed 2 is for a replay"),
        ("watch liquidations --window 1m --engine spark", "add --log kafka://HOST:9092/TOPIC --checkpoint FOLDER"),
        ("watch liquidations --window 1m --log kafka://b:1/t", "--log is for an engine: add --engine spark"),
        ("watch liquidations --window 1m --checkpoint x", "--checkpoint is for an engine: add --engine spark"),
        ("watch liquidations --window 1m --engine spark --log nowhere --checkpoint x", "give kafka://HOST:9092/TOPIC"),
    ],
)
def test_what_cannot_be_asked_for(command: str, message: str, recording: Path, heard: Heard) -> None:
    assert run(command.format(recording).split()) == Exit.USAGE
    assert message in "".join(heard.said)


def test_a_recording_without_trades(tmp_path: Path, heard: Heard) -> None:
    folder = record(tmp_path / "r", entries(3, 1, [LIQUIDATIONS]))
    assert run(["replay", "trades", str(folder), *WINDOW]) == Exit.FAILED
    assert heard.last_words == "no trades are recorded there"


def test_without_pyspark(recording: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("cgrx.engines.spark.run() needs the package pyspark")

    monkeypatch.setattr(spark, "run", missing)
    assert run(["replay", "trades", str(recording), *WINDOW]) == Exit.NO_EXTRA
    assert heard.last_words.endswith("needs the package pyspark")
