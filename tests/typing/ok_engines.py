"""What must type-check: engines. Read by mypy and pyright, never run."""

from collections.abc import Mapping
from typing import Any, assert_type

import cgrx
from cgrx import operators as ops
from cgrx.engines import spark


def bars(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[ops.Bar]:
    return feed.channel(channel).pipe(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")))


def across(feed: cgrx.Feed, *channels: cgrx.Channel) -> cgrx.EventStream[ops.Flow]:
    return cgrx.merge(*map(feed.channel, channels)).pipe(ops.tumbling("1m", by="base_asset"))


def show(rows: list[Any]) -> None: ...


def running() -> None:
    log = spark.Kafka("kafka://broker:9092/signals?security.protocol=SSL", start="2026-11-28", most=1_000)
    channels: list[cgrx.Channel | str] = [cgrx.LiquidationOrders(), "futures_trades@Binance_BTCUSDT@0"]
    spark.run(bars, channels=channels, source=log, sink=spark.Parquet("out"), checkpoint="checkpoint", once=True)
    spark.run(ops.dedupe("1s"), channels=[("a", "b"), "c"], source=log, sink=spark.Rows(show), checkpoint="checkpoint")
    spark.run(across, source=spark.Recordings("a", "b", start=0), sink=spark.Postgres("dsn", "bars"), shards=8)
    with spark.start(bars, source=log, sink=spark.Rows(print), checkpoint="checkpoint", every="250ms") as query:
        assert_type(query.progress, Mapping[str, object] | None)
        query.wait()
    plan = spark.explain(across, channels=channels, partition_by="base_asset", source=log, sink=spark.Parquet("out"))
    assert_type(plan.groups, tuple[tuple[str, ...], ...])
