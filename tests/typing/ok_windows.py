"""What must type-check: windows give the rows that they are told to. Never run, only checked."""

from datetime import timedelta
from typing import assert_type

from reactivex.subject import Subject

from cgrx import operators as ops
from cgrx._model.events import Liquidation, Trade
from cgrx._streams.stream import EventStream
from cgrx.operators import agg


class Mine(ops.Row):
    """A row with a key of its own."""

    exchange: str
    n = agg.count()


def windows(trades: EventStream[Trade], liquidations: EventStream[Liquidation], late: Subject[Trade]) -> None:
    """Of a declared class, the default one, or whatever keywords make."""
    bars = trades.pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"), on_late=late, updates="1s"))
    assert_type(bars, EventStream[ops.Bar])
    assert_type(trades.pipe(ops.tumbling("1m")), EventStream[ops.Flow])
    assert_type(liquidations.pipe(ops.tumbling("1m", by="exchange", emit_empty=True)), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.tumbling("1m", by="exchange", n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.tumbling("1m", Mine, more=agg.vwap(), on_late=print)), EventStream[Mine])
    assert_type(trades.pipe(ops.tumbling("1d", zone="Europe/Berlin", start="17:00")), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.tumbling("1w", Mine, week_start="sunday")), EventStream[Mine])
    assert_type(trades.pipe(ops.tumbling("8h", offset=timedelta(hours=4), n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.sliding("8h", "1h", offset="30m")), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.sliding("1m", "1s", Mine)), EventStream[Mine])
    assert_type(trades.pipe(ops.sliding("1m", "1s")), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.sliding("1m", "1s", n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.min_volume(3), ops.session("1m", Mine), ops.final()), EventStream[Mine])
    assert_type(trades.pipe(ops.session("1m")), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.session("1m", n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.count_bars(3)), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.count_bars(3, Mine)), EventStream[Mine])
    assert_type(trades.pipe(ops.count_bars(3, n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.volume_bars(3)), EventStream[ops.Flow])
    assert_type(trades.pipe(ops.volume_bars(3, Mine)), EventStream[Mine])
    assert_type(trades.pipe(ops.volume_bars(3, n=agg.count())), EventStream[ops.Row])
    assert_type(trades.pipe(ops.tumbling("1m", Mine)).map(lambda row: row.n), EventStream[int])


class Longer(ops.Row):
    """A row of rows: a field of theirs that is no literal of events is a number."""

    exchange: str
    n = agg.sum("n")
    first = agg.first("n")
    last = agg.last("n")
    high = agg.max("high")
    low = agg.min("low")
    mean = agg.mean("n", weight="volume")
    stddev = agg.stddev("n")
    zscore = agg.zscore("n")
    rank = agg.rank("n")
    change = agg.change("n")
    drawdown = agg.max_drawdown()
    volatility = agg.realised_volatility("n")
    median = agg.median("n")
    quantile = agg.quantile(0.9, "n")
    ewm = agg.ewm("n", half_life="1m")
    where = agg.last("exchange")
    rows = agg.count()


def over_rows(trades: EventStream[Trade], rows: EventStream[Mine], row: Longer) -> None:
    """Windows behind windows, the last rows of a key, the leaders of a window."""
    assert_type(rows.pipe(ops.tumbling("1h", Longer)), EventStream[Longer])
    assert_type(trades.pipe(ops.tumbling("1m", Mine), ops.tumbling("1h", Longer)), EventStream[Longer])
    assert_type(rows.pipe(ops.sliding("1h", "1m", n=agg.sum("n"))), EventStream[ops.Row])
    assert_type(rows.pipe(ops.rolling(20, Longer)), EventStream[Longer])
    assert_type(rows.pipe(ops.rolling(20, by="exchange", z=agg.zscore("n"))), EventStream[ops.Row])
    assert_type(rows.pipe(ops.top(3, "n")), EventStream[Mine])
    pipeline = ops.pipeline(ops.tumbling("1m", Mine), ops.tumbling("1h", Longer), ops.rolling(20, Longer))
    assert_type(trades.pipe(pipeline), EventStream[Longer])
    assert_type(row.n, float)
    assert_type(row.first, float | None)
    assert_type(row.last, float | None)
    assert_type(row.high, float | None)
    assert_type(row.low, float | None)
    assert_type(row.mean, float | None)
    assert_type(row.stddev, float | None)
    assert_type(row.zscore, float | None)
    assert_type(row.rank, int | None)
    assert_type(row.change, float | None)
    assert_type(row.drawdown, float | None)
    assert_type(row.volatility, float | None)
    assert_type(row.median, float | None)
    assert_type(row.quantile, float | None)
    assert_type(row.ewm, float | None)
    assert_type(row.where, str | None)
    assert_type(row.rows, int)


def thresholds(trades: EventStream[Trade], liquidations: EventStream[Liquidation]) -> None:
    """Results keep the type of the event or row that they are about, however deep."""
    assert_type(trades.pipe(ops.crosses("price", above=1)), EventStream[ops.Crossing[Trade]])
    alarms = trades.pipe(ops.crosses("price", above=2, below=1, begins="above", returns=False, of=Trade))
    assert_type(alarms, EventStream[ops.Crossing[Trade]])
    assert_type(trades.pipe(ops.tumbling("1m", updates=0)), EventStream[ops.Flow])
    assert_type(liquidations.pipe(ops.cooldown("10m", by="symbol")), EventStream[ops.Cooled[Liquidation]])
    crossings = trades.pipe(ops.tumbling("1m", Mine, updates="1s"), ops.crosses("n", above=5, below=2.5))
    assert_type(crossings, EventStream[ops.Crossing[Mine]])
    cooled = liquidations.pipe(ops.cascades(emit="crossed"), ops.crosses("volume", above=1e6), ops.cooldown("10m"))
    assert_type(cooled, EventStream[ops.Cooled[ops.Crossing[ops.Cascade]]])
    assert_type(cooled.map(lambda alert: alert.item.item.volume), EventStream[float])
    assert_type(cooled.map(lambda alert: alert.silenced), EventStream[int])
    pipeline = ops.pipeline(ops.tumbling("1m", Mine), ops.crosses("n", above=5))
    assert_type(trades.pipe(pipeline), EventStream[ops.Crossing[Mine]])
    alerts = ops.pipeline(ops.crosses("price", above=5, of=Trade), ops.cooldown("10m"))
    assert_type(alerts, ops.Stage[Trade, ops.Cooled[ops.Crossing[Trade]]])
    assert_type(ops.cooldown("10m", of=Mine), ops.Stage[Mine, ops.Cooled[Mine]])
