"""`sweep`: each combination of parameters gives what a backtest of it gives, and what they have in common runs once."""

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import reactivex.operators as rx
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive, Batch, Gap, Signal
from cgrx._recording.entry import Recorded
from cgrx._recording.recording import Recording
from cgrx._recording.writer import write_recording
from cgrx.operators import agg
from cgrx.testing import liquidation
from tests import recordings
from tests.backtest.columns import LIQUIDATIONS, TRADES, Said, said
from tests.backtest.sweeping import Build, assert_as_alone, bars, large, sixty_trades, trades, write
from tests.choosing import one_in
from tests.support import examples
from tests.windows.windowing import trade


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return sixty_trades(tmp_path)


# --- equal to backtests ----------------------------------------------------------------------------------------------


def filtered(feed: cgrx.Feed, x: float, y: int) -> Any:
    return trades(feed).pipe(ops.min_volume(x), ops.tumbling(timedelta(milliseconds=7 * y), by="exchange"))


def behind(feed: cgrx.Feed, x: float, y: int) -> Any:
    return trades(feed).pipe(ops.side("buy"), ops.session(timedelta(milliseconds=y))).where(partial(large, x))


def deduped(feed: cgrx.Feed, x: float, y: int) -> Any:
    return trades(feed).pipe(ops.dedupe(timedelta(milliseconds=9)), ops.max_volume(x), ops.sliding("20ms", "5ms"))


def cascades(feed: cgrx.Feed, x: float, y: int) -> Any:
    return feed.liquidations().pipe(ops.cascades("4ms", min_volume=x, min_count=y))


def over_rows(feed: cgrx.Feed, x: float, y: int) -> Any:
    rows = trades(feed).pipe(ops.side("sell"), ops.tumbling("10ms", updates="5ms"), ops.final())
    return rows.pipe(ops.tumbling(timedelta(milliseconds=20 * y), volume=agg.sum("volume"))).where(partial(large, x))


def ranked(feed: cgrx.Feed, x: float, y: int) -> Any:
    return feed.liquidations().pipe(
        ops.cascades("4ms", min_volume=x, min_count=1), ops.rolling(y + 1, usd=agg.sum("volume"))
    )


def crossed(feed: cgrx.Feed, x: float, y: int) -> Any:
    return feed.liquidations().pipe(ops.cascades("4ms", min_volume=x, min_count=y, emit="crossed"))


def running(feed: cgrx.Feed, x: float, y: int) -> Any:
    rows = trades(feed).pipe(ops.side("sell"), ops.tumbling("20ms", updates="5ms"))
    return rows.pipe(ops.final()) if y == 1 else rows.where(partial(large, x))


def merged(feed: cgrx.Feed, x: float, y: int) -> Any:
    burst = feed.liquidations().pipe(ops.cascades("4ms", min_volume=x, min_count=y))
    return burst.merge(trades(feed)).pipe(ops.scan(count, 0), ops.map(partial(max, y)))


def merged_in_order(feed: cgrx.Feed, x: float, y: int) -> Any:
    bursts = (trades(feed).pipe(ops.side(side), ops.count_bars(y, by="exchange")) for side in ("buy", "sell"))
    return cgrx.merge(*bursts).where(partial(large, x))


def ordered(feed: cgrx.Feed, x: float, y: int) -> Any:
    return cgrx.merge_exchanges(trades(feed), feed.liquidations(), max_delay="5ms").pipe(
        ops.min_volume(x), ops.count_bars(y, by="exchange")
    )


def shared(feed: cgrx.Feed, x: float, y: int) -> Any:
    both = trades(feed).share()
    return cgrx.merge(both.pipe(ops.count_bars(y, by="exchange")), both.pipe(ops.min_volume(x)))


def foreign(feed: cgrx.Feed, x: float, y: int) -> Any:
    return trades(feed).pipe(rx.skip(y), rx.take(3))


@attrs.frozen
class Changeable(ops.Stage[Any, Any]):
    """A stage that holds what may change, so it has no hash."""

    seen: list[int]

    def start(self) -> ops.Running[Any, Any]:
        return ops.count_bars(2, by="exchange").start()


