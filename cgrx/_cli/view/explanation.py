"""`--explain`: what the pipeline of a command keeps, and how long it holds results back."""

from collections.abc import Sequence
from typing import Any

from cgrx import explain
from cgrx import operators as ops
from cgrx._cli.view.flows import BY, FlowJoin
from cgrx._cli.view.windows import Windowing


def explanation(filters: Sequence[ops.Stage[Any, Any]], window: Windowing | None, *, live: bool) -> str:
    """What `cgrx.explain` says of these filters and the window behind them, which a live table asks for updates."""
    rows = () if window is None else (window.stage(updates=live or window.running), *window.leaders())
    stages = (*filters, *rows)
    told = str(explain(ops.pipeline(*stages))) if stages else "no stage: events are shown as they come"
    return told if window is None or window.join is None else f"{told}\n{_joined(window.join)}"


def _joined(join: FlowJoin) -> str:
    """What the join keeps and delays, and the flow on its other side."""
    return "\n".join(
        (
            f'joined by latest_of(flow, by="{BY}", max_age="{join.max_age}")',
            "   state: the rows that wait, and the flow by asset for as long as a row may ask for it",
            "   delay: until the flow has come as far as the row, by its next proof of life",
            "the flow of the trades",
            str(explain(join.window)),
        )
    )
