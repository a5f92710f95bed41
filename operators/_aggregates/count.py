"""The number of events."""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, written
from cgrx.operators._aggregates.formulas import Value
from cgrx.operators._aggregates.primitives import ALL, Count


def count(*, side: Side | None = None, of: type[Event] | None = None) -> Aggregate[int]:
    """How many events. In a window over rows, how many rows.

    Examples:
        >>> events = batch(*map(liquidation, ("long", "long", "short")))
        >>> minute = ops.tumbling("1m", n=agg.count(), longs=agg.count(side="long"))
        >>> [row] = play(minute, [events])
        >>> row.n, row.longs
        (3, 2)

    Unit: events. Without any: 0. Error: none.

    Args:
        side: count those of one side only: `"long"`, `"short"` of liquidations, `"buy"`, `"sell"` of trades.
        of: count those of one type only, `Liquidation` or `Trade`.

    Raises:
        ValueError: an unknown side, or one of the other type of event than `of`.
        TypeError: `of` is no type of event.
    """
    guard = filtered("count", side, of)
    counted = Value(Count(guard=guard))
    over_rows = counted if guard == ALL else None
    return Aggregate(written("count", side=side, of=of), counted, kind=int, over_rows=over_rows)
