"""Faults are values: they compare, hash, print and say their moment; what makes no sense is refused."""

import math

import attrs
import pytest

from cgrx._simulator import faults
from cgrx._simulator.faults import (
    Close,
    CloseAtOnce,
    Drip,
    Drop,
    Fragmented,
    HangHandshake,
    Huge,
    Late,
    Refuse,
    Scripted,
)

ALL = [
    value
    for value in vars(faults).values()
    if isinstance(value, type) and issubclass(value, Scripted) and value not in (Scripted, faults.Arriving)
]


def test_the_unions_name_every_fault() -> None:
    """`Fault` and its three kinds are complete, so that type checkers find a case that is forgotten."""
    assert set(ALL) == set(faults.Fault.__args__)
    kinds = (faults.LineFault, faults.FrameFault, faults.ArrivalFault)
    assert [kind for union in kinds for kind in union.__args__] == list(faults.Fault.__args__)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_fault_is_a_value(kind: type[faults.Fault]) -> None:
    """Equal, hashable, frozen, and its repr makes it again."""
    fault = kind(after="2s")
    assert fault == kind(after=2.0)
    assert fault != kind()
    assert hash(fault) == hash(kind(after=2))
    assert eval(repr(fault), dict(vars(faults))) == fault  # the repr is code
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        fault.after = 1.0  # type: ignore[misc]  # what the type checker forbids, at run time too


def test_durations_are_read_as_everywhere() -> None:
    """Texts, timedeltas or seconds."""
    assert Drop(after="250ms").after == 0.25
    assert Drip("10ms").delay == 0.01
    assert Late(delay=3).delay == 3.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drop(after=-1.0), "after=-1.0"),
        (lambda: Drip(math.nan), "delay=nan"),
        (lambda: Drop(after_events=0), "after_events=0"),
        (lambda: Drop(connection=0), "connection=0"),
        (lambda: Close(after=1.0, after_events=1), "give one of them"),
        (lambda: Refuse(connections=0), "connections=0"),
        (lambda: Refuse(3), "must be an HTTP status"),
        (lambda: CloseAtOnce(connections=3, connection=2, after=1.0), "says when already"),
        (lambda: HangHandshake(connection=2, after_events=1), "says when already"),
        (lambda: Fragmented(1), "parts"),
        (lambda: Huge(10), "size"),
        (lambda: Huge(fragments=0), "fragments=0"),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, message: str) -> None:
    """With the offending argument in the message."""
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()
