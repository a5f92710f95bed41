"""Pipelines over two channels, the records of what both say, and running a shard on them however they are cut."""

from collections.abc import Callable, Sequence
from operator import add
from typing import Any, TypeAlias

from hypothesis import strategies as st
from reactivex import Observable

import cgrx
from cgrx import Batch, Channel, End, Feed, Record, Shard, Signal
from cgrx import operators as ops
from cgrx._shards.record import Numbering
from cgrx.operators import agg
from tests.backtest.columns import LIQUIDATIONS, TRADES

Build: TypeAlias = Callable[[Feed], Observable[Any]]
Said: TypeAlias = Sequence[tuple[Channel, Signal[Any] | End]]

TERMS: dict[str, Any] = {"lateness": "12ms", "idle": "15ms"}


def trades(feed: Feed) -> cgrx.EventStream[Any]:
    return feed.futures_trades(TRADES.exchange, TRADES.symbol, min_volume=TRADES.min_volume)


def merged(feed: Feed) -> Observable[Any]:
    return cgrx.merge(feed.liquidations(), trades(feed)).pipe(
        ops.tumbling("20ms", by=("exchange", "symbol"), updates="5ms", **TERMS)
    )


def ordered(feed: Feed) -> Observable[Any]:
    together = cgrx.merge_exchanges(feed.liquidations().pipe(ops.max_volume(2)), trades(feed), max_delay="30ms")
    return together.pipe(ops.sliding("20ms", "5ms", by="exchange", **TERMS))


def ordered_twice(feed: Feed) -> Observable[Any]:
    """An order of which a part is an order; all else is heard twice."""
    inner = cgrx.merge_exchanges(feed.liquidations(), trades(feed), max_delay="10ms", max_held=3)
    outer = cgrx.merge_exchanges(inner, trades(feed), max_delay="20ms", until="any")
    return cgrx.merge(outer, feed.liquidations()).pipe(ops.count_bars(3, by="exchange", updates=0, lateness="12ms"))


def shared(feed: Feed) -> Observable[Any]:
    """Two windows of one stream, side by side."""
    both = cgrx.merge(feed.liquidations(), trades(feed)).share()
    return cgrx.merge(
        both.pipe(ops.session("10ms", by="exchange", updates="5ms", **TERMS)),
        both.pipe(ops.dedupe("30ms"), ops.tumbling("10ms", by="symbol", **TERMS), ops.top(1, "volume")),
    )


def joined(feed: Feed) -> Observable[Any]:
    flow = feed.liquidations().pipe(ops.tumbling("10ms", by="base_asset", updates="2ms", **TERMS))
    return trades(feed).pipe(ops.latest_of(flow, by="base_asset", max_age="1m", **TERMS))


def joined_events(feed: Feed) -> Observable[Any]:
    """Both are events, and an item waits for the first of its key."""
    operator = ops.latest_of(
        feed.liquidations(), by=("exchange", "symbol"), max_age="40ms", missing="hold", max_held=5, **TERMS
    )
    return trades(feed).pipe(operator, ops.map(repr))


def hours_of_minutes(feed: Feed) -> Observable[Any]:
    small = ops.tumbling("5ms", by="symbol", updates="2ms", **TERMS)
    return cgrx.merge(feed.liquidations(), trades(feed)).pipe(
        small,
        ops.tumbling("20ms", mean=agg.mean("volume"), path=agg.max_drawdown("volume"), updates="5ms", lateness="12ms"),
    )


def same(event: Any) -> Any:
    return event


def is_small(event: Any) -> bool:
    return bool(event.volume_usd < 2)


def count(counted: tuple[int, int], row: Any) -> tuple[int, int]:
    return counted[0] + 1, max(counted[1], row.end_ms)


def custom(feed: Feed) -> Observable[Any]:
    """A user's own functions."""
    usd = agg.custom(float, lambda state, event: state + event.volume_usd, add, lambda state: state)
    return trades(feed).pipe(
        ops.merge(feed.liquidations().pipe(ops.map(same), ops.where(is_small))),
        ops.tumbling("20ms", usd=usd, **TERMS),
        ops.scan(count, (0, 0)),
    )


def bursts(feed: Feed) -> Observable[Any]:
    return feed.liquidations().pipe(ops.cascades("15ms", min_count=1, by="exchange", emit="crossed", **TERMS))


def alarms(feed: Feed) -> Observable[Any]:
    beneath = ops.tumbling("5ms", by="exchange", **TERMS)
    return trades(feed).pipe(
        beneath,
        ops.rolling(3, by="exchange", z=agg.zscore("volume"), r=agg.rank("volume"), lateness="12ms"),
        ops.crosses("z", above=0.5, below=-0.5),
        ops.cooldown("20ms", by="exchange"),
    )


SEVERAL: dict[str, Build] = {
    each.__name__: each
    for each in (
        merged,
        ordered,
        ordered_twice,
        shared,
        joined,
        joined_events,
        hours_of_minutes,
        custom,
        bursts,
        alarms,
    )
}


def records_of(said: Said, session: str = "one") -> list[Record]:
    """What both channels say, as records of one session."""
    numbering = Numbering(session)
    return [numbering.record(channel.name, signal) for channel, signal in said]


def ended(said: Said) -> Said:
    return [*said, (LIQUIDATIONS, End()), (TRADES, End())]


def needed(records: Sequence[Record], shard: Shard[Any]) -> list[Record]:
    """Those of the channels of a shard."""
    names = {channel.name for channel in shard.channels}
    return [record for record in records if record.channel in names]


def cut(draw: st.DataObject, build: Build, records: Sequence[Record]) -> list[Signal[Any]]:
    """What a shard gives that takes the records in any cut, any of them again, and is put away anywhere."""
    shard, out, at = Shard(build), list[Signal[Any]](), 0
    while at < len(records):
        begin, end = draw.draw(st.integers(0, at)), draw.draw(st.integers(at + 1, len(records)))
        out += shard.signals(records[begin:end])
        at = end
        if draw.draw(st.booleans()):
            shard = Shard.restore(build, shard.snapshot())
    return out


def rows_of(signals: Sequence[Signal[Any]]) -> list[Any]:
    return [row for signal in signals if isinstance(signal, Batch) for row in signal.events]
