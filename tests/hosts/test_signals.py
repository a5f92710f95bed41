"""Signals to real processes, in mid-stream: what each writes, how it ends, and that no traceback is to be seen.

All of them run at once against one simulator, for each starts an interpreter.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from subprocess import PIPE

import attrs
import pytest
import trio

from cgrx import API_KEY_VARIABLE, Recording, RecordingError
from cgrx.testing import Simulator, liquidation

SERVICE = """
import sys, trio, cgrx
from cgrx import operators as ops

async def main():
    async with (
        cgrx.connect(api_key="any-key-will-do", url=sys.argv[1]) as feed,
        cgrx.stream(feed.liquidations().pipe(ops.tumbling("1d", ops.Flow, by="exchange", updates="1s"))) as rows,
    ):
        async for row in rows:
            print("open" if feed.state is cgrx.State.CONNECTED else "drained", row.exchange, row.count, flush=True)
    print("behind", flush=True)
    if len(sys.argv) > 2:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()

cgrx.run(main)
print("returned")
"""
"""A program of a user; with a second argument it shields itself from every cancellation."""

LIMIT_S = 120.0
"""For all together, also on a machine that is busy."""

WITHOUT_KEY = {name: value for name, value in os.environ.items() if name != API_KEY_VARIABLE}


@attrs.frozen
class Ended:
    """A process that has ended."""

    status: int
    """The exit status; below 0 the signal that it died of."""
    out: list[str]
    err: list[str]
    """Of standard error, the lines that the command `cgrx` has not said."""
    said: list[str]
    """Those that it has."""
    seconds: float
    """From the first signal to the end."""


def python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", SERVICE, *arguments)


def under_timeout(*command: str) -> tuple[str, ...]:
    """`timeout` sends on what it gets, first to the process and then to its group."""
    return ("timeout", "--preserve-status", "60", *command)


def cgrx(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "cgrx", *arguments)


async def wait_flushed(folder: Path) -> None:
    """Until a recorder has written an event."""
    while True:
        try:
            if Recording(folder).events:
                return
        except RecordingError:  # it has not begun
            pass
        await trio.sleep(0.02)


async def end(
    ended: dict[str, Ended],
    name: str,
    command: tuple[str, ...],
    numbers: tuple[int, ...],
    ready: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run a process, and send it the signals when it is ready; by default, when it has written three rows."""
    process = await trio.lowlevel.open_process(command, stdout=PIPE, stderr=PIPE, env=WITHOUT_KEY)
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = bytearray(), bytearray()
    spoken = trio.Event()

    async def read(stream: trio.abc.ReceiveStream, into: bytearray) -> None:
        async with stream:
            async for data in stream:
                into.extend(data)
                if out.count(b"\n") >= 3:  # of four events; the fourth has come too
                    spoken.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, process.stdout, out)
        nursery.start_soon(read, process.stderr, err)
        await (spoken.wait if ready is None else ready)()
        begun_at = time.monotonic()
        process.send_signal(numbers[0])
        for number in numbers[1:]:
            await trio.sleep(1.0)  # within half a second they are one
            process.send_signal(number)
        status = await process.wait()
    lines = err.decode().splitlines()
    ended[name] = Ended(
        status,
        out.decode().splitlines(),
        [line for line in lines if not line.startswith("cgrx: ")],
        [line for line in lines if line.startswith("cgrx: ")],
        time.monotonic() - begun_at,
    )


async def end_all(folder: Path) -> dict[str, Ended]:
    ended: dict[str, Ended] = {}
    record = ("record", "liquidations", "--to", str(folder), "--flush-every", "0.05")
    rows = ("--window", "1d", "--by", "exchange", "--running", "--format", "jsonl")
    term, interrupt = signal.SIGTERM, signal.SIGINT
    async with Simulator() as simulator, trio.open_nursery() as nursery:
        url = ("--url", simulator.url)
        nursery.start_soon(end, ended, "term", under_timeout(*python(simulator.url)), (term,))
        nursery.start_soon(end, ended, "interrupt", python(simulator.url), (interrupt,))
        nursery.start_soon(end, ended, "shielded", python(simulator.url, "shielded"), (term, term))
        nursery.start_soon(end, ended, "watch", cgrx("watch", "liquidations", *url, *rows), (term,))
        flushed = partial(wait_flushed, folder)
        nursery.start_soon(end, ended, "record", under_timeout(*cgrx(*record, *url)), (interrupt,), flushed)
        await simulator.wait_for(lambda stats: stats.subscriptions.get("liquidationOrders", 0) == 5)
        for second in range(4):  # running rows come by event time
            await simulator.send([liquidation(exchange="OKX", time=second)])
    return ended


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording")


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, Ended]:
    async def limited() -> dict[str, Ended]:
        with trio.fail_after(LIMIT_S):
            return await end_all(folder)

    return trio.run(limited)


def test_sigterm_to_a_service_under_timeout(ended: dict[str, Ended]) -> None:
    """Its open window comes out, the code behind runs, and it exits with 0; `timeout`'s second signal stops nothing."""
    service = ended["term"]
    assert service.out[-3:] == ["drained OKX 4", "behind", "returned"]
    assert (service.status, service.err) == (0, [])


def test_ctrl_c_to_a_service(ended: dict[str, Ended]) -> None:
    """The same; then Python dies of SIGINT, as shells expect, and says nothing."""
    service = ended["interrupt"]
    assert service.out[-2:] == ["drained OKX 4", "behind"]
    assert (service.status, service.err) == (-signal.SIGINT, [])


def test_a_service_that_shields_itself(ended: dict[str, Ended]) -> None:
    """The second signal ends it within its two seconds."""
    service = ended["shielded"]
    assert service.out[-2:] == ["drained OKX 4", "behind"]
    assert (service.status, service.err) == (143, [])
    assert service.seconds < 8  # the time to drain and the two seconds would take 9


def test_sigterm_to_cgrx_watch(ended: dict[str, Ended]) -> None:
    """The rows of open windows are printed, then the summary."""
    command = ended["watch"]
    last = json.loads(command.out[-1])
    assert (last["exchange"], last["count"], last["final"], last["complete"]) == ("OKX", 4, False, False)
    assert command.said[-1].startswith("cgrx: 4 events in ")
    assert (command.status, command.err) == (143, [])


def test_ctrl_c_to_cgrx_record(ended: dict[str, Ended], folder: Path) -> None:
    """What has come is on disk, and the part is finished."""
    command = ended["record"]
    assert Recording(folder).events == 4
    assert all(part.crc32 is not None for part in Recording(folder).parts)
    assert command.said[-1].startswith("cgrx: 4 events in ")
    assert (command.status, command.err) == (130, [])
