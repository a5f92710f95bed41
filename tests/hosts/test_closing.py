"""`cgrx.aio.closing_on_signals`: what a signal closes under somebody else's handlers."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import cgrx
import cgrx.aio
from cgrx._recording.writer import write_recording
from cgrx.testing import liquidation
from tests.hosts.asyncio_running import both_loops, run_asyncio
from tests.replay.replaying import events, gap

Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording whose second event is due in an hour."""
    write_recording(tmp_path, [gap(0), events(0, liquidation()), events(3_600, liquidation())])
    return tmp_path


@contextmanager
def handled(number: int, handler: Any) -> Generator[None]:
    before = signal.signal(number, handler)
    try:
        yield
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)


async def first_then(folder: Path, *numbers: int) -> list[cgrx.Liquidation]:
    """Signals behind the first event; the iteration ends by itself, or it would last for an hour."""
    seen: list[cgrx.Liquidation] = []
    async with (
        cgrx.aio.replay(folder, speed=1) as feed,
        cgrx.aio.closing_on_signals(feed),
        cgrx.aio.stream(feed.liquidations()) as each,
    ):
        async for event in each:
            seen.append(event)
            for number in numbers:
                signal.raise_signal(number)
    assert feed.state is cgrx.State.CLOSED
    return seen


@both_loops
def test_the_first_signal_closes_the_feed_and_is_handled_as_before(loop: Loop, folder: Path) -> None:
    """As under a server, whose handlers only take note."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        noted.append(number)

    with handled(signal.SIGTERM, note):
        assert len(run_asyncio(lambda: first_then(folder, signal.SIGTERM, signal.SIGTERM), loop)) == 1
    assert noted == [signal.SIGTERM, signal.SIGTERM]


def test_what_nobody_handles_ends_the_loops_and_not_the_process(folder: Path) -> None:
    with handled(signal.SIGTERM, signal.SIG_DFL):
        assert len(run_asyncio(lambda: first_then(folder, signal.SIGTERM))) == 1


def test_what_is_ignored_stays_ignored(folder: Path) -> None:
    with handled(signal.SIGHUP, signal.SIG_IGN), handled(signal.SIGTERM, signal.SIG_DFL):
        assert len(run_asyncio(lambda: first_then(folder, signal.SIGHUP, signal.SIGTERM))) == 1


def test_handlers_that_are_set_in_the_body_stay(folder: Path) -> None:
    def own(*_: object) -> None:
        """Never called."""

    async def main() -> None:
        async with cgrx.aio.replay(folder) as feed, cgrx.aio.closing_on_signals(feed):
            signal.signal(signal.SIGTERM, own)

    before = signal.getsignal(signal.SIGTERM)
    try:
        run_asyncio(main)
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


def test_outside_the_main_thread_nothing_is_done(folder: Path) -> None:
    """As in the threads in which tests run a service."""
    done: list[bool] = []

    async def main() -> None:
        async with cgrx.aio.replay(folder) as feed, cgrx.aio.closing_on_signals(feed):
            done.append(True)

    thread = threading.Thread(target=lambda: run_asyncio(main))
    thread.start()
    thread.join()
    assert done == [True]


def test_outside_asyncio_it_says_so(folder: Path) -> None:
    async def main() -> None:
        async with cgrx.replay(folder) as feed:
            with pytest.raises(cgrx.NotInAsyncioError, match=r"^cgrx\.aio\.closing_on_signals\(\) needs asyncio"):
                async with cgrx.aio.closing_on_signals(feed):
                    raise AssertionError

    cgrx.run(main)
