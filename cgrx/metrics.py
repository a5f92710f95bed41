"""Counters for machines: what a feed, its streams and its recorder have done, for Prometheus and for supervisors.

    async with cgrx.connect() as feed, cgrx.metrics.serve(feed, port=9464):
        ...                               # /metrics, /healthz and /readyz

`snapshot` needs nothing but cgrx; `Collector` and `serve` need the extra `metrics`.
"""

from cgrx._metrics.collector import Collector as Collector
from cgrx._metrics.server import Server as Server
from cgrx._metrics.server import serve as serve
from cgrx._metrics.snapshot import Counted as Counted
from cgrx._metrics.snapshot import CountedFeed as CountedFeed
from cgrx._metrics.snapshot import Readiness as Readiness
from cgrx._metrics.snapshot import Snapshot as Snapshot
from cgrx._metrics.snapshot import snapshot as snapshot
