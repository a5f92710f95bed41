"""What to do with events: pure, composable stages without a clock, a thread or I/O.

Every stage stands in any `pipe`, among reactivex's operators too:

    from cgrx import operators as ops
    feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000))
"""

from cgrx._about import About as About
from cgrx._running import Running as Running
from cgrx._streams import Stage as Stage
from cgrx._streams import merge as merge
from cgrx.operators._bars import count_bars as count_bars
from cgrx.operators._bars import volume_bars as volume_bars
from cgrx.operators._cascades import Cascade as Cascade
from cgrx.operators._cascades import cascades as cascades
from cgrx.operators._dedupe import dedupe as dedupe
from cgrx.operators._explain import Explanation as Explanation
from cgrx.operators._explain import explain as explain
from cgrx.operators._filters import base_asset as base_asset
from cgrx.operators._filters import exchange as exchange
from cgrx.operators._filters import map as map
from cgrx.operators._filters import max_volume as max_volume
from cgrx.operators._filters import min_volume as min_volume
from cgrx.operators._filters import side as side
from cgrx.operators._filters import symbol as symbol
from cgrx.operators._filters import where as where
from cgrx.operators._final import final as final
from cgrx.operators._frames import to_frame as to_frame
from cgrx.operators._ordering import OrderedStream as OrderedStream
from cgrx.operators._ordering import OrderStats as OrderStats
from cgrx.operators._ordering import merge_exchanges as merge_exchanges
from cgrx.operators._row import Row as Row
from cgrx.operators._row_types import Bar as Bar
from cgrx.operators._row_types import Flow as Flow
from cgrx.operators._scan import scan as scan
from cgrx.operators._sessions import session as session
from cgrx.operators._sharing import share as share
from cgrx.operators._stage import pipeline as pipeline
from cgrx.operators._windows import sliding as sliding
from cgrx.operators._windows import tumbling as tumbling

__all__ = [
    "About",
    "Bar",
    "Cascade",
    "Explanation",
    "Flow",
    "OrderStats",
    "OrderedStream",
    "Row",
    "Running",
    "Stage",
    "base_asset",
    "cascades",
    "count_bars",
    "dedupe",
    "exchange",
    "explain",
    "final",
    "map",
    "max_volume",
    "merge",
    "merge_exchanges",
    "min_volume",
    "pipeline",
    "scan",
    "session",
    "share",
    "side",
    "sliding",
    "symbol",
    "to_frame",
    "tumbling",
    "volume_bars",
    "where",
]
