"""What a live feed and a replay have in common: streams on a hub, a status, and one way to end.

The background task never raises: what ends a feed is kept, its streams and `run()` get it, and the body is cancelled.
So everything leaves the `async with` as a plain exception.
"""

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Literal, Self, TypeVar, get_args

import attrs
import trio
from reactivex import Observable, abc
from reactivex.subject import ReplaySubject

from cgrx._feed.backpressure import Pressure
from cgrx._feed.log import StatusLog
from cgrx._feed.subscriptions import Hub
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.errors import CgrxError, ThreadError
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.status import Backpressured, Ended, FeedStats, Resumed, State, Status, StreamFailed, SubscriberFailed
from cgrx._model.times import Duration
from cgrx._streams.observable import Foreign
from cgrx._streams.observers import SignalObserver
from cgrx._streams.ordering import OrderedStream, trades_across
from cgrx._streams.stream import EventStream
from cgrx._trio.scheduler import TrioScheduler

E = TypeVar("E", bound=Event)

OnSubscriberError = Literal["raise", "isolate"]


def require_policy(value: object) -> None:
    """Raise `ValueError` unless it says what a subscriber's exception does."""
    if value not in get_args(OnSubscriberError):
        raise ValueError(f'on_subscriber_error={value!r} is neither "raise" nor "isolate"')


@attrs.frozen(eq=False)
class _FeedRuntime:
    """A feed as its streams know it."""

    feed: "FeedBase"
    thread: int = attrs.field(factory=threading.get_ident)

    @property
    def scheduler(self) -> abc.SchedulerBase:
        return self.feed.scheduler

    @property
    def waits(self) -> bool:
        return self.feed.waits

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

    def begin(self) -> None:
        self.feed.begin()

    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        return self.feed.after(delay_s, action)

    def hold(self) -> None:
        self.feed.pressure.hold()

    def release(self) -> None:
        self.feed.pressure.release()


class FeedBase(ABC):
    """A feed: see `Feed` for what users see, and the methods without a body for what a kind of feed adds."""

    waits: bool = False
    """See `Runtime`."""
    _scheduler: TrioScheduler

    def __init__(self, on_subscriber_error: OnSubscriberError) -> None:
        self._isolate = on_subscriber_error == "isolate"
        self._log = StatusLog()
        self._status: ReplaySubject[Status] = ReplaySubject(1)
        self._ended = trio.Event()  # the streams have got their last signal
        self._closed = trio.Event()  # the work is over too
        self._failure: Exception | None = None
        self._failure_told = False
        self._body = trio.CancelScope()  # cancelled when the feed fails
        self._runtime = _FeedRuntime(self)
        self.pressure = Pressure(self._on_pressure)
        self._hub = Hub(secrets.token_hex(4), self.now_ms, self._on_desired_change, self.subscriber_raised)

    # What users see

    @property
    def status(self) -> Observable[Status]:
        self._runtime.check_thread()
        return Foreign(self._status, self._runtime)

    @property
    def state(self) -> State:
        self._runtime.check_thread()
        if not self._ended.is_set():
            return self._state()
        return State.CLOSED if self._failure is None else State.FAILED

    @property
    def stats(self) -> FeedStats:
        self._runtime.check_thread()
        return self._stats()

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
        self.begin()
        await self._ended.wait()
        if self._failure is not None:
            self._failure_told = True
            raise self._failure

    async def aclose(self) -> None:
        self._runtime.check_thread()
        self._stop()
        await self._closed.wait()

    def _stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        self._runtime.check_thread()

        def connect(observer: SignalObserver[E], _: abc.SchedulerBase | None) -> abc.DisposableBase:
            return self._subscribe(channel, observer)

        return EventStream(connect, event_types=frozenset({event_type}), runtime=self._runtime)

    def _subscribe(self, channel: Channel, observer: SignalObserver[E]) -> abc.DisposableBase:
        return self._hub.subscribe(channel, observer)

    # What a kind of feed adds

    @abstractmethod
    def now_ms(self) -> int:
        """Its wall time, milliseconds since the epoch."""

    @abstractmethod
    def begin(self) -> None:
        """Somebody waits for what it has to say."""

    @abstractmethod
    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """See `Runtime`."""

    @abstractmethod
    def _state(self) -> State:
        """Where it stands as long as it has not ended."""

    @abstractmethod
    def _stats(self) -> FeedStats:
        """See `Feed.stats`."""

    @abstractmethod
    def _on_desired_change(self) -> None:
        """Other channels than before have subscribers."""

    @abstractmethod
    async def _ready(self) -> None:
        """Wait until the body can begin; raise where it cannot."""

    @abstractmethod
    async def _work(self) -> None:
        """What it does, until it is asked to stop or has come to an end. Raises what ends it otherwise."""

    @abstractmethod
    def _stop(self) -> None:
        """Ask `_work` to end."""

    # What its parts tell it

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
        self.report((Backpressured if held else Resumed)(self.now_ms()))

    # How it runs and ends

    def _around(self) -> AbstractContextManager[None]:
        """What is so as long as it runs."""
        return nullcontext()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Self, None]:
        """Run the feed around a body."""
        outcome: Exception | None = None  # the body's, kept out of the nursery, which would put it in a group
        try:
            with self._around(), self._body:
                async with self._scheduler:
                    self._scheduler.start_soon(self._run_work)
                    try:
                        await self._ready()
                        try:
                            yield self
                        except Exception as error:  # noqa: BLE001 - raised below, behind the end of the streams
                            outcome = error
                        self._stop()
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

    async def _run_work(self) -> None:
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001 - final, whether trouble or a bug: run() and the body get it
            self._fail(error)
        self._end()
        self._closed.set()
        if self._failure is not None:
            self._body.cancel()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._stop()
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
