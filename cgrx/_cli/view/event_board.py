"""What the live table shows, collected event by event: bounded, whatever the server sends and for however long."""

from collections import deque
from collections.abc import Iterable

import attrs

from cgrx import Event

_RATE_OVER_S = 5.0
_MOST_EXCHANGES = 200
OTHERS = "others"
"""Where events of still more exchanges are counted."""


@attrs.define
class Count:
    """Events, and their volume in US dollars."""

    events: int = 0
    volume_usd: float = 0.0

    def add(self, volume_usd: float) -> None:
        """Count one more."""
        self.events += 1
        self.volume_usd += volume_usd


class Board:
    """Counters over all events, and the latest ones of at least `min_volume` US dollars."""

    def __init__(self, min_volume: float = 0.0, latest: int = 200) -> None:
        self.min_volume = min_volume
        self.latest: deque[Event] = deque(maxlen=latest)
        """Newest first."""
        self.exchanges: dict[str, Count] = {}
        self.total = Count()
        self.largest: Event | None = None
        self.messages: deque[str] = deque(maxlen=50)
        """The latest lines about the feed, oldest first."""
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, events: Iterable[Event]) -> None:
        """Take events in the order received."""
        for event in events:
            volume = event.volume_usd
            self.total.add(volume)
            self._count_of(event.exchange).add(volume)
            if volume >= self.min_volume:
                self.latest.appendleft(event)
            if self.largest is None or volume > self.largest.volume_usd:
                self.largest = event

    def _count_of(self, exchange: str) -> Count:
        count = self.exchanges.get(exchange)
        if count is None:
            name = exchange if len(self.exchanges) < _MOST_EXCHANGES else OTHERS
            count = self.exchanges.setdefault(name, Count())
        return count

    def busiest(self, most: int) -> list[tuple[str, Count]]:
        """The exchanges with the most events."""
        ranked = sorted(self.exchanges.items(), key=lambda item: (-item[1].events, item[0]))
        return ranked[:most]

    def rate(self, now_s: float) -> float:
        """Events a second over the last seconds, measured between the calls of this method."""
        self._samples.append((now_s, self.total.events))
        while self._samples[0][0] < now_s - _RATE_OVER_S:
            self._samples.popleft()
        since_s, events = self._samples[0]
        return (self.total.events - events) / (now_s - since_s) if now_s > since_s else 0.0
