"""What a pipeline keeps, for how many keys at most, and how long it may hold events back."""

import cgrx
from cgrx import operators as ops

once = ops.dedupe("10s")
bars = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))

print(cgrx.explain(ops.pipeline(once, bars)))
