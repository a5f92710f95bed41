"""State machines for rivals without windows: open bars, panes of sliding windows, bursts, events to be sorted.

`step` takes one item and returns the results that it has closed: `scan` and its kin run on that, one state for each
key. So those rivals differ in the library alone. The loops written by hand use the same values with one watermark for
all keys.
"""

import heapq
from collections.abc import Callable
from math import trunc
from typing import Any, Protocol, TypeAlias, TypeVar

from benchmarks._harness.data import EXCHANGES
from benchmarks.rivals.tasks import BAR_MS, EVERY_MS, GAP_MS, LATENESS_MS, MIN_VOLUME, SLIDING_MS, Key
from cgrx._model.events import Trade

T_contra = TypeVar("T_contra", contravariant=True)

SCALE = 2.0**96
"""Sums are integers in units of 2**-96: exact, and so the same in any order of addition."""


class State(Protocol[T_contra]):
    """What is kept between items."""

    def step(self, item: T_contra, /) -> list[Any]:
        """Take an item in, and return the results that are final now."""
        ...


def advance(state: tuple[State[Any], list[Any]], item: Any) -> tuple[State[Any], list[Any]]:
    """The function for `scan`: the state, and the results that the item has closed."""
    return state[0], state[0].step(item)


def key_of(trade: Trade) -> Key:
    """The instrument of a trade."""
    return trade.exchange, trade.symbol


class ByKey:
    """One state for each instrument, for libraries that cannot group."""

    def __init__(self, make: Callable[[Key], State[Trade]]) -> None:
        self._make = make
        self._states: dict[Key, State[Trade]] = {}

    def step(self, trade: Trade) -> list[Any]:
        """See `State`."""
        key = key_of(trade)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = self._make(key)
        return state.step(trade)


class HandBar:
    """One open bar with exactly the fields of `Bar`; ties of a millisecond by price."""

    __slots__ = ("base", "buys", "close", "close_ms", "count", "high", "low", "open", "open_ms", "usd")

    def __init__(self) -> None:
        self.open = self.close = 0.0
        self.open_ms, self.close_ms = 2**63, -(2**63)
        self.high, self.low = float("-inf"), float("inf")
        self.usd = self.base = self.buys = self.count = 0

    def add(self, trade: Trade) -> None:
        """Take a trade in."""
        time_ms, price, volume = trade.time_ms, trade.price, trade.volume_usd
        if time_ms <= self.open_ms and (time_ms < self.open_ms or price < self.open):
            self.open, self.open_ms = price, time_ms
        if time_ms >= self.close_ms and (time_ms > self.close_ms or price > self.close):
            self.close, self.close_ms = price, time_ms
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        units = trunc(volume * SCALE)
        self.usd += units
        self.base += trunc(volume / price * SCALE)
        self.count += 1
        if trade.side == 2:
            self.buys += units

    def row(self, start_ms: int, key: Key) -> tuple[Any, ...]:
        """The row of the bar as a tuple."""
        prices = (self.open, self.high, self.low, self.close, self.usd / self.base)
        sides = (self.buys / SCALE, (self.usd - self.buys) / SCALE)
        return (start_ms, start_ms + BAR_MS, *key, *prices, self.usd / SCALE, self.count, *sides)


class Bars:
    """The open bars of one instrument, closed by its own watermark."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._opened: dict[int, HandBar] = {}
        self._latest_ms = 0

    def step(self, trade: Trade) -> list[Any]:
        """See `State`."""
        self._latest_ms = max(self._latest_ms, trade.time_ms)
        watermark_ms = self._latest_ms - LATENESS_MS
        start_ms = trade.time_ms - trade.time_ms % BAR_MS
        if start_ms + BAR_MS > watermark_ms:
            bar = self._opened.get(start_ms)
            if bar is None:
                bar = self._opened[start_ms] = HandBar()
            bar.add(trade)
        closed = [start for start in sorted(self._opened) if start + BAR_MS <= watermark_ms]
        return [self._opened.pop(start).row(start, self._key) for start in closed]


class Pane:
    """The sums of one key over one second, shared by all windows that overlap it."""

    __slots__ = ("count", "usd")

    def __init__(self) -> None:
        self.count = self.usd = 0


class Slides:
    """The sliding windows of one instrument: its panes, and the sum over those of the window that ends next."""

    __slots__ = ("_count", "_ends_ms", "_key", "_latest_ms", "_panes", "_usd")

    def __init__(self, key: Key, first_ms: int) -> None:
        self._key = key
        self._panes: dict[int, Pane] = {}
        earliest_ms = first_ms - LATENESS_MS
        self._ends_ms = earliest_ms - earliest_ms % EVERY_MS + EVERY_MS
        self._latest_ms = self._count = self._usd = 0

    def add(self, trade: Trade) -> None:
        """Take a trade in."""
        start_ms = trade.time_ms - trade.time_ms % EVERY_MS
        pane = self._panes.get(start_ms)
        if pane is None:
            pane = self._panes[start_ms] = Pane()
        pane.count += 1
        pane.usd += trunc(trade.volume_usd * SCALE)

    def closed(self, until_ms: int) -> list[Any]:
        """The rows of all windows that end by then; each costs one addition and one subtraction of a pane."""
        rows: list[Any] = []
        while self._ends_ms <= until_ms and self._panes:
            entering = self._panes.get(self._ends_ms - EVERY_MS)
            if entering is not None:
                self._count += entering.count
                self._usd += entering.usd
            leaving = self._panes.pop(self._ends_ms - EVERY_MS - SLIDING_MS, None)
            if leaving is not None:
                self._count -= leaving.count
                self._usd -= leaving.usd
            if self._count:
                sums = (self._count, self._usd / SCALE)
                rows.append((self._ends_ms - SLIDING_MS, self._ends_ms, *self._key, *sums))
            self._ends_ms += EVERY_MS
        return rows


class SlidesOfKey:
    """`Slides` closed by the watermark of their own instrument."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._slides: Slides | None = None
        self._latest_ms = 0

    def step(self, trade: Trade) -> list[Any]:
        """See `State`."""
        if self._slides is None:
            self._slides = Slides(self._key, trade.time_ms)
        self._slides.add(trade)
        self._latest_ms = max(self._latest_ms, trade.time_ms)
        return self._slides.closed(self._latest_ms - LATENESS_MS)


