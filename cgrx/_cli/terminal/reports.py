"""What a feed says about itself, in plain lines: its status from the logger `cgrx`, its gaps from the streams.

The logger is where a feed can be heard from its first attempt on: `connect()` hands it over only when there is a
connection. The logger also keeps floods down (see `_log`).
"""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import attrs

from cgrx._cli.terminal.text import clock, second
from cgrx._feed.log import logger
from cgrx._model.signals import Batch, Gap, Mark
from cgrx._model.status import (
    Backpressured,
    Connected,
    Disconnected,
    MalformedInput,
    NoticeReceived,
    RecordingFailed,
    Resumed,
    Silent,
    StreamFailed,
    SubscriberFailed,
)
from cgrx._streams.running import Running
from cgrx._streams.stream import EventTypes, Stage

Say = Callable[[str], None]
"""Takes a line as it is: the text may be the server's, and whoever shows it escapes it."""

_WORTH_SAYING_MS = 1000
"""A reader that holds the feed up for less is nothing to speak of."""


class Reports(logging.Handler):
    """Says each status of a feed in a line that begins with the time of day (UTC)."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say
        self._held_since_ms = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record of `StatusLog`."""
        assert isinstance(record.args, tuple)  # the status, and how many were left out
        status, more = record.args
        text = self._words(status)
        if text is not None:
            self._say(f"{second(getattr(status, 'at_ms', 0))} {text}{more}")

    def _words(self, status: object) -> str | None:
        match status:
            case Connected():
                return "connected"
            case Disconnected(error=error, retry_in_s=retry_in_s):
                return f"{error}; trying again in {retry_in_s:.1f} s"
            case Silent(channel=channel, hint=hint):
                hint = f": {hint}" if hint else ": is it spelled as the exchange does?"
                return f"no event of {channel.name} yet{hint}"
            case MalformedInput(path=path, reason=reason):
                return f"malformed input at {path}: {reason}"
            case NoticeReceived(text=text):
                return f"the server says: {text}"
            case Backpressured(at_ms=at_ms):
                self._held_since_ms = at_ms
                return None
            case Resumed(at_ms=at_ms):
                held_ms = at_ms - self._held_since_ms
                return f"the reader held the feed up for {held_ms / 1e3:.1f} s" if held_ms > _WORTH_SAYING_MS else None
            case RecordingFailed(error=error):
                return f"recording failed: {error}"
            case SubscriberFailed(error=error) | StreamFailed(error=error):
                return str(error)
            case _:
                return None


@contextmanager
def reporting(say: Say) -> Generator[None]:
    """While the body runs, feeds are heard through `say`, and nowhere else."""
    handler, level, propagate = Reports(say), logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def gap_words(gap: Gap) -> str:
    """A gap as a line: from when on a channel is heard, or what it may have missed."""
    assert gap.channel is not None, "OnGap leaves those out"
    at, name = second(gap.end_ms), gap.channel.name
    if begins(gap):
        return f"{at} listening to {name}"
    between = f"between {clock(gap.start_ms)} and {clock(gap.end_ms)}"
    return f"{at} gap: events of {name} may be missing {between} ({gap.reason})"


def begins(gap: Gap) -> bool:
    """Whether it is the gap with which every subscription begins."""
    return gap.start_ms == 0


@attrs.frozen
class OnGap(Stage[Any, Any]):
    """Passes everything, and calls a function for each gap of a channel.

    Those without one come before a channel's own, which tells more.
    """

    call: Callable[[Gap], None]

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """Those that come in."""
        return incoming

    def start(self) -> Running[Any, Any]:
        """See `Stage`."""
        return _GapCaller(self.call)


class _GapCaller(Running[Any, Any]):
    def __init__(self, call: Callable[[Gap], None]) -> None:
        self._call = call

    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        return batch.events

    def on_mark(self, mark: Mark) -> Iterable[Any]:
        if isinstance(mark, Gap) and mark.channel is not None:
            self._call(mark)
        return ()
