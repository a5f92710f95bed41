"""`cgrx.aio.sinks`: the same delivery, in the tasks of asyncio."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import trio

import cgrx.aio
from cgrx import NotInAsyncioError
from tests.hosts.asyncio_running import both_loops, run_asyncio, served, until


@both_loops
def test_batches_are_written_in_tasks_of_asyncio(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    got: list[float] = []

    async def write(batch: Sequence[Any]) -> None:
        assert not trio.lowlevel.in_trio_task()
        await asyncio.sleep(0)
        failed.append(True)
        if len(failed) == 1:
            raise OSError("no route")
        got.extend(event.volume_usd for event in batch)

    failed: list[bool] = []

    async def main() -> None:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.sinks.deliver(write, feed.liquidations(), name="mine") as sink,
        ):
            await server.send(1.0, 2.0)
            await until(lambda: sink.stats.received == 2)
            await sink.flush()
            assert got == [1.0, 2.0]
            await server.send(3.0)
            await until(lambda: sink.stats.received == 3)
        assert got == [1.0, 2.0, 3.0]
        assert (sink.stats.delivered, sink.stats.retries, sink.name) == (3, 1, "mine")

    run_asyncio(main, loop)


def test_a_batch_whose_task_was_cancelled_is_written_again() -> None:
    tries: list[int] = []

    async def write(batch: Sequence[Any]) -> None:
        tries.append(len(batch))
        task = asyncio.current_task()
        assert task is not None
        if len(tries) == 1:
            task.cancel()
            await asyncio.sleep(1)

    async def main() -> None:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.sinks.deliver(write, feed.liquidations(), batch=1) as sink,
        ):
            await server.send(1.0)
            await until(lambda: sink.stats.delivered == 1)
            assert sink.stats.retries == 1
        assert tries == [1, 1]

    run_asyncio(main)


def test_what_is_under_way_when_time_runs_out_is_cancelled() -> None:
    ended: list[str] = []

    async def write(_: Sequence[Any]) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            if len(ended) > 1:
                raise OSError("broken off") from None
            raise

    async def main() -> None:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            for _ in range(2):
                async with cgrx.aio.sinks.deliver(write, feed.liquidations(), batch=1, drain="0s") as sink:
                    await server.send(1.0)
                    await until(partial(_is_writing, sink))
                assert sink.stats.dropped == 1
        assert ended == ["cancelled", "cancelled"]

    run_asyncio(main)


def _is_writing(sink: cgrx.sinks.Sink) -> bool:
    return sink.stats.in_flight > 0


def test_misuses() -> None:
    nothing: Any = None
    with pytest.raises(NotInAsyncioError, match=r"cgrx.aio.sinks.deliver\(\) needs a running asyncio loop"):
        cgrx.aio.sinks.deliver(nothing, nothing)

    async def main() -> None:
        with pytest.raises(TypeError, match="write=None is no function"):
            async with cgrx.aio.sinks.deliver(nothing, nothing):
                pytest.fail("it was entered")

    run_asyncio(main)
