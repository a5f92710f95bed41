"""How feeds of `cgrx.sync` end, by failures and Ctrl-C, and where it may be called."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest
import reactivex as rx
import trio

import cgrx
import cgrx.sync
from cgrx import operators as ops
from cgrx._hosts.trio_thread import Entered, Task
from cgrx._model import limits
from cgrx._recording.writer import write_recording
from cgrx._simulator.faults import HangConnect
from cgrx._simulator.simulator import Simulator
from cgrx._trio.threads import tell
from cgrx.testing import liquidation
from tests.hosts.sync_running import LIMIT_S, Served, served, threads_of_trio
from tests.replay.replaying import events, gap
from tests.support import run_mock

PACKAGE = str(Path(cgrx.__file__).parent)


class BrokenError(Exception):
    """What a subscriber raises in these tests."""


def raise_broken(_: object) -> None:
    raise BrokenError("by a subscriber")


# How it ends


def test_a_refusal_is_raised_plain() -> None:
    with served(keys=["another-key"]) as server:
        entering = cgrx.sync.connect(**server.access)
        with pytest.raises(cgrx.AuthError):
            entering.__enter__()


def test_run_has_its_time_out_and_the_feed_goes_on() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        with pytest.raises(TimeoutError, match=r"^feed\.run\(\) has not ended within 0\.02 s$"):
            feed.run(timeout="20ms")
        with cgrx.sync.stream(feed.liquidations(), timeout=LIMIT_S) as received:
            server.send(1.0)
            assert next(received).volume_usd == 1.0


def test_run_raises_what_ended_the_feed_and_leaving_does_not_tell_again() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        feed.liquidations().subscribe(raise_broken)
        server.send(1.0)
        with pytest.raises(BrokenError):
            feed.run(timeout=LIMIT_S)


def fail(feed: cgrx.sync.BlockingFeed, server: Served) -> None:
    failed = threading.Event()
    feed.status.subscribe(lambda status: failed.set() if isinstance(status, cgrx.Ended) else None)
    feed.liquidations().subscribe(raise_broken)
    server.send(1.0)
    assert failed.wait(20)


def open_and_fail(server: Served) -> None:
    with cgrx.sync.connect(**server.access) as feed:
        fail(feed, server)


def test_leaving_raises_what_ended_the_feed_where_nobody_was_told() -> None:
    with served() as server, pytest.raises(BrokenError):
        open_and_fail(server)


def open_fail_and_raise(server: Served) -> None:
    with cgrx.sync.connect(**server.access) as feed:
        fail(feed, server)
        raise KeyError("mine")


def test_the_error_of_a_body_goes_before_that_of_the_feed() -> None:
    with served() as server, pytest.raises(KeyError, match="mine"):
        open_fail_and_raise(server)


def iterate_and_fail(server: Served) -> None:
    with cgrx.sync.connect(**server.access) as feed, cgrx.sync.stream(feed.liquidations()) as received:
        feed.liquidations().subscribe(raise_broken)
        server.send(1.0)
        assert len(list(received)) == 1
        pytest.fail("not reached")


def test_an_iteration_raises_what_ended_the_feed() -> None:
    with served() as server, pytest.raises(BrokenError):
        iterate_and_fail(server)


def interrupted(body: Callable[[], object], after_s: float = 0.05) -> None:
    """Ctrl-C comes while the body waits."""

    def interrupt() -> None:
        threading.Event().wait(after_s)
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Thread(target=interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        body()
    timer.join()


def test_ctrl_c_ends_an_iteration_and_all_that_stands_around_it() -> None:
    told: list[object] = []

    def watch() -> None:
        with served() as server, cgrx.sync.connect(**server.access) as feed:
            rows = feed.liquidations().pipe(ops.tumbling("1h"))
            rows.subscribe(told.append, told.append, lambda: told.append("completed"))
            with cgrx.sync.stream(feed.liquidations()) as received:
                next(received)

    interrupted(watch)
    assert told == []


def test_ctrl_c_ends_run() -> None:
    def watch() -> None:
        with served() as server, cgrx.sync.connect(**server.access) as feed:
            feed.run()

    interrupted(watch)


def test_ctrl_c_ends_a_connect_that_waits() -> None:
    def watch() -> None:
        with served(faults=[HangConnect()]) as server, cgrx.sync.connect(**server.access):
            pytest.fail("it was entered")

    interrupted(watch)


@contextmanager
def interrupted_at(line: int) -> Generator[None]:
    """Ctrl-C comes at this line of what cgrx does in the body, counted from 1."""
    lines = itertools.count(1)

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and next(lines) == line:
            signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def is_entered(line: int) -> bool:
    """Enter and leave, with Ctrl-C at this line of entering; whether there is no such line."""
    entering = Entered(Simulator, Served)
    try:
        with interrupted_at(line):
            entering.__enter__()
    except KeyboardInterrupt:
        return False
    entering.__exit__(None, None, None)
    return True


def test_ctrl_c_at_any_line_of_entering_leaves_nothing() -> None:
    line = 1
    while not is_entered(line):
        assert threads_of_trio() == []
        line += 1
    assert line > 20


def test_leaving_what_was_interrupted_before_it_was_entered_does_nothing() -> None:
    Entered(Simulator, Served).__exit__(None, None, None)


def test_ctrl_c_while_it_waits_for_an_end_is_raised_when_that_has_come() -> None:
    with Entered(Simulator, Served) as server:
        released = trio.Event()
        task = Task(server.thread, released.wait)
        interrupted(task.settle)
        assert task.settle() is None  # it was cancelled
        left = Task(server.thread, released.wait)
        tell(server.thread.token, left.cancel)
        assert left.settle() is None


def test_a_task_that_nobody_waits_for_ends_with_the_thread() -> None:
    with Entered(Simulator, Served) as server:
        task = Task(server.thread, trio.sleep_forever)
    assert task.settle() is None


def test_what_a_thread_of_trio_has_ended_is_not_told_any_more() -> None:
    with Entered(Simulator, Served) as server:
        token = server.thread.token
    tell(token, lambda: pytest.fail("called"))


# Where it is called


def test_inside_trio_it_says_what_to_use() -> None:
    async def main() -> None:
        with pytest.raises(cgrx.InTrioError, match=r"^cgrx\.sync\.connect\(\) blocks, .* use cgrx\.connect\(\)$"):
            cgrx.sync.connect()
        with pytest.raises(cgrx.InTrioError, match=r"use cgrx\.stream\(\)$"):
            cgrx.sync.stream(rx.of(1))

    run_mock(main)


def test_a_subscriber_that_would_wait_for_itself_is_refused() -> None:
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        feed.liquidations().subscribe(lambda _: feed.aclose())
        server.send(1.0)
        with pytest.raises(cgrx.InTrioError, match=r"^feed\.aclose\(\) blocks"):
            feed.run(timeout=LIMIT_S)


def test_it_works_where_a_loop_of_asyncio_runs() -> None:
    """As in the cell of a notebook."""

    async def cell() -> float:
        with (
            served() as server,
            cgrx.sync.connect(**server.access) as feed,
            cgrx.sync.stream(feed.liquidations(), timeout=LIMIT_S) as received,
        ):
            server.send(3.0)
            return next(received).volume_usd

    assert asyncio.run(cell()) == 3.0


def test_a_feed_of_another_host_is_refused(tmp_path: Path) -> None:
    """A stream belongs to the thread of its feed; that of a feed of trio takes no call of another."""
    write_recording(tmp_path, [gap(0), events(1, liquidation())])

    async def main() -> None:
        async with cgrx.replay(tmp_path) as feed:
            stream = feed.liquidations()

            def elsewhere() -> None:
                with pytest.raises(cgrx.ThreadError, match=r"cgrx\.sync"):
                    cgrx.sync.stream(stream).__enter__()

            await trio.to_thread.run_sync(elsewhere)

    trio.run(main)


def test_a_feed_without_a_loop_is_refused_where_tasks_would_wait_for_it(tmp_path: Path) -> None:
    """Its events come in another thread, from which neither loop can be woken like that."""

    async def on_asyncio(feed: cgrx.sync.BlockingFeed) -> None:
        with pytest.raises(cgrx.ThreadError, match=r"iterate with cgrx\.sync\.stream"):
            await cgrx.aio.stream(feed.liquidations()).__aenter__()
        with pytest.raises(cgrx.ThreadError, match=r"cgrx\.sync\.stream"):
            await feed.liquidations()

    async def on_trio(feed: cgrx.sync.BlockingFeed) -> None:
        with pytest.raises(cgrx.ThreadError, match=r"cgrx\.sync\.stream"):
            await cgrx.stream(feed.liquidations()).__aenter__()
        with pytest.raises(cgrx.ThreadError, match=r"record with cgrx\.sync\.record"):
            await cgrx.record(cast("cgrx.Feed", feed), tmp_path, channels=["liquidationOrders"]).__aenter__()

    with served() as server, cgrx.sync.connect(**server.access) as feed:
        asyncio.run(on_asyncio(feed))
        trio.run(on_trio, feed)
        assert feed.stats.subscribers == 0


def test_a_thread_of_trio_that_stands_still_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._trio.threads.ANSWER_S", 0.05)
    assert limits.ANSWER_S > 1
    with served() as server, cgrx.sync.connect(**server.access) as feed:
        released = threading.Event()
        stuck = threading.Thread(
            target=lambda: trio.from_thread.run_sync(released.wait, 20, trio_token=server.thread.token)
        )
        stuck.start()
        with pytest.raises(TimeoutError, match="something blocks the thread of the feed's event loop"):
            feed.liquidations().subscribe()
        released.set()
        stuck.join()


def test_a_time_out_that_the_question_raises_is_its_own() -> None:
    def ask() -> None:
        raise TimeoutError("mine")

    with served() as server, cgrx.sync.connect(**server.access) as feed:
        runtime = cast("Any", feed.liquidations()).runtime
        with pytest.raises(TimeoutError, match=r"^mine$"):
            runtime.in_thread(ask)


def test_a_stream_that_is_left_behind_its_feed_is_left_in_peace() -> None:
    with served() as server:
        with cgrx.sync.connect(**server.access) as feed:
            streaming = cgrx.sync.stream(feed.liquidations())
            received = streaming.__enter__()
        assert list(received) == []
        streaming.__exit__(None, None, None)


_PROGRAM = """
import cgrx.sync
from cgrx._hosts.trio_thread import Entered
from cgrx._simulator.simulator import Simulator

with Entered(Simulator, lambda server, _: server) as server:
    with cgrx.sync.connect(url=server.url, api_key="a-key-of-the-tests") as feed:
        with cgrx.sync.stream(feed.liquidations()) as events:
            print("ready", flush=True)
            for event in events:
                pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there it is another signal")
def test_ctrl_c_ends_a_script() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        os.kill(program.pid, signal.SIGINT)
        _, err = program.communicate(timeout=15)
    finally:
        program.kill()
    assert program.returncode in (-signal.SIGINT, 130)
    assert err.splitlines()[-1] == "KeyboardInterrupt"
