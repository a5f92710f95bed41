"""What is known of a run before it runs: its groups, its plan, and what cannot be."""

from pathlib import Path
from typing import Any

import pytest

import cgrx
from cgrx import operators as ops
from cgrx._spark.groups import groups, require_together
from cgrx._spark.rows import Columns
from cgrx.engines import spark
from tests.spark.market import BTC, ETH, OKX, across, bars

STAGE: ops.Stage[Any, Any] = ops.tumbling("10s", by="base_asset")
LOG = spark.Kafka("kafka://broker:9092/signals")
FILES = spark.Parquet("out")


def both(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
    return across(feed, BTC, ETH)


def joined(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[Any]:
    """Asks for a channel that it was not given."""
    return cgrx.merge(feed.channel(channel), feed.liquidations()).pipe(STAGE)


def events(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[Any]:
    return cgrx.merge(feed.channel(channel), feed.liquidations())


def mixed(feed: cgrx.Feed, channel: cgrx.Channel) -> cgrx.EventStream[Any]:
    return cgrx.merge(feed.channel(channel), feed.channel(channel).pipe(STAGE))


def test_a_group_for_each_item() -> None:
    found = groups(bars, [BTC.name, OKX, ETH], "channel", 256)
    assert [each.channels for each in found] == [(BTC.name,), (OKX.name,), (ETH.name,)]
    assert [each.shard for each in found] == [66, 112, 113]  # CRC-32, the same everywhere
    assert {each.shard for each in groups(bars, [BTC, OKX, ETH], "channel", 1)} == {0}


def test_groups_of_several_channels() -> None:
    assert [each.channels for each in groups(across, [(BTC, OKX), ETH], "channel", 8)] == [
        (BTC.name, OKX.name),
        (ETH.name,),
    ]
    assert [each.key for each in groups(STAGE, [OKX, ETH, BTC], "base_asset", 8)] == [
        f"{BTC.name} {OKX.name}",
        ETH.name,
    ]
    assert [each.channels for each in groups(both, None, "channel", 8)] == [(BTC.name, ETH.name)]
    assert groups(joined, [BTC], "channel", 8)[0].channels == (BTC.name, "liquidationOrders")


CASES: list[tuple[tuple[Any, ...], str]] = [
    ((STAGE, None, "channel", 8), "give channels="),
    ((3, [BTC], "channel", 8), "build=3 takes a stage, or a function"),
    ((bars, BTC.name, "channel", 8), "put it into a list"),
    ((bars, [], "channel", 8), "holds no channel"),
    ((bars, [()], "channel", 8), "holds no channel"),
    ((bars, ["trades"], "channel", 8), "'trades' is not known"),
    ((bars, [BTC, BTC], "channel", 8), f"{BTC.name} is there twice"),
    ((bars, [BTC], "symbol", 8), "partition_by='symbol' is neither"),
    ((bars, [BTC], "channel", 0), "shards=0 takes a whole number"),
]


@pytest.mark.parametrize(("arguments", "message"), CASES)
def test_what_cannot_be_grouped(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        groups(*arguments)


def test_a_group_is_in_one_partition() -> None:
    apart = groups(across, [(BTC, ETH)], "channel", 8)
    require_together(apart, "channel", 1)
    with pytest.raises(
        ValueError, match=r"must be in one partition of the topic: .* Publish with --partition-by base_as"
    ):
        require_together(apart, "channel", 2)
    require_together(groups(across, [BTC, OKX, ETH], "base_asset", 8), "base_asset", 64)


def test_the_plan_says_key_state_and_place() -> None:
    plan = spark.explain(across, channels=[(BTC, OKX), ETH], source=LOG, sink=FILES, shards=4)
    assert (plan.groups, plan.shards) == (((BTC.name, OKX.name), (ETH.name,)), 4)
    assert plan.snapshot_bytes > 0
    text = str(plan)
    assert "shard key: CRC-32 of a group's channels, modulo 4" in text
    assert 'tumbling("10s", by="base_asset")' in text
    assert f"one partition of the topic must hold all channels of a group; 1 have several, such as: {BTC.name}" in text
    assert "topic signals: a task for each partition, 100,000 records a micro-batch at the most" in text
    assert "Parquet(folder='out'): the workers" in text


def test_the_plan_of_a_batch_and_of_a_driver(tmp_path: Path) -> None:
    plan = spark.explain(
        STAGE, channels=[BTC], source=spark.Recordings(tmp_path), sink=spark.Postgres("secret", "bars")
    )
    text = str(plan)
    assert f"{tmp_path}: one task for each group, which runs cgrx.backtest in a worker" in text
    assert "Postgres(table='bars', pipeline=None, create=False): the driver" in text
    assert "secret" not in text
    assert "one partition" not in text


def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="most=0 takes a whole number of records"):
        spark.Kafka("kafka://broker:9092/signals", most=0)
    with pytest.raises(ValueError, match="start='soon' is no moment"):
        spark.Kafka("kafka://broker:9092/signals", start="soon")
    with pytest.raises(ValueError, match="takes the folder of a recording"):
        spark.Recordings()
    assert repr(spark.Recordings(tmp_path)) == f"Recordings({str(tmp_path)!r})"


def test_columns_are_those_of_one_class() -> None:
    def columns(build: Any) -> Columns:
        return Columns.of(groups(build, [BTC], "channel", 8)[0].group)

    assert columns(bars).kind.__name__ == "Bar"
    assert columns(ops.min_volume(5)).kind is cgrx.Trade
    assert columns(events).kind in (cgrx.Trade, cgrx.Liquidation)
    with pytest.raises(ValueError, match="it is not known what"):
        columns(ops.map(repr))
    with pytest.raises(ValueError, match="comes Flow and Trade"):
        columns(mixed)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://broker/x", "give kafka://HOST:9092/TOPIC"),
        ("kafka://broker/x", "servers='broker' cannot be read"),
        ("kafka://broker:9092/x?group.id=a", "cgrx sets this property itself"),
    ],
)
def test_a_topic_that_cannot_be_read(target: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spark.Kafka(target)


def test_a_timeout_that_is_none() -> None:
    with pytest.raises(ValueError, match="timeout='soon' is not a duration"):
        spark.Kafka("kafka://broker:9092/x", timeout="soon")


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(spark.Kafka("kafka://broker:9092/x?sasl.password=secret"))
