"""What has happened: cascades as bands over the charts, and alerts. Each has a number, and the latest are kept."""

from collections import deque

from cgrx import operators as ops
from cgrx._board.bounds import ALERTS, CASCADES, SENTENCE, finite, short
from cgrx._board.messages import Alert, Cascade

_Identity = tuple[object, ...]


class Cascades:
    """The latest cascades, by the identity of their rows.

    Args:
        first: the number of the first one.
    """

    def __init__(self, first: int = 1) -> None:
        self.next = first
        """The number of the one that comes next."""
        self._kept: dict[_Identity, Cascade] = {}
        self._changed: dict[int, Cascade] = {}

    def on_row(self, row: ops.Cascade) -> None:
        """A row of a cascade: running, final, or withdrawn because it has become part of another one."""
        identity = row.identity
        known = self._kept.pop(identity, None)
        number = self.next if known is None else known.id
        self.next += known is None
        side = row.dominant_side
        shown = Cascade(
            id=number,
            asset=row.base_asset,
            side="short" if side is not None and side.word == "short" else "long",
            start=row.start_ms,
            end=row.end_ms,
            events=row.count,
            volume=finite(row.volume),
            running=not row.final,
            withdrawn=row.withdrawn,
        )
        self._changed[number] = shown
        if not row.withdrawn:
            self._kept[identity] = shown
            if len(self._kept) > CASCADES:
                del self._kept[next(iter(self._kept))]
        while len(self._changed) > CASCADES:
            del self._changed[next(iter(self._changed))]

    def latest(self, asset: str | None) -> list[Cascade]:
        """Those of an asset, or of all, by their numbers."""
        return sorted((each for each in self._kept.values() if asset in (None, each.asset)), key=lambda each: each.id)

    def new(self) -> list[Cascade]:
        """Those that are new or have changed since the last call."""
        changed, self._changed = list(self._changed.values()), {}
        return changed


class Alerts:
    """The latest alerts.

    Args:
        first: the number of the first one.
    """

    def __init__(self, first: int = 1) -> None:
        self.next = first
        """The number of the one that comes next."""
        self._kept: deque[Alert] = deque(maxlen=ALERTS)
        self._told = first

    def add(self, at_ms: int, rule: str, text: str) -> None:
        """One more, in a sentence."""
        self._kept.append(Alert(self.next, at_ms, rule, short(text, SENTENCE)))
        self.next += 1

    def latest(self) -> list[Alert]:
        """All that are kept, the newest last."""
        return list(self._kept)

    def new(self) -> list[Alert]:
        """Those since the last call."""
        new = [each for each in self._kept if each.id >= self._told]
        self._told = self.next
        return new
