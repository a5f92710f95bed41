"""Thresholds: where a number of a key passes a level, and where it is back."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Batch, LiquidationOrders, Signal, TooManyKeysError, Trade
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, play, play_signals, play_timeline, trade
from tests.operators.sold import Sold, row
from tests.recordings import AS_FAR_AS, RECORDINGS, REQUIRED, Recording, decoded
from tests.support import examples


def prices(*values: float, **fields: Any) -> Batch[Trade]:
    return batch(*(trade(price=value, time=index, **fields) for index, value in enumerate(values)))


def told(stage: ops.Stage[Any, Any], *items: Any) -> list[tuple[Any, ...]]:
    """Of each crossing the place of the item, and the direction."""
    found: list[ops.Crossing[Any]] = play(stage, [Batch(None, 0, items)])
    return [(items.index(each.item), each.direction) for each in found]


# --- levels ---------------------------------------------------------------------------------------------------------


def test_one_result_at_the_crossing_and_one_at_the_return() -> None:
    up, down = 5.0, 4.5
    found = play(ops.crosses("price", above=5), [prices(1, up, 8, down, 2)])
    events = prices(1, up, 8, down, 2).events
    assert found == [
        ops.Crossing(events[1], "price", 5.0, 5, "above"),
        ops.Crossing(events[3], "price", 4.5, 5, "below", back=True),
    ]


@pytest.mark.parametrize(
    ("levels", "values", "expected"),
    [
        ({"above": 5}, [1, 5, 4.9, 5], [(1, "above"), (2, "below"), (3, "above")]),
        ({"below": 5}, [6, 5, 5.1, 5], [(1, "below"), (2, "above"), (3, "below")]),
        ({"above": 5, "below": 2}, [1, 4, 5, 2.1, 5, 2, 4.9, 5], [(2, "above"), (5, "below"), (7, "above")]),
        ({"above": 5}, [7], [(0, "above")]),  # a key begins on the quiet side
        ({"above": 5}, [3, 4], []),
        ({"below": 5}, [3], [(0, "below")]),
        ({"below": 5}, [7, 6], []),
        ({"above": 5, "below": 2}, [1, 3, 1], []),
        ({"above": 5, "below": 2}, [6, 3, 6], [(0, "above")]),
    ],
)
def test_levels(levels: dict[str, Any], values: list[float], expected: list[tuple[Any, ...]]) -> None:
    """`above` is reached at the level itself, and so is `below`; between both nothing changes."""
    assert told(ops.crosses("price", **levels), *prices(*values).events) == expected


@pytest.mark.parametrize(
    ("levels", "passed"),
    [({"above": 5.0}, [5, 5]), ({"below": 2.0}, [2, 2]), ({"above": 5.0, "below": 2.0}, [5, 2])],
)
def test_the_level_is_the_one_that_was_passed(levels: dict[str, Any], passed: list[float]) -> None:
    values = [1, 9] if levels.keys() == {"below"} else [9, 1]
    assert [each.level for each in play(ops.crosses("price", **levels), [prices(*values)])] == passed


def test_the_quiet_side_may_be_above() -> None:
    """With both levels, as with `below` alone: a first value at the level tells, and the way up is the return."""
    found = play(ops.crosses("price", above=5, below=2, begins="above"), [prices(1, 3, 4, 5, 2, 6)])
    assert [(each.value, each.direction, each.back) for each in found] == [
        (1, "below", False),
        (5, "above", True),
        (2, "below", False),
        (6, "above", True),
    ]


@pytest.mark.parametrize("levels", [{"above": 5}, {"below": 2}, {"above": 5, "below": 2, "begins": "above"}])
def test_without_returns(levels: dict[str, Any]) -> None:
    """What is left out moves the key all the same."""
    events = prices(3, 6, 4, 6, 1, 7, 2).events
    found: list[ops.Crossing[Any]] = play(ops.crosses("price", **levels), [Batch(None, 0, events)])
    alarms = play(ops.crosses("price", returns=False, **levels), [Batch(None, 0, events)])
    assert alarms == [each for each in found if not each.back]
    assert len(alarms) < len(found)


def test_what_is_no_number_is_passed_over() -> None:
    """None, as the mean of nothing, and NaN move no key, nor begin one."""
    rows = [row(1, mean=mean, minute=i) for i, mean in enumerate([None, 9.0, None, math.nan, 9.0, 1.0])]
    assert told(ops.crosses("mean", above=5), *rows) == [(1, "above"), (5, "below")]
    nothing = [row(1, mean=None, exchange=name) for name in "ABC"]
    assert told(ops.crosses("mean", above=5, max_keys=1), *nothing) == []


def test_infinity_is_beyond_any_level() -> None:
    assert told(ops.crosses("mean", above=5), row(1, mean=math.inf), row(1, 1, mean=-math.inf)) == [
        (0, "above"),
        (1, "below"),
    ]


# --- keys -----------------------------------------------------------------------------------------------------------


def test_rows_by_their_key_fields() -> None:
    rows = [row(9, 0, "A"), row(9, 0, "B"), row(1, 1, "A"), row(9, 1, "B")]
    assert told(ops.crosses("usd", above=5), *rows) == [(0, "above"), (1, "above"), (2, "below")]
    assert told(ops.crosses("usd", above=5, by="exchange"), *rows) == [(0, "above"), (1, "above"), (2, "below")]


def test_rows_all_together() -> None:
    assert told(ops.crosses("usd", above=5, by=()), row(9, 0, "A"), row(9, 0, "B")) == [(0, "above")]


def test_events_are_of_one_key_unless_told() -> None:
    events = [trade(price=9, exchange="A"), trade(price=8, exchange="B"), trade(price=1, exchange="A")]
    assert told(ops.crosses("price", above=5), *events) == [(0, "above"), (2, "below")]
    keyed = ops.crosses("price", above=5, by=("exchange", "symbol"))
    assert told(keyed, *events) == [(0, "above"), (1, "above"), (2, "below")]


def test_too_many_keys() -> None:
    events = [trade(price=9, exchange=name) for name in "ABAC"]
    played = play_timeline(ops.crosses("price", above=5, by="exchange", max_keys=2), [batch(*events)])
    assert len(played.results) == 2
    assert isinstance(played.error, TooManyKeysError)
    assert (played.error.max_keys, played.error.key) == (2, ("C",))
    several = play_timeline(ops.crosses("price", above=5, by=("exchange", "symbol"), max_keys=2), [batch(*events)])
    assert isinstance(several.error, TooManyKeysError)
    assert several.error.key == ("C", "BTCUSDT")


def test_a_property_of_the_row() -> None:
    assert told(ops.crosses("thousands", above=5), row(4_000), row(6_000, 1)) == [(1, "above")]


@pytest.mark.parametrize("field", ["end_ms", "time_ms", "gap_ms", "dropped", "late", "ratio"])
def test_numbers_that_every_row_has(field: str) -> None:
    assert told(ops.crosses(field, above=0.5), row(1, ratio=2.0, gap_ms=7, dropped=7, late=7)) == [(0, "above")]


def test_the_signed_volume_of_an_event() -> None:
    events = [trade("sell", 500), trade("buy", 500)]
    assert told(ops.crosses("signed_volume_usd", below=-400), *events) == [(0, "below"), (1, "above")]


def test_the_item_of_a_result() -> None:
    """Behind another stage the number is still that of the event or the row."""
    both = ops.pipeline(ops.crosses("usd", above=5, of=Sold), ops.crosses("mean", above=5))
    rows = [row(9, 0, mean=9.0), row(1, 1, mean=9.0), row(9, 2, mean=1.0)]
    found: Any = play(both, [Batch(None, 0, tuple(rows))])
    assert [(each.item.item, each.direction) for each in found] == [(rows[0], "above"), (rows[2], "below")]


def test_an_item_of_a_users_own() -> None:
    class Point:
        price = 9.0

    assert told(ops.crosses("price", above=5), Point()) == [(0, "above")]


# --- windows --------------------------------------------------------------------------------------------------------


def test_each_window_begins_low() -> None:
    """With running rows the first one of the next window is the return."""
    growing = [(2.0, 0), (7.0, 0), (8.0, 0), (1.0, 1), (3.0, 1), (6.0, 1)]
    rows = [row(usd, minute, final=False) for usd, minute in growing]
    assert told(ops.crosses("usd", above=5), *rows) == [(1, "above"), (3, "below"), (5, "above")]


def test_a_final_row_behind_rows_of_the_next_window() -> None:
    """It tells nothing that the running rows told."""
    rows = [row(7, 0, final=False), row(1, 1, final=False), row(8, 0), row(2, 1, final=False)]
    assert told(ops.crosses("usd", above=5), *rows) == [(0, "above"), (1, "below")]
    again = [row(7, 0, final=False), row(7, 1, final=False), row(1, 0), row(8, 0), row(2, 1)]
    assert told(ops.crosses("usd", above=5), *again) == [(0, "above"), (4, "below")]


def test_a_final_row_that_brings_the_crossing_late() -> None:
    """What came between the last running row and the end of the window is missed by nobody."""
    rows = [row(3, 0, final=False), row(1, 1, final=False), row(6, 0), row(2, 1, final=False)]
    assert told(ops.crosses("usd", above=5), *rows) == [(2, "above"), (3, "below")]
    low = [row(3, 0, final=False), row(1, 1, final=False), row(4, 0), row(2, 1, final=False)]
    assert told(ops.crosses("usd", above=5), *low) == []


def test_the_same_from_the_other_side() -> None:
    rows = [row(9, 0, final=False), row(8, 1, final=False), row(1, 0), row(8, 1), row(9, 0)]
    assert told(ops.crosses("usd", below=5), *rows) == [(2, "below"), (3, "above")]


def test_behind_a_window() -> None:
    """Volumes of 3, 6 and 1 in three windows of four seconds."""
    stage = ops.pipeline(ops.tumbling("4s", by="exchange", updates="1s", lateness="1s"), ops.crosses("volume", above=5))
    events = [trade(volume_usd=usd, time=at) for at, usd in [(1, 3), (5, 2), (6, 4), (9, 1), (11, 0.5)]]
    found: Any = play(stage, [gap(0, 0), *map(batch, events), alive("20s")])
    assert [(each.item.start_ms, each.value, each.direction, each.item.final) for each in found] == [
        (4000, 6.0, "above", True),
        (8000, 1.0, "below", False),
    ]


def test_rows_that_are_not_complete_count() -> None:
    found = play(ops.crosses("usd", above=5), [Batch(None, 0, (row(9, gap_ms=500),))])
    assert [(each.direction, each.item.complete) for each in found] == [("above", False)]


def test_marks_pass_in_sequence_and_move_nothing() -> None:
    marks: list[Signal[Trade]] = [gap(0, "1s"), dropped(2), alive("2s")]
    first, second = prices(9), prices(1)
    found = play_signals(ops.crosses("price", above=5), [first, *marks, first, second, alive("3s")])
    assert [type(each) for each in found] == [Batch, *map(type, marks), Batch, type(alive("3s"))]
    assert found[1:4] == marks


# --- laws -----------------------------------------------------------------------------------------------------------


def reference(values: Iterable[float], above: float, below: float | None) -> list[int]:
    """By definition: where a value is at `above` or more since the last that was at `below` or less, and where not."""
    found: list[int] = []
    for index, value in enumerate(values):
        is_up = len(found) % 2 == 1
        leaves = value < above if below is None else value <= below
        if leaves if is_up else value >= above:
            found.append(index)
    return found


keyed_values = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0])), max_size=20)


@settings(max_examples=examples(40))
@given(keyed_values, st.sampled_from([None, 2.0, 3.5]), st.lists(st.integers(0, 20), max_size=4))
def test_each_key_alone_in_any_batching(told: list[tuple[str, float]], below: float | None, cuts: list[int]) -> None:
    stage = ops.crosses("price", above=4, below=below, by="exchange")
    events = [trade(price=value, exchange=name, time=index) for index, (name, value) in enumerate(told)]
    whole = play(stage, [batch(*events)])
    edges = [0, *sorted(cuts), len(events)]
    parts = [batch(*events[a:b]) for a, b in pairwise(edges)]
    assert play(stage, parts) == whole
    for name in "AB":
        mine = [event for event in events if event.exchange == name]
        expected = [mine[index] for index in reference([event.price for event in mine], 4, below)]
        assert [each.item for each in whole if each.item.exchange == name] == expected


@REQUIRED
@AS_FAR_AS
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_recorded_events_against_polars(recording: Recording, count: int) -> None:
    """A value between the levels takes the side of the one before it: in columns that is a fill forward."""
    import polars as pl

    events: list[Any] = decoded(recording, count)
    above, below = (100_000.0, 1_000.0) if recording.channel != "liquidationOrders" else (5_000.0, 500.0)
    stage = ops.crosses("volume_usd", above=above, below=below, by="symbol")
    found = play(stage, [Batch(LiquidationOrders(), 0, tuple(events))])
    usd = pl.col("usd")
    side = pl.when(usd >= above).then(1).when(usd <= below).then(0)
    table = pl.DataFrame({"symbol": [e.symbol for e in events], "usd": [e.volume_usd for e in events]}).with_row_index()
    sides = table.with_columns(side.forward_fill().over("symbol").fill_null(0).alias("side"))
    changed = sides.filter(pl.col("side") != pl.col("side").shift().over("symbol").fill_null(0))
    assert len(found) > 5
    assert [(each.item, each.direction) for each in found] == [
        (events[index], "above" if side else "below") for index, side in changed.select("index", "side").rows()
    ]
