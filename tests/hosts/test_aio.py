"""`cgrx.aio`: the names of `cgrx` for the tasks of asyncio, on its own loop and on uvloop, over real sockets."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import reactivex as rx
import trio
from reactivex import operators as rx_ops
from reactivex.internal.exceptions import SequenceContainsNoElementsError
from reactivex.scheduler.eventloop import AsyncIOScheduler
from reactivex.subject import Subject

import cgrx
import cgrx.aio
from cgrx import operators as ops
from cgrx._recording.writer import write_recording
from cgrx._trio.overflow import Overflow
from cgrx.testing import liquidation
from tests.hosts.asyncio_running import both_loops, run_asyncio, served
from tests.replay.replaying import events, gap
from tests.support import run, run_mock

POLICIES: list[Overflow] = ["error", "drop_oldest", "drop_newest", "latest"]

Loop = Callable[[], asyncio.AbstractEventLoop]


@both_loops
def test_events_come_one_by_one_and_are_accounted_for(loop: Loop) -> None:
    async def main() -> list[float]:
        seen: list[float] = []
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            async with cgrx.aio.stream(feed.liquidations().pipe(ops.min_volume(2.0))) as received:
                await server.send(1.0, 2.0, 3.0)
                async for event in received:
                    seen.append(event.volume_usd)
                    if event.volume_usd == 3.0:
                        break
                assert received.stats == cgrx.StreamStats(received=2, delivered=2, dropped=0, queued=0)
            assert feed.stats.events == 3
            states = [feed.state]
        states.append(feed.state)
        assert states == [cgrx.State.CONNECTED, cgrx.State.CLOSED]
        await feed.run()  # returns, also when the guest has ended
        return seen

    assert run_asyncio(main, loop) == [2.0, 3.0]


@both_loops
def test_batches_hold_what_is_queued(loop: Loop) -> None:
    async def main() -> None:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.stream(feed.liquidations()) as received,
        ):
            await server.send(1.0, 2.0)
            got: list[float] = []
            async for batch in received.batches():
                got += [event.volume_usd for event in batch]
                if len(got) == 2:
                    break
            assert got == [1.0, 2.0]

    run_asyncio(main, loop)


@both_loops
def test_several_feeds_share_one_guest_that_ends_with_the_last(loop: Loop) -> None:
    """And another one can be started then. Their streams can be merged, since they are of one thread."""

    async def main() -> None:
        for _ in range(2):
            async with served() as server:
                async with cgrx.aio.connect(**server.access) as one, cgrx.aio.connect(**server.access) as other:
                    tokens = {feed.scheduler.now.tzinfo for feed in (one, other)}
                    assert len(tokens) == 1
                    async with cgrx.aio.stream(cgrx.merge(one.liquidations(), other.liquidations())) as received:
                        await server.send(5.0, feeds=2)
                        assert [(await anext(received)).volume_usd for _ in range(2)] == [5.0, 5.0]
                assert trio.lowlevel.in_trio_run()
            assert not trio.lowlevel.in_trio_run()

    run_asyncio(main, loop)


def test_feeds_that_are_opened_and_left_by_many_tasks_at_once() -> None:
    """A guest that is ending is waited for, and a new one started."""

    async def once(number: int) -> int:
        async with cgrx.aio.stream(rx.of(number)) as received, served():
            await asyncio.sleep(0)
            return await anext(received)

    async def main() -> None:
        for _ in range(3):
            assert await asyncio.gather(*(once(n) for n in range(5))) == list(range(5))

    run_asyncio(main)


@both_loops
def test_closing_brings_the_open_windows_out(loop: Loop) -> None:
    async def main() -> list[ops.Flow]:
        rows: list[ops.Flow] = []
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            feed.liquidations().pipe(ops.tumbling("1h")).subscribe(rows.append)
            async with cgrx.aio.stream(feed.liquidations()) as received:
                await server.send(7.0)
                await anext(received)
            await feed.aclose()
        return rows

    (row,) = run_asyncio(main, loop)
    assert (row.count, row.volume) == (1, 7.0)


def test_a_recording_is_made_and_replayed(tmp_path: Path) -> None:
    """The rows of a replay on asyncio equal those on trio."""

    async def main() -> list[ops.Flow]:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.record(feed, tmp_path, channels=[cgrx.LiquidationOrders()]) as recorder,
        ):
            async with cgrx.aio.stream(feed.liquidations()) as received:
                await server.send(1.0, 2.0, 4.0)
                for _ in range(3):
                    await anext(received)
            await recorder.flush()
            assert recorder.stats.events == 3
        return await rows_of(cgrx.aio.replay, cgrx.aio.stream)

    async def rows_of(replay: Any, stream: Any) -> list[ops.Flow]:
        async with replay(tmp_path) as again, stream(again.liquidations().pipe(ops.tumbling("1s"))) as rows:
            return [row async for row in rows]

    on_asyncio = run_asyncio(main)
    assert [row.volume for row in on_asyncio] == [7.0]
    assert on_asyncio == run(rows_of, cgrx.replay, cgrx.stream)


@pytest.mark.parametrize("overflow", POLICIES)
def test_each_policy_has_the_accounts_that_it_has_on_trio(overflow: Overflow) -> None:
    """There is no second queue: what is dropped, queued and delivered is the same, in any order of calls."""

    async def main(stream: Any) -> list[object]:
        told: list[object] = []
        subject: Subject[cgrx.Liquidation] = Subject()
        async with stream(subject, buffer=2, overflow=overflow) as received:
            for n in range(5):
                subject.on_next(liquidation(volume_usd=n + 1.0, symbol=f"S{n % 3}"))
                told.append(received.stats)
                if n == 1:
                    told.append(await anext(received))
            subject.on_completed()
            try:
                async for each in received:
                    told.append(each)  # noqa: PERF401 - what came before an error must be there
            except cgrx.BufferOverflowError as error:
                told.append(str(error))
            told.append(received.stats)
        return told

    async def on_asyncio() -> list[object]:
        return await main(cgrx.aio.stream)

    assert run_asyncio(on_asyncio) == run_mock(main, cgrx.stream)


@both_loops
def test_a_blocking_stream_holds_the_feed_up(loop: Loop) -> None:
    async def main() -> None:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.stream(feed.liquidations(), buffer=2, overflow="block") as received,
        ):
            await server.send(*map(float, range(1, 101)))
            assert [(await anext(received)).volume_usd for _ in range(100)] == list(range(1, 101))
            assert received.stats == cgrx.StreamStats(100, 100, 0, 0)

    run_asyncio(main, loop)


def test_other_tasks_get_their_turn_while_events_are_queued() -> None:
    async def main() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        async with cgrx.aio.stream(rx.from_iterable(range(1000)), buffer=1000) as received:
            async for _ in received:
                pass
        counting.cancel()
        await asyncio.wait([counting])
        return turns

    assert run_asyncio(main) >= 10


# What reactivex offers on asyncio


@both_loops
def test_an_observable_can_be_awaited(loop: Loop) -> None:
    """As in reactivex: the last event. The feed's own timed operators go on running on its scheduler."""

    async def main() -> float:
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            pending = asyncio.ensure_future(last(feed.liquidations().pipe(rx_ops.delay(0.001), rx_ops.take(2))))
            await server.send(1.0, 2.0, 3.0)
            return (await pending).volume_usd

    async def last(observable: rx.Observable[cgrx.Liquidation]) -> cgrx.Liquidation:
        return await observable

    assert run_asyncio(main, loop) == 2.0


