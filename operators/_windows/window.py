"""The arguments that all windows share, as values: which rows, and the terms on which they are made."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic

import attrs

from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.times import Duration, to_ms, to_seconds
from cgrx._model.use_errors import TooManyKeysError
from cgrx._streams.about import About
from cgrx._streams.stream import EventTypes, Stage
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._rows.derive import row_type
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Named, Row
from cgrx.operators._stages.arguments import LateEvents, key_bound, late_receiver, positive_ms, receive, spelled
from cgrx.operators._windows.options import RowT
from cgrx.operators._windows.over_rows import check_row_type

DEFAULT_LATENESS = "2s"
DEFAULT_IDLE = "2s"
MAX_KEYS = 100_000
UNTIL_PROOF = "the time to the next proof of life"


@attrs.frozen
class Rows(Generic[RowT]):
    """Which rows a window gives: their class, their key and further aggregates."""

    base: type[Row]
    by: tuple[str, ...]
    """The key fields, unless the class declares its own."""
    aggregates: Named

    @property
    def type(self) -> "type[Row]":
        """The class of the rows; the same one for equal values."""
        return row_type(self.base, self.by, dict(self.aggregates))

    def __str__(self) -> str:
        """The arguments as code."""
        parts = [] if self.base is Flow or self.base is Row else [self.base.__name__]
        if self.by:
            parts.append(f"by={_quoted(self.by[0]) if len(self.by) == 1 else _quoted_tuple(self.by)}")
        return "".join(f", {part}" for part in [*parts, *(f"{name}={each!r}" for name, each in self.aggregates)])


def _quoted(text: str) -> str:
    return f'"{text}"'


def _quoted_tuple(texts: tuple[str, ...]) -> str:
    return f"({', '.join(map(_quoted, texts))})"


def rows(row: type[Row] | None, by: str | Sequence[str], aggregates: Mapping[str, Aggregate[Any]]) -> Rows[Any]:
    """Read the arguments of a window that say which rows it gives; what means the same becomes equal.

    Raises:
        ValueError, TypeError: see `row_type`.
    """
    made = row_type(row, by, aggregates)
    base = row if row is not None else Row if aggregates else Flow
    return Rows(base, () if base.key_fields else made.key_fields, tuple(aggregates.items()))


@attrs.frozen(kw_only=True)
class Terms:
    """When a window closes, what becomes of late events, and how many keys may be open."""

    lateness_ms: int
    idle_ms: int
    on_late: LateEvents | None = None
    updates_ms: int | None = None
    max_keys: float = MAX_KEYS

    def __str__(self) -> str:
        """The arguments that differ from the default, as code."""
        parts: list[str] = []
        if self.lateness_ms != to_ms(DEFAULT_LATENESS, "lateness"):
            parts.append(f"lateness={spelled(self.lateness_ms)}")
        if self.idle_ms != to_ms(DEFAULT_IDLE, "idle"):
            parts.append(f"idle={spelled(self.idle_ms)}")
        if self.on_late is not None:
            parts.append(f"on_late={getattr(self.on_late, '__qualname__', None) or repr(self.on_late)}")
        if self.updates_ms is not None:
            parts.append(f"updates={spelled(self.updates_ms)}")
        if self.max_keys != MAX_KEYS:
            parts.append(f"max_keys={self.max_keys if isinstance(self.max_keys, int) else 'math.inf'}")
        return "".join(f", {part}" for part in parts)


def terms(
    lateness: Duration,
    updates: Duration | None,
    max_keys: float,
    idle: Duration = DEFAULT_IDLE,
    on_late: LateEvents | None = None,
) -> Terms:
    """Read the arguments of a window that say on which terms rows are made.

    Raises:
        ValueError, TypeError: naming the argument, the value and the accepted forms.
    """
    return Terms(
        lateness_ms=to_ms(lateness, "lateness"),
        idle_ms=to_ms(idle, "idle"),
        on_late=late_receiver(on_late),
        updates_ms=_updates_ms(updates),
        max_keys=key_bound(max_keys),
    )


def _updates_ms(updates: Duration | None) -> int | None:
    """How long a period is that gives running rows; 0: each event gives one; None: nothing does."""
    if updates is None:
        return None
    return positive_ms(updates, "updates") if to_seconds(updates, "updates") else 0


def _check_rows(window: Any, _: object, rows: Rows[Any]) -> None:
    reading = [(name, each) for name, each in rows.type.aggregates if each.reads_rows]
    if reading and not window.takes_rows:
        raise ValueError(
            f"{reading[0][0]}={reading[0][1]!r} reads a field of rows, and this window takes events: over rows there"
            " are ops.tumbling, ops.sliding and ops.rolling"
        )


@attrs.frozen(repr=False, kw_only=True)
class Window(Stage[Any, RowT]):
    """A stage that takes events and gives rows."""

    rows: Rows[RowT] = attrs.field(validator=_check_rows)
    terms: Terms

    takes_rows: ClassVar[bool] = False
    """Whether it can stand behind a window, and read the fields of its rows."""

    @property
    def parts(self) -> tuple[Stage[Any, Any], ...]:
        """Stages that in this order give the same: what needs a state first, then what looks at a row alone.

        Windows that differ in the latter alone thus have a part in common, which a sweep runs once.
        """
        return (self,)

    def _about(self, state: str, delay_ms: int, note: str = "") -> About:
        on_late = self.terms.on_late
        functions = [function for _, aggregate in self.rows.type.aggregates for function in aggregate.functions]
        if on_late is not None:
            functions.append(receive(on_late))
        has_keys = bool(self.rows.type.key_fields)
        return About(
            state=state,
            bound=self.terms.max_keys if has_keys else 1,
            beyond=TooManyKeysError.__name__ if has_keys else "",
            delay_ms=delay_ms,
            delay_note=note,
            functions=tuple(functions),
            keys=self.rows.type.key_fields,
        )

    @property
    def _waits_ms(self) -> int:
        return self.terms.lateness_ms + self.terms.idle_ms

    def event_types(self, incoming: EventTypes) -> EventTypes:
        """The class of the rows.

        Raises:
            ValueError: the stream is known to carry something else than events; or it carries both types of event and
                the side is part of the key: a liquidated long and a taker's sell are the same number.
        """
        if self.rows.type.over_rows:
            for kind in incoming or ():
                check_row_type(self, kind)
            return frozenset({self.rows.type})
        foreign = sorted(each.__name__ for each in incoming or () if not issubclass(each, Event))
        if foreign:
            of_rows = any(issubclass(each, Row) for each in incoming or ())
            hint = "; over rows an aggregate reads a field of theirs, such as agg.sum('count')" if of_rows else ""
            raise ValueError(
                f"{self!r} takes events ({Liquidation.__name__}, {Trade.__name__}), not {' and '.join(foreign)}{hint}"
            )
        if "side" in self.rows.type.key_fields and len(incoming or ()) > 1:
            raise ValueError(
                f'{self!r} tells rows apart by "side", which liquidations and trades number alike: give each a window'
                " of its own, or aggregates with side= and of="
            )
        return frozenset({self.rows.type})
