"""Volumes by window: of each asset on each exchange, with sums that are kept up to date as rows come.

Rows of a window replace each other, so what is added is the difference. Sums are exact integers, as those of windows
are: what has been added and taken away again leaves nothing behind.
"""

from typing import TypeAlias

from cgrx._board.bounds import finite
from cgrx.operators._aggregates.exact import amount, units

Amounts: TypeAlias = tuple[int, int, int]
"""The volumes of two sides, in units of `exact`, and how many events there were."""

_NONE: Amounts = (0, 0, 0)


class Amount:
    """Sums that change: two volumes in units, and a count."""

    __slots__ = ("count", "first", "second")

    def __init__(self) -> None:
        self.first = self.second = self.count = 0

    def add(self, first: int, second: int, count: int) -> None:
        self.first += first
        self.second += second
        self.count += count

    @property
    def amounts(self) -> Amounts:
        """As they are now."""
        return self.first, self.second, self.count


class Ledger:
    """The volumes of two sides by window, asset and part: long and short by exchange, or buy and sell by instrument.

    State: an entry for each asset and part in each window that is kept, and sums. The asset None is that of all.
    """

    def __init__(self) -> None:
        self._cells: dict[int, dict[tuple[str, str], Amounts]] = {}
        self._base: dict[tuple[int, str, str], Amounts] = {}
        """What a recording said of the windows that were open at its end."""
        self._windows: dict[int, dict[str | None, Amount]] = {}
        self._hour: dict[str | None, Amount] = {}
        self._parts: dict[str | None, dict[str | None, Amount]] = {}
        """By asset and part, over the hour."""
        self._session: dict[str | None, Amount] = {}
        self._hour_from_ms = 0
        self._kept_from_ms = 0
        self.cells = 0
        """How many entries there are."""
        self.changed: dict[str | None, set[int]] = {}
        """By asset, the windows that have changed since this was cleared last."""

    def put(self, start_ms: int, asset: str, part: str, first: float, second: float, count: int) -> None:
        """What a window holds of an asset and a part now. Of a window that is kept no more nothing is taken in."""
        if start_ms < self._kept_from_ms:
            return
        base = self._base.get((start_ms, asset, part), _NONE)
        new = units(finite(first)) + base[0], units(finite(second)) + base[1], count + base[2]
        cells = self._cells.setdefault(start_ms, {})
        old = cells.get((asset, part))
        if old is None:
            old = _NONE
            self.cells += 1
        cells[asset, part] = new
        more = new[0] - old[0], new[1] - old[1], new[2] - old[2]
        window = self._windows.setdefault(start_ms, {})
        for each in (asset, None):
            _at(window, each).add(*more)
            _at(self._session, each).add(*more)
            if start_ms >= self._hour_from_ms:
                _at(self._hour, each).add(*more)
                _at(self._parts.setdefault(each, {}), part).add(*more)
            self.changed.setdefault(each, set()).add(start_ms)

    def move(self, kept_from_ms: int, hour_from_ms: int) -> None:
        """Windows before these are kept no more, and count in the hour no more."""
        hour_from_ms = max(hour_from_ms, kept_from_ms)
        if (kept_from_ms, hour_from_ms) == (self._kept_from_ms, self._hour_from_ms):
            return
        for start_ms in sorted(each for each in self._cells if each < hour_from_ms):
            if start_ms >= self._hour_from_ms:
                self._take_from_hour(start_ms)
            if start_ms < kept_from_ms:
                self.cells -= len(self._cells.pop(start_ms))
                del self._windows[start_ms]
                for windows in self.changed.values():
                    windows.discard(start_ms)
        self._kept_from_ms, self._hour_from_ms = kept_from_ms, hour_from_ms

    def _take_from_hour(self, start_ms: int) -> None:
        for (asset, part), (first, second, count) in self._cells[start_ms].items():
            for each in (asset, None):
                kept: tuple[tuple[dict[str | None, Amount], str | None], ...] = (
                    (self._hour, each),
                    (self._parts[each], part),
                )
                for sums, key in kept:
                    found = sums[key]
                    found.add(-first, -second, -count)
                    if not found.count:
                        del sums[key]
                if not self._parts[each]:
                    del self._parts[each]

    def follow(self) -> None:
        """What was told so far came from a recording, which has ended; the feed follows, and its session begins."""
        self._session.clear()
        latest_ms = max(self._cells, default=0)
        self._base = {(latest_ms, *key): amounts for key, amounts in self._cells.get(latest_ms, {}).items()}

    # What is asked

    def window(self, start_ms: int, asset: str | None) -> Amounts:
        """What a window holds of an asset."""
        found = self._windows.get(start_ms, {}).get(asset)
        return _NONE if found is None else found.amounts

    def hour(self, asset: str | None) -> Amounts:
        """What the hour holds of an asset."""
        return self._hour[asset].amounts if asset in self._hour else _NONE

    def session(self, asset: str | None) -> Amounts:
        """What the session holds of an asset."""
        return self._session[asset].amounts if asset in self._session else _NONE

    def parts(self, asset: str | None) -> list[tuple[str, Amounts]]:
        """The parts of an asset in the hour, by volume."""
        return _ranked(self._parts.get(asset, {}))

    def assets(self) -> list[tuple[str, Amounts]]:
        """The assets of the hour, by volume."""
        return _ranked(self._hour)


def _at(sums: dict[str | None, Amount], key: str | None) -> Amount:
    found = sums.get(key)
    if found is None:
        found = sums[key] = Amount()
    return found


def _ranked(sums: dict[str | None, Amount]) -> list[tuple[str, Amounts]]:
    """Those of all assets, or parts, by volume; the sum of all of them is none."""
    found = [(name, each.amounts) for name, each in sums.items() if name is not None]
    return sorted(found, key=lambda each: (-each[1][0] - each[1][1], each[0]))


def dollars(in_units: int) -> float:
    """A volume as a float that JSON can hold."""
    return finite(amount(in_units))
