"""Joins as values, and what they refuse."""

import math
import pickle
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx.testing import liquidation
from tests.operators.sold import row
from tests.windows.joins import Two

# --- as a value -----------------------------------------------------------------------------------------------------


def test_it_prints_as_code() -> None:
    stream = Two().other.stream
    short = ops.latest_of(stream, by="symbol", max_age="1m")
    assert repr(short) == f"latest_of({stream!r}, by='symbol', max_age=\"1m\")"
    long = ops.latest_of(
        stream,
        by=("exchange", "symbol"),
        max_age=math.inf,
        missing="hold",
        lateness="1s",
        idle="3s",
        max_keys=7,
        max_held=math.inf,
    )
    assert repr(long) == (
        f"latest_of({stream!r}, by=('exchange', 'symbol'), max_age=math.inf, missing=\"hold\", lateness=\"1s\","
        ' idle="3s", max_keys=7, max_held=math.inf)'
    )
    assert repr(ops.latest_of(stream, by=(), max_age="1m", max_held=5)).endswith('by=(), max_age="1m", max_held=5)')


def test_a_result_is_a_value() -> None:
    joined = ops.Joined(liquidation(), row(1), 5, "known")
    assert pickle.loads(pickle.dumps(joined)) == joined
    assert len({joined, ops.Joined(liquidation(), row(1), 5, "known")}) == 1


def test_what_comes_out_is_known() -> None:
    stream = Two().left.stream.pipe(ops.latest_of(Two().other.stream, by="symbol", max_age="1m"))
    assert stream.event_types == frozenset({ops.Joined})
    assert stream.stages == ()


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"max_age": 0}, ValueError, "max_age=0 is too short: give at least a millisecond"),
        ({"max_age": ""}, ValueError, "max_age='' is not a duration"),
        ({"max_age": None}, TypeError, "max_age=None is not a duration"),
        ({"by": None}, TypeError, "by=None takes the name of a key field"),
        ({"by": "side"}, ValueError, "by='side' takes different names out of 'exchange', 'symbol', 'base_asset'"),
        ({"by": ("symbol", "symbol")}, ValueError, "takes different names"),
        ({"missing": "wait"}, ValueError, "missing='wait' is none of \"none\""),
        ({"lateness": -1}, ValueError, "lateness=-1 must not be negative"),
        ({"idle": "soon"}, ValueError, "idle='soon' is not a duration"),
        ({"max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
        ({"max_held": 0}, ValueError, "max_held=0 takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        Two(**arguments)


def test_what_is_no_observable() -> None:
    with pytest.raises(TypeError, match="5 is no Observable"):
        ops.latest_of(5, by="symbol", max_age="1m")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is tested


def test_a_key_field_that_the_rows_lack() -> None:
    """Known at once where the class of the rows is, of either stream."""
    windowed: Any = Two().other.stream.pipe(ops.tumbling("1m", by="base_asset"))
    why = "Flow has no key field 'symbol'; it has 'base_asset': give the window by='symbol' too"
    with pytest.raises(ValueError, match=why):
        ops.latest_of(windowed, by="symbol", max_age="1m")
    with pytest.raises(ValueError, match=why):
        windowed.pipe(ops.latest_of(Two().other.stream, by="symbol", max_age="1m"))
