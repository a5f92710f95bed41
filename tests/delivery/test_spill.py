"""What finds no room in memory goes to a folder, and comes from there first, in this process or in the next."""

import os
import signal
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
import trio

from cgrx import sinks
from cgrx._delivery import sink as sink_module
from cgrx._delivery import spill as spill_module
from cgrx.testing import liquidation
from tests.delivery.systems import System, delivering, flow
from tests.streams.streaming import Hot
from tests.support import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spill"


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


async def _spilled(delivery: Any, count: int) -> None:
    while delivery.sink.stats.spilled < count:  # noqa: ASYNC110 - a thread writes, and tells nobody
        await trio.sleep(0.01)


async def _in_memory(delivery: Any, most: int) -> None:
    """However slow the disk is."""
    while delivery.sink.stats.queued - delivery.sink.stats.spilled > most:  # noqa: ASYNC110 - as above
        await trio.sleep(0.01)


def test_what_finds_no_room_is_delivered_in_order_when_the_system_is_back(folder: Path) -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, spill=folder, buffer=10, batch=4, every="0s") as delivery:
            for number in range(0, 100, 5):
                delivery.give(*range(number, number + 5))
                await _in_memory(delivery, 10)
            await _spilled(delivery, 60)
            assert delivery.sink.stats.dropped == 0
            assert _files(folder, "*.spill")
            system.away = None
            await delivery.sink.flush()
            assert system.items == list(range(100))
            assert delivery.sink.stats.spilled == 0

    run(main)
    assert not _files(folder, "*.spill")


def test_nothing_overtakes_what_is_on_its_way_to_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system is back while a file is written; and so is whoever leaves meanwhile."""
    writing, go_on = threading.Event(), threading.Event()
    write = spill_module.Spill.write

    def slowly(spill: spill_module.Spill, first: int, items: Any) -> Any:
        writing.set()
        assert go_on.wait(15)
        return write(spill, first, items)

    monkeypatch.setattr(spill_module.Spill, "write", slowly)

    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, spill=folder, buffer=10, batch=4, every="0s") as delivery:
            delivery.give(*range(4))
            while not delivery.sink.stats.retries:  # noqa: ASYNC110 - counters tell nobody
                await trio.sleep(0.01)
            delivery.give(*range(4, 12))
            assert await trio.to_thread.run_sync(writing.wait, 15)
            delivery.give(*range(12, 20))
            system.away = None
            await trio.sleep(0.2)
            assert system.items == [0, 1, 2, 3]
            go_on.set()
        assert system.items == list(range(20))

    run(main)


def test_what_is_left_on_leaving_is_there_for_the_next(folder: Path) -> None:
    async def main() -> None:
        items = [flow(0), liquidation(), flow(1, final=False), flow(2, withdrawn=True), "text"]
        away = System(away=OSError("no route"))
        async with delivering(away, spill=folder, drain="0s") as delivery:
            delivery.give(*items)
        assert (delivery.sink.stats.queued, delivery.sink.stats.spilled, delivery.sink.stats.dropped) == (5, 5, 0)
        system = System()
        async with delivering(system, spill=folder) as delivery:
            assert delivery.sink.stats.received == 5
            delivery.give("new")
            await delivery.sink.flush()
        assert [item for item in system.items if item != "new"] == items
        assert system.items[-1] == "new"
        assert delivery.sink.stats.delivered == 6

    run(main)


def test_a_file_goes_when_all_of_it_has_been_delivered(folder: Path) -> None:
    async def main() -> None:
        away = System(away=OSError("no route"))
        async with delivering(away, spill=folder, drain="0s") as delivery:
            delivery.give(*range(6))
        system = System(failures=[None, *[OSError("no route")] * 100])
        async with delivering(system, spill=folder, batch=4, every="0s", drain="0s") as delivery:
            while delivery.sink.stats.in_flight != 2:  # noqa: ASYNC110 - counters tell nobody
                await trio.sleep(0.01)
            assert delivery.sink.stats.spilled == 0
        stats = delivery.sink.stats
        assert (stats.delivered, stats.queued, stats.spilled) == (4, 2, 2)  # the others may arrive twice
        last = System()
        async with delivering(last, spill=folder) as delivery:
            await delivery.sink.flush()
        assert last.items == list(range(6))

    run(main)


_PROGRAM = """
import sys, trio
from cgrx import sinks
from tests.streams.streaming import Hot
from cgrx._model.signals import Batch

async def away(batch):
    raise OSError("no route")

