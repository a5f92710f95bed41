"""A pipeline that goes on where the process before it stopped. A kill is what the files hold at that moment."""

import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from reactivex import operators as rx

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from cgrx.testing import liquidation
from tests.feed.feeding import START_MS, WALL_S, feed_on
from tests.streams.streaming import Hot
from tests.support import run_mock

Pipeline = Callable[[cgrx.Feed], Any]


def flows(feed: cgrx.Feed) -> Any:
    """Of each minute."""
    return feed.liquidations().pipe(ops.tumbling("1m", ops.Flow, lateness="1s"))


@attrs.define
class Process:
    """What happens in one process; times are seconds since `START_MS`."""

    folder: Path
    begins_s: float = 0.0
    build: Pipeline = flows
    options: dict[str, Any] = attrs.field(factory=dict[str, Any])
    server: dict[str, Any] = attrs.field(factory=dict[str, Any])
    rows: list[ops.Flow] = attrs.field(factory=list[ops.Flow])
    errors: list[Exception] = attrs.field(factory=list[Exception])
    completed: int = 0

    def run(self, until_s: float, sent: Sequence[tuple[float, float]] = (), at_end: Callable[[], object] = str) -> None:
        """Send liquidations of a volume at a time; `at_end` is called when the feed still runs."""

        async def main() -> None:
            async with (
                Simulator(listen=False, **self.server) as simulator,
                feed_on(simulator, wall_clock=lambda: WALL_S + self.begins_s + trio.current_time()) as feed,
            ):
                self._subscribe(feed)
                for at_s, volume in sent:
                    await trio.sleep(at_s - self.begins_s - trio.current_time())
                    await simulator.send(liquidation("long", volume, time=WALL_S + at_s))
                await trio.sleep(until_s - self.begins_s - trio.current_time())
                at_end()

        run_mock(main)

    def killed(self, until_s: float, sent: Sequence[tuple[float, float]] = ()) -> None:
        """The same; what is in the folder then is all that is left."""
        copy = self.folder.with_name("copy")
        self.run(until_s, sent, lambda: shutil.copytree(self.folder, copy))
        shutil.rmtree(self.folder)
        copy.rename(self.folder)

    def _subscribe(self, feed: cgrx.Feed) -> None:
        def complete() -> None:
            self.completed += 1

        cgrx.resume(self.folder, self.build, feed, **self.options).subscribe(
            self.rows.append, self.errors.append, complete
        )


def told(rows: Sequence[ops.Flow]) -> list[tuple[float, int, float, int | None, bool]]:
    """Of each row its start in seconds, its events, their volume, the gap in whole seconds, and whether complete."""
    return [
        (
            (row.start_ms - START_MS) / 1000,
            row.count,
            row.volume,
            None if row.gap_ms is None else round(row.gap_ms / 1000),
            row.complete,
        )
        for row in rows
    ]


