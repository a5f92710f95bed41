"""The status of a feed as lines of the stdlib logger `cgrx`; and the API key kept out of trio-websocket's lines.

Each record has the attributes `status`, a `Status`; `left_out`, how many of its kind were not logged before it; and
`recorded`, whether a replay tells what happened to the feed that was recorded. That is no trouble of now, and INFO.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager

from cgrx._model.output_status import (
    Backpressured,
    DeliveryHeld,
    DeliveryResumed,
    RecordingFailed,
    Resumed,
    StreamFailed,
    SubscriberFailed,
    Undelivered,
)
from cgrx._model.status import (
    ClockSkewed,
    Connected,
    Disconnected,
    MalformedInput,
    Misspelt,
    NoticeReceived,
    Silent,
    Status,
)

logger = logging.getLogger("cgrx")

_LEVELS: dict[type, int] = {
    Connected: logging.INFO,
    Resumed: logging.INFO,
    DeliveryResumed: logging.INFO,
    Disconnected: logging.WARNING,
    Silent: logging.WARNING,
    Misspelt: logging.WARNING,
    ClockSkewed: logging.WARNING,
    Backpressured: logging.WARNING,
    NoticeReceived: logging.WARNING,
    DeliveryHeld: logging.WARNING,
    MalformedInput: logging.WARNING,
    SubscriberFailed: logging.ERROR,
    StreamFailed: logging.ERROR,
    RecordingFailed: logging.ERROR,
    Undelivered: logging.ERROR,
}
"""Which statuses are logged, and at which level; the others are on the status alone."""

_LIMITED_MS: dict[type, int] = {MalformedInput: 1000, NoticeReceived: 1000}
"""The least time between two lines, milliseconds, of statuses that the server can cause as often as it likes."""


class StatusLog:
    """Logs status events. Of those that can come in floods it logs one a second, with the number of those left out."""

    def __init__(self) -> None:
        self._logged_ms: dict[type, int] = {}
        self._left_out: dict[type, int] = {}

    def __call__(self, status: Status, *, recorded: bool = False) -> None:
        kind = type(status)
        level = _LEVELS.get(kind)
        if level is None:
            return
        if status.at_ms - self._logged_ms.get(kind, -(2**62)) < _LIMITED_MS.get(kind, 0):
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._logged_ms[kind] = status.at_ms
        left_out = self._left_out.pop(kind, 0)
        more = f" ({left_out} more not logged)" if left_out else ""
        extra = {"status": status, "left_out": left_out, "recorded": recorded}
        if recorded:
            logger.info("recorded: %s%s", status, more, extra=extra)
            return
        # Ours says all in its message; where a subscriber raised is known from the traceback alone.
        raised = status.error if isinstance(status, SubscriberFailed) else None
        logger.log(level, "%s%s", status, more, exc_info=raised, extra=extra)


@contextmanager
def redacted(redact: Callable[[str], str]) -> Generator[None]:
    """Meanwhile trio-websocket logs nothing unredacted: at DEBUG it shows what servers say, which may echo the key."""
    theirs = logging.getLogger("trio-websocket")

    def without_key(record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True

    theirs.addFilter(without_key)
    try:
        yield
    finally:
        theirs.removeFilter(without_key)
