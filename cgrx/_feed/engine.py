"""What drives a feed, live or replayed: streams on a hub, a status, and one way to end. Users hold a face of it.

Who raises, and who gets it:

    raised by                            subscribers get          `run()` raises   leaves the `async with`
    -----------------------------------  -----------------------  ---------------  -----------------------------------
    nobody: left, or `aclose()`          completion               nothing          nothing
    the body of the `async with`         completion               nothing          the body's exception
    `_ready`: it cannot begin            completion               -                its error, before there is a body
    `_work`: trouble that is final       the error                the error        the error; the body is cancelled
    a subscriber, unless isolated        the error                the error        the error; the body is cancelled
    the body, after the feed has failed  the error                the error        the body's exception
    a cancellation from outside          nothing: disposed        -                `trio.Cancelled`

A body that got the error from `run()` and still ends without an exception has handled it: then nothing is raised.
The background task itself never raises, so whatever leaves is a plain exception, never a group.
"""

import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, ClassVar, Literal, TypeVar, get_args

import attrs
import trio
from reactivex import Observable, abc
from reactivex.subject import ReplaySubject

from cgrx._feed.backpressure import Pressure
from cgrx._feed.log import StatusLog, logger
from cgrx._feed.subscriptions import Hub
from cgrx._model.channels import Channel
from cgrx._model.errors import CgrxError
from cgrx._model.events import Event
from cgrx._model.output_status import Backpressured, Resumed, StreamFailed, SubscriberFailed
from cgrx._model.stats import FeedStats
from cgrx._model.status import Ended, State, Status
from cgrx._model.use_errors import ThreadError
from cgrx._streams.observable import Foreign
from cgrx._streams.observers import SignalObserver
from cgrx._streams.stream import EventStream
from cgrx._trio.draining import on_drain, opening
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.threads import REACHABLE, ask, tell

T = TypeVar("T")
E = TypeVar("E", bound=Event)

OnSubscriberError = Literal["raise", "isolate"]


def require_policy(value: object) -> None:
    """Raise `ValueError` unless `value` says what a subscriber's exception does."""
    if value not in get_args(OnSubscriberError):
        raise ValueError(f'on_subscriber_error={value!r} is neither "raise" nor "isolate"')


