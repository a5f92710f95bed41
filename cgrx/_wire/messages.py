"""What a message of the server can be: a frame of events, a pong, a notice, or malformed."""

import re
import reprlib
from typing import TypeAlias

import attrs
import msgspec

from cgrx._model.events import Event

EXCERPT_LENGTH = 120
"""The most characters that an excerpt of something malformed has."""
NOTICE_LENGTH = 500
"""The most characters that are kept of a text reply."""

_PLAN_NOTICE = re.compile(r"\sneeds?\s+upgrade\s+plan", re.IGNORECASE)
_BEFORE_CHANNEL = re.compile(r"[\"'{}\[\],]")

_bounded = reprlib.Repr()
_bounded.maxlevel = 2
_bounded.maxdict = 12
_bounded.maxstring = _bounded.maxother = _bounded.maxlong = EXCERPT_LENGTH


@attrs.frozen
class Malformed:
    """A message, or one event of a frame, that could not be read. It costs only itself."""

    path: str
    """Where, in the spelling of the message: `"$.data[3].price"`; `"$"` for the whole."""
    reason: str
    """What is wrong there."""
    excerpt: str
    """What stood there, at most `EXCERPT_LENGTH` printable characters."""


# A msgspec Struct as the events and `Batch` are, and not attrs as all other values: one is made for each message.
class Frame(msgspec.Struct, frozen=True):
    """The events of one channel that came in one message, and those that could not be read."""

    channel: str
    """The wire name as received; `parse_channel` reads it."""
    events: tuple[Event, ...]
    """In the order received, all of the channel's event type."""
    malformed: tuple[Malformed, ...]
    """One for each event lost; a single one at `"$.data"` where that is not a list."""


@attrs.frozen
class Pong:
    """The server's answer to a ping."""


@attrs.frozen
class Notice:
    """A reply for humans, see `decode`: text, or a JSON object that reports a result or an error."""

    text: str
    """One line of printable characters, at most `NOTICE_LENGTH` of them."""

    @property
    def plan_channel(self) -> str | None:
        """The channel of `"<channel> need upgrade plan"` as the server spelled it; None for any other notice."""
        # Found from its end backwards: one pattern for the whole would try every beginning with every length.
        for match in _PLAN_NOTICE.finditer(self.text):
            channel = _BEFORE_CHANNEL.split(self.text[: match.start()])[-1].strip()
            if channel:
                return channel
        return None


Message: TypeAlias = Frame | Pong | Notice | Malformed


def excerpt(value: object) -> str:
    """A beginning of a message, or of a value in it, that is safe to print."""
    if isinstance(value, bytes):
        text = value[: EXCERPT_LENGTH + 1].decode("utf-8", "backslashreplace")
        shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    else:
        shown = _bounded.repr(value)
    return shown if len(shown) <= EXCERPT_LENGTH else shown[: EXCERPT_LENGTH - 3] + "..."
