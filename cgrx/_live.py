"""A live feed: its hub, its supervisor and its scheduler put together, and how it ends.

The background task never raises: what ends a feed is kept, its streams and `run()` get it, and the body is cancelled.
So everything leaves the `async with` as a plain exception.
"""

import random
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Literal, TypeVar

import attrs
import trio
from reactivex import Observable, abc
from reactivex.subject import ReplaySubject

from cgrx._address import Address
from cgrx._chained import Foreign
from cgrx._channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._clock import WallClock
from cgrx._durations import Duration
from cgrx._errors import CgrxError, ConnectError, ThreadError
from cgrx._events import Event, Liquidation, Trade
from cgrx._hub import Hub
from cgrx._limits import Limits
from cgrx._log import StatusLog, redacted
from cgrx._observers import SignalObserver
from cgrx._pressure import Pressure
from cgrx._scheduler import TrioScheduler
from cgrx._session import Session, Tally
from cgrx._status import Backpressured, Ended, FeedStats, Resumed, State, Status, StreamFailed, SubscriberFailed
from cgrx._streams import EventStream
from cgrx._supervisor import Open, Supervisor
from cgrx.operators._ordering import OrderedStream, trades_across

E = TypeVar("E", bound=Event)

OnSubscriberError = Literal["raise", "isolate"]


@attrs.frozen(eq=False)
class _FeedRuntime:
    """A feed as its streams know it."""

    feed: "LiveFeed"
    thread: int = attrs.field(factory=threading.get_ident)

    @property
    def scheduler(self) -> abc.SchedulerBase:
        return self.feed.scheduler

    def check_thread(self) -> None:
        if threading.get_ident() != self.thread:
            raise ThreadError(
                "a feed and its streams belong to the thread of their event loop; in another thread use"
                " trio.from_thread.run_sync(...)"
            )

    def subscriber_raised(self, error: Exception) -> None:
        self.feed.subscriber_raised(error)

    def unhandled(self, error: Exception) -> None:
        self.feed.stream_failed(error)

    def hold(self) -> None:
        self.feed.pressure.hold()

    def release(self) -> None:
        self.feed.pressure.release()


