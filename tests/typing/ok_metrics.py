"""What must type-check of metrics. Read by mypy and pyright, never run."""

from typing import assert_type

from prometheus_client import CollectorRegistry

import cgrx
from cgrx import Feed, Liquidation, RecorderStats, StageStats, StreamStats, metrics
from cgrx import operators as ops


async def counted(feed: Feed, registry: CollectorRegistry) -> None:
    bars = feed.liquidations().pipe(ops.tumbling("1m", by="exchange"))
    ordered = cgrx.merge_exchanges(feed.liquidations())
    async with cgrx.stream(bars) as rows, cgrx.record(feed, "day", channels=["liquidationOrders"]) as recorder:
        now = metrics.snapshot(
            feed, streams={"rows": rows}, pipelines={"bars": bars, "ordered": ordered}, recorders={"day": recorder}
        )
        assert_type(now, metrics.Snapshot)
        assert_type(now.streams["rows"], StreamStats)
        assert_type(now.pipelines["bars"], StageStats)
        assert_type(now.recorders["day"], RecorderStats)
        assert_type(now.readiness("10s").ready, bool)
        assert_type(bars.stage_stats.keys, int)
        # Mappings that are filled later have the type of what they will hold.
        later: dict[str, cgrx.EventIterator[Liquidation]] = {}
        collector = metrics.Collector(feed, streams=later)
        registry.register(collector)
        async with metrics.serve(collector, port=9464, registry=registry) as server:
            assert_type(server, metrics.Server)
            assert_type(server.port, int)
            server.watch(feed)
        async with metrics.serve(port=0, host="", ready_within=10):
            pass
