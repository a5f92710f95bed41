"""Sinks on real feeds: a signal drains them, a replay waits for them, and their statuses are the feed's."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

import cgrx
from cgrx import metrics
from cgrx import operators as ops
from cgrx.testing import Generator, Simulator
from tests.delivery.systems import require_balance
from tests.support import run

_KEY = "a-key-of-the-tests"

_PROGRAM = """
import cgrx, trio
from cgrx.testing import Generator, Simulator

async def write(batch):
    await trio.sleep(0.05)

async def main():
    async with Simulator(Generator(seed=1, rate=2000), times="now") as server:
        async with cgrx.connect(url=server.url, api_key="a-key-of-the-tests") as feed:
            async with cgrx.sinks.deliver(write, feed.liquidations(), batch=10) as sink:
                while sink.stats.batches < 2:
                    await trio.sleep(0.01)
                print("ready", flush=True)
                await feed.run()
            stats = sink.stats
            print(stats.received == stats.delivered > 20, stats.dropped, feed.state.name, flush=True)

cgrx.run(main)
"""


@pytest.mark.thorough  # processes take seconds
@pytest.mark.skipif(sys.platform == "win32", reason="there it is another signal")
def test_a_signal_drains_the_sinks() -> None:
    program = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        os.kill(program.pid, signal.SIGTERM)
        out, _ = program.communicate(timeout=15)
    finally:
        program.kill()
    assert out == "True 0 CLOSED\n"


def test_a_replay_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    got: list[Any] = []

    async def write(batch: Sequence[Any]) -> None:
        await trio.lowlevel.checkpoint()
        got.extend(batch)

    async def main() -> None:
        async with (
            Simulator(Generator(seed=1, rate=20_000), times="now") as server,
            cgrx.connect(url=server.url, api_key=_KEY) as feed,
            cgrx.record(feed, tmp_path / "day", channels=["liquidationOrders"]) as recorder,
        ):
            while recorder.stats.events < 3000:  # noqa: ASYNC110 - counters tell nobody
                await trio.sleep(0.01)
        async with cgrx.replay(tmp_path / "day") as replayed:
            options: Any = {"buffer": 50, "batch": 7}
            async with cgrx.sinks.deliver(write, replayed.liquidations(), **options) as sink:
                await replayed.run()
        require_balance(sink.stats)
        assert sink.stats.received == sink.stats.delivered == recorder.stats.events
        assert sink.stats.dropped == 0

    run(main)
    assert [event.time_ms for event in got] == _times(cgrx.Recording(tmp_path / "day"))


def _times(recording: cgrx.Recording) -> list[int]:
    batches = [entry.said for entry in recording.entries() if isinstance(entry.said, cgrx.Batch)]
    return [event.time_ms for batch in batches for event in batch.events]


def test_what_holds_a_sink_up_is_on_the_status_of_its_feed() -> None:
    told: list[cgrx.Status] = []
    failing = True

    async def write(_: Sequence[Any]) -> None:
        if failing:
            raise OSError("no route")

    async def main() -> None:
        nonlocal failing
        async with (
            Simulator(Generator(seed=1, rate=2000), times="now") as server,
            cgrx.connect(url=server.url, api_key=_KEY) as feed,
        ):
            feed.status.subscribe(told.append)
            rows = feed.liquidations().pipe(ops.tumbling("1s", updates="0s"))
            async with cgrx.sinks.deliver(write, rows, every="0s", name="mine") as sink:
                while sink.stats.retries < 2:  # noqa: ASYNC110 - counters tell nobody
                    await trio.sleep(0.01)
                snapshot = metrics.snapshot(feed, sinks={"rows": sink})
                assert snapshot.sinks["rows"].error is not None
                assert snapshot.dropped["undelivered"] == 0
                failing = False
                await sink.flush()

    run(main)
    ours = [status for status in told if isinstance(status, cgrx.DeliveryHeld | cgrx.DeliveryResumed)]
    assert [type(status).__name__ for status in ours] == ["DeliveryHeld", "DeliveryResumed"]
    assert {status.sink for status in ours} == {"mine"}
    assert all(status.at_ms > 0 for status in ours)
