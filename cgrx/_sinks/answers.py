"""The answer to an HTTP request, and what its status means to a sink, as a table.

Source: RFC 9110, section 15, and RFC 6585 (429).
"""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import attrs
import msgspec

from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import SINK_RETRY_AFTER_MOST_S, SINK_RETRY_FIRST_S
from cgrx._sinks.message import one_line
from cgrx._trio.clock import system_time
from cgrx._wire.handshake import retry_after_s
from cgrx._wire.secret import Secret

_LONGEST_EXCERPT = 200

ABOUT_DATA = frozenset({400, 413, 422})
"""The body is refused: what it says, or how long it is."""

_LATER = frozenset({408, 425, 429})
"""So is every status from 500 on."""


@attrs.frozen
class Answer:
    """What a server has answered."""

    status: int
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes
    """The beginning of what follows the head, which may have been cut off."""
    origin: str
    """Who has answered."""
    secret: Secret = attrs.field(repr=False)
    """What the server was told, and may say again."""

    @property
    def json(self) -> Mapping[str, Any]:
        """The JSON object that it is, empty where it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except ValueError:
            return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    @property
    def retry_after_s(self) -> float | None:
        """How long its `Retry-After` asks to wait, a date counted from its own `Date`; None where it does not say."""
        return retry_after_s(self.headers, system_time())

    def said(self, text: str) -> str:
        """The beginning of a text of the server, on one line, without what is secret."""
        return one_line(self.secret.redact(text[: 4 * _LONGEST_EXCERPT]), _LONGEST_EXCERPT)


def failure(
    answer: Answer, asked_s: float | None, *, takes: str | None, remedy: str
) -> SinkUnavailableError | SinkRefusedError | SinkDataError:
    """What an answer that is not the one hoped for means.

    Args:
        answer: what was answered.
        asked_s: how long the server asks to wait.
        takes: what the server must take, in words, where an answer of `ABOUT_DATA` is about that; else None.
        remedy: what its user can do about a refusal.
    """
    said = answer.said(answer.body.decode("utf-8", "replace"))
    what = f"{answer.origin} answers HTTP {answer.status}{f', saying {said!r}' if said else ''}"
    status = answer.status
    if status in _LATER or status >= 500 or status < 300:
        return SinkUnavailableError(what, bounded_s(asked_s))
    if status < 400:
        place = _origin(answer.headers.get("location", ""))
        to = f" to {answer.said(place)}" if place else ""
        return SinkRefusedError(
            f"{answer.origin} redirects{to} (HTTP {status}), where no data is sent unasked: give that URL"
        )
    if takes is not None and status in ABOUT_DATA:
        return SinkDataError(f"{what}: it must take {takes}")
    return SinkRefusedError(f"{what}: {remedy}")


def bounded_s(asked_s: float | None) -> float | None:
    """A time to wait that a server asks for, within bounds; None where it asks for none."""
    return None if asked_s is None else min(max(asked_s, SINK_RETRY_FIRST_S), SINK_RETRY_AFTER_MOST_S)


def _origin(location: str) -> str:
    """The scheme and the host of a redirect, without all that may be secret; empty where it leads to the same host."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme and parts.netloc else ""