BEGIN_S = -(START_MS % 60_000) / 1000
"""When the minute began in which the first process begins."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_open_windows_go_on_behind_a_kill(folder: Path) -> None:
    """The time in which nobody listened is missing, and nothing else is."""
    sent = [(50.0, 1.0), (70.0, 2.0), (94.0, 4.0), (110.0, 8.0), (130.0, 16.0), (190.0, 32.0)]
    Process(folder).killed(95.0, sent[:3])
    second = Process(folder, 105.0)
    second.run(250.0, sent[3:])
    found = told(second.rows)
    minute = 60 + BEGIN_S
    while minute < 40:
        minute += 60
    assert [row for row in found if row[0] >= minute] != []
    for start, count, volume, gap_s, complete in found:
        inside = [volume for at, volume in sent if start <= at < start + 60]
        assert (count, volume) == (len(inside), sum(inside))
        lost = max(0.0, min(105.0, start + 60) - max(94.0, start))  # from when something was heard last
        assert gap_s is not None
        if start >= 0:
            assert abs(gap_s - lost) <= 3  # the clocks of exchanges may differ by two
            assert complete is (lost == 0 and gap_s == 0)


def test_what_came_out_since_the_snapshot_comes_out_again(folder: Path) -> None:
    first = Process(folder, options={"every": "1h"})
    first.killed(200.0, [(50.0, 1.0), (70.0, 2.0), (150.0, 4.0)])
    second = Process(folder, 210.0)
    second.run(220.0)
    assert len(first.rows) >= 2
    assert second.rows[: len(first.rows)] == first.rows
    third = Process(folder, 230.0)
    third.run(235.0)
    assert third.rows == []


def test_no_snapshot_passes_over_what_is_under_way(folder: Path) -> None:
    first = Process(folder, options={"every": "5s", "settled": lambda: False})
    first.run(200.0, [(50.0, 1.0), (70.0, 2.0), (150.0, 4.0)])
    second = Process(folder, 210.0)
    second.run(220.0)
    assert second.rows[: len(first.rows)] == first.rows != []


def test_completion_puts_the_state_away(folder: Path) -> None:
    """Windows that are open do not come out; they go on."""
    first = Process(folder)
    first.run(50.0, [(45.0, 1.0)])
    assert (first.completed, first.rows, first.errors) == (1, [], [])
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".journal", ".state"]
    second = Process(folder, 51.0)
    second.run(200.0)
    assert sum(row.count for row in second.rows) == 1


def test_the_state_is_put_away_with_the_last_channel(folder: Path) -> None:
    def build(feed: cgrx.Feed) -> Any:
        trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        return feed.liquidations().merge(trades).pipe(ops.tumbling("1m", ops.Flow))

    first = Process(folder, build=build)
    first.run(50.0, [(45.0, 1.0)])
    assert (first.completed, first.rows, first.errors) == (1, [], [])


def test_a_subscriber_that_leaves_puts_it_away_too(folder: Path) -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            stream = cgrx.resume(folder, flows, feed)
            subscription = stream.subscribe()
            with pytest.raises(cgrx.StateError, match=r"is in use: give each pipeline a folder of its own"):
                stream.subscribe()
            subscription.dispose()
            subscription.dispose()
            stream.subscribe().dispose()

    run_mock(main)
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".journal", ".state"]


def test_the_state_of_another_pipeline_is_refused(folder: Path) -> None:
    Process(folder).killed(20.0)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def other(feed: cgrx.Feed) -> Any:
        return feed.liquidations().pipe(ops.tumbling("5m", ops.Flow))

    with pytest.raises(cgrx.StateError, match="5m"):
        Process(folder, 30.0, build=other).run(40.0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_line_that_was_cut_off_had_not_been_seen(folder: Path) -> None:
    Process(folder, options={"every": "1h"}).killed(50.0, [(40.0, 1.0), (45.0, 2.0)])
    (journal,) = folder.glob("*.journal")
    journal.write_bytes(journal.read_bytes() + b"liquidationOrders\t[1,")
    second = Process(folder, 51.0)
    second.run(200.0)
    assert sum(row.volume for row in second.rows) == 3.0


@pytest.mark.parametrize(
    ("kind", "error"), [("state", cgrx.StateError), ("journal", cgrx.RecordError)], ids=["snapshot", "journal"]
)
def test_a_file_that_is_damaged_is_refused(kind: str, error: type[Exception], folder: Path) -> None:
    Process(folder, options={"every": "1h"}).killed(50.0, [(40.0, 1.0)])
    (path,) = folder.glob(f"*.{kind}")
    damaged = path.read_bytes().replace(b'"e"', b'"?"') if kind == "journal" else path.read_bytes()[:-1] + b"?"
    path.write_bytes(damaged)
    with pytest.raises(error, match=path.name):
        Process(folder, 60.0).run(70.0)
    assert path.read_bytes() == damaged


def test_a_full_disk_ends_the_stream(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before all that is on the disk has come out."""
    write = io.FileIO.write
    written = 0

    class Full(io.FileIO):
        def write(self, data: Any, /) -> int:
            nonlocal written
            written += len(data)
            return write(self, data[: len(data) // 2] if written > 1_000 else data)

    monkeypatch.setattr(io, "FileIO", Full)
    process = Process(folder)
    process.run(100.0, [(float(at), 1.0) for at in range(10, 60)])
    (error,) = process.errors
    assert isinstance(error, OSError)
    assert "the disk is full" in str(error)
    monkeypatch.undo()
    Process(folder, 110.0).run(120.0)


def test_an_error_of_the_pipeline_comes_behind_what_came_out_before(folder: Path) -> None:
    def build(feed: cgrx.Feed) -> Any:
        return feed.liquidations().map(lambda event: 1 / (3 - event.volume_usd))

    process = Process(folder, build=build)
    process.run(60.0, [(10.0, 1.0), (20.0, 2.0), (30.0, 3.0), (40.0, 4.0)])
    assert process.rows == [0.5, 1.0]
    assert [type(error) for error in process.errors] == [ZeroDivisionError]


def test_an_error_comes_again_with_the_record_that_brought_it(folder: Path) -> None:
    def build(feed: cgrx.Feed) -> Any:
        return feed.liquidations().map(lambda event: 1 / (3 - event.volume_usd))

    Process(folder, build=build, options={"every": "1h"}).killed(60.0, [(10.0, 1.0), (30.0, 3.0)])
    process = Process(folder, 70.0, build=build)
    process.run(80.0)
    assert process.rows == [0.5]
    assert [type(error) for error in process.errors] == [ZeroDivisionError]


def test_a_channel_that_fails_ends_the_stream(folder: Path) -> None:
    process = Process(folder, server={"plan": "hobbyist"})
    process.run(60.0)
    assert [type(error) for error in process.errors] == [cgrx.PlanError]


def test_a_snapshot_that_finds_no_room_is_made_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal has all meanwhile."""
    rename, full = Path.rename, True

    def refuse(path: Path, target: Path) -> Path:
        if path.suffix == ".half" and path.stem != "000000000001" and full:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    Process(folder).killed(50.0, [(10.0, 1.0), (45.0, 2.0)])
    assert [path.stem for path in folder.glob("*.state")] == ["000000000001"]
    full = False
    second = Process(folder, 51.0)
    second.run(200.0)
    assert sum(row.volume for row in second.rows) == 3.0


def test_a_value_that_does_not_pickle_ends_the_stream(folder: Path) -> None:
    def build(feed: cgrx.Feed) -> Any:
        def add(state: Any, event: Any) -> Any:
            return (lambda: None) if event.volume_usd == 3 else event.volume_usd

        return feed.liquidations().pipe(ops.scan(add, 0.0))

    process = Process(folder, build=build)
    process.run(60.0, [(10.0, 1.0), (30.0, 3.0)])
    assert [type(error) for error in process.errors] == [cgrx.StateError]


class Own:
    """A feed of somebody's own: without a loop, and so without a time for snapshots."""

    def __init__(self) -> None:
        self.source: Hot[Any] = Hot()

    def channel(self, _: object) -> cgrx.EventStream[Any]:
        return self.source.stream


def test_a_subscriber_may_leave_in_the_midst(folder: Path) -> None:
    feed: Any = Own()
    seen: list[Any] = []

    def take(event: Any) -> None:
        seen.append(event)
        subscription.dispose()

    def build(it: cgrx.Feed) -> Any:
        return it.liquidations().pipe(ops.tumbling("1s", ops.Flow, by="exchange", lateness=0))

    subscription = cgrx.resume(folder, build, feed).subscribe(take)
    channel = cgrx.LiquidationOrders()
    feed.source.say(cgrx.Gap(channel, 0, START_MS, "subscribed"))
    for number in range(3):
        at_ms = START_MS + 1_000 * number
        events = tuple(liquidation(time=at_ms / 1000, exchange=name) for name in ("Binance", "OKX"))
        feed.source.say(cgrx.Batch(channel, at_ms, events))
        feed.source.say(cgrx.Alive("a", at_ms + 10))
    assert len(seen) == 1
    feed.source.complete()


def test_what_is_refused(folder: Path) -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            with pytest.raises(ValueError, match="every"):
                cgrx.resume(folder, flows, feed, every="soon")
            with pytest.raises(ValueError, match="debounce"):
                cgrx.resume(folder, lambda it: flows(it).pipe(rx.debounce(1.0)), feed)

    run_mock(main)
    assert not folder.exists()


def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    with pytest.raises(cgrx.StateError, match="may be written to by others"):
        Process(folder).run(10.0)
