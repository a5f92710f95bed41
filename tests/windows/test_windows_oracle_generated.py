"""Every kind of window with every aggregate equals what polars says, on disordered generated events too.

Here the key is the asset, so that windows hold several exchanges, and the aggregates are all of them: also those that
a plain expression of polars does not give. Each key's rows are compared in the order in which they come.
"""

import operator
import random
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast

import polars as pl
import pytest
from msgspec.structs import replace

from cgrx import operators as ops
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._streams.stream import Stage
from cgrx.operators import agg
from cgrx.testing import Generator
from tests.aggregates.test_aggregates_oracle import AMOUNTS, BY_TYPE, COLUMN, ORDER, PICKED
from tests.choosing import one_in
from tests.recordings import FOLDER
from tests.support import close
from tests.windows.test_windows_oracle import bar_numbers, recorded, signals
from tests.windows.windowing import rows

QUANTILES = (0.0, 0.5, 0.99, 1.0)
ERROR = 0.005
WINDOW = ("start", "end", "number", "baseAsset")
"""What tells windows apart; the number is the window's place among those of its key."""

_price, _usd = pl.col("price"), pl.col("volUsd")

Same: TypeAlias = Callable[[Any, Any], bool]


def equal(mine: object, other: object) -> bool:
    return mine == (tuple(cast("list[object]", other)) if isinstance(other, list) else other)


def near(mine: Any, other: Any) -> bool:
    return close(mine, other, rel=1e-9, abs_=1e-6)


def within_error(mine: Any, other: Any) -> bool:
    return bool(mine == pytest.approx(other, rel=ERROR + 1e-9))


def same_spread(mine: Any, other: Any) -> bool:
    """Spreads are small, and polars gets them as differences of rounded prices."""
    return close(mine, other, rel=1e-9, abs_=1e-12)


def same_events(mine: Any, other: Any) -> bool:
    return bool([described(event) for event in mine] == other)


def same_shares(mine: Any, other: Any) -> bool:
    """In the same order too."""
    expected = {line["name"]: line["share"] for line in other}
    return list(mine) == list(expected) and bool(dict(mine) == pytest.approx(expected, rel=1e-9))


def described(event: Event) -> dict[str, Any]:
    """An event as a line of the table."""
    fields = {column: getattr(event, field) for field, column in COLUMN.items()}
    return {**fields, "type": type(event).__name__}


def with_price(prices: set[float], event: Event) -> set[float]:
    """Changes what it gets, as it may; states that windows share by mistake would show."""
    prices.add(event.price)
    return prices


def union(prices: set[float], others: set[float]) -> set[float]:
    prices |= others
    return prices


class Oracle(NamedTuple):
    """An aggregate, where to find it in what polars computes, and what counts as the same."""

    aggregate: Any  # by its own type it would be taken for a field of a row
    expected: pl.Expr
    same: Same


def of_all(name: str, column: str) -> pl.Expr:
    """A column that has one value for all events of a window."""
    return pl.col(f"{name} {column}").first()


ORACLES: dict[str, Oracle] = {
    **{name: Oracle(make(), value, equal) for name, (make, value) in PICKED.items()},
    **{name: Oracle(make(), value, near) for name, (make, value) in {**AMOUNTS, **BY_TYPE}.items()},
    "largest": Oracle(agg.largest(3), pl.struct(*COLUMN.values(), "type").sort_by(-_usd, *ORDER).head(3), same_events),
    **{
        f"quantile {q}": Oracle(agg.quantile(q, error=ERROR, exact=20), _price.quantile(q, "lower"), within_error)
        for q in QUANTILES
    },
    # Prices of one asset are all within the error for a while; volumes differ a thousandfold.
    **{
        f"quantile {q} of volume": Oracle(
            agg.quantile(q, "volume_usd", error=ERROR, exact=0), _usd.quantile(q, "lower"), within_error
        )
        for q in QUANTILES
    },
    "custom": Oracle(agg.custom(set[float], with_price, union, len), _price.n_unique(), equal),
    "share": Oracle(agg.share(), of_all("shares", "exName"), same_shares),
    "share of symbols": Oracle(agg.share("symbol"), of_all("shares", "symbol"), same_shares),
    "dispersion": Oracle(agg.dispersion(), of_all("spread", "exName"), same_spread),
}
NAMED: dict[str, Any] = {f"value_{index}": each.aggregate for index, each in enumerate(ORACLES.values())}


