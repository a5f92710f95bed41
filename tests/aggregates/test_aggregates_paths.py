"""What is made of the order and the times of bars: drawdown, volatility, quantiles, means weighed by age."""

import math
import pickle
import random
import statistics
from itertools import pairwise
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import operators as ops
from cgrx._model.events import Event
from cgrx.operators import agg
from cgrx.testing import batch, play, trade
from tests.recordings import REQUIRED
from tests.support import examples
from tests.windows.test_windows_oracle import recorded, signals
from tests.windows.windowing import rows


class Close(ops.Row):
    """A bar made by hand: one event, its price the close."""

    symbol: str
    close = agg.close()


class Way(ops.Row):
    """All of them."""

    drawdown = agg.max_drawdown()
    volatility = agg.realised_volatility("close")
    median = agg.median("close")
    quantile = agg.quantile(0.3, "close")
    ewm = agg.ewm("close", half_life="3s")


def bar(second: int, close: float | None, symbol: str = "A") -> Any:
    return cast(Any, Close)(start_ms=1000 * second, end_ms=1000 * second + 1000, symbol=symbol, close=close)


def bars(closes: list[float]) -> list[Any]:
    return [bar(second, close) for second, close in enumerate(closes)]


def of(items: list[Any]) -> Any:
    made: Any = Way.accumulator()
    for item in items:
        made.add(item)
    return made


def expected(closes: list[float]) -> tuple[Any, ...]:
    """By numpy and by Python's statistics."""
    if not closes:
        return (None,) * 5
    prices = np.array(closes)
    peaks = np.maximum.accumulate(prices)
    weights = 0.5 ** (np.arange(len(closes))[::-1] / 3)
    return (
        pytest.approx(float(((peaks - prices) / peaks).max()), rel=1e-14),
        pytest.approx(math.sqrt(float((np.diff(np.log(prices)) ** 2).sum())), rel=1e-9, abs=1e-13)
        if len(closes) > 1
        else None,
        pytest.approx(statistics.median(closes), rel=1e-15),
        sorted(closes)[math.floor(0.3 * (len(closes) - 1))],
        pytest.approx(float((weights * prices).sum() / weights.sum()), rel=1e-12),
    )


_closes = st.lists(st.floats(1e-9, 1e9) | st.floats(99, 101), max_size=25)


@settings(max_examples=examples(50))
@given(_closes, st.lists(st.integers(0, 25), max_size=4), st.randoms(use_true_random=False))
def test_any_order_and_any_merge(closes: list[float], cuts: list[int], chance: random.Random) -> None:
    """In order they are those of numpy; shuffled, merged from parts and pickled on the way, the same to the byte."""
    whole = of(bars(closes))
    assert whole.values() == expected(closes)
    shuffled = bars(closes)
    chance.shuffle(shuffled)
    parts = [of(shuffled[start:end]) for start, end in pairwise([0, *sorted(cuts), len(closes)])]
    merged = of([])
    for part in parts:
        before = part.values()
        merged.merge(pickle.loads(pickle.dumps(part)))
        merged.values()
        assert part.values() == before
    assert repr(merged.values()) == repr(whole.values())


def test_by_hand() -> None:
    """The greatest fall is from 120 to 60, though 50 is lower: 50 came before."""
    drawdown, volatility, median, quantile, _ = of(bars([100.0, 50.0, 120.0, 90.0, 60.0, 130.0])).values()
    assert drawdown == 0.5
    returns = (0.5, 2.4, 0.75, 2 / 3, 13 / 6)
    assert volatility == pytest.approx(math.sqrt(sum(math.log(each) ** 2 for each in returns)), rel=1e-15)
    assert (median, quantile) == (95.0, 60.0)


@pytest.mark.parametrize(
    ("closes", "drawdown", "volatility"),
    [
        ([], None, None),
        ([None], None, None),
        ([7.0], 0.0, None),
        ([7.0, None, 7.0], 0.0, 0.0),
        ([1.0, 2.0, 4.0], 0.0, math.log(2) * math.sqrt(2)),
        ([7.0, 0.0], None, None),
        ([7.0, -1.0], None, None),
        ([1e-300, 1e300], 0.0, 600 * math.log(10)),
        ([1e300, 1e-300], 1.0, 600 * math.log(10)),
        ([61_800.0, 61_800.1], 0.0, 0.1 / 61_800 - (0.1 / 61_800) ** 2 / 2),
    ],
)
def test_the_ends(closes: list[float | None], drawdown: float | None, volatility: float | None) -> None:
    """None where there is nothing to divide by, and no bar where there is no price."""
    found = of([bar(second, close) for second, close in enumerate(closes)]).values()
    assert found[0] == drawdown
    assert found[1] == (pytest.approx(volatility, rel=1e-9) if volatility else volatility)


