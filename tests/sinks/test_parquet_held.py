"""`cgrx.sinks.parquet`: what holds it up, and that nothing is lost or written twice for it."""

import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
import trio

import cgrx
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx.testing import liquidation
from tests.delivery.systems import FLOW, flow
from tests.sinks.test_parquet import Own, files, read, write, writing
from tests.support import run


@pytest.mark.parametrize("before", [0, 20])
def test_a_disk_that_has_room_again_gets_everything(tmp_path: Path, before: int) -> None:
    """The kernel refuses to let any file grow, a new journal as well as one that goes on; then it lets them."""
    said = [flow(minute) for minute in range(40)]

    async def main() -> None:
        async with writing(tmp_path, FLOW) as (sink, source, notes):
            source.say(Batch(None, 0, tuple(said[:before])))
            await sink.flush()
            with no_file_grows():
                source.say(Batch(None, 0, tuple(said[before:])))
                while not notes.told:  # noqa: ASYNC110 - notes tell nobody
                    await trio.sleep(0.01)
                assert (sink.stats.delivered, sink.stats.in_flight) == (before, 40 - before)
            await sink.flush()
            assert sink.stats.delivered == 40

    run(main)
    assert read(tmp_path).equals(cgrx.to_frame(said))
    assert files(tmp_path) == ["flow-1970-01-01T00.parquet"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".open", ".draft")] == []


@contextmanager
def no_file_grows() -> Generator[None]:
    """A disk that is full but for a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_any_thread_may_let_go_of_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def in_another_thread(work: Callable[[], None]) -> None:
        thread = Thread(target=work)
        thread.start()
        thread.join()

    monkeypatch.setattr(trio.to_thread, "run_sync", in_another_thread)
    write(tmp_path, [flow(0)])
    write(tmp_path, [flow(1)])
    assert read(tmp_path).height == 2


def test_a_sink_leaves_alone_the_files_of_a_longer_name(tmp_path: Path) -> None:
    async def main() -> None:
        async with writing(tmp_path, FLOW, pipeline="flow-5m") as (sink, source, _):
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()
            async with writing(tmp_path, FLOW):
                source.say(Batch(None, 0, (flow(1),)))
                await sink.flush()

    run(main)
    assert read(tmp_path, "flow-5m").height == 2


def test_what_is_neither_a_row_nor_an_event_is_dead(tmp_path: Path) -> None:
    stats = write(tmp_path, [{"no": "row"}, flow(0)])
    assert (stats.delivered, stats.dead) == (1, 1)


def test_an_event_beside_data_that_is_refused_is_there_once(tmp_path: Path) -> None:
    too_large = Own(start_ms=0, end_ms=2**70, exchange="OKX", where=(), own=None)
    stats = write(tmp_path, [liquidation(), too_large])
    assert (stats.delivered, stats.dead) == (1, 1)
    assert read(tmp_path, "liquidations").height == 1


def test_a_folder_may_be_named_as_a_partition(tmp_path: Path) -> None:
    folder = tmp_path / "asset=BTC"
    write(folder, [flow(0)])
    write(folder, [flow(1)])
    assert pl.read_parquet(folder / "flow-*.parquet", hive_partitioning=False).height == 2


def test_an_older_file_with_other_columns_holds_its_late_rows(tmp_path: Path) -> None:
    """It is a matter of the folder, not of the data: nothing is given up for it."""
    write(tmp_path, [flow(60)], pipeline="mine")
    write(tmp_path / "old", [Own(start_ms=0, end_ms=1, exchange="OKX", where=(), own=None)], pipeline="mine")
    old = tmp_path / "mine-1970-01-01T00.parquet"
    (tmp_path / "old" / old.name).rename(old)

    async def main() -> None:
        async with writing(tmp_path, FLOW, pipeline="mine") as (sink, source, notes):
            source.say(Batch(None, 0, (flow(0), flow(61))))
            while not notes.told:  # noqa: ASYNC110 - notes tell nobody
                await trio.sleep(0.01)
            assert f"{old}: its column 'base_asset' is missing, and the rows have string" in str(notes.told[0])
            old.unlink()
            await sink.flush()
            assert (sink.stats.delivered, sink.stats.dead) == (2, 0)

    run(main)
    assert read(tmp_path, "mine")["start_ms"].to_list() == [0, 3_600_000, 3_660_000]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flow-1970-01-01T00.parquet").write_bytes(b"no table at all")

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="it is no whole Parquet file: move it elsewhere"):
            async with writing(tmp_path, FLOW):
                pytest.fail("it was entered")

    run(main)
