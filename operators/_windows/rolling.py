"""The last n rows of each key: what the latest one is among them."""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from cgrx._model.signals import Batch, Mark
from cgrx._model.times import Duration
from cgrx._streams.about import About
from cgrx._streams.counts import StageStats
from cgrx._streams.running import Running, noted
from cgrx._streams.stream import Stage
from cgrx.operators._aggregates.accumulators import Accumulator
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._aggregates.over_rows import Rank
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.items import key_reader, too_many
from cgrx.operators._windows.beneath import Beneath
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.over_rows import check_row_type
from cgrx.operators._windows.panes import PaneQueue
from cgrx.operators._windows.window import DEFAULT_LATENESS, MAX_KEYS, Window, rows, terms


@attrs.frozen(repr=False, kw_only=True)
class Rolling(Window[RowT]):
    """See `rolling`."""

    takes_rows = True

    n: int

    def __attrs_post_init__(self) -> None:
        if not self.rows.type.over_rows:
            raise ValueError(
                f"{self!r} needs an aggregate of the rows that it looks back on, such as mean=agg.mean('close')"
            )

    def start(self) -> Running[Any, Any]:
        return _RollingRunning(self)

    @property
    def about(self) -> About:
        return self._about(f"two partial results for each of the last {self.n:,} rows of each key", 0)

    def __repr__(self) -> str:
        return f"rolling({self.n}{self.rows}{self.terms})"


