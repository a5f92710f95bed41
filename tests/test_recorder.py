"""Recording a feed while it is used: what its channels say, and what the connection was like."""

from pathlib import Path

import pytest
import trio

import cgrx
from cgrx import Recording
from cgrx._faults import Close, WrongTypes
from cgrx._recorded import Recorded
from cgrx._simulator import Simulator
from tests.feeding import KEY, Record, feed_on
from tests.recording import comparable
from tests.simulating import LIQUIDATIONS, TRADES, liquidation, trade
from tests.support import run, run_mock


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written in trio's own thread: a mock clock would jump past another one."""

    async def run_sync(function, *args):  # type: ignore
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


def test_a_recording_is_what_the_streams_said(tmp_path: Path, inline: None) -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            async with cgrx.record(
                feed, tmp_path, channels=["liquidationOrders", cgrx.FuturesTrades("Binance", "BTCUSDT", 10_000)]
            ) as recorder:
                mine, other = Record(), Record()
                feed.liquidations().subscribe_signals(mine)
                feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000).subscribe_signals(other)
                await trio.sleep(1)
                for number in range(3):
                    await simulator.send(liquidation(number))
                    await simulator.send(trade(number, 20_000.0))
                    await trio.sleep(1)
                simulator.script([WrongTypes(), Close(code=1012, reason="restart")])
                await simulator.send(liquidation(7))
                await trio.sleep(5)
                await simulator.send(liquidation(8))
                await trio.sleep(5)
                await feed.aclose()
        recording = Recording(tmp_path)
        said = list(recording.entries())
        assert [e.said for e in said if e.channel == recording.channels[1]] == mine.signals
        assert [e.said for e in said if e.channel == recording.channels[0]] == other.signals
        assert len(mine.signals) > 8
        for e in said:
            print(e)
        print(recorder.stats)

    run_mock(main)
