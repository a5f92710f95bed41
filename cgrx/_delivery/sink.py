"""`delivered`: a sink around a body, on one subscription to its rows; and `deliver`, for a user's own function.

    rows ──► backlog, bounded ──► courier, one batch at a time ──► writer ──► the system

On the feed's path an item is put into the backlog, no more. Where the system is away, items wait there; the feed and
its other subscribers go on. A replay at full speed waits for the sink instead.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Unpack

import attrs
import trio
from reactivex import Observable

from cgrx._delivery.accounts import Accounts, SinkStats
from cgrx._delivery.backlog import Backlog
from cgrx._delivery.courier import Courier, Tell
from cgrx._delivery.dead_letters import DeadLetters
from cgrx._delivery.losses import Losses
from cgrx._delivery.options import DeliveryOptions, Terms
from cgrx._delivery.spill import Spill
from cgrx._delivery.writer import FunctionWriter, Write, Writer, require_function
from cgrx._feed.log import StatusLog
from cgrx._model.limits import SPILL_BYTES
from cgrx._model.output_status import StreamFailed
from cgrx._model.signals import Batch, Signal
from cgrx._model.status import Status
from cgrx._streams.observable import require_here
from cgrx._streams.runtime import Runtime
from cgrx._streams.stream import EventStream, as_stream
from cgrx._trio.clock import WallClock
from cgrx._trio.entering import ToEnter
from cgrx._trio.guest import on_trio
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.threads import ask


class Sink:
    """What a function of `cgrx.sinks` gives: the delivery that is under way.

    Examples:
        >>> import reactivex
        >>> async def write(batch): ...
        >>> async with cgrx.sinks.deliver(
        ...     write, reactivex.of(liquidation()), name="mine"
        ... ) as sink:
        ...     await sink.flush()
        ...     print(sink.name, sink.stats.delivered)
        mine 1
    """

    def __init__(self, name: str, token: trio.lowlevel.TrioToken, backlog: Backlog, courier: Courier) -> None:
        self._name = name
        self._token = token
        self._backlog = backlog
        self._courier = courier

    @property
    def name(self) -> str:
        """What is written to, and where; it holds no secret."""
        return self._name

    @property
    def stats(self) -> SinkStats:
        """A snapshot of the counters: any thread may ask."""
        return ask(self._token, self._read, "sink.stats")

    async def flush(self) -> None:
        """Wait until everything that has come so far is delivered, superseded, refused or given up.

        It does not wait for batches to fill. While the system is away it waits as well: bound it by
        `trio.move_on_after` where that matters.
        """
        await on_trio(self._courier.flush)

    def _read(self) -> SinkStats:
        return self._backlog.accounts.stats(len(self._backlog), self._backlog.spilled)

    def __repr__(self) -> str:
        return f"<Sink {self._name}>"


@attrs.frozen(eq=False)
class _RowObserver:
    """Puts what a stream gives into the backlog."""

    backlog: Backlog
    courier: Courier
    runtime: Runtime | None
    tell: Tell

    def on_signal(self, signal: Signal[Any]) -> None:
        if isinstance(signal, Batch):
            self.courier.came(self.backlog.put(signal.events))

    def on_error(self, error: Exception) -> None:
        """The rows have failed: what came before is delivered all the same."""
        if self.runtime is not None:
            self.runtime.unhandled(error)
        else:
            self.tell(lambda at_ms: StreamFailed(at_ms, error))

    def on_completed(self) -> None:
        """The rest is delivered on leaving, as ever."""


def delivered(
    call: str, rows: Observable[Any], writer: Writer, options: DeliveryOptions
) -> AbstractAsyncContextManager[Sink]:
    """What a function of `cgrx.sinks` returns.

    Args:
        call: the call, as `"cgrx.sinks.postgres()"`.
        rows: what is delivered.
        writer: the system.
        options: see `deliver`.
    """
    require_trio(call)
    terms = Terms.of(options)
    return ToEnter(_delivering(as_stream(rows), writer, terms), call, "sink")


@asynccontextmanager
async def _delivering(rows: EventStream[Any], writer: Writer, terms: Terms) -> AsyncGenerator[Sink, None]:
    runtime = rows.runtime
    require_here(runtime)
    tell = _to_log() if runtime is None else runtime.tell
    losses = Losses(writer.name, tell)
    spill = None if terms.spill is None else Spill(terms.spill, SPILL_BYTES)
    letters = None if terms.dead_letters is None else DeadLetters(terms.dead_letters)
    backlog = Backlog(terms.buffer, terms.final_only, spill, Accounts(), losses.add, runtime)
    courier = Courier(writer, rows.event_types or frozenset(), terms, backlog, letters, tell, losses.add)
    observer = _RowObserver(backlog, courier, runtime, tell)
    if letters is not None:
        await trio.to_thread.run_sync(letters.open)
    await backlog.open()
    try:
        await courier.enter()
        async with TrioScheduler() as tasks:
            for task in (courier.run, backlog.spill, losses.run):
                tasks.start_soon(task)
            subscription = rows.subscribe_signals(observer)
            try:
                yield Sink(writer.name, trio.lowlevel.current_trio_token(), backlog, courier)
            finally:
                subscription.dispose()
                with trio.CancelScope(shield=True):
                    with trio.move_on_after(terms.drain_s):
                        await courier.flush()
                    await courier.stop()
    finally:
        with trio.CancelScope(shield=True):
            await backlog.close("left before they were delivered")
        losses.tell()


def _to_log() -> Tell:
    """Where the rows come from no feed, whose status would tell: a line of the log."""
    clock, log = WallClock(), StatusLog()

    def tell(make: Any) -> None:
        status: Status = make(clock.now_ms())
        log(status)

    return tell


def deliver(
    write: Write, rows: Observable[Any], *, name: str = "write", **options: Unpack[DeliveryOptions]
) -> AbstractAsyncContextManager[Sink]:
    """Deliver rows or events by a function of your own: `async with cgrx.sinks.deliver(write, rows) as sink: ...`.

        async def write(batch):
            await client.insert([row.asdict() for row in batch])

    Subscribes on entering. Batches go one after another, each until it is acknowledged, so every item arrives at least
    once; after a lost acknowledgement one may arrive twice, with the same `row.identity`. A running row that waits is
    replaced by a later one of its window. On leaving, what waits is delivered, for as long as `drain` says.
    Memory: `buffer` items, twice as many with `spill`, and one batch.

    Args:
        write: an async function of a batch, a sequence of items in order, that returns when all of it has arrived. It
            is cancelled after 30 s. What it raises: `ValueError`, `TypeError`, `LookupError`, `ArithmeticError` and
            `SinkDataError` mean that the data cannot be written; the batch is halved until the refused item is alone,
            which goes to the dead letters. Everything else means that the system is away: the same batch is written
            again, after 0.1 to 30 s at random, longer from attempt to attempt, or after `retry_after_s` of a
            `SinkUnavailableError`.
        rows: an observable of rows, of events, or of anything else that `write` takes.
        name: how statuses, errors and metrics call the sink; it must not hold a secret.
        **options: how items are batched, kept and given up: see `DeliveryOptions`.

    Returns:
        A context manager that gives a `Sink`, whose `stats` always balance. Statuses of the feed (or, of rows of no
        feed, lines of the log) tell of what holds the delivery up and of each loss: `DeliveryHeld`, `DeliveryResumed`,
        `Undelivered`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        SinkRefusedError: on entering: the system refuses the user, or the shape of the rows.
        NotInTrioError: called outside trio.

    Examples:
        >>> import reactivex
        >>> async def write(batch):
        ...     print([each.volume_usd for each in batch])
        >>> events = reactivex.of(
        ...     liquidation("long", 5_000.0), liquidation("short", 300.0)
        ... )
        >>> async with cgrx.sinks.deliver(write, events) as sink:
        ...     await sink.flush()
        [5000.0, 300.0]
        >>> sink.stats.delivered
        2
    """
    require_function(write)
    return delivered("cgrx.sinks.deliver()", rows, FunctionWriter(write, name), options)
