"""`cgrx.aio` and the loop beneath: how a guest ends with it, what Ctrl-C does, and a loop of another thread."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable

import pytest
import trio

import cgrx
import cgrx.aio
from cgrx._trio.guest import Guest, on_trio
from tests.hosts.asyncio_running import both_loops, run_asyncio, served, until

Loop = Callable[[], asyncio.AbstractEventLoop]


# The end of the loop


@both_loops
def test_a_loop_that_is_shut_down_ends_the_feeds_of_its_tasks(loop: Loop) -> None:
    """`asyncio.run` cancels what is left, in any order."""
    told: list[str] = []

    async def watch(entered: asyncio.Event) -> None:
        async with served() as server, cgrx.aio.connect(**server.access):
            entered.set()
            try:
                await asyncio.sleep(60)
            finally:
                told.append("cancelled")

    async def main() -> None:
        entered = asyncio.Event()
        tasks.append(asyncio.create_task(watch(entered)))
        await entered.wait()

    tasks: list[asyncio.Task[None]] = []
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
    assert told == ["cancelled"]
    assert tasks[0].cancelled()
    assert not trio.lowlevel.in_trio_run()


def test_a_feed_that_is_never_left_ends_with_the_loop() -> None:
    async def main() -> None:
        server = served()
        access = (await server.__aenter__()).access
        feed = await cgrx.aio.connect(**access).__aenter__()
        assert feed.state is cgrx.State.CONNECTED

    asyncio.run(main())
    assert not trio.lowlevel.in_trio_run()


def test_a_loop_that_was_closed_gets_no_more_of_the_guest() -> None:
    """Trio's thread reports what its sockets have to say; there is nobody left to take it."""
    loop = asyncio.new_event_loop()
    loop.close()
    guest = Guest.__new__(Guest)
    guest._loop = loop
    guest._soon(lambda: pytest.fail("called"))


def test_an_internal_error_of_trio_is_raised_where_the_guest_ends() -> None:
    async def main() -> None:
        guest = await Guest.join()

        async def broken() -> None:
            raise KeyError("in a task of the system")

        trio.lowlevel.spawn_system_task(broken)
        with pytest.raises(trio.TrioInternalError):
            await guest._keeper

    with asyncio.Runner() as runner:
        runner.run(main())


def test_a_trio_function_is_awaited_by_either_loop() -> None:
    async def twice() -> str:
        return f"{await on_trio(inner)}, {await on_trio(inner)}"

    async def inner() -> str:
        await trio.lowlevel.checkpoint()
        return "on trio"

    async def nested() -> str:
        return await on_trio(twice)

    assert run_asyncio(nested) == "on trio, on trio"


def test_a_guest_that_is_ending_is_waited_for() -> None:
    async def main() -> None:
        guest = await Guest.join()
        leaving = asyncio.create_task(guest.leave())
        await asyncio.sleep(0)
        another = await Guest.join()
        assert another is not guest
        assert not await leaving
        await another.leave()

    run_asyncio(main)


def test_a_connect_ends_with_a_guest_that_is_ended() -> None:
    """As by a loop that is shut down, whatever the order in which it cancels its tasks."""

    async def connect() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
            async with cgrx.aio.connect(url=url, api_key="a-key-of-the-tests"):
                pytest.fail("it was entered")

    async def main() -> None:
        connecting = asyncio.create_task(connect())
        await until(trio.lowlevel.in_trio_run)
        await asyncio.sleep(0.02)
        (keeper,) = (task for task in asyncio.all_tasks() if task.get_name() == "cgrx: trio as a guest")
        keeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    run_asyncio(main)


# Ctrl-C


def test_ctrl_c_in_a_step_of_trio_is_raised_behind_it() -> None:
    told: list[str] = []

    async def main() -> None:
        guest = await Guest.join()

        async def interrupt() -> None:
            signal.raise_signal(signal.SIGINT)
            told.append("the step went on")

        trio.lowlevel.spawn_system_task(interrupt)
        try:
            await asyncio.sleep(60)
        finally:
            await guest.leave()

    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    assert told == ["the step went on"]


_PROGRAM = """
import asyncio, sys
import cgrx, cgrx.aio
from cgrx._hosts.on_asyncio import Held
from cgrx._simulator.simulator import Simulator

async def main():
    async with Held(Simulator) as server:
        async with cgrx.aio.connect(url=server.url, api_key="a-key-of-the-tests") as feed:
            # A loop that is run by hand can lose a callback to Ctrl-C, unless it is waiting: so it waits by then.
            asyncio.get_running_loop().call_later(0.1, lambda: print("ready", flush=True))
            try:
                await feed.run()
            finally:
                print("leaving", feed.state.name, flush=True)
    print("not reached")

{run}
"""

_BY_RUN = "asyncio.run(main())"
_BY_HAND = """
loop = asyncio.new_event_loop()
task = loop.create_task(main())
try:
    loop.run_until_complete(task)
except KeyboardInterrupt:
    if not task.done():  # it may have been in its midst
        task.cancel()
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
    print("interrupted", flush=True)
finally:
    loop.close()
sys.exit(7)
"""


@pytest.mark.parametrize(("run", "code", "last"), [(_BY_RUN, -signal.SIGINT, "leaving"), (_BY_HAND, 7, "interrupted")])
@pytest.mark.skipif(sys.platform == "win32", reason="there it is another signal")
def test_ctrl_c_belongs_to_asyncio(run: str, code: int, last: str) -> None:
    """It cancels the task as `asyncio.run` does, or raises `KeyboardInterrupt` where a loop is run by hand."""
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(run=run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        os.kill(program.pid, signal.SIGINT)
        out, err = program.communicate(timeout=15)
    finally:
        program.kill()
    assert program.returncode in (code, 130 if code < 0 else code), err
    assert out.splitlines()[-1].startswith(last), (out, err)
    assert "not reached" not in out


def test_a_guest_in_another_thread_leaves_signals_alone() -> None:
    found: list[str] = []

    async def main() -> str:
        async with (
            cgrx.aio.stream(cgrx.aio.from_async(letters)) as received,
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
        ):
            return str(feed.state.name) + str(received.stats.received)

    async def letters() -> AsyncIterator[str]:
        yield "a"

    thread = threading.Thread(target=lambda: found.append(asyncio.run(main())))
    thread.start()
    thread.join(15)
    assert found == ["CONNECTED0"]
