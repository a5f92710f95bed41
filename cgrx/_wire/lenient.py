"""Reading a message value by value, to say where and why it is wrong, and to save what is not.

Slower than the typed decoders of `codec`, which hand over the messages that they refuse. On top of what those accept:

- numbers may be strings (`"56738.0"`; `side` too, for it could mean nothing else), whole ones be written as `2.0`;
- both generations of names may be mixed, in a frame and in an event;
- what is not quite JSON but is read by `json` (NaN, Infinity) or by us (bad Unicode, a byte order mark) costs one
  event at most.

Any other fault of the JSON, and nesting deeper than the interpreter's stack, costs the whole message.
"""

import json
import math
import re
import string
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache, partial
from typing import Any, TypeGuard

from cgrx._model.channels import parse_channel
from cgrx._model.events import LATEST_MS, SIDE_TYPES, Event
from cgrx._model.exchanges import canonical_exchange
from cgrx._wire.messages import NOTICE_LENGTH, Frame, Malformed, Message, Notice, Pong, excerpt

CHANNEL_LENGTH = 200
"""No channel has a longer name."""

_REPLY_KEYS = frozenset("code msg message error errors event method op result status success".split())
"""An object without a channel that has one of these is a reply."""

_BEGINS_JSON = re.compile(r"\{|\[\s*[\[{]")
"""Nobody writes so to humans: what begins like that and is no JSON is damaged, however deep it goes."""

_AROUND_PONG = string.whitespace + "\"'"
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""No two of its parts can match the same digits, so that it never tries another way to divide them."""
_NUMBER_LENGTH = 400
"""The longest text that can be a number: the shortest form of any float fits, also without an exponent."""
_EXACT_DIGITS = 300
_TOO_DEEP = "nested too deeply"
_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


@lru_cache(maxsize=1024)
def event_type_of(channel: str) -> type[Event] | None:
    """The type of a channel's events, None where cgrx does not know the channel. The memo is for short names only."""
    try:
        return parse_channel(channel).event_type
    except ValueError:
        return None


def read_message(payload: bytes) -> Message:
    """Read any message at all; nothing is raised."""
    text = _text_of(payload)
    if text.strip(_AROUND_PONG).casefold() == "pong":
        return Pong()
    value = _read_json(text, payload)
    if isinstance(value, Malformed):
        notice = None if _BEGINS_JSON.match(text) or value.reason == _TOO_DEEP else _notice(text)
        return notice or value
    if _is_object(value):
        is_reply = "channel" not in value and not _REPLY_KEYS.isdisjoint(value)
        return (_notice(text) if is_reply else None) or _read_frame(value, payload)
    notice = _notice(value) if isinstance(value, str) else None
    return notice or Malformed("$", f"expected an object, got {_KINDS[type(value)]}", excerpt(payload))


def read_json(payload: bytes) -> object:
    """The value of a JSON text, as a message may hold it; `Malformed` where it is none."""
    return _read_json(_text_of(payload), payload)


def _text_of(payload: bytes) -> str:
    return payload.decode("utf-8", "surrogateescape").removeprefix("\ufeff").strip(string.whitespace)


def _read_json(text: str, payload: bytes) -> object:
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        return Malformed("$", _TOO_DEEP, excerpt(payload))
    except ValueError as error:
        return Malformed("$", f"not JSON: {error}" if text else "empty", excerpt(payload))


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_array(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _integer(digits: str) -> int | float:
    # `int` refuses more than 4,300 digits; a number so long is no price and no time.
    return int(digits) if len(digits) <= _EXACT_DIGITS else float(digits)


def _notice(text: str) -> Notice | None:
    """None where this is not text that one could show."""
    line = " ".join(text.split())
    return Notice(line[:NOTICE_LENGTH]) if line and line.isprintable() else None


def _read_frame(message: dict[str, object], payload: bytes) -> Frame | Malformed:
    if "channel" not in message:
        return Malformed("$.channel", "missing", excerpt(payload))
    try:
        channel = _text(message["channel"])
    except ValueError as error:
        return Malformed("$.channel", str(error), excerpt(message["channel"]))
    event_type = event_type_of(channel) if len(channel) <= CHANNEL_LENGTH else None
    if event_type is None:
        return Malformed("$.channel", "not a channel that cgrx knows", excerpt(channel))
    if "data" not in message:
        return Frame(channel, (), (Malformed("$.data", "missing", excerpt(payload)),))
    data = message["data"]
    if not _is_array(data):
        reason = f"expected an array, got {_KINDS[type(data)]}"
        return Frame(channel, (), (Malformed("$.data", reason, excerpt(data)),))
    read = [read_event(value, f"$.data[{index}]", event_type) for index, value in enumerate(data)]
    return Frame(
        channel,
        tuple(event for event in read if not isinstance(event, Malformed)),
        tuple(event for event in read if isinstance(event, Malformed)),
    )


def read_event(value: object, path: str, event_type: type[Event]) -> Event | Malformed:
    """One event of a frame, or what is wrong with it; `path` is where it stands."""
    if not _is_object(value):
        return Malformed(path, f"expected an object, got {_KINDS[type(value)]}", excerpt(value))
    fields: list[Any] = []
    for names, read in _FIELDS[event_type]:
        name = next((name for name in names if name in value), None)
        if name is None:
            return Malformed(f"{path}.{names[0]}", "missing", excerpt(value))
        try:
            fields.append(read(value[name]))
        except ValueError as error:
            return Malformed(f"{path}.{name}", str(error), excerpt(value[name]))
    return event_type(*fields)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, got {_KINDS[type(value)]}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("not valid Unicode") from None
    return value


def _exchange(value: object) -> str:
    return canonical_exchange(_text(value))


def read_number(value: object) -> float:
    """A finite number, or a text that is one. Raises `ValueError`."""
    if isinstance(value, str):
        value = value.strip(string.whitespace)
        if len(value) > _NUMBER_LENGTH:
            raise ValueError(f"expected a number, got a text of more than {_NUMBER_LENGTH} characters")
        if _NUMBER.fullmatch(value) is None:
            raise ValueError("expected a number, got other text")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {_KINDS[type(value)]}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _positive(value: object) -> float:
    number = read_number(value)
    if number <= 0:
        raise ValueError("expected a number above zero")
    return number


def _whole(value: object) -> int:
    number = read_number(value)
    if not number.is_integer():
        raise ValueError("expected a whole number")
    return value if isinstance(value, int) else int(number)


def _side(side_type: type[IntEnum], value: object) -> IntEnum:
    number = _whole(value)
    if number not in {1, 2}:
        raise ValueError("expected 1 or 2")
    return side_type(number)


def _time(value: object) -> int:
    time_ms = _whole(value)
    if not 0 <= time_ms <= LATEST_MS:
        raise ValueError("expected a time between 1970 and 9999")
    return time_ms


_FIELDS: dict[type[Event], tuple[tuple[tuple[str, ...], Callable[[object], object]], ...]] = {
    event_type: (
        (("baseAsset", "base_asset"), _text),
        (("exName", "exchange"), _exchange),
        (("symbol",), _text),
        (("side",), partial(_side, side_type)),
        (("price",), _positive),
        (("volUsd", "volume_usd"), _positive),
        (("time",), _time),
    )
    for event_type, side_type in SIDE_TYPES.items()
}
"""In the order of the events' fields: the names of both generations (the first one wins, and is the one that a path
names when both are missing), and how the value is read."""
