"""What every run counts, whatever it shows."""

from collections import deque

_RATE_OVER_S = 5.0


class Tally:
    """Events, their rate, and the latest messages about the feed."""

    def __init__(self) -> None:
        self.events = 0
        self.messages: deque[str] = deque(maxlen=50)
        """Oldest first."""
        self._samples: deque[tuple[float, int]] = deque()

    def rate(self, now_s: float) -> float:
        """Events a second over the last seconds, measured between the calls of this method."""
        self._samples.append((now_s, self.events))
        while self._samples[0][0] < now_s - _RATE_OVER_S:
            self._samples.popleft()
        since_s, events = self._samples[0]
        return (self.events - events) / (now_s - since_s) if now_s > since_s else 0.0
