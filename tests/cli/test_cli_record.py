"""`cgrx record` against a simulator over loopback: what is on disk afterwards, words, exit codes."""

import io
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from rich.console import Console

from cgrx import (
    API_KEY_VARIABLE,
    Batch,
    Channel,
    FuturesTrades,
    LiquidationOrders,
    RecorderStats,
    Recording,
    RecordingError,
)
from cgrx._cli.app import record_command, run
from cgrx._cli.arguments import parse_channels
from cgrx._cli.commands.record import Record, record_feed
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.view.recording import Recorded, picture
from cgrx._model.stats import ChannelStats
from cgrx._recording.writer import RecordingWriter
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard, exit_code_of
from tests.cli.test_cli_table import STATS
from tests.simulator.simulating import liquidation, trade
from tests.support import run as run_trio

L = LiquidationOrders()
TRADES = FuturesTrades("Binance", "BTCUSDT", 10_000)
EVENTS = [liquidation(number) for number in range(1, 6)]

Script = Callable[[Simulator], Awaitable[None]]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


async def send_events(simulator: Simulator) -> None:
    await simulator.wait_subscribed(L)
    await simulator.wait_subscribed(TRADES)
    await simulator.send(EVENTS)
    await simulator.send(trade(1, 20_000.0))


def recorded(heard: Heard, folder: Path, script: Script = send_events, **request: Any) -> int:
    """The exit code of a recording of a simulator that does what `script` says."""

    async def main() -> int:
        async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:
            asked = Record(url=simulator.url, channels=(L, TRADES), folder=folder, seconds=0.5, connect_timeout_s=5.0)
            nursery.start_soon(script, simulator)
            exit_code = await record_feed(attrs.evolve(asked, **request), heard.terminal())
            nursery.cancel_scope.cancel()
        return exit_code

    return exit_code_of(main)


def drawn(heard: Heard, folder: Path, until: str) -> str:
    """What is drawn on a terminal while a simulator is recorded, until this is there; then Ctrl-C."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=90, color_system=None)

    async def main() -> int:
        async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:

            async def script() -> None:
                await send_events(simulator)
                while re.search(until, out.getvalue()) is None:  # noqa: ASYNC110 - a text that grows
                    await trio.sleep(0.01)
                signal.raise_signal(signal.SIGINT)

            nursery.start_soon(script)
            asked = Record(url=simulator.url, channels=(L, TRADES), folder=folder, flush_every_s=0.05)
            exit_code = await record_feed(asked, attrs.evolve(heard.terminal(), status=console))
            nursery.cancel_scope.cancel()
        return exit_code

    assert exit_code_of(main) == 130
    return out.getvalue()


def events_in(folder: Path) -> list[Any]:
    batches = [entry.said for entry in Recording(folder).entries() if isinstance(entry.said, Batch)]
    return [event for batch in batches for event in batch.events]


def on_disk(folder: Path) -> list[Any]:
    """What a recorder has flushed so far."""
    try:
        return events_in(folder)
    except RecordingError:  # it has not begun
        return []


def test_what_came_is_on_disk(tmp_path: Path) -> None:
    heard = Heard()
    assert recorded(heard, tmp_path, seconds=1.5) == Exit.DONE
    assert events_in(tmp_path) == [*EVENTS, trade(1, 20_000.0)]
    assert heard.has_said(f"recording {L.name}, {TRADES.name} to {tmp_path}")
    assert heard.last_words.startswith("6 events in 1.")
    (part,) = Recording(tmp_path).parts
    assert f"{tmp_path} has 1 part of {part.bytes:,} bytes" in heard.last_words
    assert heard.text == ""


def test_counters_are_drawn_while_it_runs(tmp_path: Path) -> None:
    """And wiped away; messages stand above them, the summary below."""
    heard = Heard()
    counters = r"● connected \d+ s · 6 events, [\d.]+/s · 0 waiting · 0 lost · 0 gaps · [\d.k]+B, part 1"
    text = drawn(heard, tmp_path, counters)
    assert re.search(r"  liquidationOrders +5  last \d\d:\d\d:\d\d\.\d{3}", text)
    assert re.search(r"  futures_trades@Binance_BTCUSDT@10000 +1  last ", text)
    assert heard.has_said(f"recording {L.name}")
    assert heard.last_words.startswith("6 events in ")


def test_many_channels_have_eight_lines() -> None:
    counts = ChannelStats(
        subscribers=1,
        proven=True,
        events=3,
        malformed=0,
        gaps=1,
        gap_ms=5,
        last_event_ms=None,
        last_received_ms=None,
    )
    channels: dict[Channel, ChannelStats] = {
        FuturesTrades("Binance", f"A{number}USDT", 0): counts for number in range(10)
    }
    at = Recorded(
        stats=RecorderStats(events=30, recorded=20, queued=5, lost=5, parts=2, bytes=1_500_000),
        feed=attrs.evolve(STATS, channels=channels),
        rate=1.5,
        elapsed_s=12.0,
        seconds=float("inf"),
    )
    out = io.StringIO()
    Console(file=out, width=120).print(picture(at, 120))
    first, *lines = out.getvalue().splitlines()
    assert first.split(" · ") == [
        "● connected 12 s",
        "30 events, 1.5/s",
        "5 waiting",
        "5 lost",
        "10 gaps",
        "1.5MB, part 3",
    ]
    assert len(lines) == 9
    assert lines[-1] == "  and 2 more channels"
    assert lines[0].endswith("3  last -")


def test_a_line_now_and_then_where_no_terminal_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._cli.commands.record._STATUS_EVERY_S", 0.1)
    heard = Heard()
    assert recorded(heard, tmp_path) == Exit.DONE
    assert sum("events in 0." in line for line in heard.said) > 2


def test_ctrl_c_finishes_cleanly(tmp_path: Path) -> None:
    """The last part too, and the words that sum it up."""
    heard = Heard()

    async def interrupt(simulator: Simulator) -> None:
        await send_events(simulator)
        while len(on_disk(tmp_path)) < len(EVENTS) + 1:  # noqa: ASYNC110 - another thread's file
            await trio.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    assert recorded(heard, tmp_path, interrupt, seconds=30.0, flush_every_s=0.05) == 130
    assert events_in(tmp_path) == [*EVENTS, trade(1, 20_000.0)]
    assert all(part.crc32 is not None for part in Recording(tmp_path).parts)
    assert heard.last_words.startswith("6 events in ")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    heard = Heard()
    with RecordingWriter(tmp_path):
        assert recorded(heard, tmp_path) == Exit.FAILED
    assert heard.last_words == f"{tmp_path}: another recorder is writing there"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    heard = Heard()
    assert recorded(heard, tmp_path / "file") == Exit.FAILED
    assert heard.last_words.startswith("cannot record: ")


def test_a_missing_extra_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an exit code with which a service is not started again."""
    monkeypatch.setattr("cgrx._extras.find_spec", dict[str, object]().get)
    heard = Heard()
    assert recorded(heard, tmp_path) == Exit.NO_EXTRA
    assert heard.last_words == 'record() needs the package pyarrow: pip install "cgrx[recording]"'


