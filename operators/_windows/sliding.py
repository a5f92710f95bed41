"""Windows of a fixed length that overlap."""

from collections.abc import Sequence
from typing import Any, Unpack, overload

from cgrx._model.events import Event
from cgrx._model.times import Duration
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, flag
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.options import GridOptions, RowT
from cgrx.operators._windows.sizes import overlapping
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, rows, terms


@overload
def sliding(size: Duration, every: Duration, **options: Unpack[GridOptions]) -> Stage[Event | Row, Flow]: ...
@overload
def sliding(
    size: Duration,
    every: Duration,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    offset: Duration = 0,
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event | Row, RowT]: ...
def sliding(
    size: Duration,
    every: Duration,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    offset: Duration = 0,
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event | Row, Any]:
    """One row every `every`, for each key that had an event within the `size` before.

    Examples:
        >>> trades = batch(trade("buy", 100, time="30s"), trade("buy", 200, time="90s"))
        >>> for row in play(ops.sliding("2m", every="1m"), [trades, alive("5m")]):
        ...     print(row.start_ms, row.end_ms, row.volume)
        -60000 60000 100.0
        0 120000 300.0
        60000 180000 200.0

    Windows of `size` begin at multiples of `every` since the epoch, so they overlap. An event that comes after some of
    its windows have closed is late, once, and still counts in those that are open. Of the open windows of a key, the
    running row is that of the first one that ends after the key's latest event. All else is as with `tumbling`.

    Args:
        size: length of a window.
        every: from the start of one window to that of the next; at most `size`.
        row: as with `tumbling`, like all that follow.
        by: see `tumbling`.
        offset: how much later than at multiples of `every` windows begin; less than `every`.
        lateness: see `tumbling`.
        idle: see `tumbling`.
        on_late: see `tumbling`.
        updates: see `tumbling`.
        emit_empty: see `tumbling`.
        max_keys: see `tumbling`.
        **aggregates: see `tumbling`.

    State and cost: time is cut into panes, as long as the greatest common divisor of `size` and `every`. Two partial
    results are kept for each key and pane that had an event. An event costs one addition, and a pane three merges,
    however long the window is. Only a row that follows a late event costs one merge for each pane.

    Raises:
        ValueError: as with `tumbling`, or `every` is more than `size`, or `size` one of the calendar.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    return Grid(
        spacing=overlapping(size, every, offset),
        rows=rows(row, by, aggregates),
        terms=terms(lateness, updates, max_keys, idle, on_late),
        emit_empty=flag(emit_empty, "emit_empty"),
    )
