"""`cgrx alert`: when alerts come, what they say, and what becomes of them, on recordings and against a simulator."""

import csv
import io
import json
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from cgrx import API_KEY_VARIABLE, FuturesTrades
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._model.events import Event, Liquidation
from cgrx._recording.writer import write_recording
from cgrx.testing import Generator, liquidation, trade
from tests.cli.recordings import recorded
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, alive, at, events, gap

Captured = pytest.CaptureFixture[str]

BTC = FuturesTrades("Binance", "BTCUSDT", 0)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """A recording of a minute of a simulated market, and its liquidations."""
    generator = Generator(seed=5, rate=60, start_ms=at(0))
    found: list[Event] = [each for each, _ in zip(generator, range(3_600), strict=False) if each.kind == "liquidation"]
    said = [gap(-30), *(events((each.time_ms - at(0)) / 1000, each, channel=L) for each in found), alive(70)]
    folder = tmp_path_factory.mktemp("alerts") / "recording"
    write_recording(folder, said)
    return folder, found


def alerts(capsys: Captured, arguments: str, *folders: Path) -> list[dict[str, Any]]:
    """Those of a dry run, as programs get them."""
    given = ["alert", *arguments.split(), "--format", "jsonl", "--dry-run", *map(str, folders)]
    assert run(given) == Exit.DONE
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def seconds(found: list[dict[str, Any]]) -> list[float]:
    return [(each["at_ms"] - START_MS) / 1e3 for each in found]


# --- when they come -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["long", "short"])
def test_on_the_very_event_that_brings_the_sum_there(
    market: tuple[Path, list[Event]], side: str, capsys: Captured
) -> None:
    """Of each asset the first event after which the sum of its window is enough: by a loop over the events."""
    folder, found = market
    totals: dict[tuple[str, int], float] = defaultdict(float)
    beyond: set[str] = set()
    expected: list[tuple[str, int, float]] = []
    for event in found:
        assert isinstance(event, Liquidation)
        if event.side.word != side:
            continue
        window = event.base_asset, event.time_ms // 2_000
        totals[window] += event.volume_usd
        if totals[window] < 9_000:
            beyond.discard(event.base_asset)
        elif event.base_asset not in beyond:
            beyond.add(event.base_asset)
            expected.append((event.base_asset, event.time_ms, totals[window]))
    told = alerts(capsys, f"liquidations --side {side} --window 2s --by base_asset --above 9k", folder)
    assert [(each["base_asset"], each["at_ms"]) for each in told] == [each[:2] for each in expected]
    assert [each["value"] for each in told] == pytest.approx([each[2] for each in expected])
    assert len(told) > 10
    assert not any(each["final"] for each in told)


def test_the_text_says_whose_how_much_where_and_what_is_missing(tmp_path: Path, capsys: Captured) -> None:
    said = [gap(-30)]
    for second, exchange in ((1, "OKX"), (2, "Bybit")):
        said.append(events(second, liquidation("long", 3e6, exchange=exchange, time=START_MS / 1e3 + second)))
    said += [gap(3, start=2.5), events(4, liquidation("short", 9e6, base_asset="ETH", time=START_MS / 1e3 + 4))]
    write_recording(tmp_path / "a", said)
    arguments = f"alert liquidations --window 1m --by base_asset --above 5M --dry-run {tmp_path / 'a'}"
    assert run(arguments.split()) == Exit.DONE
    out, err = capsys.readouterr()
    earlier, later = out.splitlines()
    assert earlier == (
        "2023-11-14 22:13:22.000  BTC: liquidated 6,000,000 USD in 1 m from 2023-11-14 22:13 UTC (above 5,000,000),"
        " Bybit, OKX; window still open"
    )
    assert later == (
        "2023-11-14 22:13:24.000  ETH: liquidated 9,000,000 USD in 1 m from 2023-11-14 22:13 UTC (above 5,000,000),"
        " Binance; window still open, INCOMPLETE: gap 4.5 s"
    )
    assert "cgrx: 3 events in" in err
    assert ", 2 alerts, " in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--side long", "BTC: longs liquidated 9 USD"),
        ("--by base_asset,side", "BTC: longs liquidated 9 USD"),
        ("--by exchange,symbol --field close", "Binance BTCUSDT: close 60,000 in 10 s from"),
        ("--field count", "BTC: count 1 in 10 s from 2023-11-14 22:13:20 UTC (above 1), liquidated 9 USD, Binance"),
    ],
)
def test_what_is_counted(tmp_path: Path, arguments: str, words: str, capsys: Captured) -> None:
    more = "" if "--by" in arguments else "--by base_asset"
    (told,) = alerts(
        capsys, f"liquidations --window 10s --above 1 {more} {arguments}", recorded(tmp_path / "a", (1, 9))
    )
    assert told["text"].startswith(words)