async def main():
    source = Hot()
    async with sinks.deliver(away, source.stream, spill=sys.argv[1], buffer=100, batch=10) as sink:
        for number in range(0, 1000, 50):
            source.say(Batch(None, 0, tuple(range(number, number + 50))))
            while sink.stats.queued - sink.stats.spilled > 100:  # however slow the disk is
                await trio.sleep(0.01)
        with trio.fail_after(60):
            while sink.stats.spilled < 900:
                await trio.sleep(0.01)
        print(sink.stats.spilled, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@pytest.mark.thorough  # processes take seconds
@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 9")
def test_a_killed_process_leaves_what_was_spilled_to_the_next(folder: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        spilled = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait(15)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()

    async def main() -> None:
        system = System()
        async with delivering(system, spill=folder) as delivery:
            await delivery.sink.flush()
        assert len(system.items) >= spilled
        first = system.items[0]
        assert first in (0, 10)  # ten may have been under way
        assert system.items == list(range(first, first + len(system.items)))

    run(main)


def test_a_full_folder_drops_what_finds_no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "SPILL_BYTES", 100)

    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, spill=folder, buffer=10, batch=1, drain="0s") as delivery:
            for number in range(100):
                delivery.give(f"text {number}")
                await trio.sleep(0.01)
            assert delivery.sink.stats.dropped > 0
        assert delivery.sink.stats.queued == delivery.sink.stats.spilled
        assert any("FullError" in told and "holds its 100 bytes" in told for told in delivery.told)

    run(main)


def test_a_disk_that_fails_leaves_nothing_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cgrx._delivery.spill.os.fsync", full)

    async def main() -> None:
        async with delivering(System(away=OSError("no route")), spill=folder, drain="0s") as delivery:
            delivery.give(1)
        assert delivery.sink.stats.dropped == 1
        assert "left before they were delivered, and they cannot be spilled: OSError" in delivery.told[-1]

    run(main)
    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_items_that_cannot_be_pickled_stay_in_memory(folder: Path) -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, spill=folder, buffer=4, batch=1) as delivery:
            delivery.give(*[lambda: None] * 4)
            await trio.sleep(0.1)
            system.away = None
        assert len(system.items) == 4

    run(main)


def _cut_off(data: bytes) -> bytes:
    return data[:-1]


def _changed(data: bytes) -> bytes:
    return data.replace(b"text", b"tixt")


def _grown(data: bytes) -> bytes:
    return b"cgrx-spill-1 2 0\n" + data


def _no_pickle(_: bytes) -> bytes:
    return b"cgrx-spill-1 2 %d\nno pickle" % zlib.crc32(b"no pickle")


@pytest.mark.parametrize("damage", [_cut_off, _changed, _grown, _no_pickle])
def test_a_file_that_cannot_be_read_is_put_aside_and_told(folder: Path, damage: Any) -> None:
    async def main() -> None:
        async with delivering(System(away=OSError("no route")), spill=folder, drain="0s") as delivery:
            delivery.give("text", "text")
        (file,) = _files(folder, "*.spill")
        file.write_bytes(damage(file.read_bytes()))
        system = System()
        async with delivering(system, spill=folder) as delivery:
            delivery.give("new")
            await delivery.sink.flush()
            assert delivery.sink.stats.dead == 2
            assert "cannot be read" in delivery.told[0]
        assert system.items == ["new"]

    run(main)
    assert len(_files(folder, "*.unreadable")) == len(_files(folder, "*")) - 1  # the lock


def test_a_foreign_file_is_put_aside(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "1.spill").write_bytes(b"something else")

    async def main() -> None:
        async with delivering(System(), spill=folder) as delivery:
            await delivery.sink.flush()
            assert delivery.sink.stats.received == 0

    run(main)
    assert (folder / "1.unreadable").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there a folder inherits its rights")
def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o770)

    async def refused() -> None:
        with pytest.raises(ValueError, match=r"may be written to by others, who could run code here"):
            async with delivering(System(), spill=folder):
                pytest.fail("it was entered")

    async def main() -> None:
        async with delivering(System(), spill=folder):
            with pytest.raises(ValueError, match=r"spill='.*' is in use: give each sink a folder of its own"):
                async with delivering(System(), spill=folder):
                    pytest.fail("it was entered")

    run(refused)
    folder.chmod(0o700)
    run(main)


def test_where_nothing_knows_whose_a_folder_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr("os.geteuid")

    async def main() -> None:
        async with delivering(System(), spill=folder) as delivery:
            delivery.give(1)

    run(main)


def test_the_extra_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_: str) -> None:
        return None

    monkeypatch.setattr("cgrx._extras.find_spec", find_nothing)

    async def main() -> None:
        source: Hot[int] = Hot()
        with pytest.raises(ImportError, match=r'spill= needs the package filelock: pip install "cgrx\[spill\]"'):
            sinks.deliver(System().write, source.stream, spill="folder")

    run(main)
