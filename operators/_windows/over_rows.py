"""Checks of windows over rows: that the rows have what is read of them, and that their windows fit."""

from datetime import date
from typing import Any

from cgrx._model.events import EVENT_TYPES
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.over_rows import Rank
from cgrx.operators._aggregates.primitives import FIELDS
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.items import key_reader, number_reader
from cgrx.operators._windows.calendar import FIRST_YEAR, LAST_YEAR, Calendar
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.zones import DAY_MS

_EPOCH = date(1970, 1, 1).toordinal()


def check_row_type(stage: Any, kind: type[Any]) -> None:
    """Check that items of a type are rows that have what a window reads of them.

    Raises:
        ValueError: they have not.
    """
    row: type[Row] = stage.rows.type
    if not issubclass(kind, Row):
        name, aggregate = next((name, each) for name, each in row.aggregates if each.reads_rows)
        known = ", ".join(map(repr, FIELDS)) if kind in EVENT_TYPES.values() else "none"
        raise ValueError(
            f"{stage!r} takes rows, not {kind.__name__}: {name}={aggregate!r} reads a field of rows; put it behind a"
            f" window, or give a field of events ({known})"
        )
    key_reader(stage, kind, row.key_fields)
    for _, aggregate in row.aggregates:
        for field in aggregate.fields:
            if field not in kind.key_fields:
                number_reader(stage, kind, field)


def check_no_rank(stage: Any) -> None:
    """Check that no aggregate needs all values at once, which rolling windows alone have.

    Raises:
        ValueError: one does.
    """
    for name, aggregate in stage.rows.type.aggregates:
        if isinstance(aggregate.formula, Rank):
            raise ValueError(f"{stage!r}: {name}={aggregate!r} is for ops.rolling, which keeps the last n rows")


def check_grid(stage: object, above: Regular | Calendar, beneath: Stage[Any, Any], spacing: object) -> None:
    """Check that each window of a grid is made of whole windows of another.

    Args:
        stage: the stage above, to be named.
        above: where its windows are.
        beneath: the stage beneath, to be named.
        spacing: where its windows are; None if they are on no grid.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(spacing, Regular | Calendar):
        wrong = "they lie on no grid of time"
    elif spacing.overlapping:
        wrong = "they overlap, so what two of them hold would count twice"
    elif not _fits(above, spacing):
        wrong = "some reach across the boundary of two of its own"
    else:
        return
    raise ValueError(
        f"{stage!r} needs windows that fit into its own, and those of {beneath!r} do not: {wrong}. Give windows one"
        ' after the other that divide it, such as ops.tumbling("1m") for hours'
    )


def _fits(above: Regular | Calendar, beneath: Regular | Calendar) -> bool:
    if isinstance(above, Regular) and isinstance(beneath, Regular):
        size_ms = beneath.size_ms
        return above.pane_ms % size_ms == 0 and (above.offset_ms - beneath.offset_ms) % size_ms == 0
    outer, inner = above.ruler(), beneath.ruler()
    time_ms, last_ms = ((date(year, 1, 1).toordinal() - _EPOCH) * DAY_MS for year in (FIRST_YEAR, LAST_YEAR))
    while time_ms < last_ms:
        start_ms, time_ms = outer.pane(time_ms)
        if inner.pane(start_ms)[0] != start_ms:
            return False
    return True