class Burst:
    """A session while it is open."""

    __slots__ = ("count", "first_ms", "last_ms", "usd")

    def __init__(self, time_ms: int) -> None:
        self.first_ms = self.last_ms = time_ms
        self.count = self.usd = 0

    def take(self, other: "Burst") -> None:
        """Join another session to this one."""
        self.first_ms = min(self.first_ms, other.first_ms)
        self.last_ms = max(self.last_ms, other.last_ms)
        self.count += other.count
        self.usd += other.usd


class Bursts:
    """The open sessions of one instrument, in order; disorder may begin one early, or join two."""

    __slots__ = ("_key", "_latest_ms", "opened")

    def __init__(self, key: Key) -> None:
        self._key = key
        self._latest_ms = 0
        self.opened: list[Burst] = []

    def add(self, trade: Trade) -> None:
        """Take a trade in."""
        time_ms, opened = trade.time_ms, self.opened
        burst = opened[-1] if opened else None
        if burst is None or not burst.first_ms <= time_ms <= burst.last_ms + GAP_MS:
            burst = self._found(time_ms)
        elif time_ms > burst.last_ms:
            burst.last_ms = time_ms
        burst.count += 1
        burst.usd += trunc(trade.volume_usd * SCALE)

    def _found(self, time_ms: int) -> Burst:
        """The session that a trade at this time belongs to: a new one, with all that it touches joined to it."""
        burst = Burst(time_ms)
        near = [e for e in self.opened if e.first_ms - GAP_MS <= time_ms <= e.last_ms + GAP_MS]
        for each in near:
            burst.take(each)
            self.opened.remove(each)
        self.opened.append(burst)
        self.opened.sort(key=lambda each: each.first_ms)
        return burst

    def closed(self, watermark_ms: int) -> list[Any]:
        """The rows of the sessions that no later trade can extend."""
        rows: list[Any] = []
        while self.opened and self.opened[0].last_ms + GAP_MS < watermark_ms:
            burst = self.opened.pop(0)
            rows.append((burst.first_ms, burst.last_ms + 1, *self._key, burst.count, burst.usd / SCALE))
        return rows

    def step(self, trade: Trade) -> list[Any]:
        """See `State`."""
        self._latest_ms = max(self._latest_ms, trade.time_ms)
        self.add(trade)
        return self.closed(self._latest_ms - LATENESS_MS)


Tagged: TypeAlias = tuple[int, Trade]


class Order:
    """Events of several sources in time order: each is held until all sources have reached its time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Trade]] = []
        self._come_to = [0] * len(EXCHANGES)
        self._number = 0

    def step(self, item: Tagged | None) -> list[Trade]:
        """See `State`; None releases all that is held."""
        if item is None:
            return [heapq.heappop(self._heap)[2] for _ in range(len(self._heap))]
        source, trade = item
        self._number += 1
        heapq.heappush(self._heap, (trade.time_ms, self._number, trade))
        self._come_to[source] = trade.time_ms
        until_ms = min(self._come_to)
        released: list[Trade] = []
        while self._heap and self._heap[0][0] <= until_ms:
            released.append(heapq.heappop(self._heap)[2])
        return released


class BarsInOrder:
    """Trades of any number of sources in time order, two filters, and bars of those that pass."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Trade]] = []
        self._latest_ms = self._number = 0
        self._opened: dict[int, dict[Key, HandBar]] = {}
        self._closes_ms = 0

    def step(self, trade: Trade) -> list[Any]:
        """See `State`."""
        self._number += 1
        heapq.heappush(self._heap, (trade.time_ms, self._number, trade))
        if trade.time_ms > self._latest_ms:
            self._latest_ms = trade.time_ms
        until_ms = self._latest_ms - LATENESS_MS
        while self._heap and self._heap[0][0] <= until_ms:
            released = heapq.heappop(self._heap)[2]
            if released.side == 2 and released.volume_usd >= MIN_VOLUME:
                self._bar_of(released).add(released)
        return self._closed(until_ms) if until_ms >= self._closes_ms else []

    def _bar_of(self, trade: Trade) -> HandBar:
        window = self._opened.setdefault(trade.time_ms - trade.time_ms % BAR_MS, {})
        key = key_of(trade)
        bar = window.get(key)
        if bar is None:
            bar = window[key] = HandBar()
        return bar

    def _closed(self, until_ms: int) -> list[Any]:
        self._closes_ms = until_ms - until_ms % BAR_MS + BAR_MS
        over = [start_ms for start_ms in sorted(self._opened) if start_ms + BAR_MS <= until_ms]
        return [bar.row(start_ms, key) for start_ms in over for key, bar in sorted(self._opened.pop(start_ms).items())]


class Counter:
    """A subscriber that does as little as possible: it counts buys."""

    __slots__ = ("buys",)

    def __init__(self) -> None:
        self.buys = 0

    def on_event(self, trade: Trade) -> None:
        """Count a buy."""
        if trade.side == 2:
            self.buys += 1
