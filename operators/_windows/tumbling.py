"""Windows of a fixed length, one after the other."""

from collections.abc import Sequence
from typing import Any, Unpack, overload

from cgrx._model.events import Event
from cgrx._model.times import Duration
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, flag, positive_ms
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.options import GridOptions, RowT
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, rows, terms


@overload
def tumbling(size: Duration, **options: Unpack[GridOptions]) -> Stage[Event, Flow]: ...
@overload
def tumbling(
    size: Duration,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, RowT]: ...
def tumbling(
    size: Duration,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Any]:
    """One row for each window of `size` and key that had an event.

    A window holds the events with a time in [start_ms, end_ms); windows begin at multiples of `size` since the epoch.
    One closes as soon as the watermark reaches its end: the highest event time of the slowest exchange that is not
    idle, minus `lateness`. Rows come out by window end, then key, each once. The worst delay of a row is lateness +
    idle + the time to the next proof that the connection lives. Without that proof a silent market closes nothing.

    Args:
        size: length of a window, such as `"1m"`.
        row: a class of rows, by default `Flow`; with keyword aggregates none, then the row is made of them.
        by: the field or fields to keep apart; those that `row` declares, if it does. None at all means one key. Not
            `"side"` of liquidations and trades together: they number their sides alike.
        lateness: how much later than a newer event of its exchange one may come and still count.
        idle: how long an exchange must be silent, on a connection that is proven alive, to be waited for no more.
        on_late: an observer, whose `on_next` is called, or a function: gets each event whose window has closed. Such
            events are counted in the rows (`late`), change none, and open no window again.
        updates: give running rows too (`final` is False), one for each key that has changed, when event time, or the
            time that is proven, enters another period of this length. They wait for no lateness.
        emit_empty: give a row also for each window in which a key that is known had no event.
        max_keys: how many keys may be open at once; `math.inf` for no bound.
        **aggregates: further aggregates by the name of their field.

    On completion the open windows come out, not final; what was not seen of them is in `gap_ms`. On an error nothing
    more comes. A gap makes the windows that it overlaps incomplete, and so do lost events; both are taken as
    `lateness` wider than told, because times differ between the exchange and here. The window that was running when
    the subscription began is incomplete. Behind anything that is no EventStream `gap_ms` is None.

    State: for each open window and key one partial result; with `emit_empty=True` each key that ever came.

    Raises:
        ValueError: a size that is none, an unknown field in `by`, a name that the row has already, a `Bar` whose key
            leaves the instrument open.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    size_ms = positive_ms(size, "size")
    return Grid(
        size_ms=size_ms,
        every_ms=size_ms,
        rows=rows(row, by, aggregates),
        terms=terms(lateness, updates, max_keys, idle, on_late),
        emit_empty=flag(emit_empty, "emit_empty"),
    )
