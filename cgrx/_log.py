"""The status of a feed as lines of the stdlib logger `cgrx`."""

import logging

from cgrx._status import (
    Backpressured,
    Connected,
    Disconnected,
    MalformedInput,
    NoticeReceived,
    Resumed,
    Silent,
    Status,
    StreamFailed,
    SubscriberFailed,
)

logger = logging.getLogger("cgrx")

_LEVELS: dict[type, int] = {
    Connected: logging.INFO,
    Resumed: logging.INFO,
    Disconnected: logging.WARNING,
    Silent: logging.WARNING,
    Backpressured: logging.WARNING,
    NoticeReceived: logging.WARNING,
    MalformedInput: logging.WARNING,
    SubscriberFailed: logging.ERROR,
    StreamFailed: logging.ERROR,
}
"""What is logged, and how loud; the rest is in the status only."""

_LIMITED_MS: dict[type, int] = {MalformedInput: 1000, NoticeReceived: 1000}
"""What the server can cause as often as it likes: the least time between two lines, milliseconds."""


class StatusLog:
    """Logs status events, those that can come in floods at most once a second with the number left out."""

    def __init__(self) -> None:
        self._logged_ms: dict[type, int] = {}
        self._left_out: dict[type, int] = {}

    def __call__(self, status: Status) -> None:
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
        logger.log(level, "%s%s", status, more)