def test_awaiting_raises_what_the_observable_fails_with() -> None:
    async def main() -> None:
        with pytest.raises(KeyError, match="gone"):
            await rx.throw(KeyError("gone")).pipe(ops.side("long"))
        with pytest.raises(SequenceContainsNoElementsError):
            await rx.empty().pipe(ops.side("long"))

    run_asyncio(main)


@both_loops
def test_an_observable_takes_the_scheduler_of_asyncio(loop: Loop) -> None:
    async def main() -> float:
        running = asyncio.get_running_loop()
        seen: asyncio.Future[float] = running.create_future()
        async with served() as server, cgrx.aio.connect(**server.access) as feed:
            later = feed.liquidations().pipe(rx_ops.delay(0.001, AsyncIOScheduler(running)))
            later.subscribe(lambda event: seen.set_result(event.volume_usd))
            await server.send(9.0)
            return await seen

    assert run_asyncio(main, loop) == 9.0


# Where it is called


def test_outside_asyncio_it_says_what_to_use(tmp_path: Path) -> None:
    write_recording(tmp_path, [gap(0), events(1, liquidation())])

    async def on_trio() -> None:
        with pytest.raises(cgrx.NotInAsyncioError, match=r"trio runs here: use cgrx\.connect\(\)$"):
            cgrx.aio.connect()
        with pytest.raises(cgrx.NotInAsyncioError, match=r"trio runs here: use cgrx\.stream\(\)$"):
            cgrx.aio.stream(rx.of(1))

    run_mock(on_trio)
    with pytest.raises(
        cgrx.NotInAsyncioError, match=r"^cgrx\.aio\.replay\(\) needs a running asyncio loop.* cgrx\.sync\.replay\(\)"
    ):
        cgrx.aio.replay(tmp_path)


def test_what_belongs_to_trio_says_so_beside_a_guest(tmp_path: Path) -> None:
    """A guest runs in the same thread, so trio's own functions would half work."""
    write_recording(tmp_path, [gap(0), events(1, liquidation())])

    async def main() -> None:
        async with served():
            with pytest.raises(cgrx.NotInTrioError, match=r"^connect\(\) needs trio, and asyncio .* use cgrx\.aio$"):
                cgrx.connect(api_key="any-key-will-do")
            with pytest.raises(cgrx.InTrioError, match=r"await asyncio\.to_thread\(cgrx\.backtest, \.\.\.\)"):
                cgrx.backtest(flows, tmp_path)
            assert len((await asyncio.to_thread(cgrx.backtest, flows, tmp_path)).rows) == 1

    def flows(feed: cgrx.Feed) -> cgrx.EventStream[ops.Flow]:
        return feed.liquidations().pipe(ops.tumbling("1s"))

    run_asyncio(main)


def test_misuse_says_how_to_enter_it() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"`async with cgrx\.aio\.connect\(\.\.\.\) as feed: \.\.\.`"):
            await cast("Any", cgrx.aio.connect())
        with pytest.raises(TypeError, match="needs `async with`, not `with`"):
            cast("Any", cgrx.aio.stream(rx.of(1))).__enter__()

    run_asyncio(main)


def test_arguments_are_checked_on_entering() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="on_subscriber_error"):
            async with cgrx.aio.connect(
                url="ws://127.0.0.1:1", api_key="unused-key", on_subscriber_error=cast("Any", "ignore")
            ):
                pass

    run_asyncio(main)
