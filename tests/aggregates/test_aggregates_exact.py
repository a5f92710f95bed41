"""No order, batching or merging of events changes a value, to the byte; over all floats that a codec can deliver."""

import itertools
import math
import operator
import pickle
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from cgrx.operators._aggregates.exact import SCALE, amount, quotient, quotient_units, root, units


def _digest(event: Event) -> int:
    return event.time_ms + int(event.side)


AGGREGATES: tuple[agg.Aggregate[Any], ...] = (
    agg.count(),
    agg.count(side="long"),
    agg.volume(),
    agg.volume(of=Trade),
    agg.volume(side="buy"),
    agg.buy_volume(),
    agg.sell_volume(),
    agg.delta(),
    agg.imbalance(),
    agg.imbalance(of=Liquidation),
    agg.mean(),
    agg.mean("volume_usd", side="short"),
    agg.vwap(),
    agg.vwap(side="sell"),
    agg.stddev(),
    agg.stddev("volume_usd", of=Trade),
    agg.open(),
    agg.high(),
    agg.low(),
    agg.close(),
    agg.open(side="sell"),
    agg.close(side="sell"),
    agg.first("exchange"),
    agg.first("volume_usd"),
    agg.last("symbol"),
    agg.last("side", of=Liquidation),
    agg.min("time_ms"),
    agg.max("volume_usd"),
    agg.largest(3),
    agg.largest(2, side="buy"),
    agg.exchanges(),
    agg.share(),
    agg.share("symbol", of=Trade),
    agg.dispersion(),
    agg.quantile(0.5, error=0.3),
    agg.quantile(0.5, error=0.3, exact=0),
    agg.quantile(0.2, error=0.3, exact=3, of=Trade),
    agg.median(error=0.3),
    agg.median("volume_usd", error=0.3, exact=2),
    agg.median(exact=math.inf, side="long"),
    agg.count_distinct("price"),
    agg.count_distinct("symbol", exact=2),
    agg.count_distinct("volume_usd", exact=1, of=Trade),
    agg.ewm(half_life="1ms"),
    agg.ewm("volume_usd", half_life="3s", side="buy"),
    agg.quantile(0.99, "volume_usd", error=0.2),
    agg.custom(int, lambda total, event: total + _digest(event), operator.add, str),
)

# Few texts and times, so that events tie; all positive finite floats, and those that everyone sees.
_texts = st.sampled_from(["A", "B", "C"])
_floats = st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.sampled_from([1.0, 2.0, 0.1, 61800.3])
_times = st.integers(0, 3)
_trades = st.builds(Trade, _texts, _texts, _texts, st.sampled_from(TradeSide), _floats, _floats, _times)
_liquidations = st.builds(
    Liquidation, _texts, _texts, _texts, st.sampled_from(LiquidationSide), _floats, _floats, _times
)
_events = st.lists(_trades | _liquidations, max_size=12)


def _bytes(values: tuple[object, ...]) -> bytes:
    # By repr, for pickle also writes which objects are the same one.
    return repr(values).encode()


def _of(events: list[Any]) -> Any:
    made = accumulator(AGGREGATES)()
    for event in events:
        made.add(event)
    return made


@given(_events, st.randoms(use_true_random=False))
def test_any_order_gives_the_same(events: list[Event], chance: random.Random) -> None:
    shuffled = events[:]
    chance.shuffle(shuffled)
    assert _bytes(_of(shuffled).values()) == _bytes(_of(events).values())


@given(_events, st.lists(st.integers(0, 12), max_size=4), st.randoms(use_true_random=False))
def test_merged_parts_give_the_same(events: list[Event], cuts: list[int], chance: random.Random) -> None:
    """Any parts, merged in any order; what is merged in stays as it was."""
    bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    parts = [_of(events[start:end]) for start, end in itertools.pairwise(bounds)]
    chance.shuffle(parts)
    before = [_bytes(part.values()) for part in parts]
    whole = accumulator(AGGREGATES)()
    for part in parts:
        whole.merge(part)
    assert _bytes(whole.values()) == _bytes(_of(events).values())
    assert [_bytes(part.values()) for part in parts] == before


