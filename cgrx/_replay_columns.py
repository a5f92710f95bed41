"""Which rows of a recording anybody wants, told from its columns before an event is made of any.

A subscriber that begins with filters (`side`, `min_volume`, `max_volume`, `exchange`, `symbol`, `base_asset`) wants the
events that meet their conditions; any other wants them all. A row is wanted if one subscriber of its channel wants it.
Too much does no harm, for each subscriber's own filters follow; so what is told of columns need not be exact about
what is no number, but it must never leave out what a filter would keep.
"""

from typing import TYPE_CHECKING, Any

from cgrx._replay_source import Conditions
from cgrx.operators._conditions import Condition

if TYPE_CHECKING:
    import pyarrow as pa


def meets_any(columns: "pa.RecordBatch", asked: frozenset[Conditions]) -> "pa.Array | None":
    """Of each row, whether it meets all the conditions of one subscriber; None for every row."""
    import pyarrow.compute as pc

    if () in asked:
        return None
    found: Any = None
    for conditions in asked:
        met: Any = None
        for condition in conditions:
            one = _meets(columns.column(condition.field), condition)
            met = one if met is None else pc.and_(met, one)
        found = met if found is None else pc.or_(found, met)
    return found


def _meets(column: "pa.Array", condition: Condition) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    match condition.comparison:
        case "==":
            return pc.equal(column, condition.value)
        case ">=":
            return pc.greater_equal(column, condition.value)
        case "<=":
            return pc.less_equal(column, condition.value)
        case _:
            # Texts are compared as only Python does it: once for each distinct one.
            accepted = [text for text in pc.unique(column).to_pylist() if text is not None and condition.accepts(text)]
            return pc.is_in(column, value_set=pa.array(accepted, pa.string()))


def may_meet(least: float, most: float, condition: Condition) -> bool:
    """Whether a number between these, as statistics of a column give them, may meet a condition."""
    match condition.comparison:
        case "==":
            return least <= condition.value <= most
        case ">=":
            return most >= condition.value
        case "<=":
            return least <= condition.value
        case _:
            return True
