"""`backtest` on recordings: the rows of a replay, and how they came about."""

import math
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
import reactivex.operators as rx
from polars.testing import assert_frame_equal

import cgrx
from cgrx import operators as ops
from cgrx._backtest.plan import Inexpressible, PlanningFeed, Unplannable, plan
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx._recording.entry import Recorded
from cgrx._recording.recording import Recording
from cgrx._recording.writer import write_recording
from cgrx.operators import agg
from tests.backtest.columns import LIQUIDATIONS, TRADES, Build, assert_same, in_columns
from tests.windows.windowing import trade

BEGUN = [Recorded(channel, Gap(channel, 0, 1000, "subscribed")) for channel in (LIQUIDATIONS, TRADES)]
FLOW = ops.tumbling("1s", by="exchange")


@attrs.frozen
class Twice(ops.Stage[Any, Any]):
    """A stage of the user's own."""

    def start(self) -> ops.Running[Any, Any]:
        return _Twice()


class _Twice(ops.Running[Any, Any]):
    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        return batch.events * 2


def batch(received_ms: int, *events: Any) -> Recorded:
    return Recorded(TRADES, Batch(TRADES, received_ms, events))


def some_trades(exchange: str = "A") -> list[Recorded]:
    return [batch(1000 + 100 * i, trade(1000 + 100 * i, exchange, usd=float(i + 1))) for i in range(60)]


def write(folder: Path, entries: Iterable[Recorded]) -> Recording:
    write_recording(folder, entries)
    return Recording(folder)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return write(tmp_path, [*BEGUN, *some_trades(), Recorded(TRADES, Alive("o", 20_000))])


def trades(feed: Any) -> cgrx.EventStream[cgrx.Trade]:
    return cast("cgrx.Feed", feed).futures_trades("A", "X", min_volume=0)


def by_events(build: Build, recording: Recording) -> tuple[Any, ...]:
    """The same with an opaque stage that changes nothing, so that it runs event by event."""
    found = cgrx.backtest(lambda feed: build(_Opaque(feed)), recording)
    assert found.explain().reason is not None
    return found.rows


def as_it_is(stream: cgrx.EventStream[Any]) -> cgrx.EventStream[Any]:
    return stream.where(lambda _: True)


def cases(*pairs: tuple[Build, str]) -> list[tuple[Build, str]]:
    """Pipelines, each with a part of the reason why it runs event by event."""
    return list(pairs)


def add_usd(total: float, event: cgrx.Trade) -> float:
    return total + event.volume_usd


def time_of(event: cgrx.Trade) -> int:
    return event.time_ms


def itself(event: cgrx.Trade) -> cgrx.Trade:
    return event


def one_event_more(n: int, _: cgrx.Event) -> int:
    return n + 1


class _Opaque(PlanningFeed):
    """A feed whose events go through a Python function."""

    def __init__(self, feed: Any) -> None:
        super().__init__()
        self._feed = feed

    def liquidations(self) -> Any:
        return as_it_is(self._feed.liquidations())

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> Any:
        return as_it_is(self._feed.futures_trades(exchange, symbol, min_volume=min_volume))


def test_in_columns(recording: Recording) -> None:
    found = cgrx.backtest(lambda feed: trades(feed).pipe(ops.min_volume(5), FLOW), recording)
    assert [step.ran for step in found.explain().steps] == ["columns"] * 3
    assert found.explain().reason is None
    assert str(found.explain()).splitlines()[1] == "columns  min_volume(5)"
    expected = by_events(lambda feed: trades(feed).pipe(ops.min_volume(5), FLOW), recording)
    assert_same(found.rows, expected)
    assert len(found.rows) == 6
    assert found.rows is found.rows
    assert_frame_equal(found.to_polars(), cgrx.to_frame(expected))
    assert_frame_equal(found.to_polars(final_only=False), cgrx.to_frame(expected, final_only=False))


def test_by_the_folder_of_a_recording(tmp_path: Path) -> None:
    """Whose name is no pattern."""
    folder = write(tmp_path / "[a]*", [*BEGUN, *some_trades()]).folder
    assert cgrx.backtest(lambda feed: trades(feed).pipe(FLOW), folder).rows