def parts(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """For each window, what the events of each exchange (or symbol) have of it: shares, and the spread of prices."""
    each = frame.group_by(*WINDOW, column).agg(_usd.sum().alias("usd"), (_usd / _price).sum().alias("base"))
    usd, base = pl.col("usd"), pl.col("base")
    price = usd / base
    return (
        each.sort(column)
        .group_by(*WINDOW)
        .agg(
            pl.struct(pl.col(column).alias("name"), (usd / usd.sum()).alias("share")).alias(f"shares {column}"),
            ((price.max() - price.min()) / (usd.sum() / base.sum())).alias(f"spread {column}"),
        )
    )


@cache
def generated() -> tuple[tuple[Event, ...], pl.DataFrame]:
    """3000 events, some of them twice, many at the same time, each up to 1.9 s after later ones (2 s would be late)."""
    chance = random.Random(7)
    endless = iter(Generator(seed=7, exchanges=("Binance", "OKX", "Bybit"), assets=("BTC", "ETH", "DOGE")))
    arrivals: list[tuple[int, Event]] = []
    for _ in range(3000):
        event = next(endless)
        event = replace(event, time_ms=event.time_ms // 20 * 20)
        times = 2 if chance.random() < 0.1 else 1
        arrivals.extend((event.time_ms + chance.randint(0, 1900), event) for _ in range(times))
    arrivals.sort(key=operator.itemgetter(0))
    events = tuple(event for _, event in arrivals)
    return events, pl.DataFrame([described(event) for event in events]).with_row_index("place")


def events_of(kind: str) -> tuple[tuple[Event, ...], pl.DataFrame]:
    if kind == "generated":
        return generated()
    if not FOLDER.is_dir():
        pytest.skip("the recordings are not beside this repository")
    found, frame = recorded(kind)
    return found[:4000], frame[:4000]


def test_the_generated_events_are_what_is_wanted() -> None:
    events, frame = generated()
    assert {type(event) for event in events} == {Trade, Liquidation}
    behind: list[int] = (frame["time"].cum_max() - frame["time"]).to_list()
    assert sum(by_ms > 0 for by_ms in behind) > len(events) / 2
    assert 1000 < max(behind) < 2000
    assert len(events) - len(set(events)) > 200
    assert frame["time"].n_unique() < len(events) / 2


def on_grid(size_ms: int, every_ms: int, frame: pl.DataFrame) -> pl.DataFrame:
    starts = pl.int_ranges((pl.col("time") - size_ms) // every_ms + 1, pl.col("time") // every_ms + 1) * every_ms
    frame = frame.with_columns(starts.alias("start")).explode("start")
    return frame.with_columns((pl.col("start") + size_ms).alias("end"), pl.col("start").alias("number"))


def in_sessions(gap_ms: int, frame: pl.DataFrame) -> pl.DataFrame:
    begins = pl.col("time").diff().over("baseAsset").fill_null(0) > gap_ms
    return spanned(frame.sort("time", "place").with_columns(begins.cum_sum().over("baseAsset").alias("number")))


def by_count(n: int, frame: pl.DataFrame) -> pl.DataFrame:
    return spanned(frame.with_columns((pl.int_range(pl.len()).over("baseAsset") // n).alias("number")))


def by_volume(usd: float, frame: pl.DataFrame) -> pl.DataFrame:
    return spanned(frame.with_columns(pl.Series("number", bar_numbers(frame, ("baseAsset",), usd))))


def spanned(frame: pl.DataFrame) -> pl.DataFrame:
    """With the times of the first and the last event of each window."""
    inside = ("baseAsset", "number")
    return frame.with_columns(
        pl.col("time").min().over(inside).alias("start"), (pl.col("time").max().over(inside) + 1).alias("end")
    )


WINDOWS: dict[str, tuple[Stage[Any, Any], Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "tumbling": (ops.tumbling("3s", by="base_asset", **NAMED), lambda frame: on_grid(3000, 3000, frame)),
    "sliding": (ops.sliding("10s", "3s", by="base_asset", **NAMED), lambda frame: on_grid(10_000, 3000, frame)),
    "session": (ops.session("200ms", by="base_asset", **NAMED), lambda frame: in_sessions(200, frame)),
    "count_bars": (ops.count_bars(20, by="base_asset", **NAMED), lambda frame: by_count(20, frame)),
    "volume_bars": (ops.volume_bars(200_000, by="base_asset", **NAMED), lambda frame: by_volume(200_000, frame)),
}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", one_in(3, ["generated", "trades", "liquidations"]))
def test_every_aggregate(kind: str, window: str) -> None:
    events, frame = events_of(kind)
    stage, assign = WINDOWS[window]
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows(stage, *signals(events), ends=True):
        assert row.late == 0
        found.setdefault(row.base_asset, []).append((row.start_ms, row.end_ms, *(row[name] for name in NAMED)))
    expected: dict[str, list[tuple[Any, ...]]] = {}
    frame = assign(frame)
    for column in ("exName", "symbol"):
        frame = frame.join(parts(frame, column), on=WINDOW, how="left", maintain_order="left")
    values = [each.expected.alias(f"value_{index}") for index, each in enumerate(ORACLES.values())]
    for start, end, _, asset, *line in frame.group_by(*WINDOW).agg(values).sort("number").iter_rows():
        expected.setdefault(asset, []).append((start, end, *line))
    assert found.keys() == expected.keys()
    for asset, lines in expected.items():
        assert [line[:2] for line in found[asset]] == [line[:2] for line in lines]
        for mine, other in zip(found[asset], lines, strict=True):
            for (name, oracle), value, theirs in zip(ORACLES.items(), mine[2:], other[2:], strict=True):
                assert oracle.same(value, theirs), f"{name} of {asset} at {mine[0]}: {value!r}, polars: {theirs!r}"
