"""Every operator in a form that the tests of what holds for all of them can run, and what they say to it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from reactivex import Observable

import cgrx
from cgrx import Batch, EventStream, Gap, Liquidation
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import batch, gap, liquidation

Lift: TypeAlias = Callable[[Observable[Any]], EventStream[Any]]

TERMS: dict[str, Any] = {"lateness": "1s", "idle": "1s"}
BY = ("exchange", "symbol")


def same(event: Any) -> Any:
    return event


def dearer(event: Any) -> Any:
    """Another event of the same time."""
    return liquidation("long", event.volume_usd + 500.0, time=event.time_ms / 1000, exchange=event.exchange)


def small(event: Any) -> bool:
    return bool(event.volume_usd < 5_000.0)


def add(usd: float, event: Any) -> float:
    return usd + float(event.volume_usd)


def swinging(event: Any) -> Any:
    """The same at a price that is high at each half of a second."""
    return liquidation("long", event.volume_usd, time=event.time_ms / 1000, price=1.0 + event.time_ms % 1000)


def halves(source: Observable[Any]) -> EventStream[Any]:
    """Two streams of one connection, merged."""
    return cgrx.merge(ops.exchange("Binance")(source), ops.exchange("OKX")(source))


def ordered(source: Observable[Any]) -> EventStream[Any]:
    return cgrx.merge_exchanges(source, max_delay="2s")


def joined(source: Observable[Any]) -> EventStream[Any]:
    """A stream with the latest of a part of it."""
    part = ops.exchange("Binance")(source)
    return ops.latest_of(part, by="symbol", max_age="1m", lateness=0, idle="1s")(source)


EVENT_STAGES: dict[str, ops.Stage[Any, Any]] = {
    "side": ops.side("long"),
    "min_volume": ops.min_volume(500),
    "max_volume": ops.max_volume(5_000),
    "exchange": ops.exchange("okx", "binance"),
    "symbol": ops.symbol("BTCUSDT"),
    "base_asset": ops.base_asset("BTC"),
    "where": ops.where(small),
    "map": ops.map(dearer),
    "tap": ops.tap(same, on_mark=same),
    "dedupe": ops.dedupe("1s"),
    "dedupe_by_key": ops.dedupe("1s", key=("exchange", "time_ms")),
}
"""Events in, events out."""

CLOSING: dict[str, ops.Stage[Any, Any]] = {
    "tumbling": ops.tumbling("4s", by=BY, **TERMS),
    "sliding": ops.sliding("4s", "2s", **TERMS),
    "session": ops.session("1s", by="exchange", **TERMS),
    "cascades": ops.cascades("3s", min_count=1, **TERMS),
}
"""Rows that close by time."""

BARS: dict[str, ops.Stage[Any, Any]] = {
    "count_bars": ops.count_bars(2, lateness="1s"),
    "volume_bars": ops.volume_bars(2_000, lateness="1s"),
    "final": ops.pipeline(ops.count_bars(2, lateness="1s", updates="1s"), ops.final()),
}
"""Rows that close by their events."""

ROW_STAGES = CLOSING | BARS

EARLY: dict[str, ops.Stage[Any, Any]] = {
    "tumbling_updates": ops.tumbling("4s", updates="1s", emit_empty=True, **TERMS),
    "sliding_updates": ops.sliding("4s", "2s", by=BY, updates="1s", **TERMS),
    "session_updates": ops.session("1s", updates="1s", **TERMS),
    "cascades_crossed": ops.cascades("3s", emit="crossed", updates="1s", **TERMS),
    "bars_updates": ops.count_bars(2, by="exchange", updates="1s"),
}
"""Rows that also come before they are final."""

SCANS: dict[str, ops.Stage[Any, Any]] = {
    "scan": ops.scan(add, 0.0),
    "scan_by": ops.scan(add, 0.0, by=("exchange", "symbol")),
}

THRESHOLDS: dict[str, ops.Stage[Any, Any]] = {
    "crosses": ops.pipeline(ops.map(swinging), ops.crosses("price", above=400, below=200, by="exchange")),
    "cooldown": ops.cooldown("5s", by="exchange"),
}
"""Results about some of the events."""

BEATS = ops.tumbling("1s", by="exchange", **TERMS)

OVER_ROWS: dict[str, ops.Stage[Any, Any]] = {
    "tumbling_over_rows": ops.pipeline(BEATS, ops.tumbling("4s", usd=agg.sum("volume"), lateness="1s")),
    "sliding_over_rows": ops.pipeline(BEATS, ops.sliding("4s", "2s", n=agg.sum("count"), lateness="1s")),
    "tumbling_over_running": ops.pipeline(
        ops.tumbling("2s", updates="1s", **TERMS), ops.tumbling("4s", n=agg.sum("count"), updates="1s", lateness="1s")
    ),
    "rolling": ops.pipeline(BEATS, ops.rolling(2, by="exchange", z=agg.zscore("volume"), lateness="1s")),
    "top": ops.pipeline(BEATS, ops.top(1, "volume")),
}
"""Rows in, rows out."""

MANY: dict[str, Lift] = {"merge": halves, "merge_exchanges": ordered, "share": ops.share(), "latest_of": joined}
"""Those that have several inputs or outputs."""

LIFTS: dict[str, Lift] = {**EVENT_STAGES, **ROW_STAGES, **EARLY, **SCANS, **THRESHOLDS, **OVER_ROWS, **MANY}

BEGUN: Gap = gap(0, "10s")


def at(*times: float, received: float | None = None, **fields: Any) -> Batch[Liquidation]:
    """Liquidations of longs at these seconds, 1,000 US dollars each unless said otherwise."""
    return batch(*(liquidation(time=each, **fields) for each in times), received=received)


BURSTS = at(20, 20.5, 30, 30.5, 40, 40.5, 50)
"""A batch in which every operator gives more than one result."""
