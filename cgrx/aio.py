"""cgrx for asyncio (FastAPI, Jupyter, uvloop, bots): the names of `cgrx`, in the tasks of a running loop.

    async with cgrx.aio.connect() as feed:
        async with cgrx.aio.stream(feed.liquidations().pipe(ops.side("long"))) as events:
            async for event in events: ...

Trio runs as a guest of the loop, in the same thread: it starts with the first feed and ends with the last. Pipelines,
arguments, accounts and errors are those of `cgrx`; only where they are called differs, and so does when arguments are
checked: in the `async with`. What reactivex offers for asyncio works: `await observable` gives the last event, and
timed operators take an `AsyncIOScheduler`.

Examples:
    >>> import msgspec, pathlib
    >>> _ = pathlib.Path("day.jsonl").write_bytes(
    ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
    ... )
    >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
    >>> async with (
    ...     cgrx.aio.replay("day") as feed,
    ...     cgrx.aio.stream(feed.liquidations()) as events,
    ... ):
    ...     async for event in events:
    ...         print(event.volume_usd)
    5000.0
"""

from cgrx._hosts import aio_sinks as sinks
from cgrx._hosts.aio import connect as connect
from cgrx._hosts.aio import consume as consume
from cgrx._hosts.aio import from_async as from_async
from cgrx._hosts.aio import publish as publish
from cgrx._hosts.aio import record as record
from cgrx._hosts.aio import replay as replay
from cgrx._hosts.aio import stream as stream
from cgrx._hosts.closing import closing_on_signals as closing_on_signals

__all__ = ["closing_on_signals", "connect", "consume", "from_async", "publish", "record", "replay", "sinks", "stream"]
