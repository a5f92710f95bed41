"""What is held until its time comes is given in order, and only what is due, however it was put in."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._streams.by_time import ByTime

Item = tuple[int, int]


def test_nothing_is_due_of_nothing() -> None:
    held: ByTime[Item] = ByTime()
    assert held.pop_until(1000) == []
    held.add_all([])
    assert held.pop_until(1000) == []


@given(st.lists(st.tuples(st.lists(st.integers(0, 99), max_size=40), st.integers(0, 99)), max_size=12), st.booleans())
def test_what_is_due_comes_in_order_and_all_else_stays(steps: list[tuple[list[int], int]], one_by_one: bool) -> None:
    """A sorted list is the oracle."""
    held: ByTime[Item] = ByTime()
    oracle: list[Item] = []
    number = 0
    for times, until in steps:
        fresh = [(time, number := number + 1) for time in times]
        oracle = sorted(oracle + fresh)
        if one_by_one:
            for item in fresh:
                held.add(item)
        else:
            held.add_all(fresh)
        due = [item for item in oracle if item[0] <= until]
        assert held.pop_until(until) == due
        oracle = oracle[len(due) :]
        if oracle:
            assert held.items[0] == oracle[0]
            assert held.pop() == oracle.pop(0)
        if oracle:
            assert held.pop_one_until(oracle[0][0] - 1) == []
            assert held.pop_one_until(oracle[0][0]) == [oracle.pop(0)]


@pytest.mark.parametrize("several", [1, 3])
@pytest.mark.parametrize("first", [2, 20])
def test_few_beside_many(several: int, first: int) -> None:
    """Where so many are held that to move them all would take long, also to take the `first` ones out."""
    rng = random.Random(several)
    held: ByTime[Item] = ByTime()
    held.add_all([(time, time) for time in range(5000)])
    expected = [(time, time) for time in range(5000)]
    assert held.pop_until(first - 1) == expected[:first]
    del expected[:first]
    for number in range(5000, 5200, several):
        fresh = [(rng.randrange(5000), number + place) for place in range(several)]
        held.add_all(fresh)
        expected = sorted(expected + fresh)
        until = expected[2 * several][0]
        due = [item for item in expected if item[0] <= until]
        assert held.pop_until(until) == due
        expected = expected[len(due) :]
    assert held.pop_until(5000) == expected
    assert held.items == []
