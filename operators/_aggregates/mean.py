"""The mean and the standard deviation of a field, where each event counts the same."""

from cgrx._model.events import Event
from cgrx.operators._aggregates.aggregate import AMOUNTS, Aggregate, Amount, Side, filtered, one_of, written
from cgrx.operators._aggregates.formulas import Deviation, Ratio
from cgrx.operators._aggregates.primitives import Count, Sum


def mean(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The arithmetic mean: Σx / n, each event counting the same. For the price per unit traded see `vwap`.

    Unit: the field's. Without any event: None. Error: one rounding.

    Args:
        field: `"price"` or `"volume_usd"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("mean", "field", field, AMOUNTS)
    guard = filtered("mean", side, of)
    code = written("mean", field, side=side, of=of)
    return Aggregate(code, Ratio(((1, Sum(field, guard=guard)),), Count(guard=guard)))


def stddev(
    field: Amount = "price", *, side: Side | None = None, of: type[Event] | None = None
) -> Aggregate[float | None]:
    """The standard deviation of these events: √(Σ(x - mean)² / n), that of a population, each event counting the same.

    Unit: the field's. Without any event: None; of one: 0.0. Error: one rounding; computed as √(nΣx² - (Σx)²) / n in
    integers, where nothing cancels.

    Args:
        field: `"price"` or `"volume_usd"`.
        side: of one side only, see `count`.
        of: of one type of event only.

    Raises:
        ValueError: another field; else as `count`.
        TypeError: as `count`.
    """
    one_of("stddev", "field", field, AMOUNTS)
    guard = filtered("stddev", side, of)
    deviation = Deviation(Count(guard=guard), Sum(field, guard=guard), Sum(f"{field}_squared", guard=guard))
    return Aggregate(written("stddev", field, side=side, of=of), deviation)
