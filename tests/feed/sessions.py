"""A session on a transport that a test plays by hand."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._feed.backpressure import Pressure
from cgrx._feed.session import Session, Tally
from cgrx._feed.skew import Skew
from cgrx._feed.subscriptions import Hub
from cgrx._model.channels import Channel, LiquidationOrders
from cgrx._model.limits import Limits
from cgrx._model.status import Status
from cgrx._trio.clock import WallClock
from cgrx._wire.codec import encode_frame
from cgrx._wire.secret import Secret
from cgrx._wire.transport import Received, Transport
from tests.feed.feeding import KEY, WALL_S, Record
from tests.simulator.simulating import liquidation

L = LiquidationOrders()


def frame(*numbers: int) -> bytes:
    return encode_frame(L.name, [liquidation(number) for number in numbers])


class Script:
    """A transport that gives what a test pushes, and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.send_error: Exception | None = None
        self.stuck = False
        """The server takes nothing any more."""
        self._push, self._pull = trio.open_memory_channel[Received | BaseException](1_000)

    def push(self, *payloads: bytes, at: float | None = None) -> None:
        at = trio.current_time() if at is None else at
        self._push.send_nowait(Received(at, payloads, sum(map(len, payloads))))

    def fail(self, error: BaseException) -> None:
        self._push.send_nowait(error)

    async def receive(self) -> Received:
        received = await self._pull.receive()
        if isinstance(received, BaseException):
            raise received
        return received

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        if self.stuck:
            await trio.sleep_forever()
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(text)


@attrs.define(eq=False)
class Bench:
    """A session with all that belongs to it."""

    transport: Script
    hub: Hub
    session: Session
    tally: Tally
    pressure: Pressure
    statuses: list[Status]
    ended: list[BaseException] = attrs.field(factory=list[BaseException])
    stopped_at: float | None = None

    def join(self, channel: Any = L) -> Record:
        observer = Record()
        self.hub.subscribe(channel, observer)
        return observer

    async def run(self) -> None:
        try:
            await self.session.run()
            self.stopped_at = trio.current_time()
        except BaseException as error:
            self.ended.append(error)
            if isinstance(error, trio.Cancelled):
                raise


@asynccontextmanager
async def bench(limits: Limits | None = None) -> AsyncGenerator[Bench, None]:
    clock = WallClock(lambda: WALL_S)
    transport, tally, statuses = Script(), Tally(), list[Status]()
    sessions: list[Session] = []
    pressure = Pressure(lambda held: None if held else sessions[0].resumed(pressure.held_since))

    def changed(channel: Channel) -> None:
        sessions[0].desired_changed(channel)

    hub = Hub("origin", clock.now_ms, changed, no_error)
    session = Session(
        cast("Transport", transport),
        hub,
        clock,
        limits or Limits(),
        tally,
        pressure,
        statuses.append,
        Secret([KEY]),
        Skew(clock, hub, statuses.append),
    )
    sessions.append(session)
    async with trio.open_nursery() as nursery:
        made = Bench(transport, hub, session, tally, pressure, statuses)
        nursery.start_soon(made.run)
        await wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


def no_error(error: Exception) -> None:
    raise AssertionError("no observer of these tests raises") from error
