"""The leaders of each window, whenever it is closed for all keys."""

import pickle
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Batch, Signal, Watermark
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Timeline, alive, gap, play_timeline, trade
from tests.streams.streaming import Hot, rx_any
from tests.support import examples
from tests.windows.stacking import BEGUN, Short, at, events_of, heard, same

BY_ASSET = ops.tumbling("1s", by="base_asset", lateness=0, idle=0)


def sold(time: float, base_asset: str, usd: float = 1.0) -> Batch[Any]:
    return at(time, base_asset=base_asset, volume_usd=usd)


def told(rows: list[Any]) -> list[tuple[int, str, float]]:
    return [(row.start_ms, row.base_asset, row.volume) for row in rows]


def test_the_leaders_of_each_window() -> None:
    """The greatest first; of equal ones the smaller key."""
    said = [BEGUN, sold(0.1, "ETH", 5), sold(0.2, "BTC", 5), sold(0.3, "SOL", 9), sold(1.5, "BTC", 1), alive("9s")]
    found = heard(ops.pipeline(BY_ASSET, ops.top(2, "volume")), said)
    assert told(found) == [(0, "SOL", 9.0), (0, "BTC", 5.0), (1000, "BTC", 1.0)]
    assert all(row.final and row.complete for row in found)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ABCDE"), st.integers(1, 3)), max_size=30), st.integers(1, 3)
)
@settings(max_examples=examples(40), deadline=None)
def test_what_sorting_says(events: list[tuple[int, str, int]], n: int) -> None:
    said = [BEGUN, *(sold(second + 0.5, asset, usd) for second, asset, usd in sorted(events)), alive("60s")]
    found = heard(ops.pipeline(BY_ASSET, ops.top(n, "volume")), said)
    volumes: dict[tuple[int, str], float] = {}
    for second, asset, usd in events:
        volumes[second, asset] = volumes.get((second, asset), 0) + usd
    expected: list[tuple[int, str, float]] = []
    for second in sorted({second for second, _ in volumes}):
        mine = sorted((-usd, asset) for (each, asset), usd in volumes.items() if each == second)
        expected += [(second * 1000, asset, -usd) for usd, asset in mine[:n]]
    assert told(found) == expected


def test_they_come_when_the_window_is_closed_for_all_keys() -> None:
    """With the row that closed last; the rows of a window in several batches are one window."""
    made = ops.pipeline(BY_ASSET, ops.top(1, "volume"))
    said: list[Signal[Any]] = [BEGUN, sold(0.1, "BTC"), sold(0.2, "ETH", 2), sold(1, "BTC")]
    for count, rows in [(3, 0), (4, 1)]:
        assert len(events_of(play_timeline(made, Timeline(tuple(said[:count]), completed=False)))) == rows
    one, two = (heard(BY_ASSET, [BEGUN, sold(0.5, asset, usd), alive("9s")])[0] for asset, usd in [("A", 1), ("B", 2)])
    apart: list[Any] = [BEGUN, Batch(None, 1, (one,)), Batch(None, 2, (two,)), Watermark(999)]
    assert heard_so_far(ops.top(1, "volume"), apart) == []
    assert heard_so_far(ops.top(1, "volume"), [*apart, Watermark(1000)]) == [two]


def heard_so_far(stage: Any, said: list[Any]) -> list[Any]:
    return events_of(play_timeline(stage, Timeline(tuple(said), completed=False)))


def test_windows_that_overlap() -> None:
    made = ops.pipeline(ops.sliding("2s", "1s", by="base_asset", lateness=0, idle=0), ops.top(1, "volume"))
    found = heard(made, [BEGUN, sold(0.5, "A", 1), sold(1.5, "B", 2), alive("9s")])
    assert told(found) == [(-1000, "A", 1.0), (0, "B", 2.0), (1000, "B", 2.0)]


def test_running_rows_take_no_part_until_completion() -> None:
    """There the latest of each key counts, and is not final."""
    updating = ops.tumbling("1s", by="base_asset", lateness=0, idle=0, updates="100ms")
    said = [BEGUN, sold(0.11, "A", 5), sold(0.22, "B", 1), sold(0.33, "B", 9), sold(1.5, "C", 1)]
    found = heard(ops.pipeline(updating, ops.top(1, "volume")), said)
    assert [(row.start_ms, row.base_asset, row.volume, row.final) for row in found] == [
        (0, "B", 10.0, True),
        (1000, "C", 1.0, False),
    ]
    (running,) = [row for row in heard(updating, [BEGUN, sold(0.11, "A"), sold(0.3, "A")]) if not row.final][:1]
    assert heard(ops.top(1, "volume"), [BEGUN, Batch(None, 1, (running,)), Watermark(1000)]) == []
    assert heard(ops.top(1, "volume"), [BEGUN, Watermark(1000), Batch(None, 1, (running,))]) == []


