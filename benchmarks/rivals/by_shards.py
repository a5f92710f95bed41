"""`shards` in cgrx: shards that are put away and taken up again, and their micro-batches."""

import random
from functools import partial
from typing import Any

import cgrx
from benchmarks._harness.data import START_MS
from benchmarks._harness.scenario import Results, Sample, Timed
from benchmarks.rivals.by_cgrx import BY
from cgrx import Batch, Channel, Record, Trade, TradeSide
from cgrx import operators as ops
from cgrx._backtest.plan import Build
from cgrx._shards.record import Numbering, channel_named

SESSION = "benchmark"
SHARDS = 256


class Keys:
    """Shards over so many channels of trades, and their micro-batches."""

    def __init__(self, count: int, shards: int = SHARDS) -> None:
        names = [f"futures_trades@Binance_COIN{number}USDT@0" for number in range(count)]
        spread = [names[at::shards] for at in range(min(count, shards))]
        self.channels = [[channel_named(name) for name in mine] for mine in spread]
        self.builds = [partial(_minutes, channels) for channels in self.channels]
        self.numbering, self.chance = Numbering(SESSION), random.Random(17)
        self.minute = 0

    def records(self) -> list[list[Record]]:
        """Those of the next minute, by shard: one trade of each channel."""
        self.minute += 1
        return [[self._record(channel) for channel in channels] for channels in self.channels]

    def _record(self, channel: Any) -> Record:
        time_ms = START_MS + 60_000 * self.minute
        trade = _some_trade(channel.symbol, time_ms, self.chance)
        return self.numbering.record(channel.name, Batch(channel, time_ms, (trade,)))


def _minutes(channels: list[Any], feed: Any) -> Any:
    return cgrx.merge(*map(feed.channel, channels)).pipe(ops.tumbling("1m", ops.Bar, by=BY))


class MicroBatches:
    """Micro-batches of shards which lie in snapshots in between, or are held all the time."""

    def __init__(self, count: int, *, held: bool) -> None:
        self.keys = Keys(count)
        self.held = held
        self.shards = [cgrx.Shard(build) for build in self.keys.builds]
        self.kept = [shard.snapshot() for shard in self.shards]
        self.records: list[list[Record]] = []

    def results(self) -> Results:
        """The rows of three micro-batches."""
        found: list[Any] = []
        for _ in range(3):
            self.records = self.keys.records()
            found += [row.values for row in self._run()]
        return found

    def measure(self) -> Sample:
        """See `Contest`."""
        self.records = self.keys.records()
        sample = Timed(self._run, 1, lambda _: None).measure()
        kept = {} if self.held else {"kept_bytes": float(sum(map(len, self.kept)))}
        return Sample(sample.value, {**kept, **sample.also})

    def _run(self) -> list[Any]:
        rows: list[Any] = []
        if self.held:
            for shard, records in zip(self.shards, self.records, strict=True):
                rows += shard.take(records)
            return rows
        for at, (build, records) in enumerate(zip(self.keys.builds, self.records, strict=True)):
            shard = cgrx.Shard.restore(build, self.kept[at])
            rows += shard.take(records)
            self.kept[at] = shard.snapshot()
        return rows


def _some_trade(symbol: str, time_ms: int, chance: random.Random) -> Trade:
    return Trade(
        "COIN", "Binance", symbol, TradeSide.BUY, chance.uniform(99, 101), chance.lognormvariate(6, 2), time_ms
    )


class OneShard:
    """A shard with an open window for each of its instruments, put away or taken up."""

    CALLS = 20

    def __init__(self, build: Build[Any], channel: Channel, count: int, *, restores: bool) -> None:
        names, chance = [f"COIN{number}USDT" for number in range(count)], random.Random(17)
        trades = [tuple(_some_trade(name, START_MS + at * 60_000, chance) for name in names) for at in range(3)]
        numbering = Numbering(SESSION)
        first, *self.others = [
            numbering.record(channel.name, Batch(channel, events[0].time_ms, events)) for events in trades
        ]
        self.build, self.restores = build, restores
        self.shard = cgrx.Shard(build)
        self.shard.take([first])
        self.kept = self.shard.snapshot()

    def results(self) -> Results:
        """The rows that come after going on from the snapshot: those of the shard that was never put away."""
        rows = cgrx.Shard.restore(self.build, self.kept).take(self.others)
        assert (
            rows
            == cgrx.Shard.restore(self.build, self.shard.snapshot()).take(self.others)
            == self.shard.take(self.others)
        )
        self.shard = cgrx.Shard.restore(self.build, self.kept)
        return [row.values for row in rows]

    def measure(self) -> Sample:
        """See `Contest`."""
        sample = Timed(self._run, self.CALLS, lambda _: None).measure()
        return Sample(sample.value, {"kept_bytes": len(self.kept), **sample.also})

    def _run(self) -> None:
        for _ in range(self.CALLS):
            if self.restores:
                cgrx.Shard.restore(self.build, self.kept)
            else:
                self.shard.snapshot()
