"""pyarrow as it is used inside: without types, because its stubs leave most of them unknown, and others too narrow."""

from typing import Any, TypeAlias

import pyarrow
import pyarrow.compute
import pyarrow.parquet

Rows: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""

pa: Any = pyarrow
pc: Any = pyarrow.compute
pq: Any = pyarrow.parquet
