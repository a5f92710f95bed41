"""The code that is written for a row of filters: as the docstrings show it."""

import re
from types import ModuleType
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._streams import predicates, running
from cgrx._streams.conditions import Conditional
from cgrx.operators import Stage


def written_for(*stages: Stage[Any, Any]) -> str:
    asked = [stage.predicate for stage in stages if isinstance(stage, Conditional)]
    assert len(asked) == len(stages)
    return predicates.written(asked)[0]


SIDE, VOLUME, EXCHANGE = ops.side("long"), ops.min_volume(1000), ops.exchange("OKX")


@pytest.mark.parametrize(
    ("module", "code"),
    [(predicates, written_for(SIDE, VOLUME, EXCHANGE)), (running, written_for(SIDE, VOLUME))],
    ids=["predicates", "running"],
)
def test_the_sample_is_what_is_written(module: ModuleType, code: str) -> None:
    """Up to line breaks. Who changes what is written changes what is shown."""
    shown = re.findall(r"lambda events: \[.*?for e in events.*?\)\]", module.__doc__ or "", re.DOTALL)
    assert [" ".join(each.split()) for each in shown] == [code]
