"""Recording a feed while it is used: what its channels say, what the connection was like, who else comes and goes."""

from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import LiquidationOrders, Recording, RecordingError
from cgrx._simulator.faults import Close, Garbage, WrongTypes
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import KEY, Record, Statuses, feed_on
from tests.feed.recorders import TRADES, L, events_in, said
from tests.feed.recorders import inline as inline
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

pytestmark = pytest.mark.usefixtures("inline")


def content_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_recording_is_what_the_streams_said(tmp_path: Path) -> None:
    """Through malformed input, a disconnection and the end: the same signals in the same order, on each stream."""
    mine, other = Record(), Record()

    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L, TRADES]) as recorder,
        ):
            feed.liquidations().subscribe_signals(mine)
            feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000).subscribe_signals(other)
            await trio.sleep(1)
            simulator.script([WrongTypes(), Garbage(message="{]"), Garbage(message="please be quiet")])
            for number in range(3):
                await simulator.send(liquidation(number))
                await simulator.send(trade(number, 20_000.0))
                await trio.sleep(1)
            simulator.script([Close(code=1012, reason="restart")])
            await trio.sleep(5)
            await simulator.send(liquidation(8))
            await trio.sleep(5)
            await feed.aclose()
        stats = recorder.stats
        assert (stats.events, stats.recorded, stats.queued, stats.lost, stats.parts) == (7, 7, 0, 0, 1)
        assert stats.bytes == (tmp_path / "part-00000000.parquet").stat().st_size

    run_mock(main)
    assert said(tmp_path, LiquidationOrders()) == mine.signals
    assert said(tmp_path, TRADES) == other.signals
    assert {type(signal).__name__ for signal in mine.signals} == {"Gap", "Alive", "Batch", "Dropped"}
    kinds = [type(status).__name__ for status in said(tmp_path, None)]
    assert [kind for kind in kinds if "onnected" in kind] == ["Connected", "Disconnected", "Connected"]
    assert {"MalformedInput", "NoticeReceived"} < set(kinds)
    assert Recording(tmp_path).channels == (TRADES, LiquidationOrders())


def test_the_next_recorder_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        for number in range(2):
            async with Simulator() as simulator, feed_on(simulator) as feed:
                async with cgrx.record(feed, str(tmp_path), channels=[LiquidationOrders()]):
                    await trio.sleep(1)
                    await simulator.send(liquidation(number))
                    await trio.sleep(1)
                await simulator.send(liquidation(99))
                await trio.sleep(1)

    run_mock(main)
    assert events_in(tmp_path) == [liquidation(0), liquidation(1)]
    assert len(Recording(tmp_path).parts) == 2


def test_what_came_is_safe_after_the_time_that_was_set(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L], flush_every="250ms") as recorder,
        ):
            await trio.sleep(1)
            await simulator.send(liquidation())
            await trio.sleep(0.26)
            assert recorder.stats.recorded == 1
            assert events_in(tmp_path) == [liquidation()]
            assert recorder.folder == tmp_path

    run_mock(main)


def test_much_is_not_waited_for(tmp_path: Path) -> None:
    """A flush comes early when an eighth of the buffer is full."""

    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L], flush_every="1h", buffer=16) as recorder,
        ):
            await trio.sleep(1)
            await simulator.send(liquidation())
            await trio.sleep(1)
            assert recorder.stats.queued == 1
            await simulator.send(liquidation())
            await trio.sleep(1)
            assert recorder.stats.queued == 0

    run_mock(main)


def test_two_recorders_do_not_share_a_folder(tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed, cgrx.record(feed, tmp_path, channels=[L]):
            with pytest.raises(RecordingError, match="another recorder is writing there"):
                async with cgrx.record(feed, tmp_path, channels=[L]):
                    raise AssertionError("it was entered")

    run_mock(main)


def test_a_channel_that_the_plan_lacks_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            async with cgrx.record(feed, tmp_path, channels=[L, TRADES]):
                await trio.sleep(1)
                await simulator.send_raw(f"{TRADES.name} need upgrade plan")
                await trio.sleep(1)
                await simulator.send(liquidation())
                await trio.sleep(1)
            assert any(isinstance(status, cgrx.StreamFailed) for status in statuses.all)

    run_mock(main)
    assert events_in(tmp_path) == [liquidation()]


def test_what_was_heard_is_written_when_the_body_is_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            with trio.move_on_after(3):
                async with (
                    feed_on(simulator) as feed,
                    cgrx.record(feed, tmp_path, channels=[L], flush_every="1h"),
                ):
                    await trio.sleep(1)
                    await simulator.send(liquidation())
                    await trio.sleep_forever()

    run_mock(main)
    assert events_in(tmp_path) == [liquidation()]


def test_the_key_is_in_no_file(tmp_path: Path) -> None:
    """Although the server echoes it wherever it can: not in the bytes, and not in what they say."""

    async def main() -> None:
        async with (
            Simulator() as simulator,
            feed_on(simulator) as feed,
            cgrx.record(feed, tmp_path, channels=[L]) as recorder,
        ):
            await trio.sleep(1)
            simulator.script([Garbage(message=f"your key {KEY} is unknown")])
            simulator.script([Garbage(message=f'{{"channel":"{L}","data":["{KEY}"]}}'), Garbage(message=f"{{{KEY}")])
            await simulator.send(liquidation())
            await trio.sleep(1)
            simulator.script([Close(code=1008, reason=KEY)])
            await trio.sleep(5)
            await recorder.flush()
            assert KEY.encode() not in content_of(tmp_path)

    run_mock(main)
    assert KEY.encode() not in content_of(tmp_path)
    texts = [text for text in Recording(tmp_path).to_arrow()["text"].to_pylist() if text is not None]
    assert sum("<key>" in text or "***" in text or "redacted" in text for text in texts) >= 3, texts
    assert not any(KEY in text for text in texts)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": L}, "takes several channels"),
        ({"channels": []}, "at least one channel"),
        ({"channels": ["trades"]}, "channel 'trades' is not known"),
        ({"channels": [L], "flush_every": "soon"}, "flush_every='soon' is not a duration"),
        ({"channels": [L], "part_bytes": 0}, "part_bytes=0 must be a whole number"),
        ({"channels": [L], "buffer": 1.5}, "buffer=1.5 must be a whole number"),
        ({"channels": [L], "buffer": True}, "buffer=True must be a whole number"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            with pytest.raises((ValueError, TypeError), match=message):
                cgrx.record(feed, tmp_path, **options)

    run_mock(main)


def test_what_is_no_feed_cannot_be_recorded(tmp_path: Path) -> None:
    """The error names what it lacks, and where a feed comes from."""

    async def main() -> None:
        with pytest.raises(TypeError, match=r"has no channel, status, .*: give what `async with` cgrx.connect\(\)"):
            cgrx.record(object(), tmp_path, channels=[L])  # type: ignore[arg-type]  # what is tested

    run_mock(main)


def test_without_the_extra_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: str) -> None:
        return None

    monkeypatch.setattr("cgrx._extras.find_spec", nowhere)
    with pytest.raises(ImportError, match=r'needs the package pyarrow: pip install "cgrx\[recording\]"'):
        Recording(tmp_path)
