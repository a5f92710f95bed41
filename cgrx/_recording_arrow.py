"""What of pyarrow its stubs have too narrow: functions that take plain values and all kinds of arrays."""

from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet

pc: Any = pyarrow.compute
pq: Any = pyarrow.parquet
array: Any = pyarrow.array
