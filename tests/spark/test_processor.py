"""The processor of Spark without a JVM: records cut into micro-batches anyhow, repeated and shuffled, give the rows.

`TwsTester` is Spark's own stand-in for the engine; it wraps the key itself.
"""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Channel, Record
from cgrx import operators as ops
from cgrx._shards.shard import Shard
from cgrx._spark.groups import Pipeline, groups
from cgrx._spark.rows import Columns, Pickled, unpickled
from cgrx.operators import agg
from tests.operators.contracts import LIFTS
from tests.spark.market import BTC, ETH, LIQUIDATIONS, OKX, across, bars, entries, record, records
from tests.support import examples

pytest.importorskip("pyspark", reason="pyspark is not installed; `nox -s spark` brings it")

SAID = {seed: entries(20, seed, [LIQUIDATIONS]) for seed in range(3)}


class Frames:
    """Records as Spark hands them on."""

    def __init__(self, found: list[Record]) -> None:
        self._rows = [(0, at, record.channel, record.encode()) for at, record in enumerate(found)]

    def cut(self, draw: random.Random, most: int) -> list[Any]:
        """Micro-batches that overlap, each in any order."""
        import pandas as pd

        found: list[Any] = []
        at = 0
        while at < len(self._rows):
            end = at + draw.randint(1, most)
            part = self._rows[max(0, at - draw.randint(0, 20)) : end]
            draw.shuffle(part)
            found.append(pd.DataFrame(part, columns=["topic_partition", "offset", "channel", "value"]))
            at = end
        return found


def on_spark(build: Pipeline, channels: Any, *, final_only: bool) -> Any:
    """A shard with these groups, in a run of its own."""
    from pyspark.sql.streaming.tws_tester import TwsTester

    from cgrx._spark.processor import ShardsProcessor

    keyed = groups(build, channels, "channel", 1)
    run = random.randbytes(4).hex()
    return TwsTester(ShardsProcessor(run, {0: keyed}, Pickled(), final_only=final_only))


def run(spark: Any, found: list[Record], cut: random.Random, most: int) -> list[Any]:
    """The rows of records in micro-batches, now and then in another process."""
    from cgrx._spark import processor

    rows: list[Any] = []
    for frame in Frames(found).cut(cut, most):
        if cut.random() < 0.3:
            processor._live.clear()
        rows += rows_of(spark.testInPandas(0, frame))
    return rows


def rows_of(frame: Any) -> list[Any]:
    class Collected:
        def collect(self) -> list[Any]:
            return list(frame.itertuples())

    return unpickled(Collected())


@pytest.mark.parametrize("name", LIFTS)
@settings(max_examples=examples(20))
@given(seed=st.sampled_from(list(SAID)), cut=st.randoms(use_true_random=False), most=st.sampled_from([3, 40, 1000]))
def test_any_cut_gives_the_rows_of_one_process(name: str, seed: int, cut: random.Random, most: int) -> None:
    """To the byte: those of the `Shard` that takes all records at once, of every operator."""

    def build(feed: cgrx.Feed, channel: Channel) -> cgrx.EventStream[Any]:
        return LIFTS[name](feed.channel(channel))

    found = run(on_spark(build, [LIQUIDATIONS], final_only=False), records(SAID[seed]), cut, most)
    wanted = Shard(groups(build, [LIQUIDATIONS], "channel", 1)[0].group).take(records(SAID[seed]))
    assert found == wanted
    assert list(map(repr, found)) == list(map(repr, wanted))  # 1 and 1.0 are equal, and another type


@settings(max_examples=examples(20))
@given(cut=st.randoms(use_true_random=False))
def test_the_rows_are_those_of_a_replay(cut: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of a pipeline of several channels, on the events one by one."""
    said = entries(30)
    recording = record(tmp_path_factory.mktemp("recorded") / "r", said)
    wanted = [each for each in records(said) if each.channel != ETH.name]
    found = run(on_spark(across, [(BTC, OKX)], final_only=True), wanted, cut, 50)
    rows = cgrx.backtest(lambda feed: across(feed, BTC, OKX), recording).rows
    assert found == [row for row in rows if row.final]


def test_columns_hold_what_is_missing() -> None:
    """A number that is not known stays one: `gap_ms` of windows behind what loses the marks, means of nothing."""
    window = ops.tumbling("10s", by="exchange", mean=agg.mean(), all=agg.largest(2))
    keyed = groups(window, [BTC], "channel", 1)
    form = Columns.of(keyed[0].group)
    rows = Shard(keyed[0].group).take(records(entries(30, 1, [BTC])))
    values = {name: rows[0][name] for name in rows[0].fields}
    row = type(rows[0])(**values | {"gap_ms": None, "complete": False, "mean": None, "all": ()})
    frame = form.pandas([row, *rows])
    assert frame["gap_ms"].isna().tolist()[0]
    assert str(frame["gap_ms"].dtype) == "int64[pyarrow]"
    assert frame["mean"].isna().tolist()[0]
    assert form.arrow([row, *rows]).column("gap_ms").to_pylist() == [None, *(each.gap_ms for each in rows)]


def test_a_live_pipeline_goes_on_only_from_the_state_that_is_stored() -> None:
    """A task that has failed after it took its records runs again, in the same process: they count once."""
    from cgrx._spark import processor

    found, said = on_spark(bars, [BTC], final_only=False), records(entries(30, 1, [BTC]))
    frames = Frames(said).cut(random.Random(1), 20)
    state = found.handle.getMapState(processor.STATE, "", "")
    rows = rows_of(found.testInPandas(0, frames[0]))
    for frame in frames[1:]:
        before = {key: dict(value) for key, value in state.state.items()}
        once = rows_of(found.testInPandas(0, frame))
        state.state = before  # Spark goes back to what the micro-batch before it has stored
        assert rows_of(found.testInPandas(0, frame)) == once
        rows += once
    assert rows == Shard(groups(bars, [BTC], "channel", 1)[0].group).take(said)


def test_few_runs_are_kept_alive() -> None:
    from cgrx._spark import processor

    for _ in range(10):
        on_spark(bars, [BTC], final_only=False).testInPandas(
            0, Frames(records(entries(1, 1, [BTC]))).cut(random.Random(1), 9)[0]
        )
    assert len(processor._live) == 4


def test_a_group_in_several_partitions_is_refused() -> None:
    found = on_spark(across, [(BTC, ETH)], final_only=False)
    (frame,) = Frames(records(entries(3, 1, [BTC, ETH]))).cut(random.Random(1), 9_999)[:1]
    frame.loc[frame["channel"] == ETH.name, "topic_partition"] = 1
    with pytest.raises(ValueError, match=f"{ETH.name} is in partition 1 of the topic, and others of its group in 0"):
        found.testInPandas(0, frame)


def test_what_is_no_record_is_left_out_and_leaves_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    """As behind `cgrx.consume`: one bad record does not stop the pipelines of its shard."""
    said = records(entries(30, 1, [BTC]))
    (frame,) = Frames(said).cut(random.Random(1), 9_999)[:1]
    whole = rows_of(on_spark(bars, [BTC], final_only=True).testInPandas(0, frame))
    frame.loc[frame["offset"] == 40, "value"] = b"?"
    rows = rows_of(on_spark(bars, [BTC], final_only=True).testInPandas(0, frame))
    (told,) = [record.message for record in caplog.records]
    assert told.startswith(f"left out: partition 0, offset 40: no record under the key {BTC.name!r}: JSON is malformed")
    assert len(rows) == len(whole)
    assert sum(row.gap_ms > 0 for row in rows) > sum(row.gap_ms > 0 for row in whole)
