"""The exponentially weighted mean."""

from typing import overload

from cgrx._model.events import Event
from cgrx._model.times import Duration, positive_ms, spelled
from cgrx.operators._aggregates import paths
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, field_of, filtered, written
from cgrx.operators._aggregates.decayed import Decayed
from cgrx.operators._aggregates.formulas import DecayedMean


@overload
def ewm(
    field: Amount = "price", *, half_life: Duration, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]: ...
@overload
def ewm(field: str, *, half_life: Duration) -> Aggregate[float | None]: ...
def ewm(
    field: str = "price", *, half_life: Duration, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The exponentially weighted mean, by event time: Σwx / Σw, where the weight w halves with each `half_life` of age.

    Examples:
        >>> events = batch(trade(price=100, time="0s"), trade(price=130, time="10s"))
        >>> minute = ops.tumbling("1m", smooth=agg.ewm("price", half_life="10s"))
        >>> [row] = play(minute, [events])
        >>> row.smooth  # (100 / 2 + 130) / (1 / 2 + 1)
        120.0

    w = 2^(-(T - t) / half_life) for an event at t. From which moment T the age is counted makes no difference to the
    mean, so it does not depend on when the row is made. Events of the same time weigh the same. A window of one
    half-life or less is nearly a plain mean; one of many half-lives is about the latest events, and its length no
    longer matters. Nothing is carried from one window to the next: each row is about its own events.

    In a window over rows, that of a field of theirs; the time of a row is its end.

    Unit: the field's. Without any event: None. Error: one rounding, and 2e-16 of each weight; events that are more than
    128 half-lives older than the latest weigh less than 3e-39 of it and are left out. State: two integers for each
    half-life of the window that has events, at most 256 times.

    Args:
        field: `"price"` or `"volume_usd"`; or the name of a number of the rows.
        half_life: the age at which an event counts half, as a duration: `"30s"`. 1 ms or more.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field, or a half-life of less than 1 ms or that is not finite; else as `count`.
        TypeError: `half_life` is no duration; else as `count`.
    """
    half_life_ms = positive_ms(half_life, "agg.ewm: half_life")
    guard = filtered("ewm", side, of)
    rows = field_of("ewm", field, AMOUNTS, guard, paths.ewm(field, half_life_ms))
    code = written("ewm", field, half_life=spelled(half_life_ms)[1:-1], side=side, of=of)
    if rows is not None and field not in AMOUNTS:
        return Aggregate(code, rows, over_rows=rows)
    return Aggregate(code, DecayedMean(Decayed(field, half_life_ms, guard=guard)), over_rows=rows)
