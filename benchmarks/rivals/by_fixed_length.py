"""`pipelines` in cgrx, by windows of a fixed length that lie where those of a calendar do: India changes no clocks."""

from collections.abc import Callable

from benchmarks.rivals.by_cgrx import BY, windows
from benchmarks.rivals.tasks import Answer, Kind, Task
from cgrx import operators as ops

ANSWERS: dict[Kind, Callable[[Task], Answer]] = {
    "days": windows(ops.tumbling("1d", ops.Bar, by=BY, offset="18.5h"), 13)
}
