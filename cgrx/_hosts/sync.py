"""The functions of `cgrx.sync`: those of `cgrx`, for code without an event loop."""

import math
from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from reactivex import Observable

from cgrx._feed.connect import connect as _connect
from cgrx._feed.face import Feed
from cgrx._feed.recorder import Recorder
from cgrx._feed.recorder import record as _record
from cgrx._hosts.blocking_feed import BlockingFeed, BlockingRecorder, BlockingReplay
from cgrx._hosts.blocking_stream import BlockingIterator, Subscribed, Waiting
from cgrx._hosts.trio_thread import Entered, TrioThread
from cgrx._model.times import Duration
from cgrx._replay.replay import replay as _replay
from cgrx._trio.overflow import Overflow, inbox_for, instrument
from cgrx._trio.require import require_blockable

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")


def entered(
    open_it: Callable[P, AbstractAsyncContextManager[T]],
    face: Callable[[T, TrioThread], U],
    module: str = "cgrx.sync",
) -> Callable[P, AbstractContextManager[U]]:
    """The same function for code without a loop."""

    @wraps(open_it)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractContextManager[U]:
        require_blockable(f"{module}.{open_it.__name__}()")
        return Entered(lambda: open_it(*args, **kwargs), face)

    return opened


def _of_blocking(
    record: Callable[Concatenate[Feed, P], AbstractAsyncContextManager[Recorder]],
) -> Callable[Concatenate[BlockingFeed, P], AbstractAsyncContextManager[Recorder]]:
    """The same function: a recorder uses no member of a feed that waits."""
    return cast("Callable[Concatenate[BlockingFeed, P], AbstractAsyncContextManager[Recorder]]", record)


connect = entered(_connect, BlockingFeed)
"""`cgrx.connect` without a loop: `with cgrx.sync.connect() as feed: ...`. Gives a `BlockingFeed`.

Arguments, behaviour and errors are the same, but for one thing: a feed that fails cannot interrupt the body. The error
comes where the body waits for events or for the end of the feed, or else on leaving the `with`. Raises `InTrioError` in
a task of trio.

Examples:
    >>> with cgrx.sync.connect() as feed:  # doctest: +SKIP
    ...     with cgrx.sync.stream(
    ...         feed.liquidations().pipe(ops.min_volume(100_000))
    ...     ) as events:
    ...         for event in events:
    ...             print(event)

    Where no server listens:

    >>> with cgrx.sync.connect(
    ...     url="ws://127.0.0.1:9", api_key="made-up-key", connect_timeout=0.2
    ... ) as feed:
    ...     ...
    Traceback (most recent call last):
        ...
    cgrx._model.errors.ConnectError: no connection within 0.2 s (...
"""

replay = entered(_replay, BlockingReplay)
"""`cgrx.replay` without a loop: `with cgrx.sync.replay("recording") as feed: ...`. Gives a `BlockingReplay`.

Examples:
    >>> import msgspec, pathlib
    >>> _ = pathlib.Path("day.jsonl").write_bytes(
    ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
    ... )
    >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
    >>> with (
    ...     cgrx.sync.replay("day") as feed,
    ...     cgrx.sync.stream(feed.liquidations()) as events,
    ... ):
    ...     print([each.volume_usd for each in events])
    [5000.0]
"""

record = entered(_of_blocking(_record), BlockingRecorder)
"""`cgrx.record` without a loop: `with cgrx.sync.record(feed, "day", channels=[...]) as recorder: ...`.

Gives a `BlockingRecorder`.

Examples:
    >>> import msgspec, pathlib
    >>> _ = pathlib.Path("day.jsonl").write_bytes(
    ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
    ... )
    >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
    >>> with (
    ...     cgrx.sync.replay("day") as feed,
    ...     cgrx.sync.record(feed, "copy", channels=["liquidationOrders"]),
    ... ):
    ...     feed.run()
    >>> cgrx.Recording("copy").events
    1
"""


def stream(
    observable: Observable[T],
    *,
    buffer: float = 1024,
    overflow: Overflow = "error",
    key: Callable[[T], Hashable] = instrument,
    block_timeout: Duration = "30s",
    timeout: Duration = math.inf,
) -> AbstractContextManager[BlockingIterator[T]]:
    """Iterate over an observable with `for`; arguments, policies and accounts are those of `cgrx.stream`.

    There is no other queue than its own: an event is taken from it in the thread that iterates.

    Args:
        observable: as of `cgrx.stream`.
        buffer: as of `cgrx.stream`.
        overflow: as of `cgrx.stream`.
        key: as of `cgrx.stream`.
        block_timeout: as of `cgrx.stream`.
        timeout: how long an iteration waits for an event at most; then it raises `TimeoutError`, and may go on.

    Raises:
        ValueError: as `cgrx.stream`.
        InTrioError: called in a task of trio, which it would block.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> with cgrx.sync.replay("day") as feed:
        ...     with cgrx.sync.stream(
        ...         feed.liquidations().pipe(ops.side("short"))
        ...     ) as events:
        ...         print([each.volume_usd for each in events])
        [300.0]
    """
    require_blockable("cgrx.sync.stream()")
    waiting = Waiting()
    inbox = inbox_for(observable, waiting, buffer, overflow, key, block_timeout)
    return Subscribed(observable, inbox, waiting, timeout)
