"""The four prices of a bar.

The first event is the one with the smallest time; of those that share it, the one with the smallest price. The last is
the largest in the same order. So the arrival order of events decides nothing.
"""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, written
from cgrx.operators._aggregates.formulas import Value
from cgrx.operators._aggregates.min_max import extreme
from cgrx.operators._aggregates.primitives import EdgePrice


def open(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The price of the first event: smallest time, then smallest price.

    Examples:
        >>> prices = (101, 99, 104, 103)
        >>> events = batch(*(trade(price=p, time=i) for i, p in enumerate(prices)))
        >>> [row] = play(ops.tumbling("1m", open=agg.open()), [events])
        >>> row.open
        101

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return Aggregate(written("open", side=side, of=of), Value(EdgePrice(False, guard=filtered("open", side, of))))


def high(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The highest price.

    Examples:
        >>> prices = (101, 99, 104, 103)
        >>> events = batch(*(trade(price=p, time=i) for i, p in enumerate(prices)))
        >>> [row] = play(ops.tumbling("1m", high=agg.high()), [events])
        >>> row.high
        104

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return extreme(written("high", side=side, of=of), "price", True, filtered("high", side, of))


def low(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The lowest price.

    Examples:
        >>> prices = (101, 99, 104, 103)
        >>> events = batch(*(trade(price=p, time=i) for i, p in enumerate(prices)))
        >>> [row] = play(ops.tumbling("1m", low=agg.low()), [events])
        >>> row.low
        99

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return extreme(written("low", side=side, of=of), "price", False, filtered("low", side, of))


def close(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[float | None]:
    """The price of the last event: largest time, then largest price.

    Examples:
        >>> prices = (101, 99, 104, 103)
        >>> events = batch(*(trade(price=p, time=i) for i, p in enumerate(prices)))
        >>> [row] = play(ops.tumbling("1m", close=agg.close()), [events])
        >>> row.close
        103

    Unit: the price's. Without any event: None. Error: none.

    Args:
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError, TypeError: as `count`.
    """
    return Aggregate(written("close", side=side, of=of), Value(EdgePrice(True, guard=filtered("close", side, of))))
