"""What holds for windows whatever the signals: equal to the reference, whatever the batches, whatever the order."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate, cycle, islice
from typing import Any, cast

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import operators as ops
from cgrx._model.channels import Channel
from cgrx._model.events import Trade
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx._streams.stream import Stage
from tests.support import examples
from tests.windows import reference
from tests.windows.grids import Even
from tests.windows.grids import Uneven as UnevenOfReference
from tests.windows.windowing import CHANNEL, OTHER, Heard, Tally, hear, one_by_one, rows, trade

LATENESS, IDLE = 10, 15
TERMS: dict[str, Any] = {"lateness": "10ms", "idle": "15ms"}
BY = ("exchange", "symbol")

SIZES = ((20, 20), (7, 7), (20, 5), (20, 10), (21, 6), (12, 8), (5, 2), (30, 1))
grids = st.sampled_from([Even(size, every, offset % every) for size, every in SIZES for offset in (0, 3)])


@st.composite
def signals(draw: st.DrawFn, *, marks: bool = True, disorder: int = 40) -> list[Signal[Trade]]:
    """What a feed could say: wall time goes on, events are somewhat old, two connections prove that they live.

    Now and then an event is far ahead of its time, and the clocks of the two exchanges may be apart from the receiving
    one, and from each other.
    """
    now = draw(st.integers(0, 30))
    apart = draw(st.sampled_from([0, 0, 0, 8, 60])) if marks else 0
    own = {"A": apart, "B": apart + (draw(st.sampled_from([0, 0, 0, -25, 25])) if marks else 0)}
    ahead = st.sampled_from([0] * 20 + [15, 40, 1_000]) if marks else st.just(0)
    channels: tuple[Channel | None, ...] = (CHANNEL, OTHER)
    found: list[Signal[Trade]] = [Gap(CHANNEL, 0, now, "subscribed")] if marks else []
    alive = {"o": 0, "p": 0}
    for kind in draw(st.lists(st.sampled_from("eeeeeaaagdw" if marks else "e"), max_size=25)):
        now += draw(st.integers(0, 25))
        if kind == "e":
            times = draw(st.lists(st.integers(max(0, now - disorder), now + 2), min_size=1, max_size=5))
            events = tuple(
                trade(
                    time_ms + own[exchange] + draw(ahead),
                    exchange,
                    draw(st.sampled_from("XY")),
                    draw(st.integers(1, 5)) / 4,
                    draw(st.integers(1, 8)) / 4,
                )
                for time_ms in times
                for exchange in draw(st.sampled_from("AB"))
            )
            found.append(Batch(draw(st.sampled_from(channels)), now, events))
        elif kind == "a":
            origin = draw(st.sampled_from("op"))
            alive[origin] = max(alive[origin], now - draw(st.integers(0, 10)))
            found.append(Alive(origin, alive[origin]))
        elif kind == "g":
            found.append(Gap(CHANNEL, max(1, now - draw(st.integers(0, 30))), now, "disconnected"))
        elif kind == "d":
            found.append(Dropped(CHANNEL, draw(st.integers(1, 3)), "malformed"))
        else:
            found.append(Watermark(now - draw(st.integers(0, 20))))
    return found


def values(stage: Stage[Any, Any], given_signals: Sequence[Signal[Trade]]) -> list[tuple[Any, ...]]:
    return [row.values for row in rows(stage, *given_signals, ends=True)]


@given(signals(), grids, st.booleans(), st.sampled_from([(), BY[:1], BY]))
@settings(max_examples=examples(200), deadline=None)
def test_grids_are_as_the_reference(
    given_signals: list[Signal[Trade]], grid: Even, emit_empty: bool, by: tuple[str, ...]
) -> None:
    """Tumbling and sliding windows, with late events, idle sources, gaps, losses and upstream watermarks."""
    size, every, offset = (each / 1000 for each in grid)
    late: list[Trade] = []
    more: dict[str, Any] = {"on_late": late.append, "emit_empty": emit_empty, "offset": offset, **TERMS}
    stage = ops.sliding(size, every, Tally, by=by, **more)
    expected, expected_late = reference.sliding(given_signals, grid, by, LATENESS, IDLE, emit_empty)
    assert values(stage, given_signals) == expected
    assert late == expected_late


def test_an_empty_window_that_a_clock_moves_behind_the_beginning_comes_after_all() -> None:
    """It was passed over as long as nothing seemed to be seen before 0 ms; the exchanges are some 20 ms behind."""
    given_signals: list[Signal[Trade]] = [
        Gap(CHANNEL, 0, 0, "subscribed"),
        Batch(CHANNEL, 18, (trade(-25, exchange="B"),)),
        Alive("o", 18),
        Batch(CHANNEL, 19, (trade(0, exchange="A"),) * 2),
        Alive("o", 19),
        Batch(CHANNEL, 23, (trade(0, exchange="A"), trade(0, exchange="B"))),
        Alive("o", 23),
    ]
    expected, _ = reference.sliding(given_signals, Even(20, 20), (), LATENESS, IDLE, True)
    assert [row[:3] for row in expected] == [(-40, -20, 1), (-20, 0, 0), (0, 20, 4)]
    assert values(ops.tumbling("20ms", Tally, emit_empty=True, **TERMS), given_signals) == expected


@attrs.frozen
class Uneven:
    """As a calendar, where windows take years of events in place of milliseconds."""

    cuts: tuple[int, ...]
    overlapping = False
    pane_ms = 0
    offset_ms = 0
    longest_ms = 31

    def ruler(self) -> "Uneven":
        return self

    def pane(self, time_ms: int) -> tuple[int, int]:
        at = min(max(1, bisect_right(self.cuts, time_ms)), len(self.cuts) - 1)
        return self.cuts[at - 1], self.cuts[at]

    def end(self, start_ms: int) -> int:
        return self.pane(start_ms)[1]

    next = end

    def last(self, pane_start_ms: int) -> int:
        return pane_start_ms

    def open_at(self, time_ms: int) -> int:
        return self.pane(time_ms)[0]


@given(signals(), st.booleans(), st.sampled_from([(), BY[:1], BY]), st.integers(0, 50))
@settings(max_examples=examples(60), deadline=None)
def test_windows_that_are_not_equally_long_are_as_the_reference(
    given_signals: list[Signal[Trade]], emit_empty: bool, by: tuple[str, ...], first: int
) -> None:
    lengths = (20, 7, 31, 13, 1)
    cuts = tuple(accumulate(islice(cycle(lengths), 180), initial=first - 200))
    late: list[Trade] = []
    even: Any = ops.tumbling("20ms", Tally, by=by, on_late=late.append, emit_empty=emit_empty, **TERMS)
    stage = attrs.evolve(even, spacing=Uneven(cuts))
    expected, expected_late = reference.sliding(given_signals, UnevenOfReference(cuts), by, LATENESS, IDLE, emit_empty)
    assert values(stage, given_signals) == expected
    assert late == expected_late


@given(signals(), st.booleans(), st.sampled_from([(), BY]))
@settings(max_examples=examples(60), deadline=None)
def test_days_of_a_zone_that_changes_no_clock_are_as_equal_windows(
    given_signals: list[Signal[Trade]], emit_empty: bool, by: tuple[str, ...]
) -> None:
    """Whatever happens, running rows too: an hour stands for a millisecond."""
    given_signals = [in_hours(signal) for signal in given_signals]
    terms: dict[str, Any] = {"lateness": "10h", "idle": "15h", "updates": "9h", "emit_empty": emit_empty, "by": by}
    india = ops.tumbling("1d", Tally, zone="Asia/Kolkata", start="17:00", **terms)
    assert values(india, given_signals) == values(ops.tumbling("1d", Tally, offset="11.5h", **terms), given_signals)
    weeks = ops.tumbling("1w", Tally, **terms)
    assert values(weeks, given_signals) == values(ops.tumbling("7d", Tally, offset="4d", **terms), given_signals)


def in_hours(signal: Signal[Trade]) -> Signal[Trade]:
    hour = 3_600_000
    match signal:
        case Batch(channel=channel, received_ms=received_ms, events=events):
            moved = [msgspec.structs.replace(event, time_ms=event.time_ms * hour) for event in events]
            return Batch(channel, received_ms * hour, tuple(moved))
        case Alive(origin=origin, at_ms=at_ms):
            return Alive(origin, at_ms * hour)
        case Gap(channel=channel, start_ms=start_ms, end_ms=end_ms, reason=reason):
            return Gap(channel, start_ms * hour, end_ms * hour, reason)
        case Watermark(time_ms=time_ms):
            return Watermark(time_ms * hour)
        case _:
            return signal


@given(signals(), st.integers(1, 30), st.sampled_from([(), BY[:1], BY]))
@settings(max_examples=examples(200), deadline=None)
def test_sessions_are_as_the_reference(given_signals: list[Signal[Trade]], gap: int, by: tuple[str, ...]) -> None:
    """With events that bridge two sessions, and late ones that an open session takes in."""
    late: list[Trade] = []
    stage = ops.session(gap / 1000, Tally, by=by, on_late=late.append, **TERMS)
    expected, expected_late = reference.sessions(given_signals, gap, by, LATENESS, IDLE)
    assert values(stage, given_signals) == expected
    assert late == expected_late


@given(signals(), st.integers(1, 5), st.sampled_from([(), BY]), st.booleans())
@settings(max_examples=examples(200), deadline=None)
def test_bars_are_as_the_reference(
    given_signals: list[Signal[Trade]], full: int, by: tuple[str, ...], by_volume: bool
) -> None:
    bars = ops.volume_bars if by_volume else ops.count_bars
    stage = bars(full, Tally, by=by, lateness="10ms")
    assert values(stage, given_signals) == reference.bars(given_signals, full, by, LATENESS, by_volume)


STAGES: dict[str, Stage[Any, Any]] = {
    "tumbling": ops.tumbling("20ms", Tally, by=BY, updates="8ms", emit_empty=True, **TERMS),
    "sliding": ops.sliding("20ms", "5ms", Tally, by=BY, updates="8ms", **TERMS),
    "calendar": attrs.evolve(
        cast("Any", ops.tumbling("20ms", Tally, by=BY, updates="8ms", emit_empty=True, **TERMS)),
        spacing=Uneven(tuple(accumulate(islice(cycle((20, 7, 31)), 120), initial=-200))),
    ),
    "session": ops.session("6ms", Tally, by=BY, updates="8ms", **TERMS),
    "count_bars": ops.count_bars(3, Tally, by=BY, updates="8ms"),
    "volume_bars": ops.volume_bars(3.5, Tally, by=BY, updates="8ms"),
}
every_kind = pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())


law = settings(max_examples=examples(60), deadline=None)


def rebatched(draw: st.DataObject, given_signals: Sequence[Signal[Trade]]) -> list[Signal[Trade]]:
    """The same signals, the batches cut anywhere."""
    found: list[Signal[Trade]] = []
    for signal in given_signals:
        if isinstance(signal, Batch):
            rest = signal.events
            while rest:
                size = draw.draw(st.integers(1, len(rest)))
                found.append(Batch(signal.channel, signal.received_ms, rest[:size]))
                rest = rest[size:]
        else:
            found.append(signal)
    return found


@pytest.mark.parametrize(
    "window",
    [partial(ops.tumbling, "20ms"), partial(ops.sliding, "20ms", "5ms"), partial(ops.session, "9ms")],
    ids=["tumbling", "sliding", "session"],
)
@given(given_signals=signals(), data=st.data())
@law
def test_a_running_row_behind_each_event(
    window: Callable[..., Stage[Any, Any]], given_signals: list[Signal[Trade]], data: st.DataObject
) -> None:
    """One for each event that is not late, whatever the batches; the final rows are those without."""
    late: list[Trade] = []
    found = rows(window(Tally, by=BY, updates=0, on_late=late.append, **TERMS), *rebatched(data, given_signals))
    running = [row for row in found if not row.final and not row.withdrawn]
    events = [each for signal in given_signals if isinstance(signal, Batch) for each in signal.events]
    assert len(running) == len(events) - len(late)
    assert all(row.n >= 1 for row in running)
    assert [row.time_ms for row in running] == sorted(row.time_ms for row in running)
    plain = rows(window(Tally, by=BY, **TERMS), *given_signals)
    assert [row for row in found if row.final] == plain
    assert found == rows(window(Tally, by=BY, updates=0, **TERMS), *given_signals)


@every_kind
@given(given_signals=signals(), data=st.data())
@law
def test_batching_decides_nothing(
    stage: Stage[Any, Any], given_signals: list[Signal[Trade]], data: st.DataObject
) -> None:
    """The same rows to the byte, running ones too."""
    whole = values(stage, given_signals)
    assert repr(values(stage, rebatched(data, given_signals))) == repr(whole)
    assert repr(values(stage, one_by_one(given_signals))) == repr(whole)


@every_kind
@given(given_signals=signals(), data=st.data())
@law
def test_no_row_depends_on_what_comes_later(
    stage: Stage[Any, Any], given_signals: list[Signal[Trade]], data: st.DataObject
) -> None:
    """What has come out after some signals stays the beginning of what comes out in the end."""
    cut = data.draw(st.integers(0, len(given_signals)))
    so_far = rows(stage, *given_signals[:cut])
    assert rows(stage, *given_signals)[: len(so_far)] == so_far


@pytest.mark.parametrize("stage", [STAGES[kind] for kind in ("tumbling", "sliding", "calendar", "session")])
@given(times=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), min_size=1, max_size=40), data=st.data())
@law
def test_order_within_the_lateness_decides_nothing(
    stage: Stage[Any, Any], times: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Events that trade places with others at most the lateness away give the same final rows."""
    now = 0
    ordered: list[Trade] = []
    for step, amount in times:
        now += step
        ordered.append(trade(now, "A", data.draw(st.sampled_from("XY")), amount / 4, amount / 2))
    shift = {id(event): event.time_ms + data.draw(st.integers(0, LATENESS)) for event in ordered}
    shuffled = sorted(ordered, key=lambda event: shift[id(event)])
    begun, proof = Gap(CHANNEL, 0, 0, "subscribed"), Alive("o", now + 1000)

    def final(events: list[Trade]) -> list[Any]:
        found = rows(stage, begun, Batch(CHANNEL, now, tuple(events)), proof)
        return [row for row in found if row.final]

    assert repr(final(shuffled)) == repr(final(ordered))


