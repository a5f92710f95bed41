"""What comes out of a pipeline, as columns that Spark knows, or as pickled rows."""

import pickle
from collections.abc import Sequence
from typing import Any

import attrs

from cgrx._backtest.plan import PlanningFeed
from cgrx._sinks.arrow_tables import table_of
from cgrx._spark.groups import Group
from cgrx._streams.stream import EventStream
from cgrx.operators._rows.row import Row


@attrs.frozen
class Columns:
    """The columns of `cgrx.to_frame`, of rows of one class or of events."""

    kind: type[Any]

    @classmethod
    def of(cls, group: Group) -> "Columns":
        """Those of what a pipeline gives.

        Raises:
            ValueError: it gives something else, or it is not known what.
        """
        built = group(PlanningFeed())
        kinds = built.event_types if isinstance(built, EventStream) else None
        rows = [kind for kind in kinds or () if issubclass(kind, Row)]
        if not kinds or (rows and len(kinds) > 1):
            names = "it is not known what" if not kinds else " and ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(f"a table holds rows of one class or events, and of this pipeline comes {names}")
        return cls(rows[0] if rows else next(iter(kinds)))

    @property
    def schema(self) -> Any:
        """As Spark says it."""
        from pyspark.sql.pandas.types import from_arrow_schema

        return from_arrow_schema(self.arrow([]).schema)

    def arrow(self, rows: Sequence[Any]) -> Any:
        """The rows as a `pyarrow.Table`."""
        return table_of(self.kind, rows)

    def pandas(self, rows: Sequence[Any]) -> Any:
        """The rows as a frame, in which a number that is missing stays one that is missing, and whole ones whole."""
        import pandas as pd

        return self.arrow(rows).to_pandas(types_mapper=pd.ArrowDtype)


@attrs.frozen
class Pickled:
    """The rows as they are."""

    schema: str = "rows binary"

    def arrow(self, rows: Sequence[Any]) -> Any:
        """One value of Arrow that holds them all."""
        import pyarrow

        pa: Any = pyarrow  # its stubs leave most types unknown
        return pa.table({"rows": pa.array([pickle.dumps(list(rows))], pa.binary())})

    def pandas(self, rows: Sequence[Any]) -> Any:
        """One value of pandas that holds them all."""
        import pandas as pd

        return pd.DataFrame({"rows": [pickle.dumps(list(rows))]})


def unpickled(frame: Any) -> list[Any]:
    """The rows of a frame of Spark's that holds pickled ones."""
    return [row for found in frame.collect() for row in pickle.loads(found.rows)]
