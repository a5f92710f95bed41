"""How far event times are ahead of receive times: what no single event, nor a few, can change.

Event times come from the clocks of the exchanges, receive times from this machine's. Either may be wrong, by seconds or
by hours, so neither is believed alone:

    sample      the event time minus the receive time of the event before a proof of life, where there is a new one
    offset      the median of the last nine samples; 0 as long as there are fewer than three
    supported   an event is, whose time is not ahead of its receive time by more than the offset and a tolerance

An event that is not supported is delivered as any other, but moves time only as far as its receive time and the offset
do. So one clock that is off by a constant changes nothing once there are samples, and an event from the future holds
nobody up.
"""

from collections import deque

SAMPLES = 9
ENOUGH = 3
"""With fewer samples one wrong event could be the median."""


class Offset:
    """The offset of one subscription, or of one source in it. State: nine samples, and the latest event."""

    def __init__(self, tolerance_ms: int = 0) -> None:
        self.ms = 0
        """How far event times are ahead of receive times, below zero where they are behind."""
        self.known = False
        """Whether there are enough samples."""
        self.reach_ms = tolerance_ms
        """The latest event time that is supported is the receive time plus this."""
        self._tolerance_ms = tolerance_ms
        self._samples: deque[int] = deque(maxlen=SAMPLES)
        self.latest_ms: int | None = None
        """The event time minus the receive time of the last event, for its user to set; None once it is a sample."""

    def on_proof(self) -> None:
        """A proof of life: take a sample."""
        if self.latest_ms is None:
            return
        self._samples.append(self.latest_ms)
        self.latest_ms = None
        count = len(self._samples)
        if count >= ENOUGH:
            self.ms, self.known = sorted(self._samples)[(count - 1) // 2], True
            self.reach_ms = self.ms + self._tolerance_ms

    def supported_ms(self, time_ms: int, received_ms: int) -> int:
        """How far an event moves time: to its own, or to that of its receive time where it is too far ahead of it."""
        return time_ms if time_ms <= received_ms + self.reach_ms else received_ms + self.ms
