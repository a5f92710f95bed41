"""The functions of `cgrx.sync.sinks`: those of `cgrx.sinks`, for code without an event loop.

Examples:
    >>> import reactivex
    >>> def write(batch):
    ...     print(len(batch), "arrived")
    >>> with cgrx.sync.sinks.deliver(
    ...     write, reactivex.of(liquidation("long", 5_000.0))
    ... ) as sink:
    ...     sink.flush()
    1 arrived
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, Unpack

import trio
from reactivex import Observable

from cgrx._delivery.accounts import SinkStats
from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink
from cgrx._delivery.sink import deliver as _deliver
from cgrx._delivery.writer import require_function
from cgrx._hosts.sync import entered
from cgrx._hosts.trio_thread import TrioThread
from cgrx._model.times import Duration
from cgrx._sinks.chat import discord as _discord
from cgrx._sinks.chat import slack as _slack
from cgrx._sinks.chat import telegram as _telegram
from cgrx._sinks.duckdb import duckdb as _duckdb
from cgrx._sinks.kafka import kafka as _kafka
from cgrx._sinks.parquet import parquet as _parquet
from cgrx._sinks.postgres import postgres as _postgres
from cgrx._sinks.redis import redis as _redis
from cgrx._sinks.targets import to as _to
from cgrx._sinks.webhook import webhook as _webhook

_MODULE = "cgrx.sync.sinks"


class BlockingSink:
    """What a function of `cgrx.sync.sinks` gives: the members of `cgrx.sinks.Sink`; `flush` waits."""

    def __init__(self, sink: Sink, thread: TrioThread) -> None:
        self._sink = sink
        self._thread = thread

    @property
    def name(self) -> str:
        """See `cgrx.sinks.Sink.name`."""
        return self._sink.name

    @property
    def stats(self) -> SinkStats:
        """See `cgrx.sinks.Sink.stats`."""
        return self._sink.stats

    def flush(self, *, timeout: Duration = math.inf) -> None:
        """See `cgrx.sinks.Sink.flush`.

        Raises:
            TimeoutError: not everything has found its place within `timeout`; the delivery goes on.
        """
        self._thread.call(self._sink.flush, "sink.flush()", timeout)


@wraps(_deliver)
def _deliver_in_thread(
    write: Callable[[Sequence[Any]], object],
    rows: Observable[Any],
    *,
    name: str = "write",
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    async def write_in_thread(batch: Sequence[Any]) -> None:
        await trio.to_thread.run_sync(write, batch, abandon_on_cancel=True)

    require_function(write)
    return _deliver(write_in_thread, rows, name=name, **options)


deliver = entered(_deliver_in_thread, BlockingSink, _MODULE)
"""`cgrx.sinks.deliver` without a loop: `write` is a plain function, called in a thread. Gives a `BlockingSink`."""

discord = entered(_discord, BlockingSink, _MODULE)
duckdb = entered(_duckdb, BlockingSink, _MODULE)
kafka = entered(_kafka, BlockingSink, _MODULE)
parquet = entered(_parquet, BlockingSink, _MODULE)
postgres = entered(_postgres, BlockingSink, _MODULE)
redis = entered(_redis, BlockingSink, _MODULE)
slack = entered(_slack, BlockingSink, _MODULE)
telegram = entered(_telegram, BlockingSink, _MODULE)
to = entered(_to, BlockingSink, _MODULE)
webhook = entered(_webhook, BlockingSink, _MODULE)
