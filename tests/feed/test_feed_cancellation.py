"""Cancelled at any moment, a feed leaves nothing behind: no task, no connection, no subscriber."""

import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import cgrx
from cgrx._feed.session import Session
from cgrx._simulator.faults import NoPong
from cgrx._simulator.simulator import Simulator
from cgrx._wire.frames import FrameParser
from cgrx._wire.tap import Wire
from cgrx._wire.transport import Transport
from tests.choosing import one_in
from tests.feed.certificates import Authority
from tests.feed.feeding import Record, Sequence, Statuses, connected_times, in_memory, record
from tests.simulator.simulating import liquidation
from tests.support import run_mock

Program = Callable[[Simulator, dict[str, Any], Record], Awaitable[None]]


class CancelAt(trio.abc.Instrument):
    """Cancels a scope before the n-th step of any task from now on."""

    def __init__(self, step: int, scope: trio.CancelScope) -> None:
        self.steps = 0
        self._step = step
        self._scope = scope

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += 1
        if self.steps == self._step:
            self._scope.cancel()


async def connect(simulator: Simulator, options: dict[str, Any], seen: Record) -> None:
    """Enter and leave."""
    async with cgrx.connect(**options):
        pass


async def run_and_reconnect(simulator: Simulator, options: dict[str, Any], seen: Record) -> None:
    """Wait in `run()` over a reconnect, with a subscriber."""
    async with cgrx.connect(**options) as feed, trio.open_nursery() as nursery:
        feed.liquidations().subscribe_signals(seen)
        nursery.start_soon(feed.run)
        await simulator.wait_subscribed("liquidationOrders")
        await simulator.send(liquidation(1))
        simulator.drop_all()
        await simulator.wait_for(lambda stats: stats.connections_total == 2)
        await simulator.wait_subscribed("liquidationOrders")
        await simulator.send(liquidation(2))
        nursery.cancel_scope.cancel()


async def close(simulator: Simulator, options: dict[str, Any], seen: Record) -> None:
    """Iterate, and close by hand."""
    async with cgrx.connect(**options) as feed, cgrx.stream(feed.liquidations()) as events:
        feed.liquidations().subscribe_signals(seen)
        await simulator.wait_subscribed("liquidationOrders")
        await simulator.send(liquidation(1))
        assert await anext(events) == liquidation(1)
        await feed.aclose()


async def cancelled_at(step: int, program: Program, authority: Authority | None) -> int:
    """Run a program, cancel it at a step, and look at what is left; how many steps it took."""
    server_context = authority.server() if authority else None
    async with Simulator(listen=False, start="now", ssl_context=server_context, close_timeout=0.1) as simulator:
        await wait_all_tasks_blocked()
        tasks = trio.lowlevel.current_statistics().tasks_living
        seen = Record()
        options = in_memory(simulator) | {"rng": Sequence()}
        if authority:
            options["ssl_context"] = authority.client()
        scope = trio.CancelScope()
        instrument = CancelAt(step, scope)
        with scope:
            trio.lowlevel.add_instrument(instrument)
            try:
                await program(simulator, options, seen)
            finally:
                trio.lowlevel.remove_instrument(instrument)
        delivered = len(seen.signals)
        # The server finds out by itself, within the time that it gives a client.
        await trio.sleep(1)
        assert simulator.stats.connections == 0
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == tasks
        assert len(seen.signals) == delivered
        assert seen.end in (None, "completed")
        assert scope.cancelled_caught or scope.cancel_called or instrument.steps < step
    return instrument.steps


@pytest.mark.parametrize(
    ("program", "tls"),
    one_in(2, [(connect, False), (connect, True), (close, False), (run_and_reconnect, False)]),
    ids=["connect", "connect with TLS", "close", "run"],
)
def test_cancelled_at_every_step_nothing_is_left(program: Program, tls: bool) -> None:
    """At each step of each task, one after the other, until the program gets through uncancelled."""
    authority = Authority(("localhost",)) if tls else None
    step = 1
    while run_mock(cancelled_at, step, program, authority) >= step:
        step += 1
    assert step > 50


def connection_objects() -> int:
    """How many objects there are of the classes that the client's side of a connection is made of."""
    return sum(isinstance(each, (Session, Transport, Wire, FrameParser)) for each in gc.get_objects())


def test_fifty_reconnects_leave_no_task_and_no_memory() -> None:
    """The tasks are those of one connection, and no object of the connections before is left."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, cgrx.connect(**in_memory(simulator)) as feed:
            got: list[Any] = []
            feed.liquidations().subscribe(got.append)
            tasks: set[int] = set()
            objects: list[int] = []
            allocated: list[int] = []
            for number in range(51):
                await connected_times(simulator, number + 1)
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.send(liquidation(number))
                await wait_all_tasks_blocked()
                tasks.add(trio.lowlevel.current_statistics().tasks_living)
                if number % 25 == 0:
                    gc.collect()
                    objects.append(connection_objects())
                    allocated.append(len(gc.get_objects()))
                await simulator.close_all()
            assert len(got) == 51
            assert len(tasks) == 1
            assert objects[0] > 0
            assert objects == [objects[0]] * 3
            assert allocated[2] - allocated[1] < 25 * 40, "log records and the simulator's journal, no connection"

    run_mock(main)


def test_a_connection_is_gone_as_soon_as_it_has_ended() -> None:
    """Without the garbage collector, and although its error is kept: no cycle and no traceback holds it."""
    gc.collect()
    before = connection_objects()

    async def main() -> None:
        async with Simulator(listen=False) as simulator, cgrx.connect(**in_memory(simulator)) as feed:
            statuses = Statuses(feed)
            record(feed.liquidations())
            await trio.sleep(1)
            for end in (simulator.close_all, fails_to_pong(simulator)):
                assert connection_objects() > before
                await end()
                await simulator.wait_connections(0)
                await wait_all_tasks_blocked()
                assert feed.state is cgrx.State.RECONNECTING
                assert connection_objects() == before
                await trio.sleep(5)
            assert len(statuses.of(cgrx.Disconnected)) == 2

    gc.disable()
    try:
        run_mock(main)
    finally:
        gc.enable()


def fails_to_pong(simulator: Simulator) -> Callable[[], Awaitable[None]]:
    async def end() -> None:
        simulator.script([NoPong()])

    return end
