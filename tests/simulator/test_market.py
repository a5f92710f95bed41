"""The generated market: deterministic, at its rate, in bursts, with heavy tails and every exchange's spelling."""

import itertools
import math
import statistics
from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._simulator import market
from cgrx._simulator.market import Generator, symbol_of
from cgrx._simulator.simulator import Simulator
from cgrx._wire.codec import Frame, decode, encode_frame
from tests.simulator.simulating import LIQUIDATIONS, LOOPBACK
from tests.support import examples, run

EVENTS = 40_000


def take(generator: Generator, count: int = EVENTS) -> list[Event]:
    return list(itertools.islice(generator, count))


def rate_of(events: list[Event], start_ms: int) -> float:
    return len(events) / (events[-1].time_ms - start_ms) * 1e3


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * len(values))]


def dispersion(events: list[Event], window_ms: int) -> float:
    """Variance to mean of the counts per window: 1 for chance alone (Poisson)."""
    counts = Counter((event.time_ms - events[0].time_ms) // window_ms for event in events)
    series = [counts[window] for window in range(max(counts))]
    return statistics.variance(series) / statistics.mean(series)


@pytest.mark.parametrize("rate", [1, 100, 100_000])
def test_the_same_seed_gives_the_same_events(rate: float) -> None:
    """Each time it is iterated and for each equal value; another seed gives others."""
    generator = Generator(seed=7, rate=rate)
    first = take(generator, 1_000)
    assert take(generator, 1_000) == first
    assert take(Generator(seed=7, rate=rate), 1_000) == first
    assert take(Generator(seed=8, rate=rate), 1_000) != first


def test_the_stream_of_a_seed_is_fixed() -> None:
    """So that a scenario named by its seed stays the same from release to release."""
    assert take(Generator(seed=1, rate=10), 3) == [
        Liquidation("BTC", "Bitget", "BTCUSDT_UMCBL", LiquidationSide.LONG, 59986.63, 499.01, 1704067200057),
        Trade("SOL", "Bitget", "SOLUSDT_UMCBL", TradeSide.SELL, 150.0376, 749.36, 1704067200069),
        Trade("SOL", "Hyperliquid", "SOL", TradeSide.SELL, 150.0603, 736.55, 1704067200072),
    ]


@pytest.mark.parametrize(("rate", "events"), [(1, EVENTS), (20, EVENTS), (100, 2 * EVENTS)])
def test_the_rate_is_kept_over_a_long_time(rate: float, events: int) -> None:
    """Within a tenth, although it swings widely meanwhile."""
    generator = Generator(seed=3, rate=rate)
    assert rate_of(take(generator, events), generator.start_ms) == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize(("rate", "window_ms"), [(1, 5_000), (20, 1_000), (1_000, 1_000), (100_000, 100)])
def test_events_come_in_bursts(rate: float, window_ms: int) -> None:
    """Their counts vary far more than chance would let them, at every rate; without branching they do not."""
    assert dispersion(take(Generator(seed=5, rate=rate)), window_ms) > 3
    assert dispersion(take(Generator(seed=5, rate=rate, branching=0.0)), window_ms) == pytest.approx(1.0, abs=0.6)


def test_bursts_are_cascades() -> None:
    """Neighbours hit the same asset on the same side far more often than chance would have it."""

    def share_alike(generator: Generator) -> float:
        pairs = list(itertools.pairwise(take(generator)))
        alike = sum((one.base_asset, one.side) == (next_.base_asset, next_.side) for one, next_ in pairs)
        return alike / len(pairs)

    assert share_alike(Generator(seed=5)) > 2 * share_alike(Generator(seed=5, branching=0.0))


@pytest.mark.parametrize(("share", "median", "kind"), [(1.0, 220, Liquidation), (0.0, 490, Trade)])
def test_volumes_have_the_tail_of_recordings(share: float, median: float, kind: type[Event]) -> None:
    """Median and 99th percentile as measured, and single ones far above."""
    events = take(Generator(seed=9, liquidation_share=share))
    assert {type(event) for event in events} == {kind}
    volumes = [event.volume_usd for event in events]
    assert percentile(volumes, 0.5) == pytest.approx(median, rel=0.1)
    assert percentile(volumes, 0.99) == pytest.approx(51_000, rel=0.15)
    assert max(volumes) > 500_000
    assert min(volumes) > 0


def test_prices_walk() -> None:
    """In small steps, from one event of an asset to its next, and not back to where they began."""
    prices = [event.price for event in take(Generator(seed=2, rate=100)) if event.base_asset == "ETH"]
    steps = [abs(math.log(later / earlier)) for earlier, later in itertools.pairwise(prices)]
    assert 0 < max(steps) < 0.001
    assert len(set(prices)) > 1_000


def test_prices_stay_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a factor of 20 to where they began, however wild the walk."""
    monkeypatch.setattr(market, "_VOLATILITY", 30.0)
    prices = [event.price for event in take(Generator(seed=2, assets=("BTC",)), 1_000)]
    assert (min(prices), max(prices)) == (3_000, 1_200_000)


def test_every_exchange_has_its_own_spelling() -> None:
    """All of them and all assets appear, the first named most; an unknown exchange spells as Binance does."""
    events = take(Generator(seed=1, exchanges=("OKX", "Binance", "dYdX", "New"), assets=("BTC", "ETH", "NEW")))
    assert {(event.exchange, event.symbol) for event in events if event.base_asset == "BTC"} == {
        ("OKX", "BTC-USDT-SWAP"),
        ("Binance", "BTCUSDT"),
        ("dYdX", "BTC-USD"),
        ("New", "BTCUSDT"),
    }
    assert [name for name, _ in Counter(event.exchange for event in events).most_common()] == [
        "OKX",
        "Binance",
        "dYdX",
        "New",
    ]
    assert {event.base_asset for event in events} == {"BTC", "ETH", "NEW"}
    assert symbol_of("Gate", "BTC") == "BTC_USDT"


def test_both_kinds_and_all_sides() -> None:
    """In about the share asked for."""
    events = take(Generator(seed=1, liquidation_share=0.3))
    assert sum(isinstance(event, Liquidation) for event in events) / EVENTS == pytest.approx(0.3, abs=0.02)
    assert {event.side for event in events if isinstance(event, Liquidation)} == set(LiquidationSide)
    assert {event.side for event in events if isinstance(event, Trade)} == set(TradeSide)


@settings(max_examples=examples(30))
@given(
    seed=st.integers(),
    rate=st.floats(min_value=0.01, max_value=1e6),
    branching=st.floats(min_value=0.0, max_value=0.99),
    share=st.floats(min_value=0.0, max_value=1.0),
)
def test_every_event_is_well_formed(seed: int, rate: float, branching: float, share: float) -> None:
    """In time order, not before the start, and the same after encoding and decoding."""
    generator = Generator(seed=seed, rate=rate, branching=branching, liquidation_share=share, start_ms=1_000)
    events = take(generator, 200)
    times = [1_000, *(event.time_ms for event in events)]
    assert times == sorted(times)
    for kind, channel in ((Liquidation, LIQUIDATIONS), (Trade, "futures_trades@Binance_BTCUSDT@0")):
        of_kind = tuple(event for event in events if isinstance(event, kind))
        assert decode(encode_frame(channel, of_kind)) == Frame(channel, of_kind, ())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0}, "rate=0"),
        ({"rate": math.inf}, "rate=inf"),
        ({"rate": math.nan}, "rate=nan"),
        ({"branching": 1.0}, "branching=1.0"),
        ({"branching": -0.1}, "branching=-0.1"),
        ({"liquidation_share": 1.1}, "liquidation_share=1.1"),
        ({"exchanges": ()}, "exchanges"),
        ({"assets": []}, "assets"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    """With the offending value."""
    with pytest.raises(ValueError, match=message):
        Generator(**arguments)


def test_a_fast_stream_reaches_a_client_over_loopback() -> None:
    """At 100,000 events a second nobody is disconnected for being slow, and nothing is lost or out of order."""

    async def main() -> None:
        generator = Generator(seed=4, rate=100_000, liquidation_share=1.0)
        async with Simulator(generator) as simulator:
            client = await LOOPBACK.connect(simulator, LIQUIDATIONS)
            received = await client.events(EVENTS // 4)
            await client.stream.aclose()
            assert simulator.stats.slow_clients == 0
            # The simulator begins at the wall time of its start.
            moved_ms = received[0].time_ms - take(generator, 1)[0].time_ms
            expected = take(attrs.evolve(generator, start_ms=generator.start_ms + moved_ms), len(received))
            assert received == expected

    run(main)
