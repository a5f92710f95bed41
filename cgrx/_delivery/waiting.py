"""The items that wait in memory: in order, but for running rows, of which only the latest of each window waits."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import Any

from cgrx._delivery.accounts import Accounts
from cgrx.operators._rows.row import Row, RowType

NOTHING = 2**63
"""The number of what does not exist: later than every item."""


class Waiting:
    """Items in the order in which they came, each with its number.

    A running row takes the place of the one of the same window that waits. A final row, or one that withdraws, removes
    it and comes last, as everything else does.

    Args:
        accounts: where items are counted that come, and that are superseded.
        final_only: leave out running rows, and those that withdraw such: they do not count as having come.
    """

    def __init__(self, accounts: Accounts, final_only: bool) -> None:
        self._accounts = accounts
        self._final_only = final_only
        self._lasting: deque[tuple[int, Any]] = deque()
        self._running: OrderedDict[Hashable, tuple[int, Row]] = OrderedDict()
        self.number = 0
        """That of the latest item."""

    def __len__(self) -> int:
        return len(self._lasting) + len(self._running)

    @property
    def oldest(self) -> int:
        """The number of the first one, `NOTHING` where none waits."""
        return min(self._first_lasting, self._first_running)

    def put(self, items: Iterable[Any]) -> int:
        """Queue items. Returns how many wait now."""
        number, superseded, left_out = self.number, 0, 0
        lasting, running = self._lasting, self._running
        for item in items:
            number += 1
            kind = type(item)  # pyright: ignore[reportUnknownVariableType] - items are of any type
            if not isinstance(kind, RowType):  # so asked, it takes a third of the time of `isinstance(item, Row)`
                lasting.append((number, item))
            elif item.final:
                if running:  # or there is none to supersede
                    superseded += running.pop((kind, item.identity), None) is not None
                lasting.append((number, item))
            elif self._final_only:
                left_out += 1
            else:
                window = (kind, item.identity)
                replaced = running.get(window)
                superseded += replaced is not None
                if item.withdrawn:
                    running.pop(window, None)
                    lasting.append((number, item))
                else:
                    running[window] = (number if replaced is None else replaced[0], item)
        accounts = self._accounts
        accounts.received += number - self.number - left_out
        if superseded:
            accounts.superseded += superseded
        self.number = number
        return len(lasting) + len(running)

    def take(self, most: int) -> tuple[int, list[Any]]:
        """The first items, at most so many; and the number of the first one."""
        if not self._running:
            return self.take_lasting(most)
        first, found = self.oldest, list[Any]()
        while len(found) < most and self:
            if self._first_lasting < self._first_running:
                found.append(self._lasting.popleft()[1])
            else:
                found.append(self._running.popitem(last=False)[1][1])
        return first, found

    def take_lasting(self, most: int) -> tuple[int, list[Any]]:
        """The first items that no later row replaces, at most so many; and the number of the first one."""
        first, popleft = self._first_lasting, self._lasting.popleft
        return first, [popleft()[1] for _ in range(min(most, len(self._lasting)))]

    def put_back(self, first: int, items: list[Any]) -> None:
        """Queue items again that were the first."""
        self._lasting.extendleft((first, item) for item in reversed(items))

    def drop_first(self) -> None:
        """Give up the first running row; where there is none, the first item."""
        if self._running:
            self._running.popitem(last=False)
        else:
            self._lasting.popleft()

    @property
    def _first_lasting(self) -> int:
        return self._lasting[0][0] if self._lasting else NOTHING

    @property
    def _first_running(self) -> int:
        return next(iter(self._running.values()))[0] if self._running else NOTHING