def test_rows_without_the_number_take_no_part() -> None:
    class Spread(ops.Row):
        base_asset: str
        high = agg.high()
        low = agg.low()

        @property
        def spread(self) -> float | None:
            return None if self.high is None or self.low is None else self.high - self.low or float("nan")

    made = ops.pipeline(ops.tumbling("1s", Spread, emit_empty=True, lateness=0, idle=0), ops.top(5, "spread"))
    said = [BEGUN, sold(0.5, "A"), sold(0.5, "B"), at(0.7, base_asset="B", price=1.0), alive("3s")]
    assert [(row.start_ms, row.base_asset) for row in heard(made, said)] == [(0, "B")]


def test_what_is_missing_is_told_by_the_rows() -> None:
    said = [BEGUN, sold(0.1, "A"), gap("0.2s", "0.5s"), sold(0.7, "B"), alive("9s")]
    found = heard(ops.pipeline(BY_ASSET, ops.top(5, "volume")), said)
    assert [(row.gap_ms, row.complete) for row in found] == [(300, False)] * 2


def test_behind_an_operator_without_marks() -> None:
    """A window counts as closed when a row comes of a later one."""
    source: Hot[Any] = Hot()
    found: list[Any] = []
    source.stream.pipe(BY_ASSET, rx_any.map(same), ops.top(1, "volume")).subscribe(found.append)
    source.say(BEGUN, sold(0.1, "A"), sold(0.2, "B", 2), sold(1.1, "A"))
    assert found == []
    source.say(sold(2.1, "A"))
    assert told(found) == [(0, "B", 2.0)]


def test_too_many_rows() -> None:
    made = ops.pipeline(BY_ASSET, ops.top(1, "volume", max_keys=1))
    with pytest.raises(cgrx.TooManyKeysError) as raised:
        heard(made, [BEGUN, sold(0.1, "A"), sold(0.2, "B"), alive("9s")])
    assert any("raised in top" in note for note in raised.value.__notes__)
    assert len(heard(made, [BEGUN, sold(0.1, "A"), sold(1.2, "B"), alive("9s")])) == 2


def test_taken_up_in_the_midst_of_a_window() -> None:
    stage: Any = ops.top(1, "volume")
    rows = tuple(heard(BY_ASSET, [BEGUN, sold(0.1, "A", 2), sold(0.2, "B"), alive("9s")]))
    first = stage.start()
    assert list(first.on_signal(Batch(None, 1, rows[:1]))) == []
    again = stage.start()
    again.take_up(first.state())
    assert list(again.on_signal(Batch(None, 2, rows[1:]))) == []
    closed: Any = next(iter(again.on_signal(Watermark(1000))))
    assert closed.events == rows[:1]


def test_what_it_keeps() -> None:
    running: Any = ops.top(1, "volume").start()
    (row,) = heard(BY_ASSET, [BEGUN, sold(0.1, "A"), alive("9s")])
    list(running.on_signal(Batch(None, 1, (row,))))
    assert running.stats.keys == 1
    list(running.on_signal(Watermark(1000)))
    assert (running.stats.keys, running._windows) == (0, {})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ops.top(0, "volume"), ValueError, "n=0 takes a whole number, 1 or more"),
        (lambda: ops.top(cast(Any, "3"), "volume"), TypeError, "n='3' takes a whole number"),
        (lambda: ops.top(3, cast(Any, 1)), TypeError, "field=1 takes the name of a number of the rows"),
        (lambda: ops.top(3, "volume", within=cast(Any, "day")), ValueError, "within='day' takes \"window\""),
        (lambda: ops.pipeline(BY_ASSET, ops.top(3, "high")), ValueError, "Flow has no number 'high'; it has 'count'"),
        (lambda: ops.pipeline(cast(Any, ops.side("long")), ops.top(3, "volume")), ValueError, "rows of a window, not"),
        (lambda: ops.pipeline(ops.session("1s"), ops.top(3, "volume")), ValueError, "have one for each key"),
        (
            lambda: ops.pipeline(ops.count_bars(3), ops.top(3, "volume")),
            ValueError,
            "behind ops.tumbling",
        ),
        (
            lambda: heard(ops.top(3, "volume"), [BEGUN, at(1)]),
            ValueError,
            "rows of a window, not Liquidation",
        ),
        (lambda: heard(ops.top(3, "volume"), [Batch(None, 1, (trade(),))]), ValueError, "not Trade"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_it_is_a_value() -> None:
    stage = ops.top(3, "volume")
    assert repr(stage) == "top(3, 'volume')"
    assert repr(ops.top(3, "volume", max_keys=5)) == "top(3, 'volume', max_keys=5)"
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(stage) == hash(ops.top(3, "volume", within="window"))
    assert "the latest row of each key in each open window" in str(cgrx.explain(ops.pipeline(BY_ASSET, stage)))
    assert ops.pipeline(ops.tumbling("1s", Short), stage).event_types(None) == frozenset({Short})
