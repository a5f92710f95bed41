"""Windows one after the other, of a fixed length or by the calendar."""

from collections.abc import Sequence
from typing import Any, Unpack, overload

from cgrx._model.events import Event
from cgrx._model.times import Duration
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, flag
from cgrx.operators._windows.calendar import Weekday
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.options import CalendarOptions, RowT
from cgrx.operators._windows.sizes import successive
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, rows, terms


@overload
def tumbling(size: Duration, **options: Unpack[CalendarOptions]) -> Stage[Event | Row, Flow]: ...
@overload
def tumbling(
    size: Duration,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    zone: str | None = None,
    start: str | None = None,
    week_start: Weekday | None = None,
    offset: Duration = 0,
    lateness: Duration = ...,
    idle: Duration = ...,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = ...,
    **aggregates: Aggregate[Any],
) -> Stage[Event | Row, RowT]: ...
def tumbling(
    size: Duration,
    row: type[Row] | None = None,
    *,
    by: str | Sequence[str] = (),
    zone: str | None = None,
    start: str | None = None,
    week_start: Weekday | None = None,
    offset: Duration = 0,
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
    updates: Duration | None = None,
    emit_empty: bool = False,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Event | Row, Any]:
    """One row for each window of `size` and key that had an event.

    Examples:
        >>> sales = (("buy", 500, "65s"), ("sell", 200, "70s"), ("buy", 900, "130s"))
        >>> trades = batch(*(trade(side, usd, time=time) for side, usd, time in sales))
        >>> for row in play(ops.tumbling("1m"), [alive("60s"), trades, alive("4m")]):
        ...     print(row.start_ms, row.end_ms, row.count, row.volume, row.complete)
        60000 120000 2 700.0 True
        120000 180000 1 900.0 True
        >>> hour = ops.tumbling("1h", by="exchange", price=agg.vwap(), n=agg.count())
        >>> [(row.exchange, row.price, row.n) for row in play(hour, [trades])]
        [('Binance', 60000.0, 3)]

    A window holds the events with a time in [start_ms, end_ms). Where windows begin depends on `size`:

    - a fixed length, such as `"8h"`: at its multiples since the epoch, plus `offset`. So `"1d"` is a day of UTC, and
      `"7d"` begins on a Thursday, as the epoch did.
    - a size of the calendar: `"1d"` with a `zone`, `"1w"`, `"1mo"`, `"1q"`, `"1y"`; also `"2mo"`, `"4mo"` and `"6mo"`,
      which begin with January. Windows begin when the clocks of `zone` show `start` on the first day. So the day on
      which they are set forward has 23 hours, and the day on which they are set back 25.

    A window closes as soon as the watermark reaches its end. The watermark is the highest event time of the slowest
    exchange that is not idle, minus `lateness`. Rows come out by window end, then key, each once. The worst delay of a
    row is lateness + idle + the time to the next proof that the connection lives. Without that proof nothing closes in
    a silent market.

    Args:
        size: length of a window, such as `"1m"`, or a size of the calendar, such as `"1w"`.
        row: a class of rows, by default `Flow`. With keyword aggregates and no class, the row holds these alone.
        by: the name of the key field, or several in a tuple: there is a row for each key. By default the key fields
            that `row` declares; if there are none, all events are of one key. `"side"` cannot be the key of
            liquidations and trades together, which number their sides alike.
        zone: whose calendar it is: a name of the IANA database, such as `"America/New_York"`; by default UTC. The
            rules come from the system, or from the extra `zones` where that has none.
        start: the time of day at which windows of the calendar begin, such as `"17:00"`, in `zone`; by default
            midnight, or the first moment of a day without it. Of a time that comes twice, because clocks are set back,
            the first.
        week_start: the day with which windows of `"1w"` begin, by default `"monday"`.
        offset: how much later than at multiples of `size` windows of a fixed length begin, such as `"4h"`; less than
            `size`.
        lateness: how far behind the newest event of its exchange an event may be and still count.
        idle: how long an exchange must be silent, on a connection that is proven alive, before windows close without
            waiting for it.
        on_late: an observer, whose `on_next` is called, or a function: receives each event whose window has closed.
            Rows count such events (`late`); no row changes, and no window opens again.
        updates: give running rows too (`final` is False): one for each key that has changed, whenever event time, or
            the time proven alive, enters a new period of this length. They do not wait for `lateness`. With 0 each
            event is followed by a running row of its key, which holds it. A window of a grid stays where it is, so none
            is ever withdrawn; of other windows see `session`.
        emit_empty: give a row also for each window in which a known key had no event. A key is known from its first
            event on, and rows begin with the subscription. After 10,000 such windows in a row no more are given until
            an event comes.
        max_keys: how many keys may be open at once; `math.inf` for no bound.
        **aggregates: further aggregates by the name of their field.

    Over rows: with aggregates that read the fields of rows, such as `agg.sum("volume")`, it stands behind a window with
    windows that fit into its own, and gives a row for each of its windows and key that had a row. Final rows count. It
    closes with the window beneath that ends with it: `idle` does nothing, and `lateness` is that by which gaps are
    widened where no row tells of them, so give that of the window beneath. With `updates`, the latest row
    of each open window beneath counts in a running row, and a withdrawn row no longer.

        minutes = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
        feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(
            minutes, ops.tumbling("1h", by="symbol", high=agg.max("high"), volume=agg.sum("volume"))
        )

    On completion the open windows come out, not final; `gap_ms` says how much of them was not seen. On an error nothing
    more comes out. A gap makes the windows that it overlaps incomplete, and so do lost events; both are widened by
    `lateness`, because the clocks of the exchange and of this machine differ. The window that was running when the
    subscription began is incomplete. Behind anything that is no EventStream `gap_ms` is None.

    State: one partial result for each open window and key; with `emit_empty=True` also every key that ever came.

    Raises:
        ValueError: `size` is shorter than a millisecond; there is no such zone; from 2015 to 2040 there is a window
            that would begin at a `start` across which clocks are set forward; an argument does not go with `size`;
            `by` names an unknown field, an aggregate has the name of another field, or the key of a `Bar` does not hold
            exchange and symbol. Over rows, where the stream is known when applied to it, else through `on_error`: the
            rows lack a field or a key, or their windows do not fit.
        TypeError: an argument of another type.
        ImportError: the system has no rules of zones, and the extra `zones` is not installed.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    return Grid(
        spacing=successive(size, offset, zone, start, week_start),
        rows=rows(row, by, aggregates),
        terms=terms(lateness, updates, max_keys, idle, on_late),
        emit_empty=flag(emit_empty, "emit_empty"),
    )
