"""From the simulator over the feed and the log to a pipeline: two hundred channels, and a publisher that is killed."""

import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from polars.testing import assert_frame_equal

import cgrx
from cgrx import Alive, Batch, Channel, FuturesTrades, Gap, Trade
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from cgrx._trio.clock import WallClock
from cgrx.operators import agg
from cgrx.testing import trade
from tests.log.logs import Heard, Log, events, publisher
from tests.recordings import FOLDER, LIQUIDATIONS, REQUIRED, TRADES, Recording
from tests.sinks.writing import until
from tests.support import run

SYMBOLS = [f"A{number}USDT" for number in range(200)]
CHANNELS = [FuturesTrades("Binance", symbol, 0) for symbol in SYMBOLS]


async def send(simulator: Simulator, turns: int) -> list[Trade]:
    """One trade on each channel in turns, each unlike any other."""
    sent: list[Trade] = []
    clock = WallClock()
    for turn in range(turns):
        now = f"{clock.now_ms()}ms"
        trades = [trade("buy", time=now, symbol=symbol, price=1.0 + len(sent) + n) for n, symbol in enumerate(SYMBOLS)]
        for each in trades:
            await simulator.send(each)
        sent += trades
        await trio.sleep(0.02 * bool(turn + 1 < turns))
    return sent


def test_two_hundred_channels_come_out_as_they_went_in(log: Log) -> None:
    """Every signal of every channel, in order, and nothing else; so do the rows of a pipeline on each."""
    bars = ops.tumbling("20ms", by="symbol", lateness="0s", idle="0s")

    def rows_of(feed: cgrx.Feed) -> dict[str, list[Any]]:
        rows: dict[str, list[Any]] = {channel.name: [] for channel in CHANNELS}
        for channel in CHANNELS:
            feed.channel(channel).pipe(bars).subscribe(rows[channel.name].append)
        return rows

    async def main() -> None:
        async with (
            Simulator(listen=True) as simulator,
            cgrx.connect(api_key="test-key", url=simulator.url) as feed,
            cgrx.publish(feed, CHANNELS, log.target) as sink,
        ):
            published, rows = Heard(feed, CHANNELS), rows_of(feed)
            await simulator.wait_subscribed(CHANNELS[-1])
            sent = await send(simulator, 5)
            await until(lambda: published.events == len(sent))
            so_far = {name: list(said) for name, said in published.by_name.items()}
            closed = {name: list(each) for name, each in rows.items()}
            assert simulator.stats.events == len(sent)
            await sink.flush()
        await log.show()
        async with cgrx.consume(log.target, start="earliest") as feed:
            consumed, again = Heard(feed, CHANNELS), rows_of(feed)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                await until(lambda: all(len(consumed.by_name[name]) >= len(said) for name, said in so_far.items()))
                assert {name: consumed.by_name[name][: len(said)] for name, said in so_far.items()} == so_far
                assert {name: again[name][: len(each)] for name, each in closed.items()} == closed
                assert sum(map(len, closed.values())) > len(CHANNELS)
                assert feed.read.missing == feed.read.repeated == 0
                nursery.cancel_scope.cancel()

    run(main)


@REQUIRED
@pytest.mark.thorough  # it takes seconds
@pytest.mark.parametrize("recording", [LIQUIDATIONS, TRADES], ids=["liquidations", "trades"])
def test_recorded_input_gives_the_rows_of_a_backtest(log: Log, tmp_path: Path, recording: Recording) -> None:
    """Replayed, published, consumed: all columns are equal."""
    kind: Any = "trades" if recording is TRADES else "liquidations"
    folder = tmp_path / kind
    cgrx.import_jsonl(FOLDER / recording.file, folder, events=kind, received="recv", gapless=True)
    channels = cgrx.Recording(folder).channels
    bars = ops.tumbling("10s", by="exchange", n=agg.count(), usd=agg.volume(), close=agg.close())
    rows: dict[Channel, list[Any]] = {channel: [] for channel in channels}

    def piped(feed: cgrx.Feed, channel: Channel) -> cgrx.EventStream[ops.Row]:
        return feed.channel(channel).pipe(bars)

    async def main() -> None:
        async with (
            cgrx.replay(folder) as feed,
            cgrx.publish(feed, channels, log.target, ends=True, drain="20s") as sink,
        ):
            await feed.run()
            await sink.flush()
        await log.show()
        async with cgrx.consume(log.target, start="earliest") as behind:
            for channel, found in rows.items():
                piped(behind, channel).subscribe(found.append)
            await behind.run()
            assert behind.stats.events == recording.events

    run(main)
    for channel, found in rows.items():
        expected = cgrx.backtest(partial(piped, channel=channel), folder).to_polars()
        assert len(expected) > 0
        assert_frame_equal(cgrx.to_frame(found), expected, rel_tol=1e-9)


@pytest.mark.thorough  # two interpreters are started
def test_an_outage_of_the_publisher_is_a_gap_and_nothing_else(log: Log, tmp_path: Path) -> None:
    """Killed by signal 9 and started again: each event that the simulator has sent comes once, or lies in the gap."""
    file = tmp_path / "channels.txt"
    file.write_text("".join(f"{channel.name}\n" for channel in CHANNELS))

    async def main() -> None:
        async with Simulator(listen=True) as simulator, cgrx.consume(log.target) as feed:
            heard = Heard(feed, CHANNELS)

            async def heard_all(count: int) -> None:
                await log.show()
                await until(lambda: heard.events >= count)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(feed.run)
                with publisher(file, simulator.url, log) as process:
                    await simulator.wait_subscribed(CHANNELS[-1])
                    before = await send(simulator, 5)
                    await trio.sleep(0.5)
                    await heard_all(len(before))
                    process.send_signal(signal.SIGKILL)
                    await simulator.wait_connections(0)
                lost = await send(simulator, 1)
                with publisher(file, simulator.url, log):
                    await simulator.wait_subscribed(CHANNELS[-1])
                    behind = await send(simulator, 5)
                    await trio.sleep(0.5)
                    await heard_all(len(before) + len(behind))
                nursery.cancel_scope.cancel()
            assert simulator.stats.events == len(before) + len(behind)
            assert simulator.stats.events_unheard == len(lost)
            for channel in CHANNELS:
                signals = heard.by_name[channel.name]
                mine = [each for each in before + behind if each.symbol == channel.symbol]
                assert events(signals) == mine
                gaps = [signal for signal in signals if isinstance(signal, Gap)]
                first, outage = gaps[:2]
                assert len(gaps) in (2, 3)  # and the one with which an open feed is left
                assert first.start_ms == 0
                last = signals[signals.index(outage) - 1]
                assert isinstance(last, Alive | Batch)
                assert outage.start_ms == (last.at_ms if isinstance(last, Alive) else last.received_ms)
                assert all(isinstance(signal, Alive | Batch | Gap) for signal in signals)
                (missed,) = [each for each in lost if each.symbol == channel.symbol]
                assert outage.start_ms <= missed.time_ms <= outage.end_ms
            assert feed.read.missing == 0

    run(main)
