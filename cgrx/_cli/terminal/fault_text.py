"""Faults of the simulator as text: `NAME[:ARGUMENT[:ARGUMENT]][*CONNECTIONS][@MOMENT][#CONNECTION]`.

drop@30s                 an abrupt end after 30 seconds
close:1012@500events     a close frame with code 1012 after 500 events
refuse:503:2*3           the next three connections get HTTP 503 with `Retry-After: 2`
late:5s#2                the next frame of the second connection is held back for 5 seconds
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_args

from cgrx.testing import (
    ArrivalFault,
    Binary,
    Close,
    CloseAtOnce,
    Drip,
    Drop,
    DropInFrame,
    Duplicate,
    Fault,
    Fragmented,
    Garbage,
    HalfFrame,
    HangConnect,
    HangHandshake,
    Huge,
    Late,
    NoPong,
    RawBytes,
    Refuse,
    Stall,
    WrongTypes,
)

_FORM = re.compile(
    r"(?P<name>[a-z-]+)"
    r"(?P<arguments>:.*?)?"
    r"(?:\*(?P<connections>\d+))?"
    r"(?:@(?:(?P<after_events>\d+)events?|(?P<after>[\d.]+\s*[a-z]+)))?"
    r"(?:\#(?P<connection>\d+))?",
    re.DOTALL,
)


def _way(text: str) -> str | int:
    if text in ("tcp", "dns"):
        return text
    status = int(text)
    if not 300 <= status <= 599:
        raise ValueError(f"{text!r} is neither tcp, dns nor an HTTP status of 300 to 599")
    return status


def _seconds_or_date(text: str) -> float | str:
    return float(text) if re.fullmatch(r"[\d.]+", text) else text


def _code(text: str) -> int:
    code = int(text)
    if not 1000 <= code <= 4999:
        raise ValueError(f"{text!r} is no close code of 1000 to 4999")
    return code


Argument: TypeAlias = tuple[str, Callable[[str], Any]]
"""The field that it fills, and how its text is read."""

FAULTS: Mapping[str, tuple[type[Fault], tuple[Argument, ...]]] = {
    "close": (Close, (("code", _code), ("reason", str))),
    "drop": (Drop, ()),
    "no-pong": (NoPong, ()),
    "stall": (Stall, ()),
    "garbage": (Garbage, (("message", str),)),
    "raw-bytes": (RawBytes, ()),
    "huge": (Huge, (("size", int), ("fragments", int))),
    "half-frame": (HalfFrame, ()),
    "drop-in-frame": (DropInFrame, ()),
    "fragmented": (Fragmented, (("parts", int),)),
    "binary": (Binary, ()),
    "drip": (Drip, (("delay", str),)),
    "duplicate": (Duplicate, ()),
    "late": (Late, (("delay", str),)),
    "wrong-types": (WrongTypes, ()),
    "refuse": (Refuse, (("how", _way), ("retry_after", _seconds_or_date))),
    "hang-connect": (HangConnect, ()),
    "hang-handshake": (HangHandshake, ()),
    "close-at-once": (CloseAtOnce, (("code", _code), ("notice", str))),
}
"""By name: the fault, and the arguments that it takes, in order. The last one may hold colons."""

_WHEN: Mapping[str, Callable[[str], Any]] = {"connections": int, "after_events": int, "after": str, "connection": int}
"""What may follow the arguments: the fields of a fault, which are groups of `_FORM` too."""

_ARRIVING: tuple[type[Fault], ...] = get_args(ArrivalFault)
"""The faults that happen to connections still to come."""


def parse_fault(text: str) -> Fault:
    """Read a fault's text.

    Raises:
        ValueError: the text is no fault; the message names it and what is accepted.
    """
    match = _FORM.fullmatch(text)
    if match is None or match["name"] not in FAULTS:
        raise ValueError(
            f"{text!r} is not a fault: give NAME[:ARGUMENT][@MOMENT], such as drop@30s, close:1012@500events or"
            f" refuse:503*3; NAME is one of {', '.join(FAULTS)}"
        )
    make, accepted = FAULTS[match["name"]]
    try:
        values = _arguments(match["arguments"], accepted)
        if match["connections"] and make not in _ARRIVING:
            names = (name for name, (each, _) in FAULTS.items() if each in _ARRIVING)
            raise ValueError(f"*{match['connections']} is for {', '.join(names)}")
        values |= {field: read(match[field]) for field, read in _WHEN.items() if match[field]}
        return make(**values)
    except ValueError as error:
        raise ValueError(f"fault {text!r}: {error}") from error


def _arguments(text: str | None, accepted: tuple[Argument, ...]) -> dict[str, Any]:
    """Read `:ARGUMENT:ARGUMENT`."""
    if not text:
        return {}
    if not accepted:
        raise ValueError("it takes no argument")
    given = text[1:].split(":", len(accepted) - 1)
    return {field: read(value) for (field, read), value in zip(accepted, given, strict=False)}
