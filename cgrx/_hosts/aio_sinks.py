"""The functions of `cgrx.aio.sinks`: those of `cgrx.sinks`, for the tasks of asyncio.

Examples:
    >>> import reactivex
    >>> async def write(batch):
    ...     print(len(batch), "arrived")
    >>> async with cgrx.aio.sinks.deliver(
    ...     write, reactivex.of(liquidation("long", 5_000.0))
    ... ) as sink:
    ...     await sink.flush()
    1 arrived
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import wraps
from typing import Any, Unpack

from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink
from cgrx._delivery.sink import deliver as _deliver
from cgrx._delivery.writer import Write, require_function
from cgrx._hosts.aio import held
from cgrx._hosts.on_asyncio import in_asyncio_task
from cgrx._model.data_errors import SinkUnavailableError
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

_MODULE = "cgrx.aio.sinks"


@wraps(_deliver)
def _deliver_in_tasks(
    write: Write, rows: Observable[Any], *, name: str = "write", **options: Unpack[DeliveryOptions]
) -> AbstractAsyncContextManager[Sink]:
    async def write_in_task(batch: Sequence[Any]) -> None:
        try:
            await in_asyncio_task(_awaited(write, batch), f"{_MODULE}.deliver()")
        except asyncio.CancelledError:
            raise SinkUnavailableError("the task that wrote was cancelled") from None

    require_function(write)
    return _deliver(write_in_task, rows, name=name, **options)


async def _awaited(write: Write, batch: Sequence[Any]) -> None:
    await write(batch)


deliver = held(_deliver_in_tasks, "sink", _MODULE)
"""`cgrx.sinks.deliver` for asyncio: each batch is written in a task of asyncio. Gives a `cgrx.sinks.Sink`."""

discord = held(_discord, "sink", _MODULE)
duckdb = held(_duckdb, "sink", _MODULE)
kafka = held(_kafka, "sink", _MODULE)
parquet = held(_parquet, "sink", _MODULE)
postgres = held(_postgres, "sink", _MODULE)
redis = held(_redis, "sink", _MODULE)
slack = held(_slack, "sink", _MODULE)
telegram = held(_telegram, "sink", _MODULE)
to = held(_to, "sink", _MODULE)
webhook = held(_webhook, "sink", _MODULE)
