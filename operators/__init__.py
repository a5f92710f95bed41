"""What to do with events: pure, composable stages without a clock, a thread or I/O.

    from cgrx import operators as ops
    feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000))
"""

from cgrx._running import Running as Running
from cgrx._streams import Stage as Stage
from cgrx._streams import merge as merge
from cgrx.operators._filters import base_asset as base_asset
from cgrx.operators._filters import exchange as exchange
from cgrx.operators._filters import map as map
from cgrx.operators._filters import max_volume as max_volume
from cgrx.operators._filters import min_volume as min_volume
from cgrx.operators._filters import side as side
from cgrx.operators._filters import symbol as symbol
from cgrx.operators._filters import where as where
from cgrx.operators._sharing import share as share
from cgrx.operators._stage import pipeline as pipeline
