"""The long runs: a fuzzed codec, a day of faults, ten million events. `pytest -m soak`, minutes each."""

import random
import resource
import sys
from collections.abc import Iterator

import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.messages import Frame, Malformed, Notice, Pong
from cgrx.testing import (
    CloseAtOnce,
    Drop,
    DropInFrame,
    Fault,
    Fragmented,
    Garbage,
    Generator,
    HalfFrame,
    NoPong,
    Refuse,
    Simulator,
    WrongTypes,
)
from tests.support import run_mock

pytestmark = pytest.mark.soak


def test_a_million_damaged_messages_are_messages() -> None:
    """Bytes flipped, inserted, removed and repeated: each gives a message, none an exception."""
    rng = random.Random(7)
    events = [
        cgrx.Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.BUY, 61800.3, 370.8, 1723161256322),
        cgrx.Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.SELL, 61800.4, 12298.2, 1723161256344),
    ]
    whole = encode_frame("futures_trades@Binance_BTCUSDT@10000", events)
    for _ in range(1_000_000):
        payload = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(payload))
            match rng.randrange(4):
                case 0:
                    payload[at] = rng.randrange(256)
                case 1:
                    payload.insert(at, rng.randrange(256))
                case 2:
                    del payload[at : at + rng.randint(1, 8)]
                case _:
                    payload[at:at] = payload[at : at + rng.randint(1, 8)]
        assert isinstance(decode(bytes(payload)), Frame | Malformed | Notice | Pong)


def _faults(rng: random.Random, hours: int) -> Iterator[Fault]:
    kinds = (Drop, DropInFrame, Fragmented, Garbage, HalfFrame, NoPong, WrongTypes)
    for minute in range(5, hours * 60, 5):
        kind = rng.choice(kinds)
        yield kind(after=minute * 60.0 + rng.random() * 60)
        if minute % 60 == 0:
            yield Refuse(connections=3, how=503, after=minute * 60.0)
            yield CloseAtOnce(connections=2, after=minute * 60.0)


def test_a_day_of_faults() -> None:
    """The subscription outlives them all, and the stream is told of each disconnection as a gap."""
    hours = 24

    async def main() -> tuple[cgrx.FeedStats, int]:
        gaps = 0

        def count(signal: cgrx.Signal[cgrx.Liquidation]) -> None:
            nonlocal gaps
            gaps += isinstance(signal, cgrx.Gap)

        faults = _faults(random.Random(3), hours)
        async with (
            Simulator(Generator(seed=5, rate=2), faults=faults, listen=False) as simulator,
            cgrx.connect(url=simulator.url, api_key="soak-key", dial=simulator.dial, rng=random.Random(1)) as feed,
        ):
            feed.liquidations().signals().subscribe(count)
            await trio.sleep(hours * 3600)
            return feed.stats, gaps

    stats, gaps = run_mock(main)
    assert stats.state is cgrx.State.CONNECTED
    assert stats.events > 10_000
    (channel,) = stats.channels.values()
    assert gaps == channel.gaps + 1  # the one that every subscription begins with
    assert stats.connections > hours


def test_ten_million_events_of_a_thousand_keys_in_flat_memory() -> None:
    """Keyed windows, closing all the while, take no more memory after ten million events than after one."""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in KiB on Linux alone")
    running = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol")).start()
    channel = cgrx.FuturesTrades("Binance", "ALL", 0)
    symbols = [f"S{n}USDT" for n in range(1000)]
    rows = 0
    after_one_million = 0
    time_ms = 1_700_000_000_000
    for batch in range(100_000):
        if batch == 10_000:
            after_one_million = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        events = tuple(
            cgrx.Trade("X", "Binance", symbols[(batch * 100 + n) % 1000], cgrx.TradeSide.BUY, 1.0 + n, 5.0, time_ms + n)
            for n in range(100)
        )
        time_ms += 100
        for signal in running.on_signal(cgrx.Batch(channel, time_ms, events)):
            rows += len(signal.events) if isinstance(signal, cgrx.Batch) else 0
    assert rows > 9_000_000
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - after_one_million
    assert grown_kib < 20_000, f"{grown_kib} KiB more after ten million events than after one million"