@given(_events, _events)
def test_a_merged_part_is_not_shared(events: list[Event], more: list[Event]) -> None:
    """What is added after a merge reaches neither the other one nor, from there, this one."""
    part, whole = _of(events), accumulator(AGGREGATES)()
    whole.merge(part)
    for event in more:
        whole.add(event)
    assert _bytes(part.values()) == _bytes(_of(events).values())
    assert _bytes(whole.values()) == _bytes(_of([*events, *more]).values())


@given(_events, _events)
def test_reading_changes_nothing(events: list[Event], more: list[Event]) -> None:
    """Running rows read values again and again."""
    made = _of(events)
    assert _bytes(made.values()) == _bytes(made.values())
    for event in more:
        made.add(event)
    assert _bytes(made.values()) == _bytes(_of([*events, *more]).values())


PICKLED = tuple(aggregate for aggregate in AGGREGATES if not aggregate.functions)


@given(_events, _events)
def test_partial_results_pickle(events: list[Event], more: list[Event]) -> None:
    """So that an engine can send them elsewhere and go on there."""
    made = accumulator(PICKLED)()
    for event in events:
        made.add(event)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    for event in more:
        made.add(event)
        again.add(event)
    assert _bytes(again.values()) == _bytes(made.values())


@given(st.floats(min_value=2**-44, allow_infinity=False))
def test_a_number_in_units_is_exact(value: float) -> None:
    assert Fraction(units(value), 2**96) == Fraction(value)
    assert amount(units(value)) == value


@given(st.floats(min_value=0, allow_infinity=False))
def test_what_lies_below_a_unit_is_cut(value: float) -> None:
    assert 0 <= Fraction(value) - Fraction(units(value), 2**96) < Fraction(1, 2**96)


@given(_floats, _floats)
def test_a_quotient_in_units(dividend: float, divisor: float) -> None:
    """It is the fast one wherever that is finite, and never too large for an integer."""
    found = quotient_units(dividend, divisor)
    if math.isfinite(dividend / divisor * SCALE):
        assert found == int(dividend / divisor * SCALE)
    assert abs(found - Fraction(dividend) / Fraction(divisor) * 2**96) <= 1 + Fraction(found, 2**52)


@given(st.integers(0, 10**60), st.integers(1, 10**60))
def test_root_is_correctly_rounded(dividend: int, divisor: int) -> None:
    """No neighbouring float has a square nearer to the quotient's root: the midpoints lie on the other side."""
    found = root(dividend, divisor)
    exact = Fraction(dividend, divisor)
    below = (Fraction(found) + Fraction(math.nextafter(found, 0))) / 2
    above = (Fraction(found) + Fraction(math.nextafter(found, math.inf))) / 2
    assert below**2 <= exact <= above**2


def test_beyond_the_range_of_floats() -> None:
    """A sum that no float can hold is infinite, with its sign; a ratio of such sums is not."""
    largest = 1.7e308
    made = accumulator((agg.volume(), agg.delta(), agg.imbalance(), agg.mean("volume_usd"), agg.stddev("volume_usd")))()
    for _ in range(2):
        made.add(Trade("A", "A", "A", TradeSide.SELL, 1.0, largest, 0))
    assert made.values() == (math.inf, -math.inf, -1.0, largest, 0.0)
    assert quotient(-(10**400), 1) == -math.inf


@pytest.mark.parametrize("aggregate", [agg.vwap(), agg.dispersion(), agg.share()], ids=str)
def test_volumes_of_less_than_a_unit_count_as_none(aggregate: agg.Aggregate[Any]) -> None:
    """2**-96 dollars are 1e-29: a documented bound, not an error."""
    made = accumulator((aggregate, agg.count()))()
    made.add(Trade("A", "A", "A", TradeSide.SELL, 1.0, 1e-300, 0))
    assert made.values() in [(None, 1), ({}, 1)]
