"""`--explain`: what the pipeline of a command keeps, and how long it holds results back."""

from collections.abc import Sequence
from typing import Any

from cgrx import explain
from cgrx import operators as ops
from cgrx._cli.view.windows import Windowing


def explanation(filters: Sequence[ops.Stage[Any, Any]], window: Windowing | None, *, live: bool) -> str:
    """What `cgrx.explain` says of these filters and the window behind them, which a live table asks for updates."""
    rows = () if window is None else (window.stage(updates=live or window.running),)
    stages = (*filters, *rows)
    return str(explain(ops.pipeline(*stages))) if stages else "no stage: events are shown as they come"
