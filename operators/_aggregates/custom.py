"""The user's own aggregate."""

from collections.abc import Callable
from typing import TypeVar, cast

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import Aggregate, Side, filtered, require_callables, written
from cgrx.operators._aggregates.formulas import Function
from cgrx.operators._aggregates.primitives import ALL, Keep

S = TypeVar("S")
E = TypeVar("E", bound=Event)
R = TypeVar("R")


def custom(
    start: Callable[[], S],
    add: Callable[[S, E], S],
    merge: Callable[[S, S], S],
    result: Callable[[S], R],
    *,
    side: Side | None = None,
    of: type[E] | None = None,
) -> Aggregate[R]:
    """An aggregate of your own, of four functions; the row's other aggregates are not slowed down by it.

    Its result is independent of order, batching and merging if `add` and `merge` are: it must not matter in what
    order events are added, nor whether they are added to one state or to two that are then merged.

    Examples:
        >>> from collections import Counter
        >>> from operator import add
        >>> def count(counter, event):
        ...     return counter + Counter([event.base_asset])
        >>> often = agg.custom(Counter, count, add, lambda all_: all_.most_common(1))
        >>> events = batch(trade(), trade(), trade(base_asset="ETH"))
        >>> [row] = play(ops.tumbling("1m", often=often), [events])
        >>> row.often
        [('BTC', 2)]

    Args:
        start: gives the state before any event, a new one each time.
        add: takes a state and an event, and gives the new state; it may change the state that it got.
        merge: takes two states and gives that of both; it may change the first, not the second.
        result: takes a state and gives the row's value, without changing the state: it is called for each row, also
            for running ones. Rows hash and pickle only if their values do.
        side: of one side only, see `count`.
        of: of one type of event only.

    Returns:
        An aggregate of what `result` gives; without any event, `result(start())`. It pickles only if the functions do,
        and a pipeline that holds it cannot be compiled.

    Raises:
        TypeError: an argument is no function, or not hashable; else as `count`.
        ValueError: as `count`.
    """
    require_callables("custom", start=start, add=add, merge=merge, result=result)
    part = Keep(start, add, merge, guard=filtered("custom", side, cast("type[Event] | None", of)))
    code = written("custom", start, add, merge, result, side=side, of=of)
    formula = Function(result, (part,))
    return Aggregate(code, formula, kind=object, over_rows=formula if part.guard == ALL else None)
