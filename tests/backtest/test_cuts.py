"""Parts of events: all events in their order, no group in two of them, and as many parts as can be."""

from itertools import combinations
from unittest.mock import patch

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cgrx._backtest.cuts import parted
from cgrx.operators._windows.spacing import Regular
from tests.backtest.columns import small_parts

SPACINGS = [Regular(10, 10), Regular(10, 10, 3), Regular(12, 4), Regular(1, 1)]
NAMES = pl.Enum("ABCD")


def table(names: str, times: list[int]) -> pl.DataFrame:
    return pl.DataFrame({"name": list(names), "time_ms": times}, {"name": NAMES, "time_ms": pl.Int64})


def steady(count: int) -> pl.DataFrame:
    """Events of one name, one a millisecond."""
    return table("A" * count, list(range(count)))


def lengths(events: pl.DataFrame, spacing: Regular) -> list[int]:
    with small_parts():
        return [len(part) for part in parted(events, ["name"], spacing)]


@given(
    st.lists(st.tuples(st.sampled_from("ABCD"), st.integers(0, 3)), min_size=1, max_size=80),
    st.lists(st.integers(0, 25), min_size=80, max_size=80),
    st.sampled_from(SPACINGS),
    st.booleans(),
)
def test_no_group_is_in_two_parts(
    drawn: list[tuple[str, int]], late: list[int], spacing: Regular, by_name: bool
) -> None:
    """Events of which some are late, and side by side by their names or not."""
    names = "".join(name for name, _ in drawn)
    now, times = 0, list[int]()
    for (_, step), behind in zip(drawn, late, strict=False):
        now += step
        times.append(now - behind if behind > 20 else now)
    events = table(names, times).sort("name", maintain_order=True) if by_name else table(names, times)
    with small_parts():
        parts = parted(events, ["name"], spacing)
    assert pl.concat(parts).equals(events)
    pane = (pl.col("time_ms") - spacing.offset_ms) // spacing.pane_ms
    groups = [set(part.select(pane, "name").rows()) for part in parts]
    assert all(one.isdisjoint(other) for one, other in combinations(groups, 2))


def test_events_in_order_are_cut_where_a_pane_begins() -> None:
    assert lengths(steady(40), Regular(10, 10)) == [10, 30]
    assert lengths(steady(40), Regular(4, 4)) == [8, 8, 8, 8, 8]
    assert lengths(steady(40), Regular(40, 40)) == [40]


def test_a_late_event_holds_the_next_cut_up() -> None:
    late = steady(40).with_columns(pl.when(pl.col("time_ms") == 30).then(5).otherwise("time_ms").alias("time_ms"))
    assert lengths(late, Regular(4, 4)) == [32, 8]


def test_events_side_by_side_are_cut_between_them() -> None:
    events = table("D" * 5 + "A" * 5 + "C" * 5 + "B" * 5, [0] * 20)
    assert lengths(events, Regular(10, 10)) == [10, 10]
    assert lengths(events.sort("time_ms", "name"), Regular(10, 10)) == [10, 10]
    again = pl.concat([events, table("D", [0])])
    assert lengths(again, Regular(10, 10)) == [21]


def test_few_events_are_one_part() -> None:
    assert len(parted(steady(40), ["name"], Regular(4, 4))) == 1
    with patch("cgrx._backtest.cuts._PART", 20):
        assert len(parted(steady(39), ["name"], Regular(4, 4))) == 1
