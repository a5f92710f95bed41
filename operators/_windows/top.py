"""The leaders of each window: the rows with the greatest numbers."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Any, Literal

import attrs
from reactivex import Observable

from cgrx._model.signals import Batch, Mark
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.about import About
from cgrx._streams.counts import StageStats
from cgrx._streams.running import Running, noted
from cgrx._streams.stream import EventStream, EventTypes, Stage
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import MAX_KEYS, key_bound, max_keys_as_code, whole_number
from cgrx.operators._stages.items import number_reader, too_many
from cgrx.operators._windows.beneath import Beneath
from cgrx.operators._windows.grid import Grid
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.window import Window


@attrs.frozen(repr=False)
class Top(Stage[Row, Row]):
    """See `top`."""

    n: int
    field: str
    max_keys: float

    def __call__(self, source: Observable[RowT]) -> EventStream[RowT]:
        return super().__call__(source)  # type: ignore[return-value]  # the rows pass as they are

    def event_types(self, incoming: EventTypes) -> EventTypes:
        for kind in incoming or ():
            _reader(self, kind)
        return incoming

    def check_behind(self, stages: tuple[Stage[Any, Any], ...]) -> None:
        beneath = next((each for each in reversed(stages) if isinstance(each, Window)), None)
        if beneath is not None and not isinstance(beneath, Grid):
            raise ValueError(
                f"{self!r} compares the rows of one window, and those of {beneath!r} have one for each key: put it"
                " behind ops.tumbling or ops.sliding"
            )

    def start(self) -> Running[Any, Any]:
        return _TopRunning(self)

    @property
    def about(self) -> About:
        return About(
            state="the latest row of each key in each open window",
            bound=self.max_keys,
            beyond=TooManyKeysError.__name__,
            delay_ms=0,
        )

    def __repr__(self) -> str:
        return f"top({', '.join([str(self.n), repr(self.field), *max_keys_as_code(self.max_keys)])})"


def top(n: int, field: str, *, within: Literal["window"] = "window", max_keys: float = MAX_KEYS) -> Top:
    """The rows with the greatest numbers of each window, the greatest first: the rows of a window -> 0 to n of them.

        in                 (abc)----|     the rows of one window: a: volume=2, b: volume=9, c: volume=5
        top(2, "volume")   (bc)-----|

    Examples:
        >>> assets = (("BTC", 200), ("ETH", 900), ("SOL", 500))
        >>> events = batch(*(trade("buy", usd, base_asset=x) for x, usd in assets))
        >>> minute, leaders = ops.tumbling("1m", by="base_asset"), ops.top(2, "volume")
        >>> rows = play(ops.pipeline(minute, leaders), [events, alive("2m")])
        >>> [(row.base_asset, row.volume) for row in rows]
        [('ETH', 900.0), ('SOL', 500.0)]

    Stands behind `tumbling` or `sliding` with a key, whose rows pass as they are.

    Of equal numbers the smaller key comes first. Rows without the number, which is None or NaN, take no part; nor do
    running and withdrawn rows. The leaders come out when the window is closed for all keys, with the row that closed
    last, and wait for nothing more. Windows come by their end. The rows say what is missing of their window: where one
    is not complete, another key may belong among the leaders. Marks pass. On completion come the leaders of the windows
    that it cut short; on an error nothing more comes out. Behind anything that passes no marks a window counts as
    closed when a row comes of one that begins at its end or later.

    Args:
        n: how many of each window, 1 or more.
        field: a number of the rows, such as `"volume"`, or a property of yours.
        within: `"window"`; there is nothing else.
        max_keys: how many rows may be held at once; `math.inf` for no bound.

    State: the latest row of each key in each window that is open.

    Raises:
        ValueError: `n` is below 1, or `within` something else; the window in front has windows of each key's own. For a
            field that the rows lack: where the stream is known to carry such, when applied to it; else through
            `on_error`, at the first one.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` rows are held.
    """
    if not isinstance(field, str):
        raise TypeError(f"field={field!r} takes the name of a number of the rows, such as 'volume'")
    if within != "window":
        raise ValueError(f'within={within!r} takes "window": the leaders of each window')
    return Top(whole_number(n, "n"), field, key_bound(max_keys))


def _reader(stage: Top, kind: type[Any]) -> Callable[[Any], Any]:
    if not issubclass(kind, Row):
        raise ValueError(f"{stage!r} takes the rows of a window, not {kind.__name__}")
    return number_reader(stage, kind, stage.field)


class _TopRunning(Running[Any, Row]):
    """The open windows of one subscription, each with the latest row of each key."""

    def __init__(self, stage: Top) -> None:
        self._stage = stage
        self._windows: dict[tuple[int, int], dict[tuple[Any, ...], Row]] = {}  # by end and start
        self._held = 0
        self._beneath = Beneath(0)
        self._value_of: Callable[[Any], Any] = len
        self._checked: type[object] | None = None

    def take_up(self, state: object) -> None:
        super().take_up(state)
        for rows in self._windows.values():
            for row in rows.values():
                self._check(row)

    @property
    def stats(self) -> StageStats:
        return StageStats(keys=self._held)

    def on_batch(self, batch: Batch[Any]) -> Iterable[Row]:
        for row in batch.events:
            try:
                self._take(row)
            except Exception as error:
                noted(error, self._stage, row)
                raise
            yield from self._close()

    def on_mark(self, mark: Mark) -> Iterable[Row]:
        self._beneath.on_mark(mark)
        return self._close()

    def on_end(self) -> Iterable[Row]:
        return [row for window in sorted(self._windows) for row in self._leaders(self._windows[window].values())]

    def _take(self, row: Row) -> None:
        self._check(row)
        if row.withdrawn:
            self._drop(row)
            return
        if row.final:
            self._beneath.see(row)
        if self._beneath.reached(row.end_ms):
            return  # a running row, or one that comes after its window
        window = self._windows.setdefault((row.end_ms, row.start_ms), {})
        key = _key(row)
        if key not in window:
            if self._held >= self._stage.max_keys:
                raise too_many(self._stage.max_keys, key)
            self._held += 1
        window[key] = row

    def _check(self, row: Row) -> None:
        if type(row) is not self._checked:
            self._value_of = _reader(self._stage, type(row))
            self._checked = type(row)

    def _drop(self, withdrawn: Row) -> None:
        window = self._windows.get((withdrawn.end_ms, withdrawn.start_ms), {})
        key = _key(withdrawn)
        if key in window and not window[key].final:
            del window[key]
            self._held -= 1

    def _close(self) -> list[Row]:
        leaders: list[Row] = []
        for window in sorted(each for each in self._windows if self._beneath.reached(each[0])):
            rows = self._windows.pop(window).values()
            self._held -= len(rows)
            leaders += self._leaders(row for row in rows if row.final)
        return leaders

    def _leaders(self, rows: Iterable[Row]) -> list[Row]:
        """The first of these, by number and key."""
        value_of = self._value_of
        numbered = ((value_of(row), row) for row in rows)
        placed = ((-value, row) for value, row in numbered if value is not None and value == value)
        return [row for _, row in nsmallest(self._stage.n, placed, key=_by_number_and_key)]


def _by_number_and_key(numbered: tuple[float, Row]) -> tuple[Any, ...]:
    number, row = numbered
    return number, *_key(row)


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[field] for field in row.key_fields)
