"""cgrx without an event loop (scripts, a REPL, a notebook cell): the names of `cgrx`, whose calls wait.

    with cgrx.sync.connect() as feed:
        with cgrx.sync.stream(feed.liquidations().pipe(ops.side("long"))) as events:
            for event in events: ...

Trio runs in a thread of its own, which starts with the first feed and ends with the last. Pipelines, arguments,
accounts and errors are those of `cgrx`. Subscribers and the functions of a pipeline are called in that thread. It works
where a loop of asyncio runs too, which it blocks: a program on asyncio uses `cgrx.aio`.

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
    ...     for event in events:
    ...         print(event.volume_usd)
    5000.0
"""

from cgrx._backtest.backtest import backtest as backtest
from cgrx._hosts import sync_sinks as sinks
from cgrx._hosts.blocking_feed import BlockingFeed as BlockingFeed
from cgrx._hosts.blocking_feed import BlockingRecorder as BlockingRecorder
from cgrx._hosts.blocking_feed import BlockingReplay as BlockingReplay
from cgrx._hosts.blocking_stream import BlockingIterator as BlockingIterator
from cgrx._hosts.sync import connect as connect
from cgrx._hosts.sync import record as record
from cgrx._hosts.sync import replay as replay
from cgrx._hosts.sync import stream as stream
from cgrx._hosts.sync_logs import BlockingLogFeed as BlockingLogFeed
from cgrx._hosts.sync_logs import consume as consume
from cgrx._hosts.sync_logs import publish as publish
from cgrx._trio.iterate import from_async as from_async

__all__ = [
    "BlockingFeed",
    "BlockingIterator",
    "BlockingLogFeed",
    "BlockingRecorder",
    "BlockingReplay",
    "backtest",
    "connect",
    "consume",
    "from_async",
    "publish",
    "record",
    "replay",
    "sinks",
    "stream",
]
