"""What a feed promises whatever its server does, checked by one function: `Trial.survive`."""

import logging
import socket
import traceback
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import attrs
import trio
import trio.testing

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from tests.feed.feeding import KEY, WALL_S, eventually
from tests.hostile.parts import NOTHING, Account
from tests.hostile.server import SMALL_BYTES, Play, Server

PATIENCE_S = 20.0
"""How long a feed may take to be well again over loopback: longer than the time-outs of these tests."""

VIRTUAL_PATIENCE_S = 600.0
"""How long on a mock clock: longer than `Limits.retry_after_most_s`."""

QUICK = cgrx.Limits(backoff_first_s=0.001, backoff_most_s=0.001, close_s=0.5)
"""Attempts that do not keep a test waiting."""


class _Log(logging.Handler):
    """Keeps what is logged until it has been looked at."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.args!r} {record.exc_text}")


class _Watched(trio.abc.Stream):
    """A stream of the feed's, and a count of what the feed has read."""

    def __init__(self, stream: trio.abc.Stream, trial: "Trial") -> None:
        self._stream = stream
        self._trial = trial

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self._stream.receive_some(max_bytes)
        self._trial.on_read(len(data))
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Seen:
    """A subscriber that counts what it gets, and keeps the events for a while."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.dropped = 0
        self.end: object = None

    def on_signal(self, signal: cgrx.Signal[Any]) -> None:
        assert self.end is None, "a signal behind the end"
        if isinstance(signal, cgrx.Batch):
            self.events += signal.events
        elif isinstance(signal, cgrx.Dropped):
            self.dropped += signal.count

    def on_error(self, error: Exception) -> None:
        self.end = error

    def on_completed(self) -> None:
        assert self.end is None, "a second end"
        self.end = "completed"


class Trial:
    """A feed, its server, and subscribers that write down what they get. `trial` makes one."""

    def __init__(self, server: Server, limits: cgrx.Limits, patience_s: float) -> None:
        self.server = server
        self._patience_s = patience_s
        self.limits = limits
        self.seen = _Seen()
        self.merged = _Seen()
        self.rows: list[Any] = []
        self.statuses: list[cgrx.Status] = []
        self.most_waiting = 0
        """The most payload, bytes, that was read and not yet dispatched, as far as a server can know it."""
        self._feed: cgrx.Feed | None = None
        self._read = 0
        self._read_at = 0.0
        self._looked_at = 0
        self._events_looked_at = 0
        self.log = _Log()

    def subscribe(self, feed: cgrx.Feed) -> None:
        """Let the feed begin. Windows and an ordered merge see what the server sends too."""
        self._feed = feed
        feed.status.subscribe(self.statuses.append)
        feed.liquidations().subscribe_signals(self.seen)
        cgrx.merge_exchanges(feed.liquidations(), max_delay="1s").subscribe_signals(self.merged)
        windows = ops.tumbling("1m", n=agg.count(), usd=agg.volume(), price=agg.vwap(), names=agg.exchanges())
        feed.liquidations().pipe(windows).subscribe(self.rows.append)

    def on_read(self, size: int) -> None:
        """The feed has read so many bytes."""
        self._read += size
        self._read_at = trio.current_time()
        self.most_waiting = max(self.most_waiting, self._read - self.server.around_bytes - self.received_bytes())

    def received_bytes(self) -> int:
        return (self._feed.stats.received_bytes or 0) if self._feed else 0

    @property
    def feed(self) -> cgrx.Feed:
        assert self._feed is not None, "it has not been subscribed to yet"
        return self._feed

    def counted(self) -> Account:
        """What the feed and its subscriber have counted."""
        stats = self.feed.stats
        counters = {name: getattr(stats, name) for name in _COUNTERS if name != "dropped"}
        return Account(dropped=self.seen.dropped, **counters)

    async def survive(self, play: Play) -> None:
        """Let the next connection be played so, and the one behind it be well; then `check`."""
        server = self.server
        well = server.well + 1
        server.plays.append(play)
        server.hang_up()
        with trio.move_on_after(self._patience_s):
            await server.wait_well(well)
        assert server.well == well, f"no later connection is well: {self.statuses[-5:]}"
        await self.check()

    async def check(self) -> None:
        """Check the promise.

        - The feed lives: it is connected, and its streams have not ended.
        - Accounts balance: all that was sent has been delivered, or counted as what it was.
        - Memory is bounded: what waited to be dispatched stayed below `Limits.buffer_bytes` and what is in pieces.
        - The key is in no status, log line, error, event or repr.
        """
        with trio.move_on_after(PATIENCE_S):
            await eventually(self._is_settled)
        least, most = self.server.sent, self.server.sent + self.server.uncertain
        counted = self.counted()
        wrong = [
            name for name in _COUNTERS if not getattr(least, name) <= getattr(counted, name) <= getattr(most, name)
        ]
        assert not wrong, f"{counted} is not what was sent: {least} to {most}; {self.statuses[-3:]}"
        self.server.sent, self.server.uncertain = counted, NOTHING
        assert len(self.seen.events) == counted.events == self.feed.stats.channels[cgrx.LiquidationOrders()].events
        assert (self.feed.state, self.seen.end, self.merged.end) == (cgrx.State.CONNECTED, None, None)
        limits = self.limits
        assert self.most_waiting <= limits.buffer_bytes + limits.read_bytes + 2 * limits.message_bytes, (
            self.most_waiting
        )
        self._look_for_key()

    def is_still(self) -> bool:
        """Whether the feed has read nothing for a while."""
        return trio.current_time() - self._read_at > 0.05

    def _is_settled(self) -> bool:
        # Behind a reset nobody knows what must come: then until nothing more comes.
        return self.is_still() if self.server.uncertain.messages else self.counted() == self.server.sent

    def _look_for_key(self) -> None:
        """In all that has come since the last look."""
        new = self.statuses[self._looked_at :]
        self._looked_at = len(self.statuses)
        errors = [error for status in new if (error := getattr(status, "error", None)) is not None]
        texts = [
            *(f"{status!r} {status}" for status in new),
            *(f"{error!r} {vars(error)} {traceback.format_exception(error)}" for error in errors),
            *self.log.lines,
            repr(self.seen.events[self._events_looked_at :]),
            repr([self.feed, self.feed.stats, vars(self.feed)]),
        ]
        self.log.lines.clear()
        self._events_looked_at = len(self.seen.events)
        shown = "\n".join(texts)
        assert not [part for part in _KEY_PARTS if part in shown]
        failed = (cgrx.StreamFailed, cgrx.SubscriberFailed)
        assert not [status for status in new if isinstance(status, failed)]

    def check_end(self) -> None:
        """Once the feed is closed: all streams are complete, and what was held back has come."""
        assert (self.seen.end, self.merged.end) == ("completed", "completed")
        assert Counter(self.merged.events) == Counter(self.seen.events)
        assert self.rows


_KEY_PARTS = {KEY[at : at + 8] for at in range(len(KEY) - 7)}
_COUNTERS = tuple(field.name for field in attrs.fields(Account))


@contextmanager
def _logging_to(handler: logging.Handler) -> Generator[None]:
    """Meanwhile whatever is logged at any level reaches the handler."""
    loggers = [logging.getLogger(name) for name in ("cgrx", "trio-websocket")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


@asynccontextmanager
async def trial(*, memory: bool, limits: cgrx.Limits = QUICK) -> AsyncGenerator[Trial, None]:
    """A feed on a server, over loopback or, for a mock clock, in memory."""
    server = Server()
    made = Trial(server, limits, VIRTUAL_PATIENCE_S if memory else PATIENCE_S)
    begun_at = trio.current_time()
    async with trio.open_nursery() as nursery:
        port = 80
        if not memory:
            listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
            port = listeners[0].socket.getsockname()[1]

        async def dial(_: object) -> trio.abc.Stream:
            if not memory:
                stream = await trio.open_tcp_stream("127.0.0.1", port)
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BYTES)
                return _Watched(stream, made)
            await trio.lowlevel.checkpoint()
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(server.serve, theirs)
            return _Watched(ours, made)

        with _logging_to(made.log):
            async with cgrx.connect(
                url=f"ws://127.0.0.1:{port}/ws-api",
                api_key=KEY,
                limits=limits,
                dial=dial,
                wall_clock=lambda: WALL_S + trio.current_time() - begun_at,
            ) as feed:
                made.subscribe(feed)
                await server.wait_well(1)
                yield made
            made.check_end()
        nursery.cancel_scope.cancel()
