"""The functions of `cgrx.sync` that reach logs: `publish` and `consume`, for code without an event loop."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Concatenate, ParamSpec, cast

from cgrx._delivery.sink import Sink
from cgrx._feed.face import Feed
from cgrx._hosts.blocking_feed import BlockingFeed
from cgrx._hosts.sync import entered
from cgrx._hosts.sync_sinks import BlockingSink
from cgrx._hosts.trio_thread import TrioThread
from cgrx._log.consume import LogFeed
from cgrx._log.consume import consume as _consume
from cgrx._log.log_engine import LogStats
from cgrx._log.publish import publish as _publish

P = ParamSpec("P")


class BlockingLogFeed(BlockingFeed):
    """A feed from a log of `cgrx.sync`: the members of `cgrx.LogFeed`, in any thread.

    Examples:
        >>> def missing(feed: cgrx.sync.BlockingLogFeed) -> int:
        ...     return feed.read.missing + feed.read.damaged
        >>> with cgrx.sync.consume(
        ...     "kafka://broker:9092/signals"
        ... ) as feed:  # doctest: +SKIP
        ...     feed.liquidations().subscribe(print)
        ...     feed.run()
        ...     print(missing(feed), feed.offsets)
    """

    def __init__(self, feed: LogFeed, thread: TrioThread) -> None:
        super().__init__(feed, thread)
        self._log = feed

    @property
    def offsets(self) -> Mapping[int, int]:
        """See `cgrx.LogFeed.offsets`."""
        return self._log.offsets

    @property
    def read(self) -> LogStats:
        """See `cgrx.LogFeed.read`."""
        return self._log.read


def _of_blocking(
    publish: Callable[Concatenate[Feed, P], AbstractAsyncContextManager[Sink]],
) -> Callable[Concatenate[BlockingFeed, P], AbstractAsyncContextManager[Sink]]:
    """The same function: it uses no member of a feed that waits."""
    return cast("Callable[Concatenate[BlockingFeed, P], AbstractAsyncContextManager[Sink]]", publish)


publish = entered(_of_blocking(_publish), BlockingSink)
"""`cgrx.publish` without a loop: `with cgrx.sync.publish(feed, channels, "kafka://HOST:9092/TOPIC") as sink: ...`.

Gives a `BlockingSink`.

Examples:
    >>> with cgrx.sync.connect() as feed:  # doctest: +SKIP
    ...     with cgrx.sync.publish(
    ...         feed, ["liquidationOrders"], "kafka://broker:9092/signals"
    ...     ):
    ...         feed.run()

    What stands on the topic:

    >>> cgrx.Record("liquidationOrders", "a1", 0, 5, cgrx.Alive("cgrx", 5)).encode()
    b'[1,"a1",0,5,"a",["cgrx",5]]'
"""

consume = entered(_consume, BlockingLogFeed)
"""`cgrx.consume` without a loop: `with cgrx.sync.consume("kafka://HOST:9092/TOPIC") as feed: ...`.

Gives a `BlockingLogFeed`.

Examples:
    >>> with cgrx.sync.consume(
    ...     "kafka://127.0.0.1:9/signals", connect_timeout=0.1
    ... ) as feed:
    ...     feed.run()
    Traceback (most recent call last):
        ...
    cgrx._model.errors.ConnectError: no connection within 0.1 s (...
"""
