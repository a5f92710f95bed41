"""Items of one class as a table of Arrow, whose types do not depend on the values."""

import json
from collections.abc import Sequence
from typing import Any

from cgrx._model.plain import plain
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.to_frame import arrow_table, columns_of_events, columns_of_rows


def table_of(kind: type, items: Sequence[Any]) -> Any:
    """A `pyarrow.Table` as `to_frame` makes it; what a custom aggregate gives is JSON, since its type is not known."""
    found = columns_of_rows(kind, items) if issubclass(kind, Row) else columns_of_events(items)
    return arrow_table(
        {name: (values, of) if of is not None else (_texts(name, items), str) for name, (values, of) in found.items()}
    )


def _texts(name: str, rows: Sequence[Row]) -> list[str | None]:
    values = (plain(row[name]) for row in rows)
    return [None if value is None else json.dumps(value, default=repr) for value in values]
