"""The queue of panes: its total is that of the panes in it, whatever was pushed, dropped, or amended late."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from cgrx.operators._windows.panes import PaneQueue
from tests.costs.counting import instructions
from tests.windows.windowing import trade

COUNTED = accumulator((agg.count(), agg.volume(), agg.open(), agg.close()))


def totals(panes: dict[int, list[Any]], since: int) -> tuple[object, ...]:
    whole = COUNTED()
    for start, events in panes.items():
        if start >= since:
            for event in events:
                whole.add(event)
    return whole.values()


@given(st.lists(st.tuples(st.sampled_from("ppppeealf"), st.integers(0, 6), st.integers(1, 4)), max_size=60))
@settings(deadline=None)
def test_the_total_is_that_of_the_panes(steps: list[tuple[str, int, int]]) -> None:
    queue = PaneQueue(COUNTED)
    panes: dict[int, list[Any]] = {}
    newest = since = 0
    for kind, offset, count in steps:
        if kind == "p":
            newest += 1 + offset % 3
            pane = COUNTED()
            panes[newest] = [trade(newest, price=index + 1.0, usd=0.5) for index in range(count)]
            for event in panes[newest]:
                pane.add(event)
            queue.push(newest, pane)
        elif kind == "e":
            since += offset
            queue.evict_before(since)
            panes = {start: events for start, events in panes.items() if start >= since}
            assert bool(queue) == bool(panes)
            if queue:
                assert queue.latest_ms == max(panes)
                assert queue.total().values() == totals(panes, since)
        elif kind == "a" and newest:
            start = max(since, newest - offset)
            event = trade(start, price=count + 0.5)
            panes.setdefault(start, []).append(event)
            newest = max(newest, start)
            queue.amend(start).add(event)
        elif kind == "l" and panes:
            assert queue.latest_ms == max(panes)
        elif kind == "f":
            assert queue.total_from(since + offset).values() == totals(panes, since + offset)


def test_a_total_from_a_time_that_only_the_back_reaches() -> None:
    """The front is not used up yet, but all of it is earlier."""
    queue = PaneQueue(COUNTED)
    for start in range(5):
        pane = COUNTED()
        pane.add(trade(start))
        queue.push(start, pane)
        if start == 2:
            queue.evict_before(1)
    assert [queue.total_from(start).values()[0] for start in range(6)] == [4, 4, 3, 2, 1, 0]
    queue.amend(3).add(trade(3))
    assert [queue.total_from(start).values()[0] for start in range(6)] == [5, 5, 4, 3, 1, 0]


def test_a_total_costs_the_same_for_any_number_of_panes() -> None:
    def cost(count: int) -> int:
        queue = PaneQueue(COUNTED)
        for start in range(count):
            pane = COUNTED()
            pane.add(trade(start))
            queue.push(start, pane)
        queue.evict_before(1)
        return instructions(lambda: (queue.total(), queue.total_from(1)))

    assert cost(10) == cost(100)
