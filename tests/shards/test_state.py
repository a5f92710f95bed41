"""The state of running forms: put away anywhere, taken up again, they go on as if nothing had been."""

import copy
import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Batch, Liquidation, Signal
from cgrx import operators as ops
from cgrx.operators import agg
from tests.operators.contracts import EARLY, EVENT_STAGES, OVER_ROWS, ROW_STAGES, SCANS, TERMS, THRESHOLDS, add, at
from tests.operators.test_operator_properties import signals
from tests.support import examples

STAGES: dict[str, ops.Stage[Any, Any]] = {
    **EVENT_STAGES,
    **ROW_STAGES,
    **EARLY,
    **SCANS,
    **THRESHOLDS,
    **OVER_ROWS,
    "everything": ops.pipeline(
        ops.side("long"), ops.dedupe("1s"), ops.min_volume(500), ops.tumbling("2s", by="exchange", **TERMS), ops.final()
    ),
    "sketches": ops.tumbling(
        "4s",
        median=agg.median(exact=0),
        different=agg.count_distinct("time_ms", exact=1),
        ewm=agg.ewm(half_life="1s"),
        first=agg.first("price"),
        largest=agg.largest(2),
        share=agg.share("exchange"),
        **TERMS,
    ),
    "days": ops.tumbling("1d", zone="Europe/Berlin", **TERMS),
}


def fed(running: ops.Running[Any, Any], some: Iterable[Signal[Any]]) -> list[str]:
    """What comes out, as it prints."""
    return [repr(each) for signal in some for each in running.on_signal(signal)]


def ended(running: ops.Running[Any, Any]) -> list[str]:
    return [repr(each) for each in running.on_completed()]


@given(name=st.sampled_from(list(STAGES)), given_signals=signals(), data=st.data())
@settings(max_examples=examples(300), deadline=None)
def test_a_state_taken_up_goes_on_the_same(
    name: str, given_signals: list[Signal[Liquidation]], data: st.DataObject
) -> None:
    """Results, marks and their order, wherever it was cut; and the form itself pickles."""
    stage = STAGES[name]
    whole = stage.start()
    expected = fed(whole, given_signals) + ended(whole)
    running, found = stage.start(), list[str]()
    for signal in given_signals:
        found += fed(running, [signal])
        match data.draw(st.sampled_from("-spc")):
            case "s":
                running = stage.restore(pickle.loads(pickle.dumps(running.state())))
            case "p":
                running = pickle.loads(pickle.dumps(running))
            case "c":
                running = stage.restore(copy.deepcopy(running.state()))
            case _:
                pass
    assert found + ended(running) == expected


@pytest.mark.parametrize("whole_form", [False, True], ids=["state", "form"])
@pytest.mark.parametrize("name", STAGES)
def test_every_form_takes_up_a_state(name: str, whole_form: bool) -> None:
    """Once at least, whatever is drawn above; and each form pickles."""
    stage, before, after = STAGES[name], [at(1, 2), at(2.5)], [at(9, volume_usd=700.0), at(30)]
    whole, running = stage.start(), stage.start()
    expected = fed(whole, before + after) + ended(whole)
    found = fed(running, before)
    kept = pickle.loads(pickle.dumps(running if whole_form else running.state()))
    running = kept if whole_form else stage.restore(kept)
    assert found + fed(running, after) + ended(running) == expected


@attrs.frozen
class Differences(ops.Stage[Liquidation, float]):
    """A stage of a user's own, with the state that it has by default."""

    running: type[ops.Running[Liquidation, float]]

    def start(self) -> ops.Running[Liquidation, float]:
        return self.running()


class Plain(ops.Running[Liquidation, float]):
    """Says how much each volume differs from the one before."""

    def __init__(self) -> None:
        self.before: float = 0
        self.seen: list[float] = []
        # It belongs to the stage, and would not pickle.
        self.minus: Callable[[float, float], float] = lambda one, other: one - other

    def on_batch(self, batch: Batch[Liquidation]) -> Sequence[float]:
        found: list[float] = []
        for event in batch.events:
            found.append(self.minus(event.volume_usd, self.before))
            self.before = event.volume_usd
            self.seen.append(self.before)
        return found


class Slotted(Plain):
    """The same with slots."""

    __slots__ = ("__hidden", "before", "later")

    def __init__(self) -> None:
        super().__init__()
        self.__hidden = 0

    def on_batch(self, batch: Batch[Liquidation]) -> Sequence[float]:
        self.__hidden += 1
        return [*super().on_batch(batch), self.__hidden]


class Encoded(Plain):
    """The same with a state of its own."""

    def state(self) -> object:
        return self.before

    def take_up(self, state: object) -> None:
        assert isinstance(state, float)
        self.before = state


@pytest.mark.parametrize("kind", [Plain, Slotted, Encoded])
def test_the_state_of_ones_own_stage(kind: type[Plain]) -> None:
    """By default what its form has in its attributes, less what can be called."""
    stage = Differences(kind)
    first, second = at(1, 2, volume_usd=5.0), at(3, volume_usd=7.0)
    whole = stage.start()
    expected = fed(whole, [first, second])
    running = stage.start()
    found = fed(running, [first])
    state = pickle.loads(pickle.dumps(running.state()))
    assert found + fed(stage.restore(state), [second]) == expected


def test_ones_own_stage_may_restore_by_itself() -> None:
    """It is asked, also within a pipeline."""

    @attrs.frozen
    class Own(Differences):
        def restore(self, state: object) -> ops.Running[Liquidation, float]:
            running = super().restore(state)
            assert isinstance(running, Plain)
            running.before += 1000.0
            return running

    pipeline: Any = ops.pipeline(Own(Plain), ops.map(float))
    running = pipeline.start()
    fed(running, [at(1)])
    assert "-1000.0" in fed(pipeline.restore(running.state()), [at(2)])[0]


def test_what_is_no_state_is_refused() -> None:
    """By name of the form."""
    with pytest.raises(TypeError, match=r"7 is no state of GridRunning: give what its state\(\) gave"):
        ops.tumbling("1s").restore(7)


def test_rows_keep_their_exact_sums() -> None:
    """A window over rows adds the integers behind the rounded numbers, also of a row that has been pickled."""
    minutes = ops.tumbling("1s", **TERMS).start()
    rows = [
        row
        for signal in [at(1, 1.1, volume_usd=0.1), at(1.2, volume_usd=1e12), at(9)]
        for each in minutes.on_signal(signal)
        if isinstance(each, Batch)
        for row in each.events
    ]
    over = ops.tumbling("4s", usd=agg.sum("volume"))
    exact, again = over.start(), over.start()
    fed(exact, [Batch(None, 0, tuple(rows))])
    fed(again, [Batch(None, 0, tuple(pickle.loads(pickle.dumps(rows))))])
    assert ended(exact) == ended(again)


def test_running_forms_pickle() -> None:
    """Several in one loop as well, and one of a user's own as any object does."""
    counted: Any = ops.scan(add, 0.0).start()
    both = counted.behind(ops.side("long").start())
    fed(both, [at(1, 2)])
    again = pickle.loads(pickle.dumps(both))
    assert fed(again, [at(3)]) == fed(both, [at(3)])
    own = Encoded()
    del own.minus
    own.before = 3.0
    assert pickle.loads(pickle.dumps(own)).before == 3.0
