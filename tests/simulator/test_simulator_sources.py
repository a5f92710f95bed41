"""Where a simulator's events come from: files in both generations of names, and the pace."""

import gzip
import math
from pathlib import Path

import pytest
import trio

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._simulator.simulator import Simulator
from cgrx._simulator.sources import CHUNK, TICK_S, JsonLines, Pacer
from cgrx._trio.clock import WallClock
from tests import recordings
from tests.choosing import one_in
from tests.simulator.simulating import LOOPBACK, liquidation
from tests.support import run, run_mock

FIRST = (
    b'{"baseAsset":"BTC","exName":"OKX","price":60000,"side":2,"symbol":"BTC-USDT-SWAP","time":5,"volUsd":10.5,"x":1}'
)
SECOND = (
    b'{"base_asset":"BTC","exchange":"OKX","price":"60000","side":2,"symbol":"BTC-USDT-SWAP","time":"5",'
    b'"volume_usd":"10.5","x":1}'
)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_both_generations_plain_and_packed(tmp_path: Path, pack: "type[bytes]") -> None:
    """Also numbers as strings, more keys, blank lines, and again from the beginning."""
    path = tmp_path / "events"
    path.write_bytes(pack(FIRST + b"\n\n" + SECOND + b"\n"))
    lines = JsonLines(path, Liquidation)
    expected = Liquidation("BTC", "OKX", "BTC-USDT-SWAP", LiquidationSide.SHORT, 60_000.0, 10.5, 5)
    assert list(lines) == [expected, expected]
    assert list(lines) == [expected, expected]


def test_the_type_is_given(tmp_path: Path) -> None:
    """The lines of both types look alike; a path may be a text."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(FIRST)
    expected = Trade("BTC", "OKX", "BTC-USDT-SWAP", TradeSide.BUY, 60_000.0, 10.5, 5)
    assert list(JsonLines(str(path), Trade)) == [expected]


@pytest.mark.parametrize("line", [b"nonsense", b"{}", FIRST.replace(b'"side":2', b'"side":3'), b"[1]"])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    """With its file and number; the events before it come."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(FIRST + b"\n" + line + b"\n")
    events = iter(JsonLines(path, Trade))
    next(events)
    with pytest.raises(ValueError, match=r"events\.jsonl, line 2: not an event"):
        next(events)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is noticed when it is read."""
    with pytest.raises(FileNotFoundError):
        list(JsonLines(tmp_path / "none", Trade))


@recordings.REQUIRED
@pytest.mark.parametrize("recording", one_in(2, recordings.RECORDINGS), ids=lambda recording: recording.file)
def test_recordings_arrive_complete_and_in_order(recording: recordings.Recording) -> None:
    """As fast as possible over loopback: as many events as the file has lines, and the same ones."""
    event_type: type[Event] = Liquidation if recording is recordings.LIQUIDATIONS else Trade
    names = ["liquidationOrders"]
    if event_type is Trade:
        symbols = sorted({str(line["symbol"]) for line in recording.lines()})
        names = [f"futures_trades@Binance_{symbol}@0" for symbol in symbols]

    async def main() -> None:
        lines = JsonLines(recordings.FOLDER / recording.file, event_type)
        async with Simulator(lines, speed=math.inf, start=len(names)) as simulator:
            client = await LOOPBACK.connect(simulator, *names)
            assert await client.events(recording.events) == list(lines)
            await simulator.wait_finished()
            assert (simulator.stats.events, simulator.stats.events_unheard) == (recording.events, 0)
            await client.stream.aclose()

    run(main)


# --- the pace ---------------------------------------------------------------------------------------------------------


async def times_of(pacer: Pacer) -> list[tuple[float, int]]:
    """When each event came, in seconds from now, and its time."""
    start = trio.current_time()
    times: list[tuple[float, int]] = []
    while chunk := await pacer.next_chunk():
        times += [(round(trio.current_time() - start, 6), event.time_ms) for event in chunk]
    return times


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        (1.0, [(0, 1_000), (1, 2_000), (1, 2_000), (4, 5_000), (4, 3_000), (5, 6_000)]),
        (10.0, [(0, 1_000), (0.1, 2_000), (0.1, 2_000), (0.4, 5_000), (0.4, 3_000), (0.5, 6_000)]),
        (math.inf, [(0, 1_000), (0, 2_000), (0, 2_000), (0, 5_000), (0, 3_000), (0, 6_000)]),
    ],
)
def test_events_come_as_far_apart_as_recorded(speed: float, expected: list[tuple[float, int]]) -> None:
    """Or closer by a factor, or at once; an event older than the one before comes with it."""

    async def main() -> None:
        events = [liquidation(number) for number in (1, 2, 2, 5, 3, 6)]
        got = await times_of(Pacer(events, speed=speed))
        assert [time_ms for _, time_ms in got] == [time_ms for _, time_ms in expected]
        assert [at for at, _ in got] == pytest.approx([at for at, _ in expected], abs=2 * TICK_S)

    run_mock(main)


def test_a_hole_in_a_recording_is_cut() -> None:
    """To the longest wait; what follows keeps its spacing."""

    async def main() -> None:
        events = [liquidation(number) for number in (0, 10_000, 10_001)]
        got = await times_of(Pacer(events, speed=1, longest_wait_s=3.0))
        assert [at for at, _ in got] == pytest.approx([0, 3, 4])

    run_mock(main)


def test_an_origin_delays_the_first_event() -> None:
    """It is due as long after the first call as its time is after the origin."""

    async def main() -> None:
        got = await times_of(Pacer([liquidation(5)], speed=1, origin_ms=2_000))
        assert got == [(3.0, 5_000)]

    run_mock(main)


@pytest.mark.parametrize(("speed", "spacing_ms"), [(1.0, 1_000), (4.0, 250), (math.inf, 0)])
def test_events_may_be_stamped_with_the_time_they_are_due(speed: float, spacing_ms: int) -> None:
    """Wall time, whatever they said themselves."""

    async def main() -> None:
        clock = WallClock()
        now_ms = clock.now_ms()
        got = await times_of(Pacer([liquidation(number) for number in range(4)], speed=speed, stamp=clock))
        times = [time_ms - now_ms for _, time_ms in got]
        assert times == pytest.approx([spacing_ms * number for number in range(4)], abs=2)

    run_mock(main)


def test_many_due_events_come_in_chunks() -> None:
    """Of a bounded size, with a tick between, so that others get their turn; none at all is the end."""

    async def main() -> None:
        pacer = Pacer([liquidation(1)] * (2 * CHUNK + 1), speed=1)
        sizes = [len(await pacer.next_chunk()) for _ in range(5)]
        assert sizes == [CHUNK, CHUNK, 1, 0, 0]
        assert await times_of(Pacer([], speed=1)) == []

    run_mock(main)
