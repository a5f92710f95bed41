"""The keyword arguments that windows share, once, for the type checkers; the docstrings of the windows explain them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from cgrx._model.times import Duration
from cgrx.operators._rows.row import Row
from cgrx.operators._stages.arguments import LateEvents
from cgrx.operators._windows.calendar import Weekday

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    RowT = TypeVar("RowT", bound=Row, default=Row)
else:
    from typing import TypeVar

    RowT = TypeVar("RowT", bound=Row)  # Python 3.13 is the first that takes a default


class BarOptions(TypedDict, total=False):
    """Those of all windows: see `ops.count_bars`."""

    by: str | Sequence[str]
    lateness: Duration
    updates: Duration | None
    max_keys: float


class WindowOptions(BarOptions, total=False):
    """Those of windows that close by event time: see `ops.tumbling`."""

    idle: Duration
    on_late: LateEvents | None


class GridOptions(WindowOptions, total=False):
    """Those of windows that lie on a grid of time: see `ops.tumbling`."""

    offset: Duration
    emit_empty: bool


class CalendarOptions(GridOptions, total=False):
    """Those of windows that may follow a calendar: see `ops.tumbling`."""

    zone: str | None
    start: str | None
    week_start: Weekday | None