def test_one_alert_until_it_is_over(tmp_path: Path, capsys: Captured) -> None:
    """A window in which nothing happens is the end of an alert as well: the next one is told."""
    folder = recorded(tmp_path / "a", (1, 9), (2, 9), (11, 9), (35, 9), (45, 2), (46, 3))
    told = alerts(capsys, "liquidations --window 10s --above 5", folder)
    assert seconds(told) == [1, 35, 46]


def test_returns(tmp_path: Path, capsys: Captured) -> None:
    """`--return` is where an alert is over, `--resolved` tells of it; each is about an alert that was told."""
    folder = recorded(tmp_path / "a", (1, 9), (11, 3), (12, 3), (21, 1), (31, 9), (41, 1))
    assert seconds(alerts(capsys, "liquidations --window 10s --above 5 --return 2", folder)) == [1, 31]
    told = alerts(capsys, "liquidations --window 10s --above 5 --return 2 --resolved", folder)
    assert [(second, each["resolved"]) for second, each in zip(seconds(told), told, strict=True)] == [
        (1, False),
        (21, True),
        (31, False),
        (41, True),
    ]
    assert told[1]["text"].startswith("resolved: liquidated 1 USD in 10 s from")
    assert "(back below 2)" in told[1]["text"]
    told = alerts(capsys, "liquidations --window 10s --above 5 --return 2 --resolved --cooldown 1h", folder)
    assert seconds(told) == [1, 21]


def test_silence_after_an_alert(tmp_path: Path, capsys: Captured) -> None:
    folder = recorded(tmp_path / "a", (1, 9), (11, 1), (12, 9), (21, 1), (22, 9), (45, 9))
    told = alerts(capsys, "liquidations --window 10s --above 5 --cooldown 30s", folder)
    assert seconds(told) == [1, 45]
    assert [each["silenced"] for each in told] == [0, 2]
    assert told[1]["text"].endswith("; 2 more since the last message")