class LiveFeed:
    """The feed of one supervised connection; see `Feed`. `connect` makes it and runs it."""

    def __init__(
        self,
        address: Address,
        open_connection: Open,
        limits: Limits,
        on_subscriber_error: OnSubscriberError,
        wall_clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self._redact = address.redact
        self._isolate = on_subscriber_error == "isolate"
        self._clock = WallClock(wall_clock)
        self._tally = Tally()
        self._log = StatusLog()
        self._status: ReplaySubject[Status] = ReplaySubject(1)
        self._ended = trio.Event()  # the streams have got their last signal
        self._closed = trio.Event()  # the connection is gone too
        self._failure: Exception | None = None
        self._failure_told = False
        self._body = trio.CancelScope()  # cancelled when the feed fails
        self._runtime = _FeedRuntime(self)
        self.pressure = Pressure(self._on_pressure)
        self._scheduler = TrioScheduler(clock=self._clock, on_error=self.subscriber_raised)
        self._hub = Hub(secrets.token_hex(4), self.now_ms, self._on_desired_change, self.subscriber_raised)
        self._supervisor = Supervisor(
            open_connection=open_connection,
            start_session=lambda transport: Session(
                transport, self._hub, self._clock, limits, self._tally, self.pressure, self.report, self._redact
            ),
            drain=self._end,
            report=self.report,
            hub=self._hub,
            clock=self._clock,
            limits=limits,
            rng=rng,
        )

    # What users see

    @property
    def status(self) -> Observable[Status]:
        self._runtime.check_thread()
        return Foreign(self._status, self._runtime)

    @property
    def state(self) -> State:
        self._runtime.check_thread()
        if not self._ended.is_set():
            return self._supervisor.state
        return State.CLOSED if self._failure is None else State.FAILED

    @property
    def stats(self) -> FeedStats:
        self._runtime.check_thread()
        channels = self._hub.stats()
        return FeedStats(
            state=self.state,
            connections=self._supervisor.connections,
            attempts=self._supervisor.attempts,
            subscribers=sum(each.subscribers for each in channels.values()),
            channels=MappingProxyType(channels),
            **attrs.asdict(self._tally),
        )

    @property
    def scheduler(self) -> TrioScheduler:
        return self._scheduler

    def liquidations(self) -> EventStream[Liquidation]:
        return self._stream(LiquidationOrders(), Liquidation)

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        return self._stream(FuturesTrades(exchange, symbol, min_volume), Trade)

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        return trades_across(self.futures_trades, instruments, min_volume, max_delay)

    async def run(self) -> None:
        self._runtime.check_thread()
        await self._ended.wait()
        if self._failure is not None:
            self._failure_told = True
            raise self._failure

    async def aclose(self) -> None:
        self._runtime.check_thread()
        self._supervisor.stop()
        await self._closed.wait()

    def _stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        self._runtime.check_thread()

        def connect(observer: SignalObserver[E], _: abc.SchedulerBase | None) -> abc.DisposableBase:
            return self._hub.subscribe(channel, observer)

        return EventStream(connect, event_types=frozenset({event_type}), runtime=self._runtime)

    # What its parts tell it

    def now_ms(self) -> int:
        """Its wall time, milliseconds since the epoch."""
        return self._clock.now_ms()

    def report(self, status: Status) -> None:
        """Publish and log a status."""
        self._log(status)
        self._status.on_next(status)

    def subscriber_raised(self, error: Exception) -> None:
        """A subscriber raised: it has been disposed, and by default the feed ends."""
        self.report(SubscriberFailed(self.now_ms(), error))
        if not self._isolate:
            self._fail(error)

    def stream_failed(self, error: Exception) -> None:
        """A stream ended with an error that its subscriber does not handle."""
        if isinstance(error, CgrxError):
            self.report(StreamFailed(self.now_ms(), error))
        elif error is not self._failure:  # what ends the feed ends its streams too, and is told once
            self.subscriber_raised(error)

    def _on_pressure(self, held: bool) -> None:
        if not held and self._supervisor.session is not None:
            self._supervisor.session.resumed(self.pressure.held_since)
        self.report((Backpressured if held else Resumed)(self.now_ms()))

    def _on_desired_change(self) -> None:
        if self._supervisor.session is not None:
            self._supervisor.session.desired_changed()

    # How it runs and ends

    @asynccontextmanager
    async def open(self, connect_timeout_s: float) -> AsyncGenerator["LiveFeed", None]:
        """Run the feed around a body; see `connect`."""
        outcome: Exception | None = None  # the body's, kept out of the nursery, which would put it in a group
        try:
            with redacted(self._redact), self._body:
                async with self._scheduler:
                    self._scheduler.start_soon(self._supervise)
                    try:
                        await self._first_handshake(connect_timeout_s)
                        try:
                            yield self
                        except Exception as error:  # noqa: BLE001 - raised below, behind the end of the streams
                            outcome = error
                        self._supervisor.stop()
                        if not self._closed.is_set():  # else the body may be cancelled already
                            await self._closed.wait()
                    finally:
                        self._hub.dispose()  # does nothing behind the end; after a cancellation nothing else is done
                        self._end()
        finally:
            if outcome is not None:
                try:
                    raise outcome
                finally:
                    del outcome  # its traceback leads to this frame
        # A body that was cut short is told why, even where a part of it knows from `run()`.
        if self._failure is not None and (self._body.cancelled_caught or not self._failure_told):
            raise self._failure

    async def _first_handshake(self, timeout_s: float) -> None:
        with trio.move_on_after(timeout_s):
            await self._supervisor.first_handshake.wait()
        if not self._supervisor.first_handshake.is_set():
            last = self._supervisor.last_error
            raise ConnectError(timeout_s, self._supervisor.attempts, last) from last

    async def _supervise(self) -> None:
        try:
            await self._supervisor.run()
        except Exception as error:  # noqa: BLE001 - final, whether trouble or a bug: run() and the body get it
            self._fail(error)
        self._end()
        self._closed.set()
        if self._failure is not None:
            self._body.cancel()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._supervisor.stop()
            if self._closed.is_set():
                self._body.cancel()

    def _end(self) -> None:
        if self._ended.is_set():
            return
        if self._failure is None:
            self._hub.complete()
        else:
            self._hub.fail(self._failure)
        self._ended.set()
        self.report(Ended(self.now_ms(), self._failure))
        self._status.on_completed()
