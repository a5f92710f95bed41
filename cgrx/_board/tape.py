"""The tape: liquidations, and large trades, as they came. It keeps the events, and makes a `Print` of what is shown."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import nlargest
from itertools import islice
from typing import Literal, TypeAlias, TypeVar

from cgrx._board.bounds import NEW_PRINTS, SHOWN_PRINTS, TAPE, finite, short
from cgrx._board.messages import Print
from cgrx._model.events import Event, Trade

E = TypeVar("E", bound=Event)

Side: TypeAlias = Literal["long", "short", "buy", "sell"]

_SIDES: dict[str, Side] = {"long": "long", "short": "short", "buy": "buy", "sell": "sell"}


class Tape:
    """The last events of all assets, numbered in the order in which they came.

    Args:
        first: the number of the first one.
    """

    def __init__(self, first: int = 1) -> None:
        self._events: deque[Event] = deque(maxlen=TAPE)
        self.next = first
        """The number of the event that comes next."""
        self._told = first

    def add(self, events: Iterable[E], at_least: float) -> list[E]:
        """Keep those of at least this volume, US dollars; these are returned."""
        kept = [event for event in events if event.volume_usd >= at_least]
        self._events.extend(kept)
        self.next += len(kept)
        return kept

    def latest(self, asset: str | None) -> list[Print]:
        """The newest of an asset, or of all, the newest last."""
        events = ((number, event) for number, event in self._newest() if asset in (None, short(event.base_asset)))
        return [printed(*each) for each in islice(events, SHOWN_PRINTS)][::-1]

    def new(self, assets: Collection[str | None]) -> Mapping[str | None, tuple[list[Print], int]]:
        """By asset, the largest that have come since the last call, in order, and how many more there were."""
        came = self.next - self._told
        found: dict[str | None, list[tuple[int, Event]]] = {asset: [] for asset in assets}
        everything = found.get(None)
        for each in islice(self._newest(), came):
            if everything is not None:
                everything.append(each)
            of_asset = found.get(short(each[1].base_asset))
            if of_asset is not None:
                of_asset.append(each)
        lost = max(0, came - len(self._events))
        self._told = self.next
        return {asset: _chosen(events, lost if asset is None else 0) for asset, events in found.items()}

    def _newest(self) -> Iterator[tuple[int, Event]]:
        return zip(range(self.next - 1, 0, -1), reversed(self._events), strict=False)


def _chosen(events: list[tuple[int, Event]], lost: int) -> tuple[list[Print], int]:
    largest = nlargest(NEW_PRINTS, events, key=lambda each: each[1].volume_usd)
    return [printed(*each) for each in sorted(largest, key=lambda each: each[0])], len(events) - len(largest) + lost


def printed(number: int, event: Event) -> Print:
    """The event as it is shown."""
    return Print(
        id=number,
        what="trade" if isinstance(event, Trade) else "liquidation",
        time=event.time_ms,
        exchange=short(event.exchange),
        symbol=short(event.symbol),
        asset=short(event.base_asset),
        side=_SIDES[event.side.word],
        price=finite(event.price),
        volume=finite(event.volume_usd),
    )