def test_a_python_function_among_events_runs_by_event(recording: Recording) -> None:
    def is_large(event: cgrx.Trade) -> bool:
        return event.volume_usd > 5

    found = cgrx.backtest(lambda feed: trades(feed).where(is_large).pipe(FLOW), recording)
    assert {step.ran for step in found.explain().steps} == {"events"}
    assert "is_large" in str(found.explain()).splitlines()[-1]
    assert sum(map(count_of, found.rows)) == 55
    assert_frame_equal(found.to_polars(), cgrx.to_frame(found.rows))


def count_of(row: Any) -> int:
    return int(row["count"])


def test_functions_of_rows_run_behind_the_columns(recording: Recording) -> None:
    """`final` is a condition of columns, `map` and `where` are called with rows."""

    def build(feed: Any) -> cgrx.EventStream[int]:
        return trades(feed).pipe(FLOW, ops.final()).map(count_of).where(lambda n: n > 5)

    found = cgrx.backtest(build, recording)
    assert [step.ran for step in found.explain().steps] == ["columns", "columns", "columns", "rows", "rows"]
    assert found.rows == by_events(build, recording)
    with pytest.raises(TypeError, match="takes events or rows, not 10"):
        found.to_polars()


def failing(_: object) -> float:
    return 1 / 0


