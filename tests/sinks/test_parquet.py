"""`cgrx.sinks.parquet`: real files, killed processes, and a full disk."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Liquidation, sinks
from cgrx import operators as ops
from cgrx._model.signals import Batch
from cgrx.operators import agg
from cgrx.testing import liquidation, trade
from tests.choosing import one_in
from tests.delivery.systems import FLOW, flow, require_balance
from tests.disks import full_disk as full_disk
from tests.sinks.writing import write_to, writing_to
from tests.streams.streaming import Hot, Notes
from tests.support import examples, run


class Own(ops.Row):
    """A row whose columns hold lists, and what nobody knows."""

    exchange: str
    where = agg.exchanges()
    own = agg.custom(lambda: 0, lambda total, _: total + 1, lambda one, two: one + two, lambda total: {"n": total})


writing = partial(writing_to, sinks.parquet)
write = partial(write_to, sinks.parquet)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.parquet"))


def read(folder: Path, stem: str = "flow") -> pl.DataFrame:
    return pl.read_parquet(folder / f"{stem}-*.parquet")


def test_rows_are_in_a_file_of_their_hour(tmp_path: Path) -> None:
    rows = [flow(0, 1.5), flow(59, asset="ETH"), flow(60), flow(121)]
    write(tmp_path, rows)
    assert files(tmp_path) == [f"flow-1970-01-01T0{hour}.parquet" for hour in range(3)]
    assert read(tmp_path).equals(cgrx.to_frame(rows))


def test_rows_are_in_a_file_of_their_day(tmp_path: Path) -> None:
    write(f"{tmp_path}/*.parquet", [flow(0), flow(1439)], [flow(1440)], by="day")
    assert files(tmp_path) == ["flow-1970-01-01.parquet", "flow-1970-01-02.parquet"]


def test_events_are_files_by_their_kind(tmp_path: Path) -> None:
    events: list[cgrx.Event] = [liquidation(time="1h"), liquidation(time="10s"), trade(time="2h")]
    write(tmp_path, events)
    assert files(tmp_path) == [
        "liquidations-1970-01-01T00.parquet",
        "liquidations-1970-01-01T01.parquet",
        "trades-1970-01-01T02.parquet",
    ]
    assert read(tmp_path, "trades").equals(cgrx.to_frame(events[2:]))


def test_running_rows_are_left_out(tmp_path: Path) -> None:
    stats = write(tmp_path, [flow(0, final=False), flow(0, withdrawn=True), flow(1)])
    assert stats.received == stats.delivered == 1
    assert read(tmp_path)["start_ms"].to_list() == [60_000]


def test_what_a_custom_aggregate_gives_is_json(tmp_path: Path) -> None:
    row = Own(start_ms=0, end_ms=1, exchange="Binance", where=("Binance", "OKX"), own={"n": 2, "what": object})
    write(tmp_path, [row, Own(start_ms=1, end_ms=2, exchange="Binance", where=(), own=None)])
    found = read(tmp_path, "own")
    assert found["where"].to_list() == [["Binance", "OKX"], []]
    assert found["own"].to_list() == ['{"n": 2, "what": "<class \'object\'>"}', None]


def test_a_file_appears_when_the_next_hour_begins(tmp_path: Path) -> None:
    async def main() -> None:
        async with writing(tmp_path, FLOW) as (sink, source, _):
            source.say(Batch(None, 0, (flow(0),)))
            await sink.flush()
            assert files(tmp_path) == []
            source.say(Batch(None, 0, (flow(60),)))
            await sink.flush()
            assert files(tmp_path) == ["flow-1970-01-01T00.parquet"]
            source.say(Batch(None, 0, (flow(1),)))  # late
            await sink.flush()
            assert read(tmp_path).height == 1
        assert read(tmp_path)["start_ms"].to_list() == [0, 60_000, 3_600_000]

    run(main)


def test_a_later_sink_adds_to_the_hour(tmp_path: Path) -> None:
    write(tmp_path, [flow(0, 1), flow(1, 1)])
    write(tmp_path, [flow(1, 2), flow(2, 2)])
    assert read(tmp_path).equals(cgrx.to_frame([flow(0, 1), flow(1, 2), flow(2, 2)]))
    assert files(tmp_path) == ["flow-1970-01-01T00.parquet"]


@settings(max_examples=examples(10))
@given(st.lists(st.lists(st.integers(0, 150), min_size=1, max_size=6), min_size=1, max_size=6), st.integers(1, 5))
def test_no_batching_and_no_repetition_changes_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], size: int
) -> None:
    """As where an acknowledgement is lost: each batch comes twice."""
    folder = tmp_path_factory.mktemp("out")
    write(
        folder, *[[flow(minute, minute) for minute in batch] for each in batches for batch in (each, each)], batch=size
    )
    wanted = sorted({minute for batch in batches for minute in batch})
    assert read(folder).equals(cgrx.to_frame([flow(minute, minute) for minute in wanted]))


_PROGRAM = """
import os, signal, sys, trio
from cgrx import sinks
from cgrx._model.signals import Batch
from cgrx._sinks import hours
from tests.delivery.systems import FLOW, flow
from tests.streams.streaming import Hot, Notes

