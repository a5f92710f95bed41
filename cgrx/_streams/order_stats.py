"""What an ordered merge has done so far: the counts that it keeps, and the snapshot of them that users see."""

import attrs


@attrs.frozen
class OrderStats:
    """What an `OrderedStream` has done so far, all its subscriptions together.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     trades = feed.futures_trades_across(
        ...         [("Binance", "BTCUSDT")], min_volume=10_000
        ...     )
        ...     print(trades.stats.late)
        0
    """

    events: int
    """Events that came in. All of them go out, none is dropped."""
    late: int
    """Of those, events that went out behind later ones, because they came more than `max_delay` after them."""
    worst_late_ms: int
    """How far behind the order the latest of them was, milliseconds of event time; 0 if none was late."""


@attrs.define
class OrderCounts:
    """See `OrderStats`."""

    events: int = 0
    late: int = 0
    worst_late_ms: int = 0

    def add_late(self, late_ms: int) -> None:
        """One more that was late, by so much."""
        self.late += 1
        self.worst_late_ms = max(self.worst_late_ms, late_ms)
