"""Cascades: bursts of liquidations, in which one forces the next."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from cgrx._model.events import Liquidation, LiquidationSide
from cgrx._model.times import Duration
from cgrx._streams.about import About
from cgrx._streams.predicates import Predicate
from cgrx._streams.running import Elementwise, Running, filter_step
from cgrx._streams.stream import EventTypes, Stage, require_types
from cgrx.operators import agg
from cgrx.operators._aggregates.aggregate import Aggregate, filtered
from cgrx.operators._aggregates.formulas import Function
from cgrx.operators._aggregates.primitives import Sum
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents, positive_ms, spelled, whole_number
from cgrx.operators._windows.keys import Key
from cgrx.operators._windows.open_row import OpenRow
from cgrx.operators._windows.session import Burst, SessionRunning
from cgrx.operators._windows.window import DEFAULT_IDLE, DEFAULT_LATENESS, MAX_KEYS, UNTIL_PROOF, Window, rows, terms

Emit: TypeAlias = Literal["closed", "crossed"]

_DEFAULT_BY = "base_asset"


def _dominant(long: int, short: int) -> LiquidationSide | None:
    return None if long == short else LiquidationSide.LONG if long > short else LiquidationSide.SHORT


def _dominant_side() -> Aggregate[LiquidationSide | None]:
    sides = (Sum("volume_usd", guard=filtered("volume", side, Liquidation)) for side in LiquidationSide)
    return Aggregate("dominant_side()", Function(_dominant, tuple(sides)), kind=LiquidationSide)


class Cascade(Row):
    """A burst of liquidations. `start_ms` is the time of its first one, `end_ms` a millisecond after its last.

    Examples:
        >>> burst = batch(*(liquidation("long", 400_000, time=t) for t in (1, 2, 4)))
        >>> [row] = play(ops.cascades("3s", min_count=3), [burst, alive("20s")])
        >>> row.end_ms - row.start_ms, row.exchanges, row.first_price, row.last_price
        (3001, ('Binance',), 60000.0, 60000.0)

    It has the key fields that `by=` of `cascades` names, `base_asset` by default, and no others.
    """

    if TYPE_CHECKING:
        base_asset: str
        """The asset, such as `"BTC"`."""
        exchange: str
        """The exchange."""
        symbol: str
        """The symbol, as its exchange spells it."""
        side: LiquidationSide
        """The position that was liquidated."""

    dominant_side = _dominant_side()
    """The positions of which more volume was liquidated, a `LiquidationSide`; None if it was equal."""
    volume = agg.volume()
    """Volume in US dollars."""
    count = agg.count()
    """How many liquidations."""
    exchanges = agg.exchanges()
    """Where they happened, sorted by name."""
    first_price = agg.first("price")
    """Price of the first one, in the quote currency."""
    last_price = agg.last("price")
    """Price of the last one, likewise."""


@attrs.frozen(repr=False, kw_only=True)
class Cascades(Window[Cascade]):
    """See `cascades`."""

    gap_ms: int
    min_volume: float
    min_count: int
    emit: Emit

    def event_types(self, incoming: EventTypes) -> EventTypes:
        require_types(self, Liquidation, incoming)
        return frozenset({self.rows.type})

    def start(self) -> Running[Any, Any]:
        return _Cascading(self)

    @property
    def parts(self) -> tuple[Stage[Any, Any], ...]:
        """See `Window`. Where rows come out before the end, the thresholds decide when, and nothing can be parted."""
        if self.emit != "closed" or self.terms.updates_ms is not None:
            return (self,)
        return attrs.evolve(self, min_volume=0.0, min_count=1), LargeEnough(self.min_count, self.min_volume)

    @property
    def about(self) -> About:
        return self._about("a partial result for each open cascade", self._waits_ms, UNTIL_PROOF)

    def __repr__(self) -> str:
        by = self.rows.by
        parts = [spelled(self.gap_ms)]
        if self.min_volume:
            parts.append(f"min_volume={self.min_volume!r}")
        parts.append(f"min_count={self.min_count}")
        if by != (_DEFAULT_BY,):
            parts.append(f"by={by[0]!r}" if len(by) == 1 else f"by={by!r}")
        if self.emit != "closed":
            parts.append(f'emit="{self.emit}"')
        return f"cascades({', '.join(parts)}{self.terms})"


@attrs.frozen
class LargeEnough(Stage[Cascade, Cascade]):
    """Keeps the cascades that reach the thresholds."""

    min_count: int
    min_volume: float

    def event_types(self, incoming: EventTypes) -> EventTypes:
        return incoming

    def start(self) -> Running[Any, Any]:
        large = Predicate("e.count >= {0} and e.volume >= {1}", (self.min_count, self.min_volume))
        return Elementwise(filter_step((self, large)))


def cascades(
    gap: Duration = "3s",
    *,
    min_volume: float = 0.0,
    min_count: int = 2,
    by: str | Sequence[str] = _DEFAULT_BY,
    emit: Emit = "closed",
    updates: Duration | None = None,
    lateness: Duration = DEFAULT_LATENESS,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
    max_keys: float = MAX_KEYS,
) -> Stage[Liquidation, Cascade]:
    """One row for each cascade: a run of liquidations of a key, no more than `gap` apart, that is large enough.

        in                                     a-b-c---------
        cascades("3s", min_count=3)            ----------r---     3 s, lateness and proof behind the last
        the same with emit="crossed"           ----u-----r---     u: final=False, on the very event

    Examples:
        >>> burst = batch(*(liquidation("long", 400_000, time=t) for t in (1, 2, 4)))
        >>> million = ops.cascades("3s", min_volume=1_000_000, emit="crossed")
        >>> for row in play(million, [burst, alive("20s")]):
        ...     print(row.base_asset, row.count, row.volume, row.final)
        BTC 3 1200000.0 False
        BTC 3 1200000.0 True

    A cascade is a `session` with thresholds, and closes as one: when the watermark has passed its last event + `gap`. A
    session that stays below a threshold gives no row. Rows come out by end, then key.

    With `emit="crossed"` a row that is not final goes out with the very event that reaches the thresholds; it waits for
    nothing. With `updates` such rows follow while the cascade goes on. The final row comes at the end. All rows of a
    cascade have the same key fields and the same `start_ms`: that stays once a row has gone out, even if a liquidation
    from shortly before still comes in and counts. Two cascades that a later event joins keep the start of the earlier.
    If a row has gone out of both, that of the later comes once more as a withdrawn one (`row.withdrawn`) with the very
    event, and behind it a running row of the two as one; see `session`.

    Args:
        gap: the longest silence within a cascade.
        min_volume: the least volume of a cascade, US dollars; a cascade of exactly that is large enough.
        min_count: the least number of liquidations of a cascade.
        by: a cascade for each key: `"base_asset"`, `"exchange"`, `"symbol"`, `"side"`, several in a tuple, or `()` for
            all liquidations together.
        emit: `"closed"`, a row for each cascade that is over; `"crossed"`, also one when it becomes large enough.
        updates: give running rows too: one for each cascade that is large enough and has changed, whenever event time,
            or the time proven alive, enters a new period of this length; with 0 one behind each liquidation.
        lateness: how far behind the newest event of its exchange a liquidation may be; see `tumbling`.
        idle: how long an exchange must be silent before cascades close without waiting for it; see `tumbling`.
        on_late: an observer or a function that receives each liquidation that comes when its cascade is over.
        max_keys: how many keys may be open; `math.inf` for no bound.

    What is missing within `gap` of a cascade counts in its `gap_ms` and `dropped`. On completion the open cascades that
    are large enough come out, not final; on an error nothing more comes out.

    State: one partial result for each open cascade, and the running row given of it last.

    Raises:
        ValueError: an argument out of range; when applied to a stream that is known to carry other events.
        TypeError: an argument of another type.
        TooManyKeysError: through `on_error`: more than `max_keys` keys are open.
    """
    return Cascades(
        gap_ms=positive_ms(gap, "gap"),
        min_volume=_dollars(min_volume),
        min_count=whole_number(min_count, "min_count"),
        emit=_emit(emit),
        rows=rows(Cascade, by, {}),
        terms=terms(lateness, updates, max_keys, idle, on_late),
    )


def _dollars(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"min_volume={value!r} takes a number of US dollars, 0 or more")
    if not 0 <= value < math.inf:
        raise ValueError(f"min_volume={value!r} takes a finite number of US dollars, 0 or more")
    return value


def _emit(value: Emit) -> Emit:
    if value not in ("closed", "crossed"):
        raise ValueError(f'emit={value!r} is none of "closed" (when it is over) and "crossed" (also when large enough)')
    return value


class _Cascading(SessionRunning):
    """Sessions that give rows only when they are large enough."""

    remade = SessionRunning.remade | {"_count_at", "_volume_at", "_min_count", "_min_volume", "_at_once"}

    def __init__(self, stage: Cascades) -> None:
        super().__init__(stage, stage.gap_ms)
        names = [name for name, _ in stage.rows.type.aggregates]
        self._count_at = names.index("count")
        self._volume_at = names.index("volume")
        self._min_count = stage.min_count
        self._min_volume = stage.min_volume
        self._at_once = stage.emit == "crossed"

    def _add(self, event: Any, time_ms: int, key: Key, rows: list[Row]) -> None:
        super()._add(event, time_ms, key, rows)
        if self._at_once:
            burst = self._burst_at(key, time_ms)  # None: the event was late
            if burst is not None and burst.given is None and self._is_large(burst.accumulator.values()):
                self._give_now(burst, burst.last_ms + 1, rows)

    def _start_of(self, burst: Burst) -> int:
        # It stays, once a row has gone out.
        return burst.first_ms if burst.given is None else burst.given.start_ms

    def _give(self, bursts: list[Burst], rows: list[Row], *, final: bool) -> None:
        found: list[tuple[int, tuple[Any, ...], int, tuple[object, ...]]] = []
        for burst in bursts:
            values = burst.accumulator.values()
            if self._is_large(values):
                found.append((burst.last_ms + 1, self._fields(burst.key), self._start_of(burst), values))
        for end_ms, fields, start_ms, values in sorted(found, key=lambda each: each[:2]):
            quality = self._quality(start_ms, end_ms, final=final)
            rows.append(self._make((start_ms, end_ms, *fields, *values, *quality)))

    def _find_running(self, changed: dict[Key, int]) -> Iterator[OpenRow]:
        for key, time_ms in changed.items():
            burst = self._burst_at(key, time_ms)
            if burst is not None and self._is_large(burst.accumulator.values()):
                yield self._open_row(burst)

    def _burst_at(self, key: Key, time_ms: int) -> Burst | None:
        return next((each for each in self._bursts.get(key, ()) if each.first_ms <= time_ms <= each.last_ms), None)

    def _is_large(self, values: tuple[Any, ...]) -> bool:
        return bool(values[self._count_at] >= self._min_count and values[self._volume_at] >= self._min_volume)