async def main():
    source = Hot(Notes(), FLOW)
    async with sinks.parquet(sys.argv[1], source.stream, every="0s") as sink:
        for minute in range(0, 130, 10):
            if sys.argv[2] == "within" and minute == 60:
                unlink = hours.Path.unlink
                hours.Path.unlink = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
            source.say(Batch(None, 0, tuple(flow(each) for each in range(minute, minute + 10))))
            await sink.flush()
            print(minute + 10, flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@pytest.mark.thorough  # processes take seconds
@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 9")
@pytest.mark.parametrize("moment", one_in(2, ["within", "behind"]))
def test_a_killed_process_loses_nothing_that_was_delivered(tmp_path: Path, moment: str) -> None:
    """Behind the last batch; and between a finished file and the end of its journal."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path), moment], stdout=subprocess.PIPE, text=True
    )
    delivered = 0
    assert process.stdout is not None
    try:
        for line in process.stdout:
            delivered = int(line)
            if delivered == 130:
                os.kill(process.pid, signal.SIGKILL)
        process.wait(15)
    finally:
        process.kill()
        process.stdout.close()
    assert delivered == (130 if moment == "behind" else 60)
    (journal,) = tmp_path.glob(".flow-*.open")
    with journal.open("ab") as file:
        file.write(b"cut off")
    write(tmp_path, [flow(500)])
    assert read(tmp_path)["start_ms"].to_list() == [*range(0, delivered * 60_000, 60_000), 30_000_000]
    assert not list(tmp_path.glob(".flow-*.open"))


def test_a_full_disk_holds_the_batch(full_disk: Path) -> None:
    folder = full_disk / "out"

    async def main() -> None:
        async with writing(folder, Liquidation, batch=50, drain="100ms") as (sink, source, notes):
            said = 0
            while not notes.told:
                source.say(Batch(None, 0, tuple(liquidation(time=number / 10) for number in range(said, said + 50))))
                said += 50
                with trio.move_on_after(0.3):
                    await sink.flush()
                require_balance(sink.stats)
            assert isinstance(notes.told[0], cgrx.DeliveryHeld)
            assert str(folder) in str(notes.told[0])
            kept = sink.stats.delivered
            assert kept
        assert sink.stats.delivered == kept
        assert sink.stats.dropped == said - kept

    run(main)
    assert not list(folder.glob(".*.draft"))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="cannot be made or written to: Not a directory"):
            async with writing(tmp_path / "file" / "out"):
                pytest.fail("it was entered")

    run(main)


def test_a_folder_without_rights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> bool:
        return False

    monkeypatch.setattr("cgrx._sinks.parquet.os.access", denied)  # root may write everywhere

    async def main() -> None:
        with pytest.raises(sinks.SinkRefusedError, match="cannot be made or written to: permission denied"):
            async with writing(tmp_path):
                pytest.fail("it was entered")

    run(main)


def test_files_with_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [flow(0)], pipeline="mine")

    async def main() -> None:
        source: Hot[Any] = Hot(Notes(), Own)
        with pytest.raises(
            sinks.SinkRefusedError, match=r"mine-1970-01-01T00.parquet: its column 'exchange' is missing"
        ):
            async with sinks.parquet(tmp_path, source.stream, pipeline="mine"):
                pytest.fail("it was entered")

    run(main)


def test_two_sinks_do_not_share_their_files(tmp_path: Path) -> None:
    async def main() -> None:
        async with writing(tmp_path, FLOW):
            with pytest.raises(sinks.SinkRefusedError, match="another sink writes these files: give pipeline="):
                async with writing(tmp_path, FLOW):
                    pytest.fail("it was entered")
            async with writing(tmp_path, FLOW, pipeline="other") as (_, source, _):
                source.say(Batch(None, 0, (flow(0),)))

    run(main)
    assert files(tmp_path) == ["other-1970-01-01T00.parquet"]


def test_rows_of_two_classes_under_one_name_are_dead(tmp_path: Path) -> None:
    stats = write(tmp_path, [flow(0), liquidation(), flow(1), {"no": "row"}], pipeline="mine")
    assert (stats.delivered, stats.dead) == (2, 2)


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / ".flow-1970-01-01T00.open").write_bytes(b"no journal at all, and long enough to be one")
        with pytest.raises(sinks.SinkRefusedError, match="its header is damaged: move this file elsewhere"):
            async with writing(tmp_path, FLOW):
                pytest.fail("it was entered")

    run(main)


def test_a_journal_that_never_began_is_none(tmp_path: Path) -> None:
    (tmp_path / ".flow-1970-01-01T00.open").write_bytes(b"cgrx")
    write(tmp_path, [flow(0)])
    assert read(tmp_path).height == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folder": "a/*/b"}, r"folder='a/\*/b' names no folder"),
        ({"by": "week"}, "by='week' is none of 'hour', 'day'"),
        ({"pipeline": "../x"}, "pipeline='../x' names files"),
        ({"final_only": False}, "final_only=False: files cannot be updated"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], message: str) -> None:
    async def main() -> None:
        source: Hot[Any] = Hot()
        with pytest.raises(ValueError, match=message):
            sinks.parquet(arguments.pop("folder", "out"), source.stream, **arguments)

    run(main)