def test_a_failing_disk_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nothing else to do; the words say what failed, what is lost, and what is there."""

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordingWriter, "flush", fail)
    heard = Heard()
    assert recorded(heard, tmp_path, seconds=30.0, flush_every_s=0.2) == Exit.FAILED
    assert heard.has_said("recording failed: ")
    assert heard.has_said("No space left on device")
    assert heard.has_said("6 events lost")
    assert heard.last_words == "nothing can be recorded any more; what was written before is there"


def test_no_server(tmp_path: Path) -> None:
    heard = Heard()
    assert recorded(heard, tmp_path, url="ws://127.0.0.1:1/", connect_timeout_s=0.2) == Exit.NO_CONNECTION
    assert heard.last_words.startswith("gave up after 0.2 s")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> int:
        async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(send_events, simulator)
            code = await record_command(
                "liquidations", "trades:binance:BTCUSDT:10000", to=tmp_path, seconds=0.5, url=simulator.url
            )
            nursery.cancel_scope.cancel()
        return code

    assert run_trio(main) == Exit.DONE
    assert events_in(tmp_path) == [*EVENTS, trade(1, 20_000.0)]
    assert "6 events" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["", "trades", "trades:", "trades:Binance:BTCUSDT", "liquidation", "Binance:BTCUSDT:1"]
)
def test_what_is_no_channel_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match=r"is no (channel|instrument)"):
        parse_channels([text])


def test_channels_are_recorded_once() -> None:
    assert parse_channels(["liquidations", "trades:OKX:BTC-USDT-SWAP:5", "liquidations"]) == (
        L,
        FuturesTrades("OKX", "BTC-USDT-SWAP", 5),
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["record", "--to", "x"], "CHANNEL"),
        (["record", "liquidations"], "--to"),
        (["record", "trades", "--to", "x"], "'trades' is no channel"),
        (["record", "liquidations", "--to", "x", "--url", "ws://a/?cg-api-key=1"], "a key in --url"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == Exit.USAGE
    assert said in capsys.readouterr().err
