"""Rows in a table that is updated in place: whatever the signals, no running row is left there without its window.

A running row never takes the place of a final one, and a withdrawn one takes away running ones alone.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import operators as ops
from cgrx._model.events import Trade
from cgrx._model.signals import Alive, Signal, Watermark
from cgrx._streams.stream import Stage
from tests.support import examples
from tests.windows import reference
from tests.windows.test_windows_properties import BY, signals
from tests.windows.windowing import Heard, Pushed, Tally, hear, one_by_one, rows

GAP, LATENESS, IDLE = 6, 30, 15
"""Sessions stay open for long, so that many join."""
TERMS: dict[str, Any] = {"lateness": "30ms", "idle": "15ms"}
law = settings(max_examples=examples(25), deadline=None)
END: tuple[Signal[Any], ...] = (Alive("o", 10**6), Alive("p", 10**6), Watermark(10**6))
"""Proof that all is over."""
UPDATES = (0, "1ms", "20ms")

Identity: TypeAlias = tuple[Any, ...]


class Table:
    """What stands under each identity; and the running rows of those that have had no final one since."""

    def __init__(self, rows: Iterable[Any] = ()) -> None:
        self.standing: dict[Identity, Any] = {}
        self.running: dict[Identity, Any] = {}
        for row in rows:
            self.put(row)

    def put(self, row: Any) -> None:
        if row.withdrawn:
            assert self.running.pop(row.identity).values == row.values, "it is the running row given last"
        elif row.final:
            self.running.pop(row.identity, None)
        else:
            self.running[row.identity] = row
        before = self.standing.get(row.identity)
        if before is not None and before.final and not row.final:
            return
        if row.withdrawn:
            del self.standing[row.identity]
        else:
            self.standing[row.identity] = row


def stages() -> dict[str, Stage[Any, Any]]:
    made: dict[str, Stage[Any, Any]] = {
        "crossed": ops.cascades(GAP / 1000, min_count=2, emit="crossed", by=BY, **TERMS),
    }
    for updates in UPDATES:
        more: dict[str, Any] = {"by": BY, "updates": updates, **TERMS}
        made |= {
            f"session {updates}": ops.session(GAP / 1000, Tally, **more),
            f"cascades {updates}": ops.cascades(GAP / 1000, min_count=2, **more),
            f"crossed {updates}": ops.cascades(GAP / 1000, min_volume=1.0, emit="crossed", **more),
            f"sliding {updates}": ops.sliding("20ms", "5ms", Tally, **more),
            f"bars {updates}": ops.count_bars(3, Tally, by=BY, updates=updates, lateness="10ms"),
        }
    return made


STAGES = stages()


@given(signals())
@law
def test_all_rows_come_to_the_final_ones(given_signals: list[Signal[Trade]]) -> None:
    """Once all windows are closed; and where completion cuts windows short, to its rows beside the final ones."""
    for name, stage in STAGES.items():
        found = rows(stage, *given_signals, *END)
        if "bars" not in name:  # those close by number alone
            assert Table(found).standing == Table(row for row in found if row.final).standing
        before, ended = rows(stage, *given_signals), rows(stage, *given_signals, ends=True)
        last = [*(row for row in before if row.final), *ended[len(before) :]]
        assert Table(ended).standing == Table(last).standing
        if "sliding" in name:
            assert not any(row.withdrawn for row in ended)


def step_by_step(stage: Stage[Any, Any], given_signals: Sequence[Signal[Trade]]) -> Iterable[tuple[Signal[Trade], Any]]:
    """Each single signal, and the rows that it brings."""
    pushed, heard = Pushed(), Heard()
    pushed.stream.through(stage).subscribe_signals(heard)
    seen = 0
    for signal in one_by_one(given_signals):
        pushed.push(signal)
        yield signal, heard.rows[seen:]
        seen = len(heard.rows)


@given(signals(), st.sampled_from(UPDATES))
@law
def test_running_rows_of_sessions_are_those_of_the_reference(
    given_signals: list[Signal[Trade]], updates: str | int
) -> None:
    """At every moment: what is given is a session just before or behind the event, and what stands is an open one."""
    stage = ops.session(GAP / 1000, Tally, by=BY, updates=updates, **TERMS)
    expected = reference.Sessions(GAP, BY, LATENESS, IDLE)
    table = Table()
    before: list[reference.RefRow] = []
    for signal, given_rows in step_by_step(stage, given_signals):
        for step in reference.steps([signal]):
            expected.take(step)
        behind = running(expected)
        for row in given_rows:
            table.put(row)
            if not (row.final or row.withdrawn):
                assert row.values[:-5] in (*before, *behind)
        assert set(table.running) <= {(row[0], *row[2:4]) for row in behind}
        assert [row for row in table.standing.values() if row.final and row.values not in expected.rows] == []
        before = behind


def running(sessions: reference.Sessions) -> list[reference.RefRow]:
    """The open sessions as rows without their quality."""
    return [
        reference.row(sessions.progress, (burst[0].time_ms, end), key, burst, 0, False)[:-5]
        for end, key, burst in sessions.open()
    ]


@given(signals(), st.sampled_from((None, *UPDATES)), st.sampled_from(["crossed", "closed"]))
@law
def test_running_rows_of_cascades_each_stand_for_one(
    given_signals: list[Signal[Trade]], updates: str | int | None, emit: Any
) -> None:
    """At every moment there is a large open cascade that has begun by then, and none has two rows."""
    stage = ops.cascades(GAP / 1000, min_count=2, emit=emit, updates=updates, by=BY, **TERMS)
    expected = reference.Sessions(GAP, BY, LATENESS, IDLE)
    table = Table()
    for signal, given_rows in step_by_step(stage, given_signals):
        for step in reference.steps([signal]):
            expected.take(step)
        for row in given_rows:
            table.put(row)
        large = [(key, burst[0].time_ms, end) for end, key, burst in expected.open() if len(burst) >= 2]
        found = [
            [each for each in large if each[0] == identity[1:] and each[1] <= identity[0] < each[2]]
            for identity in table.running
        ]
        assert all(len(each) == 1 for each in found)
        assert len({each[0] for each in found}) == len(found)
        if emit == "crossed":
            assert len(found) == len(large)


@given(signals())
@law
def test_batches_decide_nothing(given_signals: list[Signal[Trade]]) -> None:
    """Withdrawn rows come with their event, before the row that takes their place."""
    for stage in STAGES.values():
        one = rows(stage, *given_signals, ends=True)
        other = rows(stage, *one_by_one(given_signals), ends=True)
        assert one == other
        assert [row.time_ms for row in one] == [row.time_ms for row in other]


@given(signals())
@law
def test_withdrawn_rows_keep_the_time(given_signals: list[Signal[Trade]]) -> None:
    """Nothing speaks of a time before the watermark that went out; a withdrawn row of none before what it withdraws."""
    for updates in UPDATES:
        stage = ops.session(GAP / 1000, Tally, by=BY, updates=updates, **TERMS)
        promised, given_ms = -math.inf, dict[Identity, int]()
        for signal in hear(stage, *given_signals, ends=False).signals:
            if isinstance(signal, Watermark):
                promised = signal.time_ms
            for row in getattr(signal, "events", ()):
                assert row.time_ms >= promised
                assert not row.withdrawn or row.time_ms >= given_ms[row.identity]
                given_ms[row.identity] = row.time_ms
