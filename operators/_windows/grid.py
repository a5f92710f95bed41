"""Windows of a fixed length, aligned to the epoch: one after the other, or overlapping."""

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import attrs

from cgrx._model.events import Event
from cgrx._model.times import Duration
from cgrx._streams.about import About
from cgrx._streams.running import Running
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, flag, positive_ms, spelled
from cgrx.operators._windows.grid_running import Aligned
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, UNTIL_PROOF, Window, rows, terms

RowT = TypeVar("RowT", bound=Row)


@attrs.frozen(repr=False, kw_only=True)
class Grid(Window[RowT]):
    """See `tumbling` and `sliding`."""

    size_ms: int
    every_ms: int
    emit_empty: bool

    def start(self) -> Running[Any, Any]:
        return Aligned(self, self.size_ms, self.every_ms, emit_empty=self.emit_empty)

    @property
    def about(self) -> About:
        what = "window" if self.size_ms == self.every_ms else "pane, twice,"
        also = ", and every key that ever came" if self.emit_empty else ""
        return self._about(f"a partial result for each open {what} and key{also}", self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        size = spelled(self.size_ms)
        kind = f"tumbling({size}" if self.size_ms == self.every_ms else f"sliding({size}, {spelled(self.every_ms)}"
        emit_empty = ", emit_empty=True" if self.emit_empty else ""
        return f"{kind}{self.rows}{self.terms}{emit_empty})"


@overload
def tumbling(
    size: Duration,
    row: type[RowT],
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
@overload
def tumbling(
    size: Duration,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
) -> Stage[Event, Flow]: ...
@overload
def tumbling(
    size: Duration,
    row: None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Row]: ...
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


@overload
def sliding(
    size: Duration,
    every: Duration,
    row: type[RowT],
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
@overload
def sliding(
    size: Duration,
    every: Duration,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
) -> Stage[Event, Flow]: ...
@overload
def sliding(
    size: Duration,
    every: Duration,
    row: None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event, Row]: ...
def sliding(
    size: Duration,
    every: Duration,
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
    """One row every `every`, for each key that had an event within the `size` before.

    Windows of `size` begin at multiples of `every` since the epoch, so they overlap. An event that comes after some of
    its windows have closed is late, once, and still counts in those that are open. A running row is that of the first
    window that ends after the key's latest event. All else is as with `tumbling`, also the other arguments.

    Args:
        size: length of a window.
        every: from the start of one window to that of the next; at most `size`.
        row: as with `tumbling`, like all that follow.
        by: see `tumbling`.
        lateness: see `tumbling`.
        idle: see `tumbling`.
        on_late: see `tumbling`.
        updates: see `tumbling`.
        emit_empty: see `tumbling`.
        max_keys: see `tumbling`.
        **aggregates: see `tumbling`.

    State and cost: time is cut into panes as long as the greatest common divisor of `size` and `every`. For each key
    two partial results for each pane that had an event; one addition for each event, and three merges for each pane,
    however long the window. Only a row that follows a late event costs a merge for each pane.

    Raises:
        ValueError: as with `tumbling`, or `every` is more than `size`.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    size_ms = positive_ms(size, "size")
    every_ms = positive_ms(every, "every")
    if every_ms > size_ms:
        raise ValueError(f"every={every!r} is more than size={size!r}: events between two windows would be in none")
    return Grid(
        size_ms=size_ms,
        every_ms=every_ms,
        rows=rows(row, by, aggregates),
        terms=terms(lateness, updates, max_keys, idle, on_late),
        emit_empty=flag(emit_empty, "emit_empty"),
    )