def test_bars_of_one_time_go_by_their_keys() -> None:
    """So that a window whose key is wider than that of the bars is the same in any order too."""
    both = [bar(0, 10.0, "A"), bar(0, 5.0, "B")]
    assert of(both).values()[0] == of(both[::-1]).values()[0] == 0.5


def test_a_long_path_pickles() -> None:
    """However many rows it has, and however they were merged."""
    made = of(bars([100.0 + n % 7 for n in range(3000)]))
    assert pickle.loads(pickle.dumps(made)).values() == made.values()


def test_events_are_refused() -> None:
    """They have no order that a bounded state could keep; windows of rows have."""
    stage = ops.tumbling("1m", drawdown=agg.max_drawdown())
    with pytest.raises(
        ValueError, match=r"takes rows, not Trade: drawdown=agg\.max_drawdown\(\"close\"\) reads a field"
    ):
        play(stage, [batch(trade(time=1))])
    with pytest.raises(ValueError, match=r"agg\.max_drawdown\(field='price'\) takes the name of a number of the rows"):
        agg.max_drawdown("price")
    with pytest.raises(ValueError, match=r"agg\.realised_volatility\(field='_x'\)"):
        agg.realised_volatility("_x")
    with pytest.raises(ValueError, match=r"agg\.median\(field='close'\) takes 'price', 'volume_usd'$"):
        cast(Any, agg.median)("close", side="buy")


SECONDS = {"by": ("exchange", "symbol"), "close": agg.close(), "volume": agg.volume()}
KEYS = ("exName", "symbol")


def beneath(kind: str) -> tuple[tuple[Event, ...], pl.DataFrame]:
    """Events of a recording, and by polars the closes and volumes of their seconds, in order of time."""
    events, frame = recorded(kind)
    events, frame = events[:30_000], frame[:30_000]
    second = (pl.col("time") // 1000 * 1000 + 1000).alias("end")
    close, volume = pl.col("price").sort_by("time", "price").last(), pl.col("volUsd").sum()
    return events, frame.group_by(*KEYS, second).agg(close.alias("close"), volume.alias("volume")).sort("end")


@REQUIRED
@pytest.mark.parametrize("kind", ["trades", "liquidations"])
def test_minutes_of_the_real_seconds(kind: str) -> None:
    """Equal what polars says of them."""
    events, seconds = beneath(kind)
    above: ops.Stage[ops.Row, ops.Row] = ops.tumbling(
        "1m",
        by=("exchange", "symbol"),
        drawdown=agg.max_drawdown(),
        volatility=agg.realised_volatility(),
        median=agg.median("volume"),
        quantile=agg.quantile(0.9, "close"),
        ewm=agg.ewm("volume", half_life="10s"),
    )
    close, volume = pl.col("close"), pl.col("volume")
    weights = 0.5 ** ((pl.col("end").max() - pl.col("end")) / 10_000)
    by_polars = seconds.group_by(*KEYS, (pl.col("end") - 1) // 60_000 * 60_000, maintain_order=True).agg(
        (1 - close / close.cum_max()).max().alias("drawdown"),
        pl.when(pl.len() > 1).then((close.log().diff() ** 2).sum().sqrt()).alias("volatility"),
        volume.median().alias("median"),
        close.quantile(0.9, "lower").alias("quantile"),
        ((weights * volume).sum() / weights.sum()).alias("ewm"),
    )
    wanted = {line[:3]: line[3:] for line in by_polars.iter_rows()}
    short: ops.Stage[Event, ops.Row] = cast("Any", ops.tumbling)("1s", **SECONDS)
    stage = ops.pipeline(short, above)
    found = {
        (row.exchange, row.symbol, row.start_ms): tuple(row[name] for name in by_polars.columns[3:])
        for row in rows(stage, *signals(events), ends=True)
    }
    assert found.keys() == wanted.keys()
    for place, values in found.items():
        assert values == tuple(
            pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value for value in wanted[place]
        ), place


def test_rolling_looks_back_on_the_last_bars() -> None:
    """The parts of rolling windows overlap; each is that of its own rows."""
    closes = [100.0 + math.sin(n) for n in range(40)]
    stage: Any = ops.pipeline(ops.tumbling("1s", Close, lateness="0s", idle="0s"), ops.rolling(7, Way))
    said = [batch(trade(symbol="A", price=close, time=n + 0.5)) for n, close in enumerate([*closes, 1.0])]
    found = [tuple(row[name] for name, _ in Way.aggregates) for row in play(stage, said) if row.final]
    assert found == [expected(closes[start : start + 7]) for start in range(len(found))]
    assert len(found) == 34
