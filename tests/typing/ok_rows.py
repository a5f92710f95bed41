"""What must type-check: the fields of rows have the types of their aggregates. Never run, only checked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, assert_type

import cgrx
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._rows.derive import row_type
from cgrx.operators._rows.ready import Bar, Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.to_dicts import asdict, to_dicts
from cgrx.operators._rows.to_frame import to_frame

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


def count_symbols(counts: Counter[str], trade: Trade) -> Counter[str]:
    counts[trade.symbol] += 1
    return counts


class Mine(Row):
    """One field of each type."""

    exchange: str
    n = agg.count()
    usd = agg.volume(side="long")
    sold = agg.volume(of=Trade, side=TradeSide.SELL)
    vwap = agg.vwap()
    since = agg.first("time_ms")
    where = agg.last("exchange")
    which = agg.last("side")
    size = agg.max("volume_usd")
    least = agg.min()
    until = agg.max("time_ms")
    big = agg.largest(3)
    big_trades = agg.largest(3, of=Trade)
    names = agg.exchanges()
    shares = agg.share("symbol")
    median = agg.quantile(0.5)
    middle = agg.median("volume_usd", exact=10)
    baseline = agg.ewm(half_life="30s", side="long")
    distinct = agg.count_distinct("symbol", of=Trade)
    symbols = agg.custom(Counter[str], count_symbols, lambda a, b: a + b, len, of=Trade)

    @property
    def usd_each(self) -> float:
        return self.usd / self.n


class MyBar(Bar):
    """A bar that brings its key."""

    exchange: str
    symbol: str


def use(row: Mine, bar: Bar, flow: Flow, mine: MyBar) -> None:
    assert_type(row.exchange, str)
    assert_type(row.n, int)
    assert_type(row.usd, float)
    assert_type(row.sold, float)
    assert_type(row.vwap, float | None)
    assert_type(row.since, int | None)
    assert_type(row.where, str | None)
    assert_type(row.which, LiquidationSide | TradeSide | None)
    assert_type(row.size, float | None)
    assert_type(row.least, float | None)
    assert_type(row.until, int | None)
    assert_type(row.big, tuple[Event, ...])
    assert_type(row.big_trades, tuple[Trade, ...])
    assert_type(row.names, tuple[str, ...])
    assert_type(row.shares, Mapping[str, float])
    assert_type(row.median, float | None)
    assert_type(row.middle, float | None)
    assert_type(row.baseline, float | None)
    assert_type(row.distinct, int)
    assert_type(row.symbols, int)
    assert_type(row.usd_each, float)
    assert_type(row.gap_ms, int | None)
    assert_type(row.complete, bool)
    assert_type(row.withdrawn, bool)
    assert_type(row.identity, tuple[int | str | LiquidationSide | TradeSide, ...])
    assert_type(row.asdict(), dict[str, object])
    assert_type(row["n"], object)
    assert_type(bar.base_asset, str)
    assert_type(bar.exchange, str)
    assert_type(bar.symbol, str)
    assert_type(bar.side, LiquidationSide | TradeSide)
    assert_type(bar.open, float | None)
    assert_type(bar.high, float | None)
    assert_type(bar.low, float | None)
    assert_type(bar.close, float | None)
    assert_type(bar.vwap, float | None)
    assert_type(bar.volume, float)
    assert_type(bar.count, int)
    assert_type(bar.buy_volume, float)
    assert_type(bar.sell_volume, float)
    assert_type(flow.base_asset, str)
    assert_type(flow.exchange, str)
    assert_type(flow.symbol, str)
    assert_type(flow.side, LiquidationSide | TradeSide)
    assert_type(flow.count, int)
    assert_type(flow.volume, float)
    assert_type(flow.buy_volume, float)
    assert_type(flow.sell_volume, float)
    assert_type(flow.delta, float)
    assert_type((mine.exchange, mine.symbol), tuple[str, str])
    assert_type(Mine.n, agg.Aggregate[int])
    assert_type(row_type(Bar, ("exchange", "symbol"), {}), type[Bar])
    assert_type(row_type(None, "exchange", {"n": agg.count()}), type[Row])
    polars_frame: polars.DataFrame = to_frame([bar])
    pandas_frame: pandas.DataFrame = to_frame([bar], library="pandas")
    arrow_table: pyarrow.Table = to_frame([bar], library="pyarrow")
    print(polars_frame.height, pandas_frame.index, arrow_table)  # noqa: T201 - never run


def known_forms(trade: Trade, liquidations: list[Liquidation], events: Iterable[Event], bars: tuple[Bar, ...]) -> None:
    assert_type(trade.asdict(), dict[str, str | int | float])
    assert_type(trade.kind, Literal["trade"])
    assert_type(Trade.kind, Literal["trade"])
    assert_type(trade.side.word, str)
    assert_type(to_dicts(liquidations), list[dict[str, object]])
    assert_type(to_dicts(events), list[dict[str, object]])
    assert_type(to_dicts(bars, final_only=False), list[dict[str, object]])
    assert_type(asdict(trade), dict[str, object])
    frames: list[polars.DataFrame] = [to_frame(liquidations), to_frame(events), to_frame([trade]), to_frame(bars)]
    print(frames)  # noqa: T201 - never run


def misuse(row: Mine) -> None:
    # Each of these is an error to both type checkers: strict mode complains of a comment that silences nothing.
    row.n = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]  # rows are frozen
    row.gap_ms = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # rows are frozen
    row.withdrawn = True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # rows are frozen
    agg.ewm()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # of which half-life?
    agg.count_distinct("side")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # there are two
    agg.median(exact="all")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # is no number
    agg.mean("price", sides="long")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  # no such option
    agg.volume(side="up")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # is no side
    cheaper: float = row.vwap  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]  # it can be None
    print(cheaper)  # noqa: T201 - never run


def shown(mine: Mine, trade: Trade) -> None:
    assert_type(cgrx.table([mine, trade], most=5), cgrx.Table)


def drawn(mine: Mine) -> None:
    chart = cgrx.plot([mine], kind="delta", most=100)
    chart.save("delta.html")


def followed(bars: cgrx.EventStream[Bar]) -> None:
    live = cgrx.live_plot(kind="candles", keep=50, every="1s")
    bars.subscribe(live)
    assert_type(live.rows, tuple[Row, ...])
