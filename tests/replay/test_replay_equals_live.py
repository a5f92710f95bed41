"""Live = replay: a pipeline gets the same rows and marks from a recording as it got from the feed."""

import hashlib
import math
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import EventStream, FuturesTrades
from cgrx import operators as ops
from cgrx.testing import DropInFrame, Fault, Garbage, Generator, Late, Simulator, WrongTypes
from tests.feed.feeding import START_MS, Record, feed_on, record
from tests.replay.replaying import L, Log, log_of
from tests.support import run_mock

BTC = FuturesTrades("Binance", "BTCUSDT", 0)
OKX = FuturesTrades("OKX", "BTC-USDT-SWAP", 0)
CHANNELS = (L, BTC, OKX)


def pipelines(feed: cgrx.Feed) -> dict[str, EventStream[Any]]:
    """Windows of every kind of input: one channel, a union, exchanges in one order; and the bare signals."""
    liquidations = feed.liquidations()
    binance = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
    across = feed.futures_trades_across([("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP")], min_volume=0)
    return {
        "signals": liquidations,
        "flow": liquidations.pipe(ops.side("long"), ops.tumbling("2s", ops.Flow, by="exchange")),
        "bars": binance.pipe(ops.min_volume(1000), ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))),
        "sliding": liquidations.pipe(ops.sliding("10s", "5s", ops.Flow, emit_empty=True)),
        "union": liquidations.merge(binance).pipe(ops.tumbling("5s", ops.Flow, by="exchange", updates="1s")),
        "ordered": across.pipe(ops.tumbling("1s", ops.Flow, by="symbol")),
        "sessions": liquidations.pipe(ops.session("1s", ops.Flow, by="symbol")),
    }


def digest(records: dict[str, Record]) -> dict[str, str]:
    """A hash of all that each pipeline gave, marks and the end included."""
    return {name: hashlib.sha256(repr((seen.signals, seen.end)).encode()).hexdigest() for name, seen in records.items()}


async def live(seed: int, folder: Path | None = None) -> tuple[Log, dict[str, Record]]:
    """Half a minute of a feed with everything that goes wrong on one, and what was said on it; recorded in `folder`."""
    faults: list[Fault] = [
        Late("3s", after="3s"),
        WrongTypes(after="5s"),
        Garbage(after="7s"),
        DropInFrame(after="11s"),
        WrongTypes(after="17s"),
    ]
    source = Generator(seed=seed, rate=25, start_ms=START_MS)
    async with (
        Simulator(source, listen=False, times="recorded", faults=faults) as simulator,
        feed_on(simulator) as feed,
        AsyncExitStack() as recording,
    ):
        if folder is not None:
            await recording.enter_async_context(cgrx.record(feed, folder, channels=CHANNELS))
        log = log_of(feed, *CHANNELS)
        seen = {name: record(stream) for name, stream in pipelines(feed).items()}
        await trio.sleep(19)
        await simulator.close_all(1001, "bye")
        await trio.sleep(11)
        await feed.aclose()
    return log, seen


async def replayed(log: Log, speed: float) -> dict[str, Record]:
    async with cgrx.replay(log, speed=speed) as feed:
        seen = {name: record(stream) for name, stream in pipelines(feed).items()}
        await feed.run()
    return seen


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_and_marks_are_the_same_at_any_speed(seed: int) -> None:
    async def main() -> None:
        log, seen = await live(seed)
        kinds = {type(entry.said).__name__ for entry in log.said}
        assert kinds >= {"Batch", "Alive", "Gap", "Dropped", "Disconnected", "MalformedInput"}
        assert all(each.events for each in seen.values())
        for speed in (math.inf, 1, 7.3):
            again = await replayed(log, speed)
            assert again["signals"].signals == seen["signals"].signals
            assert digest(again) == digest(seen)

    run_mock(main)


def test_what_a_recorder_wrote_is_what_was_heard(tmp_path: Path) -> None:
    """A feed recorded to disk while the pipelines run, and the same pipelines on the folder."""

    async def main() -> None:
        _, seen = await live(4, tmp_path / "recording")
        for speed in (math.inf, 2):
            async with cgrx.replay(tmp_path / "recording", speed=speed) as feed:
                again = {name: record(stream) for name, stream in pipelines(feed).items()}
                await feed.run()
            assert again["signals"].signals == seen["signals"].signals
            assert digest(again) == digest(seen)

    run_mock(main)
