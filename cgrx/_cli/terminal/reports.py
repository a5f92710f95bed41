"""A feed's reports in plain lines: its status, read from the logger `cgrx`, and the gaps of its streams.

Why the logger, when `feed.status` has the same: `cgrx.connect()` hands the feed over only once there is a connection,
and the logger tells of the attempts before it too. It also holds back floods of malformed input and notices.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

from cgrx import (
    Backpressured,
    Channel,
    Gap,
    Resumed,
    Status,
)
from cgrx._cli.terminal.text import clock, second

Say = Callable[[str, logging.LogRecord], None]
"""Shows a line about a log record. The text may hold characters from the server, so the function must escape them."""

_WORTH_SAYING_MS = 1000
"""A reader that holds the feed up for less time gets no line."""

_LOGGER = logging.getLogger("cgrx")


class Reports(logging.Handler):
    """A handler that writes each status of a feed as a line that begins with the time of day (UTC)."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say
        self._held_since_ms = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write the status that a feed's log record carries. Of records without one only warnings are written."""
        status: Status | None = getattr(record, "status", None)
        if status is None:
            if record.levelno >= logging.WARNING:
                self._say(record.getMessage(), record)
            return
        text = self._words(status)
        if text is None:
            return
        left_out: int = getattr(record, "left_out", 0)
        more = f" ({left_out} more not logged)" if left_out else ""
        recorded = "recorded: " if getattr(record, "recorded", False) else ""
        self._say(f"{second(status.at_ms)} {recorded}{text}{more}", record)

    def _words(self, status: Status) -> str | None:
        match status:
            case Backpressured(at_ms=at_ms):
                self._held_since_ms = at_ms
                return None
            case Resumed(at_ms=at_ms):
                held_ms = at_ms - self._held_since_ms
                return f"the reader held the feed up for {held_ms / 1e3:.1f} s" if held_ms > _WORTH_SAYING_MS else None
            case _:
                return str(status)


@contextmanager
def reporting(say: Say) -> Generator[None]:
    """While the body runs, pass what feeds log to `say`, and to no other handler."""
    handler, level, propagate = Reports(say), _LOGGER.level, _LOGGER.propagate
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.setLevel(level)
        _LOGGER.propagate = propagate


def gap_words(channel: Channel, gap: Gap) -> str:
    """A gap of a channel as a line: since when its events arrive, or when some may have been missed."""
    at = second(gap.end_ms)
    if begins(gap):
        return f"{at} listening to {channel.name}"
    between = f"between {clock(gap.start_ms)} and {clock(gap.end_ms)}"
    return f"{at} gap: events of {channel.name} may be missing {between} ({gap.reason})"


def begins(gap: Gap) -> bool:
    """Whether this is the gap with which every subscription begins."""
    return gap.start_ms == 0