def changeable(feed: cgrx.Feed, x: float, y: int) -> Any:
    return trades(feed).pipe(Changeable([y])).where(partial(large, x))


def count(n: int, _: object) -> int:
    return n + 1


BUILDS: list[Build] = [
    filtered, behind, deduped, cascades, crossed, running, merged, merged_in_order, ordered, shared, foreign, over_rows,
    changeable, ranked,
]  # fmt: skip


GRIDS = st.fixed_dictionaries(
    {
        "x": st.lists(st.sampled_from([0, 0.0, 0.5, 1, 1.0, 1.5, 3.0]), min_size=1, max_size=3),
        "y": st.lists(st.integers(1, 3), min_size=1, max_size=2),
    }
)


@given(said(), st.sampled_from(BUILDS), GRIDS)
@settings(max_examples=examples(12))
def test_as_backtests(what: Said, build: Build, grid: Mapping[str, list[float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = write(Path(folder) / "recorded", what)
        assert_as_alone(build, recording, cgrx.sweep(build, recording, grid))


@pytest.mark.parametrize("build", one_in(2, BUILDS))
def test_every_pipeline(build: Build, tmp_path: Path) -> None:
    """The same of every kind of pipeline on events of both channels."""
    events = [
        (TRADES, Batch(TRADES, now, (trade(now, "AB"[now % 2], usd=0.5 * (now % 5 + 1)),))) for now in range(20, 90, 3)
    ]
    bursts: Any = [
        (LIQUIDATIONS, Batch(LIQUIDATIONS, now, (liquidation(volume_usd=now % 4 + 1, time=now / 1000, exchange="A"),)))
        for now in range(20, 90, 2)
    ]
    begun: Any = [(channel, Gap(channel, 0, 10, "subscribed")) for channel in (LIQUIDATIONS, TRADES)]
    end: Any = [(channel, Alive("o", 5_000)) for channel in (LIQUIDATIONS, TRADES)]
    both = sorted([*events, *bursts], key=lambda each: each[1].received_ms)
    recording = write(tmp_path / "recorded", [*begun, *both, *end])
    found = cgrx.sweep(build, recording, {"x": [0, 0.0, 1.5], "y": [1, 3]})
    assert_as_alone(build, recording, found)
    assert sum(each.error is None for each in found.combinations) == 6


@recordings.REQUIRED
@pytest.mark.parametrize("file", recordings.RECORDINGS, ids=lambda file: file.channel)
def test_as_backtests_on_real_events(file: recordings.Recording, tmp_path: Path) -> None:
    events = recordings.decoded(file, 1000)
    channel = recordings.channel_of(events[0])
    now = 0
    entries: list[Recorded] = [Recorded(channel, Gap(channel, 0, events[0].time_ms - 500, "subscribed"))]
    for start in range(0, len(events), 5):
        chunk = events[start : start + 5]
        now = max(now, *(event.time_ms for event in chunk))
        entries += [Recorded(channel, Batch(channel, now, tuple(chunk))), Recorded(channel, Alive("o", now))]
    write_recording(tmp_path / "real", entries)
    recording = Recording(tmp_path / "real")
    window: Any = ops.cascades if isinstance(events[0], cgrx.Liquidation) else ops.session

    def build(feed: cgrx.Feed, *, threshold: float, gap: str, first: bool) -> Any:
        stream = feed.channel(channel)
        if first:
            return stream.pipe(ops.min_volume(threshold), window(gap, by="exchange"))
        return stream.pipe(window(gap, by="exchange")).where(partial(large, threshold))

    grid = {"threshold": [0, 1e3, 5e3], "gap": ["500ms", "3s"], "first": [True, False]}
    found = cgrx.sweep(build, recording, grid)
    assert_as_alone(build, recording, found, digits=12)
    assert all(each.rows for each in found.combinations)


# --- what runs once --------------------------------------------------------------------------------------------------


def test_equal_stages_run_once(recording: Recording) -> None:
    """The window's function is called once for each event, not once for each combination."""
    seen: list[object] = []
    calls: list[str] = []

    def build(feed: cgrx.Feed, *, threshold: float) -> Any:
        calls.append("build")
        return trades(feed).pipe(ops.tap(seen.append), ops.tumbling("1s")).where(partial(large, threshold))

    found = cgrx.sweep(build, recording, {"threshold": [0, 100, 200]})
    assert len(seen) == 60
    assert len(calls) == 3
    assert [len(each.rows) for each in found.combinations] == [6, 5, 4]
    assert found.combinations[0].rows[-1] is found.combinations[2].rows[-1]


def test_the_recording_is_read_once(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[object] = []
    for name in ("batches", "to_polars", "_scans"):
        original: Any = getattr(Recording, name)

        def counted(*args: Any, name: str = name, original: Any = original, **kwargs: Any) -> Any:
            reads.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(Recording, name, counted)
    cgrx.sweep(bars, recording, {"threshold": range(20)})
    assert reads == ["_scans"]


# --- the result ------------------------------------------------------------------------------------------------------


def test_a_row_for_each_combination(recording: Recording) -> None:
    found = cgrx.sweep(bars, recording, {"threshold": [0, 55], "size": ["1s", "3s"]})
    frame = found.to_polars()
    assert frame.columns == ["threshold", "size", "rows", "error"]
    assert frame.rows() == [(0, "1s", 6, None), (0, "3s", 3, None), (55, "1s", 1, None), (55, "3s", 1, None)]
    assert repr(found) == "Sweep(4 combinations)"
    assert "threshold" in found._repr_html_()


def test_combinations_one_by_one(recording: Recording) -> None:
    """What a combination lacks is null; values that are no plain ones are shown as texts."""
    grid: list[Mapping[str, object]] = [
        {"threshold": 0},
        {"threshold": 55, "size": timedelta(seconds=3)},
        {"threshold": 1, "size": "2s"},
    ]
    frame = cgrx.sweep(bars, recording, iter(grid)).to_polars()
    assert frame["threshold"].to_list() == [0, 55, 1]
    assert frame["size"].to_list() == [None, "0:00:03", "2s"]


def test_measures(recording: Recording) -> None:
    def measure(found: cgrx.Backtest[ops.Flow]) -> dict[str, object]:
        return {"usd": sum(row.volume for row in found.rows), "bars": found.count}

    found = cgrx.sweep(bars, recording, {"threshold": [0, 59, 60]}, measure=measure, keep=False)
    assert found.to_polars().drop("error").rows() == [(0, 1830.0, 6), (59, 119.0, 1), (60, 60.0, 1)]
    with pytest.raises(ValueError, match=r"the rows of {'threshold': 59} were not kept: give sweep\(\) keep=True"):
        _ = found.combinations[1].rows


def test_part_of_a_recording(recording: Recording) -> None:
    found = cgrx.sweep(bars, [recording.folder], {"threshold": [0]}, start=2000, end=3000, channels=[TRADES])
    alone = cgrx.backtest(partial(bars, threshold=0), recording, start=2000, end=3000)
    assert found.combinations[0].rows == alone.rows
    with ThreadPoolExecutor(1) as threads:
        again = cgrx.sweep(
            bars, recording, {"threshold": [0]}, start=2000, end=3000, channels=[TRADES], executor=threads
        )
    assert again.combinations[0].rows == alone.rows


def test_filters_behind_a_pause_of_the_network(tmp_path: Path) -> None:
    """What it held back comes at once, and is not late; no clock is doubted for that."""
    signals: list[Signal[Any]] = [Gap(TRADES, 0, 1000, "subscribed")]
    for at in range(60):
        time_ms = 1000 + 100 * at
        signals.append(Batch(TRADES, 6500 if 30 <= at < 55 else time_ms, (trade(time_ms, usd=float(at + 1)),)))
    recording = write(tmp_path / "recorded", [(TRADES, each) for each in [*signals, Alive("o", 20_000)]])
    found = cgrx.sweep(bars, recording, {"threshold": [0, 10, 40]})
    assert_as_alone(bars, recording, found)
    assert [len(each.rows) for each in found.combinations] == [6, 6, 3]
