"""A pipeline leaves its process: records in, rows out, and its state as bytes on the way to another process."""

import cgrx
from cgrx import operators as ops
from cgrx.testing import alive, batch, trade

CHANNEL = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)


def bars(feed: cgrx.Feed, channel: cgrx.Channel = CHANNEL) -> cgrx.EventStream[ops.Bar]:
    return feed.channel(channel).pipe(ops.tumbling("10s", ops.Bar, by=("exchange", "symbol")))


def record(second: int) -> cgrx.Record:
    """What stands on a log: a trade in even seconds, a proof of life in odd ones."""
    signal = alive(second) if second % 2 else batch(trade(time=second, price=60_000 + second))
    return cgrx.Record(CHANNEL.name, "publisher 1", second, 1000 * second, signal)


log = [record(second) for second in range(45)]

first = cgrx.Shard(bars)
rows = first.take(log[:17])
state = first.snapshot()  # bytes, in the midst of a window
del first

second = cgrx.Shard.restore(bars, state)  # in another process, or on another machine
rows += second.take(log[10:])  # the last seven records come again

for row in rows:
    print(f"{row.start_ms // 1000:2}-{row.end_ms // 1000} s  {row.count} trades  close {row.close:,.0f}")
print("the rows of one process:", rows == cgrx.Shard(bars).take(log))