def test_what_is_low_is_known_when_the_window_is_over(tmp_path: Path, capsys: Captured) -> None:
    """Also where nothing happened at all. What can fall within a window is told at once."""
    folder = recorded(tmp_path / "a", (1, 9), (11, 2), (21, 9), (31, 9))
    told = alerts(capsys, "liquidations --window 10s --below 3", folder)
    assert [(each["start_ms"] - START_MS) // 1000 for each in told] == [10, 40]
    assert [each["value"] for each in told] == [2, 0]
    assert all(each["final"] for each in told)
    told = alerts(capsys, "liquidations --window 10s --below 3 --return 8 --resolved", folder)
    assert [(each["value"], each["resolved"]) for each in told] == [(2, False), (9, True), (0, False)]
    told = alerts(capsys, "liquidations --window 10s --field delta --below -9", folder)
    assert seconds(told) == [1, 21]


def test_windows_that_overlap(tmp_path: Path, capsys: Captured) -> None:
    """What happens about the end of a window is not cut in two."""
    folder = recorded(tmp_path / "a", (8, 3), (12, 3))
    assert alerts(capsys, "liquidations --window 10s --above 5", folder) == []
    assert seconds(alerts(capsys, "liquidations --window 10s --every 1s --above 5", folder)) == [12]


def test_trades(tmp_path: Path, capsys: Captured) -> None:
    """Of all that are recorded, or of some."""
    said = [gap(-30, BTC)]
    said += [events(n, trade("buy", 9, time=START_MS / 1e3 + n), channel=BTC) for n in (1, 2)]
    write_recording(tmp_path / "a", said)
    for markets in ("", "Binance:BTCUSDT", "Binance:BTCUSDT:0"):
        (told,) = alerts(capsys, f"trades {markets} --window 10s --by exchange,symbol --above 18", tmp_path / "a")
        assert told["text"].startswith("Binance BTCUSDT: traded 18 USD in 10 s")
    (told,) = alerts(capsys, "trades --side buy --window 10s --by base_asset --above 10", tmp_path / "a")
    assert told["text"].startswith("BTC: bought 18 USD")


# --- how they are written -------------------------------------------------------------------------------------------


def test_as_csv(tmp_path: Path, capsys: Captured) -> None:
    folder = recorded(tmp_path / "a", (1, 9))
    told = alerts(capsys, "liquidations --window 10s --by base_asset --above 5", folder)
    assert (
        run(shlex.split(f"alert liquidations --window 10s --by base_asset --above 5 --format csv --dry-run {folder}"))
        == 0
    )
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert list(row) == list(told[0])
    assert (row["exchanges"], row["resolved"], row["volume"]) == ("Binance", "false", "9.0")


def test_a_dry_run_needs_no_target(tmp_path: Path, capsys: Captured) -> None:
    """Nothing is sent, so a variable that is not set here is no mistake."""
    folder = recorded(tmp_path / "a", (1, 9))
    told = alerts(capsys, "liquidations --window 10s --above 5 --to env:NO_SUCH_VARIABLE", folder)
    assert seconds(told) == [1]


def test_a_number_of_alerts(tmp_path: Path, capsys: Captured) -> None:
    """The ends of alerts do not count."""
    folder = recorded(tmp_path / "a", (1, 9), (11, 1), (21, 9), (31, 1), (41, 9))
    told = alerts(capsys, "liquidations --window 10s --above 5 --resolved --count 2", folder)
    assert seconds(told) == [1, 11, 21]


def test_several_recordings(tmp_path: Path, capsys: Captured) -> None:
    """Each of its own channel, in one order."""
    folders = recorded(tmp_path / "a", (1, 9), (31, 9)), tmp_path / "b"
    write_recording(folders[1], [gap(-30, BTC), events(21, trade(time=START_MS / 1e3 + 21), channel=BTC)])
    assert seconds(alerts(capsys, "liquidations --window 10s --above 5", *folders)) == [1, 31]


def test_explained(capsys: Captured) -> None:
    """Without a key and without a server."""
    arguments = "alert liquidations --side long --window 1m --by base_asset --cooldown 10m --explain"
    assert run([*arguments.split(), "--above", "5M"]) == Exit.DONE
    out = capsys.readouterr().out
    assert [
        text for text in ('side("long")', 'updates="0s"', "crosses('volume', above=5000000.0") if text not in out
    ] == []
    assert out.endswith("an alert comes with the event that brings it, and waits for nothing\n")
    assert run([*arguments.split(), "--below", "5M"]) == Exit.DONE
    assert capsys.readouterr().out.splitlines()[-1].startswith("an alert comes when its window is closed")


# --- what cannot be used --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--above 5M", "an alert is about the rows of windows: add --window, such as --window 1m"),
        ("--window 1m", "an alert is about one level: give --above, such as --above 5M, or --below"),
        ("--window 1m --above 5M --below 1M", "an alert is about one level"),
        ("--window 1m --above 5X", "'5X' is no amount"),
        ("--window 1m --above inf", "Give a finite number."),
        (
            "--window 1m --above 5M --return 6M",
            "--return 6,000,000 says where an alert is over: give less than --above 5",
        ),
        ("--window 1m --below 5M --return 5M", "give more than --below 5,000,000"),
        ("--window 1m --above 5 --field close", "--field close is no number of these rows: give count, volume,"),
        ("--window 1m --above 5 --cooldown soon", "--cooldown soon cannot be used: give a duration"),
        ("--window soon --above 5", "--window soon cannot be used"),
        ("--window 2w --above 5", "size='2w' does not say with which week to begin"),
        ("--window 1d --above 5 --zone Nowhere", "zone='Nowhere' is no time zone"),
        ("--window 1m --above 5 --spill x", "--spill x is for what --to delivers: add --to"),
        ("--window 1m --above 5 --dead-letters x", "--dead-letters x is for what --to delivers: add --to"),
    ],
)
def test_a_mistake_is_one_line(arguments: str, words: str, capsys: Captured) -> None:
    assert run(["alert", "liquidations", *arguments.split()]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err


def test_trades_need_an_instrument(capsys: Captured) -> None:
    assert run("alert trades --window 1m --above 5".split()) == Exit.USAGE
    assert "give one, such as Binance:BTCUSDT:0" in capsys.readouterr().err
