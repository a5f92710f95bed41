"""Sinks: rows and events into other systems, all by one contract.

    async with cgrx.sinks.deliver(write, feed.liquidations().pipe(ops.tumbling("1m"))) as sink:
        await feed.run()

Memory is bounded, one batch is under way until it is acknowledged, and the accounts in `sink.stats` always balance.
`deliver` says all that sinks have in common.

Examples:
    >>> import reactivex
    >>> async def write(batch):
    ...     print(len(batch), "arrived")
    >>> async with cgrx.sinks.deliver(
    ...     write, reactivex.of(liquidation("long", 5_000.0))
    ... ) as sink:
    ...     await sink.flush()
    1 arrived
"""

from cgrx._delivery.accounts import SinkStats as SinkStats
from cgrx._delivery.options import DeliveryOptions as DeliveryOptions
from cgrx._delivery.sink import Sink as Sink
from cgrx._delivery.sink import deliver as deliver
from cgrx._delivery.writer import Write as Write
from cgrx._model.data_errors import SinkDataError as SinkDataError
from cgrx._model.data_errors import SinkRefusedError as SinkRefusedError
from cgrx._model.data_errors import SinkUnavailableError as SinkUnavailableError
from cgrx._sinks.chat import discord as discord
from cgrx._sinks.chat import slack as slack
from cgrx._sinks.chat import telegram as telegram
from cgrx._sinks.duckdb import duckdb as duckdb
from cgrx._sinks.kafka import kafka as kafka
from cgrx._sinks.message import message as message
from cgrx._sinks.parquet import parquet as parquet
from cgrx._sinks.postgres import postgres as postgres
from cgrx._sinks.redis import redis as redis
from cgrx._sinks.targets import to as to
from cgrx._sinks.webhook import webhook as webhook
