"""`publish` and `consume` on asyncio, and without a loop: the same records, the same events."""

import asyncio  # noqa: TID251 - the host
from pathlib import Path

import pytest

import cgrx
from cgrx import Batch, Gap
from cgrx._recording.writer import RecordingWriter
from tests.log.logs import L, Log
from tests.simulator.simulating import liquidation

EVENTS = tuple(liquidation(number) for number in range(1, 6))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording of these."""
    writer = RecordingWriter(tmp_path / "day")
    writer.write([L, Gap(L, 0, 1_000, "subscribed"), L, Batch(L, 2_000, EVENTS)])
    writer.close()
    return tmp_path / "day"


def test_on_asyncio(log: Log, folder: Path) -> None:
    async def main() -> list[object]:
        found: list[object] = []
        async with (
            cgrx.aio.replay(folder) as feed,
            cgrx.aio.publish(feed, [L], log.target, ends=True) as sink,
        ):
            await feed.run()
            await sink.flush()
        await asyncio.to_thread(log.say)
        async with cgrx.aio.consume(log.target, start="earliest") as again:
            again.liquidations().subscribe(found.append)
            await again.run()
        return found

    with asyncio.Runner() as runner:
        assert runner.run(main()) == list(EVENTS)


def test_without_a_loop(log: Log, folder: Path) -> None:
    found: list[object] = []
    with cgrx.sync.replay(folder) as feed, cgrx.sync.publish(feed, [L], log.target, ends=True) as sink:
        feed.run(timeout="10s")
        sink.flush(timeout="10s")
    log.say()
    with cgrx.sync.consume(log.target, start="earliest") as again:
        again.liquidations().subscribe(found.append)
        again.run(timeout="10s")
        assert again.read.records == 3
        assert sum(again.offsets.values()) >= 3
    assert found == list(EVENTS)
