"""A recorder whose disk is slow, full, or fails at the last moment: the feed goes on, and what is lost is told."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio

import cgrx
from cgrx import Batch, Dropped, LiquidationOrders, RecordingError, RecordingFailed
from cgrx._simulator.simulator import Simulator
from tests.disks import full_disk as full_disk
from tests.feed.feeding import Record, Statuses, feed_on
from tests.feed.recorders import TRADES, L, events_in, said
from tests.feed.recorders import inline as inline
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("inline")


class SlowDisk:
    """From `hang` until `free` no write gets anywhere."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._is_free = trio.Event()
        self._write = trio.to_thread.run_sync
        self.free = self._is_free.set

    def hang(self) -> None:
        self._monkeypatch.setattr(trio.to_thread, "run_sync", self._wait_and_write)

    async def _wait_and_write(self, function: Callable[..., T], *args: Any) -> T:
        await self._is_free.wait()
        return await self._write(function, *args)


def test_a_disk_that_does_not_keep_up_costs_events_but_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit is counted, told once, and charged in the recording at its place."""
    disk = SlowDisk(monkeypatch)

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            async with cgrx.record(feed, tmp_path, channels=[L, TRADES], buffer=3) as recorder:
                await trio.sleep(1)
                disk.hang()
                for number in range(5):
                    await simulator.send(liquidation(number))
                    await trio.sleep(0.1)
                await simulator.send(trade(5, 20_000.0))
                await trio.sleep(1)
                stats = recorder.stats
                assert (stats.events, stats.queued, stats.lost) == (6, 3, 3)
                disk.free()
                await trio.sleep(1)
                await simulator.send(liquidation(6))
                await trio.sleep(1)
                assert recorder.error is None
                await trio.sleep(1)
            told = [status for status in statuses.all if isinstance(status, RecordingFailed)]
            assert len(told) == 1
            assert "the disk does not keep up" in str(told[0].error)
            assert (recorder.stats.recorded, recorder.stats.lost) == (4, 3)

    run_mock(main)
    mine = [signal for signal in said(tmp_path, LiquidationOrders()) if type(signal) in (Batch, Dropped)]
    assert [signal.count if isinstance(signal, Dropped) else signal.events for signal in mine] == [
        (liquidation(0),),
        (liquidation(1),),
        (liquidation(2),),
        2,
        (liquidation(6),),
    ]
    (loss,) = (signal for signal in said(tmp_path, TRADES) if isinstance(signal, Dropped))
    assert (loss.channel, loss.count) == (TRADES, 1)


def test_a_loss_right_before_the_end_is_charged_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SlowDisk(monkeypatch)

    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L], buffer=1) as recorder,
        ):
            await trio.sleep(1)
            disk.hang()
            for number in range(3):
                await simulator.send(liquidation(number))
                await trio.sleep(0.1)
            assert recorder.stats.lost == 2
            disk.free()

    run_mock(main)
    last = said(tmp_path, LiquidationOrders())[-1]
    assert isinstance(last, Dropped)
    assert last.count == 2


def test_marks_that_cannot_be_written_end_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them may be left out, and none may pile up for ever. What is on its way to the disk still gets there."""
    disk = SlowDisk(monkeypatch)

    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L], buffer=1) as recorder,
        ):
            statuses = Statuses(feed)
            await trio.sleep(1.5)  # nothing is on its way
            disk.hang()
            monkeypatch.setattr("cgrx._feed.intake.MARKS", 3)
            await simulator.send(liquidation(0))
            await trio.sleep(200)  # a proof every 20 seconds
            assert isinstance(recorder.error, RecordingError)
            assert "batches and marks wait: the disk does not keep up" in str(recorder.error)
            assert len([status for status in statuses.all if isinstance(status, RecordingFailed)]) == 1
            assert (recorder.stats.recorded, recorder.stats.lost) == (0, 1)
            disk.free()
            await trio.sleep(1)
            assert (recorder.stats.recorded, recorder.stats.lost) == (1, 0)

    run_mock(main)
    assert events_in(tmp_path) == [liquidation(0)]


def test_a_full_disk_ends_the_recording_and_not_the_feed(full_disk: Path) -> None:
    """The status says so once; what was flushed before is there; the feed goes on."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses, seen = Statuses(feed), Record()
            async with cgrx.record(feed, full_disk, channels=[L], flush_every="100ms") as recorder:
                feed.liquidations().subscribe_signals(seen)
                await trio.sleep(1)
                number = 0
                while recorder.error is None:
                    for _ in range(5):
                        await simulator.send(liquidation(number))
                        number += 1
                    await trio.sleep(0.2)
                await recorder.flush()
                await trio.sleep(3)
                await simulator.send_raw("a notice")
                recorded = recorder.stats.recorded
                for _ in range(5):
                    await simulator.send(liquidation(number))
                    number += 1
                await trio.sleep(1)
                stats = recorder.stats
            told = [status for status in statuses.all if isinstance(status, RecordingFailed)]
            assert len(told) == 1
            assert isinstance(told[0].error, RecordingError)
            assert told[0].error.file == str(full_disk)
            assert isinstance(recorder.error, OSError)
            assert recorder.error.errno in (errno.ENOSPC, errno.EFBIG)
            assert len(seen.events) == number == stats.events
            assert (stats.recorded, stats.queued, stats.lost) == (recorded, 0, number - recorded)
            assert events_in(full_disk) == [liquidation(each) for each in range(recorded)]
            assert recorded > 5

    run_mock(main)


def test_a_part_that_cannot_be_finished_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On leaving, the disk is full: the status says so, and what was flushed can be read."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            async with cgrx.record(feed, tmp_path, channels=[L]) as recorder:
                await trio.sleep(1)
                await simulator.send(liquidation())
                await trio.sleep(2)
                (tmp_path / "part-00000000.tmp").mkdir()  # where the draft would be
            assert recorder.error is not None
            assert any(isinstance(status, RecordingFailed) for status in statuses.all)

    run_mock(main)
    assert events_in(tmp_path) == [liquidation()]


def test_a_folder_that_is_removed_is_noticed_at_the_next_flush(tmp_path: Path) -> None:
    """What was written since is lost with it, and counted."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            async with cgrx.record(feed, tmp_path / "day", channels=[L]) as recorder:
                await trio.sleep(1)
                await simulator.send(liquidation(1))
                await trio.sleep(2)
                assert recorder.stats.recorded == 1
                shutil.rmtree(tmp_path / "day")
                await simulator.send(liquidation(2))
                await trio.sleep(2)
                assert isinstance(recorder.error, FileNotFoundError)
                assert "removed" in str(recorder.error)
                await simulator.send(liquidation(3))
                await trio.sleep(2)
                assert (recorder.stats.recorded, recorder.stats.lost) == (1, 2)
            assert len(statuses.of(RecordingFailed)) == 1
            assert feed.state is cgrx.State.CONNECTED

    run_mock(main)
