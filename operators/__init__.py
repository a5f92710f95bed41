"""What to do with events: pure, composable stages without a clock, a thread or I/O.

Every operator stands in any `pipe`, among reactivex's operators too:

    from cgrx import operators as ops
    feed.liquidations().pipe(ops.side("long"), ops.min_volume(250_000))
"""

from cgrx._streams.about import About as About
from cgrx._streams.running import Running as Running
from cgrx._streams.stream import Stage as Stage
from cgrx.operators._rows.ready import Bar as Bar
from cgrx.operators._rows.ready import Flow as Flow
from cgrx.operators._rows.row import Row as Row
from cgrx.operators._stages.cooldown import Cooled as Cooled
from cgrx.operators._stages.cooldown import cooldown as cooldown
from cgrx.operators._stages.crosses import Crossing as Crossing
from cgrx.operators._stages.crosses import crosses as crosses
from cgrx.operators._stages.dedupe import dedupe as dedupe
from cgrx.operators._stages.filters import base_asset as base_asset
from cgrx.operators._stages.filters import exchange as exchange
from cgrx.operators._stages.filters import map as map
from cgrx.operators._stages.filters import max_volume as max_volume
from cgrx.operators._stages.filters import min_volume as min_volume
from cgrx.operators._stages.filters import side as side
from cgrx.operators._stages.filters import symbol as symbol
from cgrx.operators._stages.filters import where as where
from cgrx.operators._stages.merge import merge as merge
from cgrx.operators._stages.merge import merge_exchanges as merge_exchanges
from cgrx.operators._stages.pipeline import pipeline as pipeline
from cgrx.operators._stages.scan import scan as scan
from cgrx.operators._stages.share import share as share
from cgrx.operators._stages.tap import tap as tap
from cgrx.operators._windows.bars import count_bars as count_bars
from cgrx.operators._windows.bars import volume_bars as volume_bars
from cgrx.operators._windows.cascades import Cascade as Cascade
from cgrx.operators._windows.cascades import cascades as cascades
from cgrx.operators._windows.final import final as final
from cgrx.operators._windows.joined import Joined as Joined
from cgrx.operators._windows.latest_of import latest_of as latest_of
from cgrx.operators._windows.rolling import rolling as rolling
from cgrx.operators._windows.session import session as session
from cgrx.operators._windows.sliding import sliding as sliding
from cgrx.operators._windows.top import top as top
from cgrx.operators._windows.tumbling import tumbling as tumbling

__all__ = [
    "About",
    "Bar",
    "Cascade",
    "Cooled",
    "Crossing",
    "Flow",
    "Joined",
    "Row",
    "Running",
    "Stage",
    "base_asset",
    "cascades",
    "cooldown",
    "count_bars",
    "crosses",
    "dedupe",
    "exchange",
    "final",
    "latest_of",
    "map",
    "max_volume",
    "merge",
    "merge_exchanges",
    "min_volume",
    "pipeline",
    "rolling",
    "scan",
    "session",
    "share",
    "side",
    "sliding",
    "symbol",
    "tap",
    "top",
    "tumbling",
    "volume_bars",
    "where",
]
