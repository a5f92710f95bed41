"""What was seen of the market in this run, for the live table: bounded, whatever comes and for however long."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

import attrs

from cgrx import Batch, Event, Gap, Liquidation, Mark
from cgrx._cli.view.aside import Aside
from cgrx._cli.view.bursts import Bursts, cascades
from cgrx._cli.view.delta import Delta
from cgrx._cli.view.heat import Heat
from cgrx._cli.view.ranking import Ranking
from cgrx._cli.view.recent_gap import RecentGap

MOST_NAMES = 200
OTHERS = "others"
"""Where events of still more names are counted."""
_LARGEST = 20
_BOUGHT = ("buy", "short")
"""The sides of orders that bought: a liquidated short is a forced one."""


@attrs.define
class Sides:
    """Events, and the US dollars of those that bought and of those that sold."""

    events: int = 0
    bought: float = 0.0
    sold: float = 0.0

    def add(self, event: Event) -> float:
        """Count one more; what it adds to bought minus sold."""
        self.events += 1
        if event.side.word in _BOUGHT:
            self.bought += event.volume_usd
            return event.volume_usd
        self.sold += event.volume_usd
        return -event.volume_usd

    @property
    def volume(self) -> float:
        """Both together."""
        return self.bought + self.sold


@attrs.define
class OfKind:
    """What was seen of liquidations, or of trades."""

    sides: Sides = attrs.field(factory=Sides)
    heat: Heat = attrs.field(factory=Heat)
    delta: Delta = attrs.field(factory=Delta)


class Market:
    """Sums over all events, the largest ones, and the latest ones of at least `min_volume` US dollars."""

    def __init__(self, min_volume: float = 0.0, latest: int = 200) -> None:
        self.min_volume = min_volume
        self.latest: deque[Event] = deque(maxlen=latest)
        """Newest first."""
        self.found: deque[Event] = deque(maxlen=latest)
        """Those of them, and of those before them, that hold the words looked for."""
        self.largest: list[Event] = []
        self.kinds: dict[str, OfKind] = {}
        self.exchanges: dict[str, Sides] = {}
        self.assets: dict[str, Sides] = {}
        """Of liquidations alone."""
        self.by_exchange: Ranking[str] = Ranking()
        self.by_asset: Ranking[str] = Ranking()
        self.bursts = Bursts()
        self.gaps = RecentGap()
        self._words: tuple[str, ...] = ()

    def see(self, batch: Batch[Event]) -> None:
        """Take events in the order received."""
        for event in batch.events:
            of_kind = self.kinds.get(event.kind)
            if of_kind is None:
                of_kind = self.kinds[event.kind] = OfKind()
            volume = event.volume_usd
            of_kind.delta.add(batch.received_ms, of_kind.sides.add(event))
            of_kind.heat.add(volume)
            _of(self.exchanges, event.exchange).add(event)
            if isinstance(event, Liquidation):
                _of(self.assets, event.base_asset).add(event)
            if len(self.largest) < _LARGEST or volume > self.largest[-1].volume_usd:
                insort(self.largest, event, key=lambda each: -each.volume_usd)
                del self.largest[_LARGEST:]
            if volume >= self.min_volume:
                self.latest.appendleft(event)
                if self._words and self._holds_words(event):
                    self.found.appendleft(event)

    def look_for(self, words: Iterable[str]) -> None:
        """From now on `found` are the events that hold all these words, in any case."""
        asked = tuple(word.casefold() for word in words)
        if asked == self._words:
            return
        self._words = asked
        self.found.clear()
        self.found.extend(event for event in self.latest if self._holds_words(event))

    def frozen(self) -> Iterable[object]:
        """The events in it."""
        yield from (*self.latest, *self.found, *self.largest, *self.bursts.rows())

    def tape(self, most: int, *, largest_first: bool) -> list[Event]:
        """The latest events, or the largest of those that are kept; those with the words, where some are looked for."""
        shown = self.found if self._words else self.latest
        if largest_first:
            return sorted(shown, key=lambda event: -event.volume_usd)[:most]
        return list(islice(shown, most))

    def _holds_words(self, event: Event) -> bool:
        text = f"{event.kind} {event.exchange} {event.symbol} {event.base_asset} {event.side.word}".casefold()
        return all(word in text for word in self._words)


def _of(names: dict[str, Sides], name: str) -> Sides:
    sides = names.get(name)
    if sides is None:
        sides = names.setdefault(name if len(names) < MOST_NAMES else OTHERS, Sides())
    return sides


class Watched:
    """Shows a market the signals that pass, and has cascades found in them."""

    def __init__(self, market: Market, now_s: Callable[[], float]) -> None:
        self._market = market
        self._now_s = now_s
        self._cascades = Aside(cascades(), lambda row: market.bursts.add(row, now_s()), Liquidation)

    def see(self, batch: Batch[Event]) -> None:
        """The next batch."""
        self._market.see(batch)
        self._cascades.see(batch)

    def mark(self, mark: Mark) -> None:
        """The next mark."""
        self._cascades.mark(mark)
        if isinstance(mark, Gap):
            self._market.gaps.add(mark, self._now_s())
