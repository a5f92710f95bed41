"""Only the rows that will not change any more."""

from typing import Any

import attrs
from reactivex import Observable

from cgrx._streams.about import STATELESS, About
from cgrx._streams.running import Elementwise, Running, Step
from cgrx._streams.stream import EventStream, EventTypes, Stage
from cgrx.operators._rows.row import Row
from cgrx.operators._windows.options import RowT


@attrs.frozen(repr=False)
class Final(Stage[Row, Row]):
    """See `final`."""

    def __call__(self, source: Observable[RowT]) -> EventStream[RowT]:
        return super().__call__(source)  # type: ignore[return-value]  # the rows pass as they are

    def event_types(self, incoming: EventTypes) -> EventTypes:
        foreign = sorted(each.__name__ for each in incoming or () if not issubclass(each, Row))
        if foreign:
            raise ValueError(f"{self!r} takes the rows of a window, not {' and '.join(foreign)}")
        return incoming

    def start(self) -> Running[Any, Any]:
        return Elementwise(Step(self, lambda rows: [row for row in rows if row.final], lambda row: row.final))

    @property
    def about(self) -> About:
        return STATELESS

    def __repr__(self) -> str:
        return "final()"


def final() -> Final:
    """Keep the final rows: drop running ones (of `updates=`), withdrawn ones, and those that completion cut short.

    Examples:
        >>> running = ops.tumbling("1m", updates=0)
        >>> signals = [batch(trade("buy", 500)), batch(trade("buy", 200)), alive("2m")]
        >>> [row.volume for row in play(running, signals)]
        [500.0, 700.0, 700.0]
        >>> [row.volume for row in play(ops.pipeline(running, ops.final()), signals)]
        [700.0]

    1 row -> 0 or 1 row, order kept, no state; marks, completion and errors pass.

    Raises:
        ValueError: when applied to a stream that is known to carry something else than rows.
        AttributeError: through `on_error`, at the first item that is no row.
    """
    return Final()