def rolling(
    n: int,
    /,
    row: type[RowT] | None = None,
    *,
    by: str | Sequence[str] = (),
    lateness: Duration = DEFAULT_LATENESS,
    max_keys: float = MAX_KEYS,
    **aggregates: Aggregate[Any],
) -> Stage[Row, RowT]:
    """One row about the last `n` rows of a key, for each row from the `n`-th on: 1 row -> 0 or 1 row.

        in                                              1-2-6-3---     the values of one key
        rolling(3, mean=agg.mean("volume"))             ----a-b---     a: mean=3.0, b: mean=3.67

    Examples:
        >>> usd = (1, 2, 6, 3)
        >>> trades = batch(*(trade("buy", x, time=60 * i) for i, x in enumerate(usd)))
        >>> minute, three = ops.tumbling("1m"), ops.rolling(3, mean=agg.mean("volume"))
        >>> rows = play(ops.pipeline(minute, three), [trades, alive("1h")])
        >>> [round(row.mean, 2) for row in rows]
        [3.0, 3.67]

    Stands behind a window, and its aggregates read the fields of that window's rows: `agg.mean("close")`, `stddev`,
    `zscore`, `rank`, `change`, and all others of rows. The first n - 1 rows of a key give none: of fewer rows there is
    no number to trust.

        class Unusual(ops.Row):
            base_asset: str
            zscore = agg.zscore("volume")

        feed.liquidations().pipe(ops.tumbling("1m", by="base_asset"), ops.rolling(60, Unusual))

    Rows follow each other in the order in which they come. Running rows, withdrawn ones, and those that completion cut
    short, take no part. Where no event came there is no row, unless the window beneath has `emit_empty=True`: `n` rows
    of minutes may be more than `n` minutes. `start_ms` is that of the first of the `n` rows and `end_ms` that of the
    last. `gap_ms` is what is missing between, also where no row is; `dropped` likewise, where a loss that several rows
    may have had counts once; `late` is that of the latest row. All are final. Marks pass; on completion and on an error
    nothing more comes out.

    Args:
        n: how many rows, 2 or more; by position only, so that a field may be called `n`.
        row: a class of rows. With keyword aggregates and no class, the row holds these alone.
        by: the name of the key field, or several in a tuple, which the rows must have: the last `n` of each key. By
            default the key fields that `row` declares; if there are none, all rows are of one key.
        lateness: by how much gaps and losses are widened; give that of the window beneath.
        max_keys: how many keys there may be; `math.inf` for no bound. A key stays once it has come.
        **aggregates: further aggregates by the name of their field.

    State and cost: two partial results for each of the last `n` rows of each key, three merges for each row, whatever
    `n` is. Sums are exact integers, so nothing drifts. `agg.rank` keeps the values in order: it costs log n
    comparisons, and moves up to n pointers.

    Raises:
        ValueError: `n` is below 2; no aggregate reads a field of rows; an argument as with `tumbling`. For a field that
            the rows lack: where the stream is known to carry such, when applied to it; else through `on_error`, at the
            first one.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: there are more than `max_keys` keys.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"n={n!r} takes a number of rows, 2 or more")
    if n < 2:
        raise ValueError(f"n={n!r} takes a number of rows, 2 or more: one row alone has nothing before it")
    return Rolling(n=n, rows=rows(row, by, aggregates), terms=terms(lateness, None, max_keys))


class _Ordered:
    """The last values of one field in order. State: n values, twice."""

    def __init__(self) -> None:
        self._arrived: deque[Any] = deque()
        self._ordered: list[Any] = []

    def push(self, value: Any) -> None:
        if value is not None and value == value:
            insort(self._ordered, value)
        else:
            value = None
        self._arrived.append(value)

    def drop(self) -> None:
        """Drop the oldest."""
        value = self._arrived.popleft()
        if value is not None:
            del self._ordered[bisect_left(self._ordered, value)]

    def rank(self, value: Any) -> int | None:
        return None if value is None else bisect_right(self._ordered, value)


class _Key:
    """The last rows of one key."""

    def __init__(self, make: Callable[[], Accumulator], ranks: dict[int, str]) -> None:
        self.queue = PaneQueue(make)
        self.number = 0
        """How many rows there have been."""
        self.rows: deque[Row] = deque()
        self.faults: dict[tuple[int, int], tuple[int, int]] = {}
        self.ordered = {at: _Ordered() for at in ranks}


class _RollingRunning(Running[Any, Row]):
    """The rolling windows of one subscription, by key."""

    remade = frozenset({"_n", "_by", "_ranks"})

    def __init__(self, stage: Rolling[Any]) -> None:
        row = stage.rows.type
        self._stage = stage
        self._n = stage.n
        self._make = row.accumulator
        self._by = row.key_fields
        self._from_values = row.from_values
        self._beneath = Beneath(stage.terms.lateness_ms)
        self._keys: dict[Any, _Key] = {}
        self._ranks = {
            index: aggregate.formula.of.field
            for index, (_, aggregate) in enumerate(row.aggregates)
            if isinstance(aggregate.formula, Rank)
        }
        self._key_of: Callable[[Any], Any] = key_reader(stage, row, row.key_fields)
        self._checked: type[Row] | None = None

    @property
    def stats(self) -> StageStats:
        return StageStats(keys=len(self._keys))

    def on_batch(self, batch: Batch[Any]) -> Iterable[Row]:
        self._beneath.hear(batch.received_ms)
        for row in batch.events:
            try:
                found = self._take(row)
            except Exception as error:
                noted(error, self._stage, row)
                raise
            if found is not None:
                yield found

    def on_mark(self, mark: Mark) -> Iterable[Row]:
        self._beneath.on_mark(mark)
        if self._beneath.crowded:
            starts = [key.rows[0].start_ms for key in self._keys.values()]
            self._beneath.forget_before(min(starts, default=self._beneath.watermark))
        return ()

    def _take(self, row: Row) -> Row | None:
        if type(row) is not self._checked:
            check_row_type(self._stage, type(row))
            self._checked = type(row)
        if not row.final:
            return None
        self._beneath.see(row)
        name = self._key_of(row)
        key = self._keys.get(name)
        if key is None:
            if len(self._keys) >= self._stage.terms.max_keys:
                raise too_many(self._stage.terms.max_keys, name)
            key = self._keys[name] = _Key(self._make, self._ranks)
        self._push(key, row)
        return self._row(key, name) if len(key.rows) == self._n else None

    def _push(self, key: _Key, row: Any) -> None:
        partial: Any = self._make()
        partial.add(row)
        key.queue.push(key.number, partial)
        key.number += 1
        key.queue.evict_before(key.number - self._n)
        key.rows.append(row)
        for index, ordered in key.ordered.items():
            ordered.push(getattr(row, self._ranks[index]))
        if row.gap_ms or row.dropped:
            key.faults[row.start_ms, row.end_ms] = row.gap_ms or 0, row.dropped
        if len(key.rows) > self._n:
            oldest = key.rows.popleft()
            key.faults.pop((oldest.start_ms, oldest.end_ms), None)
            for ordered in key.ordered.values():
                ordered.drop()

    def _row(self, key: _Key, name: Any) -> Row:
        start_ms, end_ms = key.rows[0].start_ms, key.rows[-1].end_ms
        values = list(key.queue.total().values())
        for index, ordered in key.ordered.items():
            values[index] = ordered.rank(values[index])
        gap_ms = self._beneath.gap_ms(start_ms, end_ms, key.faults)
        dropped = self._beneath.dropped(start_ms, end_ms, key.faults)
        fields = (name,) if len(self._by) == 1 else name
        complete = gap_ms == 0 and dropped == 0
        return self._from_values(
            (start_ms, end_ms, *fields, *values, gap_ms, dropped, self._beneath.late, True, complete)
        )
