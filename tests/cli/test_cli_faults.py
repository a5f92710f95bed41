"""Faults as text: every fault of the simulator has a name, and what is no fault is said so."""

from typing import get_args

import pytest

from cgrx._cli.terminal.fault_text import FAULTS, parse_fault
from cgrx._simulator.faults import (
    ArrivalFault,
    Close,
    CloseAtOnce,
    Drip,
    Drop,
    Fault,
    Fragmented,
    FrameFault,
    Garbage,
    Huge,
    Late,
    LineFault,
    Refuse,
)


def test_every_fault_has_a_name() -> None:
    kinds = {*get_args(LineFault), *get_args(FrameFault), *get_args(ArrivalFault)}
    assert {make for make, _ in FAULTS.values()} == kinds


@pytest.mark.parametrize("name", FAULTS)
def test_a_name_is_enough(name: str) -> None:
    make, _ = FAULTS[name]
    assert parse_fault(name) == make()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop@30s", Drop(after=30)),
        ("drop@1.5m", Drop(after=90)),
        ("close:1012@500events", Close(1012, after_events=500)),
        ("close:1008:a: b@c", Close(1008, "a: b@c")),
        ("close:1008:bye@1event#2", Close(1008, "bye", after_events=1, connection=2)),
        ("garbage:{]", Garbage("{]")),
        ("huge:2000000:3", Huge(2_000_000, 3)),
        ("late:5s#2", Late(5.0, connection=2)),
        ("drip:20ms", Drip(0.02)),
        ("fragmented:4@250ms", Fragmented(4, after=0.25)),
        ("refuse", Refuse()),
        ("refuse:dns", Refuse(how="dns")),
        ("refuse:503:2*3", Refuse(how=503, retry_after=2.0, connections=3)),
        ("refuse:429:Wed, 21 Oct 2026 07:28:00 GMT", Refuse(how=429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")),
        (
            "close-at-once:1008:invalid key*2#4",
            CloseAtOnce(code=1008, notice="invalid key", connections=2, connection=4),
        ),
    ],
)
def test_arguments_and_moments(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "'' is not a fault: give NAME"),
        ("boom", "NAME is one of close, drop, no-pong"),
        ("Drop", "is not a fault"),
        ("drop:1", "fault 'drop:1': it takes no argument"),
        ("drop@soon", "is not a fault"),
        ("drop@3parsecs", "after='3parsecs' is not a duration"),
        ("drop@0events", "after_events=0 must be 1 or more"),
        ("drop*2", r"\*2 is for refuse, hang-connect, hang-handshake, close-at-once"),
        ("close:99999", "'99999' is no close code of 1000 to 4999"),
        ("close:x", "invalid literal"),
        ("refuse:200", "'200' is neither tcp, dns nor an HTTP status"),
        ("refuse@3s#2", "leave out after and after_events"),
        ("fragmented:1", "parts"),
    ],
)
def test_what_is_no_fault(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_fault(text)
