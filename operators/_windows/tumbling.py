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
    A window closes as soon as the watermark reaches its end. The watermark is the highest event time of the slowest
    exchange that is not idle, minus `lateness`. Rows come out by window end, then key, each once. The worst delay of a
    row is lateness + idle + the time to the next proof that the connection lives. Without that proof nothing closes in
    a silent market.

    Args:
        size: length of a window, such as `"1m"`.
        row: a class of rows, by default `Flow`. With keyword aggregates and no class, the row holds these alone.
        by: the name of the key field, or several in a tuple: there is a row for each key. By default the key fields
            that `row` declares; if there are none, all events are of one key. `"side"` cannot be the key of
            liquidations and trades together, which number their sides alike.
        lateness: how far behind the newest event of its exchange an event may be and still count.
        idle: how long an exchange must be silent, on a connection that is proven alive, before windows close without
            waiting for it.
        on_late: an observer, whose `on_next` is called, or a function: receives each event whose window has closed.
            Rows count such events (`late`); no row changes, and no window opens again.
        updates: give running rows too (`final` is False): one for each key that has changed, whenever event time, or
            the time proven alive, enters a new period of this length. They do not wait for `lateness`.
        emit_empty: give a row also for each window in which a known key had no event. A key is known from its first
            event on, and rows begin with the subscription. After 10,000 such windows in a row no more are given until
            an event comes.
        max_keys: how many keys may be open at once; `math.inf` for no bound.
        **aggregates: further aggregates by the name of their field.

    On completion the open windows come out, not final; `gap_ms` says how much of them was not seen. On an error nothing
    more comes out. A gap makes the windows that it overlaps incomplete, and so do lost events; both are widened by
    `lateness`, because the clocks of the exchange and of this machine differ. The window that was running when the
    subscription began is incomplete. Behind anything that is no EventStream `gap_ms` is None.

    State: one partial result for each open window and key; with `emit_empty=True` also every key that ever came.

    Raises:
        ValueError: `size` is shorter than a millisecond, `by` names an unknown field, an aggregate has the name of
            another field, or the key of a `Bar` does not hold exchange and symbol.
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