@attrs.frozen(eq=False)
class _Source:
    """The source of the stream of a channel."""

    running: ClassVar[bool] = True
    """As of a share: the hub gives events when they arrive, and none while it is subscribed to."""

    subscribe: Callable[[Channel, SignalObserver[Any]], abc.DisposableBase]
    channel: Channel

    def __call__(self, observer: SignalObserver[Any], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self.subscribe(self.channel, observer)


class FeedEngine(ABC):
    """Drives one feed, and is the `Runtime` of its streams. The methods without a body are what a kind of feed adds.

    Args:
        on_subscriber_error: see `connect`.
        waits: see `Runtime`.
    """

    scheduler: TrioScheduler
    """Set by the kind of feed; entered by `open`."""

    def __init__(self, on_subscriber_error: OnSubscriberError, *, waits: bool = False) -> None:
        self.waits = waits
        self._isolate = on_subscriber_error == "isolate"
        self._thread = threading.get_ident()
        self._token = require_trio("a feed")
        self._reachable = REACHABLE.get()
        self._log = StatusLog()
        self._statuses: ReplaySubject[Status] = ReplaySubject(1)
        self._ended = trio.Event()  # the streams have got their last signal
        self._ended_ms = 0  # when that was
        self._closed = trio.Event()  # the work is over too
        self._failure: Exception | None = None
        self._failure_told = False  # by `run`
        self._waited_for = False  # by `run`, or by an iteration
        self._body = trio.CancelScope()  # cancelled when the feed fails
        self.pressure = Pressure(self._on_pressure)
        self.hub = Hub(secrets.token_hex(4), self.now_ms, self._on_desired_change, self.subscriber_raised)

    # For the face

    @property
    def status(self) -> Observable[Status]:
        """See `Feed.status`."""
        return Foreign(self._statuses, self)

    @property
    def state(self) -> State:
        """See `Feed.state`."""
        if not self._ended.is_set():
            return self._state()
        return State.CLOSED if self._failure is None else State.FAILED

    @property
    def _last_ms(self) -> int:
        """The feed's time; behind the end that of the end, for then there may be no trio to tell it."""
        return self._ended_ms if self._ended.is_set() else self.now_ms()

    def snapshot(self) -> FeedStats:
        """See `Feed.stats`: any thread may ask."""
        return ask(self._token, lambda: self.stats, "feed.stats")

    def stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        """The stream of a channel: each subscriber of it subscribes to the hub."""
        return EventStream(_Source(self._subscribe, channel), event_types=frozenset({event_type}), runtime=self)

    def report(self, status: Status) -> None:
        """See `Feed.report`."""
        self._log(status)
        self._statuses.on_next(status)

    def repeat(self, status: Status) -> None:
        """Report what happened to the feed that was recorded: the log does not warn of it again."""
        self._log(status, recorded=True)
        self._statuses.on_next(status)

    async def run(self) -> None:
        """See `Feed.run`."""
        self.begin()
        await self._ended.wait()
        if self._failure is not None:
            self._failure_told = True
            raise self._failure

    async def aclose(self) -> None:
        """See `Feed.aclose`."""
        self._stop()
        await self._closed.wait()

    # As the runtime of its streams

    def in_thread(self, action: Callable[[], T]) -> T:
        """Call `action` in the feed's thread: from another one only where that is asked for, as by `cgrx.sync`."""
        if threading.get_ident() == self._thread:
            return action()
        if self._reachable:
            return ask(self._token, action, "a call of the feed")
        raise ThreadError(
            "a feed and its streams belong to the thread of their event loop; in another thread use"
            " trio.from_thread.run_sync(...), or a feed of cgrx.sync, which may be used in any thread"
        )

    def subscriber_raised(self, error: Exception) -> None:
        """A subscriber raised: it has been disposed, and by default the feed ends."""
        self.report(SubscriberFailed(self.now_ms(), error))
        if not self._isolate:
            self._fail(error)

    def unhandled(self, error: Exception) -> None:
        """A stream ended with an error that its subscriber does not handle."""
        if isinstance(error, CgrxError):
            self.report(StreamFailed(self.now_ms(), error))
        elif error is not self._failure:  # what ends the feed ends its streams too, and is told once
            self.subscriber_raised(error)

    def tell(self, make: Callable[[int], Status]) -> None:
        """See `Runtime`."""
        self.report(make(self._last_ms))

    def begin(self) -> None:
        """Somebody waits for what the feed will give, by `run` or by an iteration: a replay starts."""
        self._waited_for = True

    def hold(self) -> None:
        """Stop reading until `release` has been called as often."""
        self.pressure.hold()

    def release(self) -> None:
        """Take one `hold` back. A consumer in another thread does not wait for it."""
        if threading.get_ident() == self._thread:
            self.pressure.release()
        else:
            tell(self._token, self.pressure.release)

    # What a kind of feed adds

    @property
    @abstractmethod
    def stats(self) -> FeedStats:
        """See `Feed.stats`."""

    @abstractmethod
    def now_ms(self) -> int:
        """See `Feed.now_ms`."""

    @abstractmethod
    def after(self, delay_s: float, action: Callable[[], None]) -> abc.DisposableBase:
        """Call `action` in `delay_s` seconds of trio's clock, whatever the feed's own time is."""

    @abstractmethod
    def _state(self) -> State:
        """Where the feed stands as long as it has not ended."""

    @abstractmethod
    def _on_desired_change(self, channel: Channel) -> None:
        """A channel has its first subscriber, or has lost its last."""

    @abstractmethod
    async def _ready(self) -> None:
        """Wait until the body can begin. Raises where it cannot."""

    @abstractmethod
    async def _work(self) -> None:
        """Keep the feed going until it is asked to stop, or is at its end. Raises any other reason to end."""

    @abstractmethod
    def _stop(self) -> None:
        """Ask `_work` to return."""

    # What a kind of feed may change

    def _subscribe(self, channel: Channel, observer: SignalObserver[E]) -> abc.DisposableBase:
        return self.hub.subscribe(channel, observer)

    def _on_pressure(self, held: bool) -> None:
        self.report((Backpressured if held else Resumed)(self.now_ms()))

    def _around(self) -> AbstractContextManager[None]:
        """Entered first and left last."""
        return nullcontext()

    # How it runs and ends: see the table above

    @asynccontextmanager
    async def open(self, face: T) -> AsyncGenerator[T, None]:
        """Run the feed around a body, which gets `face`."""
        outcome: Exception | None = None  # the body's, kept out of the nursery, which would put it in a group
        try:
            with self._around(), self._body:
                async with self.scheduler:
                    self.scheduler.start_soon(self._run_work)
                    try:
                        with opening():
                            await self._ready()
                        with on_drain(self._stop):
                            try:
                                yield face
                            except Exception as error:  # noqa: BLE001 - raised below, behind the end of the streams
                                outcome = error
                            self._stop()
                            if not self._closed.is_set():  # else the body may be cancelled already
                                await self._closed.wait()
                    finally:
                        self.hub.dispose()  # does nothing behind the end; after a cancellation nothing else is done
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
        """End the feed with an error; only the first one counts."""
        if self._failure is None:
            self._failure = error
            self._stop()
            if self._closed.is_set():
                self._body.cancel()

    def _end(self) -> None:
        """Give the streams and the status their last signal, once."""
        if self._ended.is_set():
            return
        if self._failure is None:
            self._log_unheard()
            self.hub.complete()
        else:
            self.hub.fail(self._failure)
        self._ended_ms = self.now_ms()
        self._ended.set()
        self.report(Ended(self._ended_ms, self._failure))
        self._statuses.on_completed()

    def _log_unheard(self) -> None:
        """Say so where streams were subscribed to, nothing came, and nothing in the body waited for them."""
        unheard = self.hub.unheard
        if unheard and unheard == self.hub.desired and not self._waited_for:
            names = ", ".join(channel.name for channel in unheard)
            logger.info(
                "the feed was closed before anything was received from %s: to keep the body of the `async with` waiting"
                " until the feed ends, `await feed.run()`",
                names,
            )