def test_a_function_that_raises_raises(recording: Recording) -> None:
    found = cgrx.backtest(lambda feed: trades(feed).pipe(FLOW).map(failing), recording)
    with pytest.raises(ZeroDivisionError):
        _ = found.rows
    with pytest.raises(ZeroDivisionError):
        cgrx.backtest(lambda feed: trades(feed).map(failing), recording)


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (ops.pipeline(ops.min_volume(1)), "no window"),
        (ops.count_bars(7, by="exchange"), "count_bars"),
        (ops.volume_bars(50, by="exchange"), "volume_bars"),
        (ops.tumbling("1s", by="exchange", updates="200ms"), "running rows"),
        (ops.tumbling("1s", by="exchange", emit_empty=True), "without events"),
        (ops.tumbling("1s", by="exchange", q=agg.quantile(0.5, exact=0)), "sketch"),
        (ops.tumbling("1s", n=agg.custom(int, one_event_more, int.__add__, int)), "Python function"),
        (ops.pipeline(ops.scan(add_usd, 0.0)), "no window"),
        (ops.pipeline(ops.dedupe("1s", time_of), FLOW), "its key"),
        (ops.pipeline(ops.dedupe("5s", max_keys=3), FLOW), "forgets"),
        (ops.pipeline(ops.map(itself), FLOW), "is Python"),
        (ops.pipeline(FLOW, Twice()), "behind the window"),
        (ops.tumbling("1s", by="symbol", max_keys=1, lateness="0s"), "max_keys"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_columns_do_not_say(tmp_path: Path, stage: Any, reason: str) -> None:
    """It runs event by event, with the reason."""
    entries = [batch(1000 + 1000 * i, trade(1000 + 1000 * i, symbol="XY"[i % 2], usd=i + 1.0)) for i in range(20)]
    recording = write(tmp_path, [*BEGUN, *entries])
    found = cgrx.backtest(lambda feed: trades(feed).pipe(stage), recording)
    assert reason in str(found.explain().reason)
    assert found.rows


def test_late_events_run_by_event(tmp_path: Path) -> None:
    late = batch(9000, trade(1500))
    recording = write(tmp_path, [*BEGUN, *some_trades(), late])
    found = cgrx.backtest(lambda feed: trades(feed).pipe(FLOW), recording)
    assert found.explain().reason == "1 event comes too late"
    assert found.rows[-1].late == 1
    late_events: list[Any] = []
    patient = ops.tumbling("1s", by="exchange", lateness="10s", on_late=late_events.append)
    assert cgrx.backtest(lambda feed: trades(feed).pipe(patient), recording).explain().reason is None
    assert late_events == []


def test_so_many_late_events_are_not_looked_at() -> None:
    """Of several connections, where each of them would be a step of Python."""
    old = Batch(TRADES, 9000, tuple(trade(1500) for _ in range(10_001)))
    said = [each.said for each in [*BEGUN[1:], *some_trades()]] + [old, Alive("o", 9500), Alive("p", 9500)]
    with pytest.raises(Inexpressible, match="10,001 events may come too late"):
        in_columns(lambda feed: trades(feed).pipe(FLOW), [(TRADES, cast("Signal[Any]", each)) for each in said])


def test_gaps_and_losses(tmp_path: Path) -> None:
    """With one that was charged to both channels, a channel that was subscribed to again, and a merge of both."""
    parts = some_trades()
    unreadable = [Recorded(channel, Dropped(None, 1, "malformed")) for channel in (LIQUIDATIONS, TRADES)]
    entries = [
        *BEGUN,
        *parts[:20],
        Recorded(TRADES, Dropped(TRADES, 2, "malformed")),
        *unreadable,
        *parts[20:40],
        Recorded(TRADES, Gap(TRADES, 0, 5000, "subscribed")),
        *unreadable,
        *unreadable,
        *parts[40:],
    ]
    recording = write(tmp_path, entries)
    builds: tuple[Build, ...] = (
        lambda feed: trades(feed).pipe(FLOW),
        lambda feed: cgrx.merge(feed.liquidations(), trades(feed)).pipe(FLOW),
    )
    for build in builds:
        found = cgrx.backtest(build, recording)
        assert found.explain().reason is None
        assert_same(found.rows, by_events(build, recording))
        assert len({row.dropped for row in found.rows}) > 1
        assert any(row.gap_ms for row in found.rows)


def test_several_instruments_in_order(tmp_path: Path) -> None:
    other = cgrx.FuturesTrades("B", "X", 0)
    elsewhere = [
        Recorded(other, Batch(other, 1000 + 100 * i, (trade(1000 + 100 * i, "B", usd=2.0),))) for i in range(60)
    ]
    both = [entry for pair in zip(some_trades(), elsewhere, strict=True) for entry in pair]
    entries = [*BEGUN, Recorded(other, Gap(other, 0, 1000, "subscribed")), *both]
    recording = write(tmp_path, entries)

    def build(feed: Any) -> Any:
        return feed.futures_trades_across([("A", "X"), ("B", "X")], min_volume=0).pipe(FLOW)

    found = cgrx.backtest(build, recording)
    assert found.explain().reason is None
    assert str(found.explain()).splitlines() == [
        "columns    futures_trades@A_X@0",
        "columns    futures_trades@B_X@0",
        "columns  merge_exchanges",
        'columns  tumbling("1s", by="exchange")',
    ]
    assert_same(found.rows, by_events(build, recording))


@pytest.mark.parametrize(
    ("build", "reason"),
    cases(
        (lambda feed: trades(feed).pipe(rx.filter(lambda _: True), FLOW), "something else"),
        (lambda feed: trades(feed).pipe(FLOW, rx.take(3)), "reactivex"),
        (lambda feed: cgrx.merge(trades(feed), cgrx.from_async(_nothing)).pipe(FLOW), "something else"),
        (lambda feed: (trades(feed).subscribe(), trades(feed).pipe(FLOW))[1], "of its own"),
        (lambda feed: (feed.scheduler, trades(feed).pipe(FLOW))[1], "feed.scheduler"),
        (lambda feed: (feed.status, trades(feed).pipe(FLOW))[1], "feed.status"),
        (lambda feed: (feed.state, trades(feed).pipe(FLOW))[1], "feed.state"),
        (lambda feed: (feed.stats, trades(feed).pipe(FLOW))[1], "feed.stats"),
        (lambda feed: (feed.now_ms, trades(feed).pipe(FLOW))[1], "feed.now_ms"),
    ),
)
def test_what_cannot_be_planned(recording: Recording, build: Build, reason: str) -> None:
    found = cgrx.backtest(build, recording)
    assert reason in str(found.explain().reason)
    assert found.explain().steps[0].ran == "events"
    assert found.rows


async def _nothing() -> AsyncIterator[cgrx.Trade]:
    for event in list[cgrx.Trade]():
        yield event


@pytest.mark.parametrize(
    "stage",
    [
        ops.dedupe("250ms", "exchange"),
        ops.dedupe("250ms"),
        ops.dedupe("150ms", max_keys=3),
        ops.dedupe("1m", max_keys=math.inf),
        ops.dedupe("1s", "side", max_keys=100),
    ],
    ids=repr,
)
def test_dedupe(recording: Recording, stage: Any) -> None:
    """Also where an event is repeated for longer than it is remembered."""

    def build(feed: Any) -> Any:
        return trades(feed).pipe(stage, FLOW)

    found = cgrx.backtest(build, recording)
    assert found.explain().reason is None
    assert_same(found.rows, by_events(build, recording))


def both(feed: Any) -> Any:
    return cgrx.merge_exchanges(trades(feed), feed.liquidations())


@pytest.mark.parametrize(
    ("build", "reason"),
    cases(
        (lambda feed: both(feed).pipe(ops.dedupe("1s"), FLOW), "behind merge_exchanges"),
        (lambda feed: cgrx.merge(both(feed), trades(feed)).pipe(FLOW), "behind merge_exchanges"),
        (lambda feed: cgrx.merge_exchanges(trades(feed), max_delay="9s", max_held=3).pipe(FLOW), "max_held=3"),
        (lambda feed: cgrx.merge_exchanges(trades(feed), feed.liquidations(), until="any").pipe(FLOW), "until"),
    ),
)
def test_what_columns_do_not_say_of_merges(recording: Recording, build: Build, reason: str) -> None:
    found = cgrx.backtest(build, recording)
    assert reason in str(found.explain().reason)
    assert_same(found.rows, by_events(build, recording))


def test_a_merge_in_which_one_is_silent_for_long(tmp_path: Path) -> None:
    many = tuple(trade(2000 + i) for i in range(1001))
    silent = Recorded(LIQUIDATIONS, Gap(LIQUIDATIONS, 0, 9000, "subscribed"))
    recording = write(tmp_path, [BEGUN[1], batch(3500, *many), silent])
    found = cgrx.backtest(lambda feed: cgrx.merge(trades(feed), feed.liquidations()).pipe(FLOW), recording)
    assert "1,001 events" in str(found.explain().reason)


def test_watermarks_are_nothing_that_a_feed_says(tmp_path: Path) -> None:
    recording = write(tmp_path, [*BEGUN, *some_trades(), Recorded(TRADES, Watermark(9000))])
    found = cgrx.backtest(lambda feed: trades(feed).pipe(FLOW), recording)
    assert "watermarks" in str(found.explain().reason)


def test_nothing_happened(tmp_path: Path) -> None:
    recording = write(tmp_path, BEGUN)
    builds: tuple[Build, ...] = (
        lambda feed: trades(feed).pipe(FLOW),
        lambda feed: both(feed).pipe(ops.session("1s")),
    )
    for build in builds:
        found = cgrx.backtest(build, recording)
        assert found.explain().reason is None
        assert found.rows == ()
        assert found.to_polars().is_empty()


def test_a_recording_of_one_channel(tmp_path: Path) -> None:
    recording = write(tmp_path, [BEGUN[1], *some_trades()])
    found = cgrx.backtest(lambda feed: trades(feed).pipe(FLOW), recording)
    assert_same(found.rows, by_events(lambda feed: trades(feed).pipe(FLOW), recording))


def test_a_channel_that_is_not_recorded(recording: Recording) -> None:
    for condition in (ops.min_volume(1), ops.where(bool, of=cgrx.Trade)):
        with pytest.raises(ValueError, match="futures_trades@B_Y@0 is not recorded"):
            cgrx.backtest(lambda feed: feed.futures_trades("B", "Y", min_volume=0).pipe(condition, FLOW), recording)  # noqa: B023 - called at once


def test_what_is_built_must_be_an_observable(recording: Recording) -> None:
    def build(feed: Any) -> Any:
        return [trades(feed)]

    with pytest.raises(TypeError, match="no Observable"):
        cgrx.backtest(build, recording)


@pytest.mark.parametrize("channel", ["futures_trades@A_X@0", cgrx.FuturesTrades("A", "X", 0)], ids=["name", "value"])
def test_a_channel_is_planned_as_its_method_is(channel: cgrx.Channel | str) -> None:
    assert plan(lambda feed: feed.channel(channel).pipe(FLOW)).source == cgrx.FuturesTrades("A", "X", 0)


def test_a_plan_waits_for_nothing() -> None:
    asks: tuple[Build, ...] = (
        lambda feed: feed.run(),
        lambda feed: feed.aclose(),
        lambda feed: feed.report(cgrx.Resumed(0)),
    )
    for ask in asks:
        with pytest.raises(Unplannable, match="feed"):
            plan(ask)
