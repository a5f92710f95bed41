"""`--join flow`: beside each row the trade flow of its asset at that moment, joined by `ops.latest_of`."""

from typing import Any, Literal, TypeAlias

import attrs

from cgrx import EventStream
from cgrx import operators as ops
from cgrx._cli.view.row_types import with_values
from cgrx.operators import agg

FlowQuality: TypeAlias = Literal["complete", "incomplete", "none", "unknown"]

FLOW_FIELDS = ("flow_volume", "flow_delta", "flow_quality")
"""What the flow adds to a row, behind its own values."""

BY = "base_asset"
"""The key of the join: symbols are each exchange's own, assets are not."""


@attrs.frozen
class FlowJoin:
    """The flow that was asked for."""

    window: ops.Stage[Any, ops.Row]
    """Makes it of trades."""
    max_age: str
    """The longest time that it is about: a gap of the trades in there may hide all of it."""
    step_ms: int
    """It ends less than this before the row; one that ends earlier is that of another time."""
    row: type[ops.Row]
    """The class of the joined rows."""

    def beside(self, rows: EventStream[ops.Row], flow: EventStream[ops.Row]) -> EventStream[ops.Row]:
        """The rows, each with the flow, which `window` makes of trades."""
        return rows.pipe(ops.latest_of(flow, by=BY, max_age=self.max_age), ops.map(self._joined))

    def _joined(self, found: ops.Joined[ops.Row, ops.Row]) -> ops.Row:
        """The row with its flow. It is told in words where there is none, or where a gap may hide it."""
        if found.quality == "unknown":
            return self._with(found.item, None, "unknown")
        flow, age_ms = found.latest, found.age_ms
        if flow is None or age_ms is None or age_ms >= self.step_ms:
            return self._with(found.item, None, "none")
        return self._with(found.item, flow, "complete" if flow.complete else "incomplete")

    def alone(self, row: ops.Row) -> ops.Row:
        """A running row, whose flow is asked for when it is final."""
        return self._with(row, None, None)

    def _with(self, row: ops.Row, flow: ops.Row | None, quality: FlowQuality | None) -> ops.Row:
        values = {field: row[field] for field in type(row).fields}
        volume, delta = (None, None) if flow is None else (flow["volume"], flow["delta"])
        flows = dict(zip(FLOW_FIELDS, (volume, delta, quality), strict=True))
        return self.row(**values, **flows, withdrawn=row.withdrawn)


def with_flow(row: type[ops.Row]) -> type[ops.Row]:
    """A class of rows that have the columns of the flow behind their own."""
    # No window makes such rows, so these aggregates name the columns and are never run.
    columns = (agg.volume(), agg.delta(), agg.first("price"))
    return with_values(row, **dict(zip(FLOW_FIELDS, columns, strict=True)))
