"""How the feed does, from its statuses and its counters."""

from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import TypeAlias

from cgrx._board.bounds import LAGS, RATE_S, SENTENCE, short
from cgrx._board.messages import Connection
from cgrx._feed.face import Feed
from cgrx._model import output_status
from cgrx._model import status as told
from cgrx._model.signals import Batch
from cgrx._model.status import State, Status
from cgrx._streams.offset import ENOUGH

_OF_THE_CONNECTION: TypeAlias = (
    told.Connecting
    | told.Connected
    | told.Disconnected
    | told.Silent
    | told.Misspelt
    | told.ClockSkewed
    | output_status.Backpressured
    | output_status.Resumed
    | told.MalformedInput
    | told.NoticeReceived
)
"""The statuses whose sentence is shown. Those of recorders, sinks and subscribers may name files and hosts of the
machine that the board runs on: no page shows them."""

CLOSED = "the feed was closed"
OVER = "the recording is over"


class Link:
    """Follows one feed. State: its latest status, and what the rate and the lag are made of.

    Args:
        end: what is to be said where it has ended without an error.
    """

    def __init__(self, end: str) -> None:
        self._end = end
        self._text = "connecting"
        self._down = False
        self._lags: deque[int] = deque(maxlen=LAGS)
        self._counts: deque[tuple[int, int]] = deque()
        self.down_since_ms: int | None = None
        """Since when nothing is received; None while the feed is connected."""
        self.ended_ms: int | None = None
        """When the feed ended; None as long as it has not."""

    def on_status(self, status: Status) -> None:
        """Take a status in."""
        match status:
            case told.Disconnected(at_ms=at_ms):
                if self.down_since_ms is None:
                    self.down_since_ms = at_ms
            case told.Connected():
                self.down_since_ms = None
            case told.Ended(at_ms=at_ms, error=error):
                self.ended_ms = at_ms
                self.down_since_ms = at_ms if self.down_since_ms is None else self.down_since_ms
                self._text = self._end if error is None else f"the feed has ended: {type(error).__name__}"
            case _:
                pass
        if isinstance(status, _OF_THE_CONNECTION):
            self._text = short(str(status), SENTENCE)

    def on_batch(self, batch: Batch[object], last_event_ms: int) -> None:
        """Events have been received, the last of which happened at `last_event_ms`."""
        self._lags.append(batch.received_ms - last_event_ms)

    @property
    def lag_ms(self) -> float | None:
        """How long after their own times the latest events were received, the median; None for the first two."""
        return float(median(self._lags)) if len(self._lags) >= ENOUGH else None

    def now(self, feed: Feed, dropped: int, late: int) -> Connection:
        """What is to be shown now."""
        stats = feed.stats
        state = feed.state
        if state is State.CONNECTED and self.down_since_ms is not None:
            state = State.RECONNECTING  # a replay of a time in which the feed was disconnected
        return Connection(
            state=state.value,
            text=self._text,
            lag_ms=self.lag_ms,
            round_trip_ms=stats.round_trip_ms,
            events=stats.events,
            rate=self._rate(stats.at_ms, stats.events),
            reconnects=stats.reconnects,
            dropped=dropped,
            malformed=stats.malformed,
            late=late,
            gap_ms=_longest(each.gap_ms for each in stats.channels.values()),
        )

    def _rate(self, now_ms: int, events: int) -> float:
        """Events a second over the last `RATE_S` seconds."""
        counts = self._counts
        if not counts or counts[-1][0] < now_ms:
            counts.append((now_ms, events))
        while len(counts) > 2 and counts[1][0] <= now_ms - RATE_S * 1000:
            counts.popleft()
        since_ms, before = counts[0]
        return (events - before) * 1000 / (now_ms - since_ms) if now_ms > since_ms else 0.0


def _longest(gaps: Iterable[int]) -> int:
    """The channels of one connection miss the same times: the longest of them is not their sum."""
    return max(gaps, default=0)
