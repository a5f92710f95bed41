"""Every aggregate, filtered and not, equals what polars says of the real recordings.

Counts, times, extrema, names and picked events exactly; sums and ratios within 1e-9, for polars adds up in floats.
Nothing of cgrx but the accumulators is between the file and the comparison.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias, cast

import polars as pl
import pytest

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from tests.recordings import LIQUIDATIONS, REQUIRED, TRADES

pytestmark = [REQUIRED, pytest.mark.thorough]

Key: TypeAlias = tuple[object, ...]
Make: TypeAlias = Callable[..., agg.Aggregate[Any]]
Oracle: TypeAlias = tuple[Make, pl.Expr]

ORDER = ("time", "price", "volUsd", "side", "exName", "symbol", "baseAsset", "type")
COLUMN = {
    "price": "price",
    "volume_usd": "volUsd",
    "time_ms": "time",
    "side": "side",
    "exchange": "exName",
    "symbol": "symbol",
    "base_asset": "baseAsset",
}

NUMBERS = ("price", "volume_usd", "time_ms")

FILTERS: dict[str, tuple[dict[str, Any], pl.Expr]] = {
    "all": ({}, pl.lit(True)),
    "trades": ({"of": Trade}, pl.col("type") == "Trade"),
    "liquidations": ({"of": Liquidation}, pl.col("type") == "Liquidation"),
    "long": ({"side": "long"}, (pl.col("type") == "Liquidation") & (pl.col("side") == 1)),
    "short": ({"side": "short", "of": Liquidation}, (pl.col("type") == "Liquidation") & (pl.col("side") == 2)),
    "sell": ({"side": "sell", "of": Trade}, (pl.col("type") == "Trade") & (pl.col("side") == 1)),
    "buy": ({"side": "buy"}, (pl.col("type") == "Trade") & (pl.col("side") == 2)),
}

WINDOWS: dict[str, tuple[pl.Expr, ...]] = {
    "instrument and minute": (pl.col("exName"), pl.col("symbol"), pl.col("time") // 60_000),
    "asset": (pl.col("baseAsset"),),
}
KEYS: dict[str, Callable[[Event], Key]] = {
    "instrument and minute": lambda event: (event.exchange, event.symbol, event.time_ms // 60_000),
    "asset": lambda event: (event.base_asset,),
}

_price, _usd = pl.col("price"), pl.col("volUsd")
_buys = pl.when(pl.col("side") == 2).then(_usd).otherwise(0.0)


def _edge(field: str, last: bool) -> pl.Expr:
    ordered = pl.col(COLUMN[field]).sort_by(*ORDER)
    return ordered.last() if last else ordered.first()


def _decayed(values: pl.Expr, half_life_ms: int) -> pl.Expr:
    weights = 0.5 ** ((pl.col("time").max() - pl.col("time")) / half_life_ms)
    return (weights * values).sum() / weights.sum()


def _of_field(make: Make, field: str) -> Make:
    return partial(make, field)


# What polars computes of the events that pass the filter, and whether it must be equal or near.
AMOUNTS: dict[str, Oracle] = {
    "volume": (agg.volume, _usd.sum()),
    "mean": (agg.mean, _price.mean()),
    "mean volume": (partial(agg.mean, "volume_usd"), _usd.mean()),
    "vwap": (agg.vwap, pl.when(pl.len() > 0).then(_usd.sum() / (_usd / _price).sum())),
    "stddev": (agg.stddev, _price.std(ddof=0)),
    "stddev volume": (partial(agg.stddev, "volume_usd"), _usd.std(ddof=0)),
    "median": (partial(agg.median, exact=math.inf), _price.median()),
    "median volume": (partial(agg.median, "volume_usd", exact=math.inf), _usd.median()),
    "ewm": (partial(agg.ewm, half_life="5s"), _decayed(_price, 5_000)),
    "ewm volume": (partial(agg.ewm, "volume_usd", half_life="250ms"), _decayed(_usd, 250)),
}
BY_TYPE: dict[str, Oracle] = {
    "buy_volume": (agg.buy_volume, _buys.sum()),
    "sell_volume": (agg.sell_volume, (_usd - _buys).sum()),
    "delta": (agg.delta, (2 * _buys - _usd).sum()),
    "imbalance": (agg.imbalance, pl.when(pl.len() > 0).then((2 * _buys - _usd).sum() / _usd.sum())),
}
PICKED: dict[str, Oracle] = {
    "count": (agg.count, pl.len()),
    "open": (agg.open, _edge("price", False)),
    "high": (agg.high, _price.max()),
    "low": (agg.low, _price.min()),
    "close": (agg.close, _edge("price", True)),
    **{f"first {field}": (_of_field(agg.first, field), _edge(field, False)) for field in COLUMN},
    **{f"last {field}": (_of_field(agg.last, field), _edge(field, True)) for field in COLUMN},
    **{f"min {field}": (_of_field(agg.min, field), pl.col(COLUMN[field]).min()) for field in NUMBERS},
    **{f"max {field}": (_of_field(agg.max, field), pl.col(COLUMN[field]).max()) for field in NUMBERS},
    "exchanges": (agg.exchanges, pl.col("exName").unique().sort()),
    **{
        f"quantile {q}": (partial(agg.quantile, q, exact=math.inf), _price.quantile(q, "lower"))
        for q in (0.0, 0.3, 1.0)
    },
    **{
        f"distinct {field}": (
            partial(_of_field(agg.count_distinct, field), exact=math.inf),
            pl.col(COLUMN[field]).n_unique(),
        )
        for field in ("price", "symbol")
    },
}


@cache
def table() -> pl.DataFrame:
    """Both recordings, as the files say."""
    frames = [
        pl.DataFrame([{name: line[name] for name in COLUMN.values()} for line in recording.lines()]).with_columns(
            pl.lit(kind).alias("type"), pl.col("price", "volUsd").cast(pl.Float64)
        )
        for recording, kind in ((TRADES, "Trade"), (LIQUIDATIONS, "Liquidation"))
    ]
    return pl.concat(frames)


@cache
def events() -> tuple[Event, ...]:
    found: list[Event] = []
    for line in table().iter_rows(named=True):
        rest = (line["price"], line["volUsd"], line["time"])
        names = (line["baseAsset"], line["exName"], line["symbol"])
        if line["type"] == "Trade":
            found.append(Trade(*names, TradeSide(line["side"]), *rest))
        else:
            found.append(Liquidation(*names, LiquidationSide(line["side"]), *rest))
    return tuple(found)


def ours(window: str, *aggregates: agg.Aggregate[Any]) -> dict[Key, tuple[Any, ...]]:
    """The values for each window, each one merged from two halves."""
    make, key_of = accumulator(aggregates), KEYS[window]
    halves: tuple[dict[Key, Any], dict[Key, Any]] = ({}, {})
    for index, event in enumerate(events()):
        halves[index % 2].setdefault(key_of(event), make()).add(event)
    whole = {key: make() for key in {**halves[0], **halves[1]}}
    for half in halves:
        for key, part in half.items():
            whole[key].merge(part)
    return {key: each.values() for key, each in whole.items()}


def theirs(window: str, keep: pl.Expr, *values: pl.Expr) -> dict[Key, tuple[Any, ...]]:
    """The same from polars; windows without an event that passes the filter are left out."""
    named = [value.alias(f"value_{index}") for index, value in enumerate(values)]
    keys = [key.alias(f"key_{index}") for index, key in enumerate(WINDOWS[window])]
    grouped = table().filter(keep).group_by(keys).agg(named)
    found: dict[Key, tuple[Any, ...]] = {}
    for row in grouped.iter_rows():
        found[row[: len(keys)]] = tuple(map(_frozen, row[len(keys) :]))
    return found


def _frozen(value: object) -> object:
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("chosen", FILTERS)
def test_picked_values_are_equal(window: str, chosen: str) -> None:
    options, keep = FILTERS[chosen]
    expected = theirs(window, keep, *(value for _, value in PICKED.values()))
    found = ours(window, *(make(**options) for make, _ in PICKED.values()))
    for key, values in found.items():
        if key in expected:
            # Compared by name, so that a failure says which one it is.
            assert dict(zip(PICKED, values, strict=True)) == dict(zip(PICKED, expected.pop(key), strict=True)), key
        else:
            assert values[0] == 0, "polars finds no such event"
    assert expected == {}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("chosen", FILTERS)
def test_sums_and_ratios_are_near(window: str, chosen: str) -> None:
    options, keep = FILTERS[chosen]
    members = AMOUNTS if "side" in options else AMOUNTS | BY_TYPE
    expected = theirs(window, keep, *(value for _, value in members.values()))
    found = ours(window, agg.count(**options), *(make(**options) for make, _ in members.values()))
    for key, (events_in, *values) in found.items():
        if key in expected:
            assert values == [near(value) for value in expected.pop(key)], key
        else:
            assert events_in == 0, "polars finds no such event"
    assert expected == {}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("chosen", FILTERS)
def test_the_largest_events_are_equal(window: str, chosen: str) -> None:
    options, keep = FILTERS[chosen]
    ranked = [pl.col(column).sort_by(-_usd, *ORDER).head(5) for column in ("time", "price", "volUsd", "symbol")]
    expected = theirs(window, keep, *ranked)
    for key, (largest,) in ours(window, agg.largest(5, **options)).items():
        fields = tuple(
            tuple(getattr(e, name) for e in largest) for name in ("time_ms", "price", "volume_usd", "symbol")
        )
        assert fields == expected.get(key, ((), (), (), ())), key


@pytest.mark.parametrize("by", ["exchange", "symbol", "base_asset"])
@pytest.mark.parametrize("chosen", FILTERS)
def test_shares_are_near(by: Any, chosen: str) -> None:
    options, keep = FILTERS[chosen]
    total = pl.col("volUsd").sum().over("baseAsset")
    parts = table().filter(keep).group_by("baseAsset", pl.col(COLUMN[by]).alias("part")).agg(_usd.sum())
    shares = parts.select("baseAsset", "part", pl.col("volUsd") / total)
    expected: dict[Key, dict[str, float]] = {}
    for asset, part, share in shares.iter_rows():
        expected.setdefault((asset,), {})[part] = share
    for key, (found,) in ours("asset", agg.share(by, **options)).items():
        assert dict(found) == pytest.approx(expected.get(key, {}), rel=1e-9)
        assert list(found) == sorted(found)
        assert math.fsum(found.values()) == pytest.approx(1.0 if found else 0.0, rel=1e-12)


@pytest.mark.parametrize("chosen", FILTERS)
def test_dispersion_is_near(chosen: str) -> None:
    options, keep = FILTERS[chosen]
    base = (_usd / _price).sum()
    each = table().filter(keep).group_by("baseAsset", "exName").agg(_usd.sum().alias("usd"), base.alias("base"))
    price = pl.col("usd") / pl.col("base")
    consolidated = pl.col("usd").sum() / pl.col("base").sum()
    spread = each.group_by("baseAsset").agg((price.max() - price.min()) / consolidated)
    expected = {row[:1]: row[1] for row in spread.iter_rows()}
    for key, (found,) in ours("asset", agg.dispersion(**options)).items():
        assert found == (pytest.approx(expected[key], rel=1e-9, abs=1e-12) if key in expected else None), key


@pytest.mark.parametrize("chosen", FILTERS)
def test_quantiles_lie_within_their_error(chosen: str) -> None:
    options, keep = FILTERS[chosen]
    exact = [_price.quantile(q, "lower") for q in (0.0, 0.25, 0.5, 0.99, 1.0)]
    expected = theirs("asset", keep, *exact)
    wanted = [agg.quantile(q, error=0.005, exact=100, **options) for q in (0.0, 0.25, 0.5, 0.99, 1.0)]
    for key, found in ours("asset", *wanted).items():
        assert found == (pytest.approx(expected[key], rel=0.005 + 1e-9) if key in expected else (None,) * 5), key


@pytest.mark.parametrize("chosen", FILTERS)
def test_estimated_counts_lie_near(chosen: str) -> None:
    """Within four times the documented standard error."""
    options, keep = FILTERS[chosen]
    expected = theirs("asset", keep, pl.col("time").n_unique(), pl.col("symbol").n_unique())
    wanted = (agg.count_distinct("time_ms", exact=400, **options), agg.count_distinct("symbol", exact=400, **options))
    for key, found in ours("asset", *wanted).items():
        times, symbols = expected.get(key, (0, 0))
        assert found == (times if times <= 400 else pytest.approx(times, rel=4 / 20), symbols), key
