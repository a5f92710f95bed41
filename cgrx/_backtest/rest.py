"""The stages at the end of a pipeline that take each result on its own: they run when the results are known."""

from collections.abc import Sequence
from typing import Any

import attrs

from cgrx._backtest.plan import Branch
from cgrx._model.signals import Batch
from cgrx._streams.chain import Chain
from cgrx._streams.running import Elementwise
from cgrx._streams.stream import Stage
from cgrx.operators._windows.window import Window


def behind(rest: Sequence[Stage[Any, Any]], results: Sequence[Any]) -> tuple[Any, ...]:
    """What comes out of these stages, which take each result on its own.

    Raises:
        Exception: what a function in them raises.
    """
    signals, failure = Chain(rest).produce(Batch(None, 0, tuple(results)))
    if failure is not None:
        raise failure
    return tuple(row for signal in signals if isinstance(signal, Batch) for row in signal.events)


def parted(branch: Branch) -> tuple[Branch, tuple[Stage[Any, Any], ...]]:
    """A pipeline as two: the stages up to the last one with a state, which needs every event; and the rest.

    A pipeline whose stages all take each event on its own stays whole: what is in front of them are all the events.
    """
    whole = _in_parts(branch)
    stages = whole.stages
    last = next((at for at in reversed(range(len(stages))) if not _is_elementwise(stages[at])), None)
    if last is None:
        return whole, ()
    return attrs.evolve(whole, stages=stages[: last + 1]), stages[last + 1 :]


def _in_parts(branch: Branch) -> Branch:
    stages: list[Stage[Any, Any]] = []
    for stage in branch.stages:
        stages += stage.parts if isinstance(stage, Window) else [stage]
    return attrs.evolve(branch, stages=tuple(stages))


def _is_elementwise(stage: Stage[Any, Any]) -> bool:
    try:
        return isinstance(stage.start(), Elementwise)
    except Exception:  # noqa: BLE001 - it does not start: the subscription says so
        return False