@given(signals())
@law
def test_every_event_is_in_one_tumbling_window_or_late(given_signals: list[Signal[Trade]]) -> None:
    late: list[Trade] = []
    stage = ops.tumbling("20ms", Tally, by=BY, on_late=late.append, **TERMS)
    found = rows(stage, *given_signals, ends=True)
    events = Counter(
        (event.time_ms // 20, event.exchange, event.symbol) for event in reference.all_events(given_signals)
    )
    counted = Counter((event.time_ms // 20, event.exchange, event.symbol) for event in late)
    for row in found:
        counted[row.start_ms // 20, row.exchange, row.symbol] += row.n
    assert counted == events
    windows = [(row.start_ms, row.exchange, row.symbol) for row in found]
    assert len(windows) == len(set(windows)), "no window is opened again"
    assert all(row.late <= len(late) for row in found)


@given(signals(disorder=15))
@law
def test_rows_come_by_end_then_key(given_signals: list[Signal[Trade]]) -> None:
    for kind in ("tumbling", "sliding", "calendar", "session"):
        found = [row for row in rows(STAGES[kind], *given_signals) if row.final]
        places = [(row.end_ms, row.exchange, row.symbol) for row in found]
        assert places == sorted(places)


@given(signals())
@law
def test_updates_are_one_for_each_key_and_period(given_signals: list[Signal[Trade]]) -> None:
    """Each group of running rows that goes out at once holds a key once, and windows that are still open.

    But for those that take the place of a withdrawn one.
    """
    for stage in STAGES.values():
        heard: Heard = hear(stage, *one_by_one(given_signals), ends=False)
        for signal in heard.signals:
            if isinstance(signal, Batch):
                pairs = zip((None, *signal.events), signal.events, strict=False)
                updates = [row for before, row in pairs if not (row.withdrawn or (before and before.withdrawn))]
                keys = [(row.exchange, row.symbol) for row in updates if not row.final]
                assert len(keys) == len(set(keys))
                assert not any(row.complete for row in signal.events if not row.final)


@given(signals(marks=False))
@law
def test_without_marks_quality_is_unknown(given_signals: list[Signal[Trade]]) -> None:
    for stage in STAGES.values():
        for row in rows(stage, *given_signals, ends=True):
            assert row.gap_ms is None
            assert not row.complete


@given(signals())
@law
def test_completion_is_never_complete(given_signals: list[Signal[Trade]]) -> None:
    """What comes at the end is what was open: not final, and the rest of it was not seen."""
    before = rows(STAGES["tumbling"], *given_signals)
    heard = hear(STAGES["tumbling"], *given_signals)
    assert heard.completed
    assert not any(row.final or row.complete for row in heard.rows[len(before) :])
