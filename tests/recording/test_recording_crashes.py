"""A recording process that is killed at any moment: what was flushed is there, in order, and it can be gone on with."""

import random
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from cgrx import Batch, Recording
from cgrx._recording.writer import RecordingWriter
from cgrx._simulator.simulator import Simulator
from tests.house.plan import ROOT
from tests.simulator.simulating import liquidation
from tests.support import run

LONGEST_S = 0.5
"""A process is killed so long after its first flush, at most."""
AT_ONCE = 5


async def kill_one(url: str, folder: Path, rng: random.Random) -> None:
    """Let a process record, kill it at a random moment, and look at what is left."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tests.recording.crashing", url, str(folder)], stdout=-1, cwd=ROOT
    )
    assert process.stdout is not None
    told = b""
    while told.count(b"\n") < 2:
        more = await process.stdout.receive_some()
        assert more, "the process has ended by itself"
        told += more
    with trio.move_on_after(rng.uniform(0, LONGEST_S)):
        while True:
            told += await process.stdout.receive_some()
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    while more := await process.stdout.receive_some():
        told += more
    await process.stdout.aclose()
    safe = int(told.rpartition(b"\n")[0].rpartition(b"\n")[2])
    numbers = await trio.to_thread.run_sync(numbers_in, folder)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "something is missing in between"
    assert len(numbers) >= safe
    await trio.to_thread.run_sync(lambda: RecordingWriter(folder).close())
    assert await trio.to_thread.run_sync(numbers_in, folder) == numbers
    assert all(part.crc32 is not None for part in Recording(folder).parts)


def numbers_in(folder: Path) -> list[int]:
    """The numbers of the events of a recording."""
    batches = [entry.said for entry in Recording(folder).entries() if isinstance(entry.said, Batch)]
    return [event.time_ms // 1000 for batch in batches for event in batch.events]


async def kill(times: int, folder: Path) -> None:
    async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:

        async def send() -> None:
            number = 0
            while True:
                for _ in range(10):
                    await simulator.send(liquidation(number))
                    number += 1
                await trio.sleep(0.005)

        nursery.start_soon(send)
        rng = random.Random(times)
        for first in range(0, times, AT_ONCE):
            async with trio.open_nursery() as several:
                for index in range(first, min(first + AT_ONCE, times)):
                    several.start_soon(kill_one, simulator.url, folder / str(index), rng)
        nursery.cancel_scope.cancel()


@pytest.mark.thorough  # three interpreters are started
def test_a_killed_process_leaves_what_it_flushed(tmp_path: Path) -> None:
    """Three of them: each recording holds at least what was flushed, without a hole; see `kill_one`."""
    run(partial(kill, 3), tmp_path)


@pytest.mark.soak
def test_fifty_killed_processes_leave_what_they_flushed(tmp_path: Path) -> None:
    """The same, fifty times."""
    trio.run(kill, 50, tmp_path)
