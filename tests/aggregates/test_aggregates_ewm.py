"""`agg.ewm` against fractions: any span, any half-life, any order, any merge."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from tests.support import examples

DAY_MS = 86_400_000
NOW_MS = 1_750_000_000_000


def trade(time_ms: int, price: float) -> Trade:
    return Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, price, 1.0, time_ms)


def expected(trades: list[tuple[int, float]], half_life_ms: int) -> float:
    """Weights of up to 300 half-lives, which no sum of floats would keep apart."""
    latest = max(time_ms for time_ms, _ in trades)
    above = below = Fraction(0)
    for time_ms, price in trades:
        halvings, rest_ms = divmod(latest - time_ms, half_life_ms)
        if halvings > 300:
            continue
        weight = Fraction(2.0 ** (-rest_ms / half_life_ms)) / 2**halvings
        above += weight * Fraction(price)
        below += weight
    return float(above / below)


_trades = st.lists(
    st.tuples(
        st.integers(0, DAY_MS) | st.integers(0, 2_000) | st.integers(0, 3), st.floats(min_value=1e-9, max_value=1e9)
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=examples(50))
@given(_trades, st.sampled_from([1, 3, 30_000, 7 * DAY_MS]), st.lists(st.integers(0, 40), max_size=3), st.randoms())
def test_is_the_weighted_mean(
    trades: list[tuple[int, float]], half_life_ms: int, cuts: list[int], chance: random.Random
) -> None:
    """Within 1e-12 of it, and the same to the byte in another order and merged from parts."""
    kind = accumulator((agg.ewm(half_life=half_life_ms / 1000),))
    whole, merged = kind(), kind()
    for time_ms, price in trades:
        whole.add(trade(NOW_MS + time_ms, price))
    assert whole.values() == (pytest.approx(expected(trades, half_life_ms), rel=1e-12),)
    chance.shuffle(trades)
    for start, end in pairwise([0, *sorted(cuts), len(trades)]):
        part = kind()
        for time_ms, price in trades[start:end]:
            part.add(trade(NOW_MS + time_ms, price))
        merged.merge(part)
    assert merged.values() == whole.values()


def test_a_span_of_many_half_lives() -> None:
    """A thousand half-lives of 1 ms: state is bounded, and what it lets go does not show."""
    trades = [(time_ms, 1 + time_ms % 7 / 8) for time_ms in range(1000)]
    random.Random(1).shuffle(trades)
    made = accumulator((agg.ewm(half_life="1ms"),))()
    for time_ms, price in trades:
        made.add(trade(time_ms, price))
    assert made.values() == (pytest.approx(expected(trades, 1), rel=1e-14),)


def test_equal_times_weigh_the_same() -> None:
    made = accumulator((agg.ewm(half_life="1ms"),))()
    for price in (1.0, 2.0, 6.0):
        made.add(trade(NOW_MS, price))
    assert made.values() == (3.0,)


def test_the_window_moves_nothing() -> None:
    """The same events a week later have the same mean, to the byte where the half-life divides the week."""
    values: set[object] = set()
    for shift_ms in (0, 7 * DAY_MS):
        made = accumulator((agg.ewm(half_life="30s"),))()
        for time_ms, price in ((0, 10.0), (12_345, 11.0), (59_999, 12.5)):
            made.add(trade(NOW_MS + shift_ms + time_ms, price))
        values.update(made.values())
    assert len(values) == 1
