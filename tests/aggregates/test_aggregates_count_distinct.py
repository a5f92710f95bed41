"""`agg.count_distinct`: exact up to its bound, then an estimate that no order and no merge changes."""

import math
import pickle
import random
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from tests.support import examples


def trade(symbol: str, price: float = 1.0) -> Trade:
    return Trade("BTC", "Binance", symbol, TradeSide.BUY, price, 1.0, 0)


_symbols = st.text(max_size=3)


@given(st.lists(_symbols, max_size=15), st.sampled_from([15, math.inf]))
def test_is_exact_up_to_the_bound(symbols: list[str], exact: float) -> None:
    made = accumulator((agg.count_distinct("symbol", exact=exact),))()
    for symbol in symbols * 2:
        made.add(trade(symbol))
    assert made.values() == (len(set(symbols)),)


@settings(max_examples=examples(40))
@given(st.sets(_symbols | st.sampled_from(["", "\ud800"]), max_size=33))
def test_any_text_counts_in_the_sketch(symbols: set[str]) -> None:
    """One that is empty or no Unicode too. Up to 32 hashes the sketch leaves out none."""
    made = accumulator((agg.count_distinct("symbol", exact=1),))()
    for symbol in symbols:
        made.add(trade(symbol))
    (found,) = made.values()
    assert found == (len(symbols) if len(symbols) < 33 else pytest.approx(33, rel=0.6))


@settings(max_examples=examples(40))
@given(
    st.lists(st.integers(0, 400), max_size=300),
    st.lists(st.integers(0, 300), max_size=4),
    st.sampled_from([1, 32, 100]),
    st.randoms(use_true_random=False),
)
def test_no_order_and_no_merge_changes_the_estimate(
    values: list[int], cuts: list[int], exact: int, chance: random.Random
) -> None:
    """The theta sketch keeps the least hashes: a set, whatever the way to it. Parts are pickled on their way."""
    kind = accumulator((agg.count_distinct("price", exact=exact),))
    whole, merged = kind(), kind()
    for value in values:
        whole.add(trade("A", value + 1.0))
    chance.shuffle(values)
    bounds = [0, *sorted(cuts), len(values)]
    for start, end in pairwise(bounds):
        part = kind()
        for value in values[start:end]:
            part.add(trade("A", value + 1.0))
        before = part.values()
        merged.merge(pickle.loads(pickle.dumps(part)))
        assert part.values() == before
    assert merged.values() == whole.values()


def test_lies_within_the_documented_error() -> None:
    """Of 100 estimates about two thirds within the standard error, and nearly all within twice that."""
    off: list[float] = []
    for seed in range(100):
        chance = random.Random(seed)
        made = accumulator((agg.count_distinct("price", exact=64),))()
        for price in {chance.random() for _ in range(300)}:
            made.add(trade("A", price))
        (found,) = made.values()
        assert isinstance(found, int)
        off.append(abs(found / 300 - 1) * math.sqrt(64))
    assert sum(each < 1 for each in off) >= 60
    assert sum(each < 2 for each in off) >= 92


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the aggregate is made; one that keeps every value does not need it."""
    monkeypatch.setitem(sys.modules, "datasketches", None)
    with pytest.raises(
        ImportError, match=r'agg\.count_distinct\(\) needs the package datasketches: pip install "cgrx\[sketch\]"'
    ):
        agg.count_distinct("price")
    made = accumulator((agg.count_distinct("price", exact=math.inf),))()
    made.add(trade("A"))
    assert made.values() == (1,)
