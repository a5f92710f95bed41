"""Statuses as JSON, for the column `text` of a recording.

A status is an object with its fields, and with the name of its class under `status`. An error is kept as the name of
its type and its message: the error itself does not outlive the program that recorded it.
"""

import json
import reprlib
from types import NoneType
from typing import Any, TypeAlias

import attrs

from cgrx._model.channels import FuturesTrades, LiquidationOrders, parse_channel
from cgrx._model.data_errors import RecordedError
from cgrx._model.events import LATEST_MS
from cgrx._model.status import ClockSkewed, Connected, Connecting, Disconnected, MalformedInput, NoticeReceived, Silent

Kept: TypeAlias = Connecting | Connected | Disconnected | Silent | ClockSkewed | MalformedInput | NoticeReceived
"""The statuses that are recorded: what the connection was like. Whose code failed on a feed is not recorded."""

KEPT: dict[str, type[Kept]] = {
    kept.__name__: kept
    for kept in (Connecting, Connected, Disconnected, Silent, ClockSkewed, MalformedInput, NoticeReceived)
}

_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("at_ms", "attempt", "difference_ms"), (int,)),
    **dict.fromkeys(("path", "reason", "excerpt", "text", "witness"), (str,)),
    "channel": (str, NoneType, LiquidationOrders, FuturesTrades),
    "error": (RecordedError,),
    "hint": (str, NoneType),
    "retry_in_s": (int, float),
}
"""The types of the fields of all statuses."""


def to_text(status: Kept) -> str:
    """A status as text, in ASCII, because a server may send text that cannot be stored as Unicode."""
    fields: dict[str, Any] = attrs.asdict(status, recurse=False)
    match status:
        case Disconnected(error=error):
            name, message = error.args if isinstance(error, RecordedError) else (type(error).__name__, str(error))
            fields["error"] = {"type": name, "message": message}
        case Silent(channel=channel):
            fields["channel"] = channel.name
        case _:
            pass
    return json.dumps({"status": type(status).__name__, **fields})


def from_text(text: str) -> Kept:
    """The status that `to_text` wrote.

    Raises:
        ValueError: it did not write this text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        status = KEPT[fields.pop("status")]
        if status is Disconnected:
            error = fields["error"]
            fields["error"] = RecordedError(error["type"], error["message"])
        elif status is Silent:
            fields["channel"] = parse_channel(fields["channel"])
        for name, value in fields.items():
            _require_field(name, value)
        return status(**fields)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{reprlib.repr(text)} is no recorded status: {error!r}") from None


def _require_field(name: str, value: Any) -> None:
    texts = value.args if isinstance(value, RecordedError) else ()
    if type(value) not in _TYPES[name] or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{name}={reprlib.repr(value)} is of another type")
    least, largest = (0, LATEST_MS) if name == "at_ms" else (-(2**63), 2**63)
    if isinstance(value, int | float) and not least <= value <= largest:
        raise ValueError(f"{name}={reprlib.repr(value)} is too small or too large")
