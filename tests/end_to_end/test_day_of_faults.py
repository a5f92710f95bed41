"""A day of virtual time in which the server does all that it can do wrong. Takes minutes."""

import random
from collections.abc import Iterator

import pytest
import trio

import cgrx
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


def _faults(rng: random.Random, hours: int) -> Iterator[Fault]:
    kinds = (Drop, DropInFrame, Fragmented, Garbage, HalfFrame, NoPong, WrongTypes)
    for minute in range(5, hours * 60, 5):
        kind = rng.choice(kinds)
        yield kind(after=minute * 60.0 + rng.random() * 60)
        if minute % 60 == 0:
            yield Refuse(connections=3, how=503, after=minute * 60.0)
            yield CloseAtOnce(connections=2, after=minute * 60.0)


@pytest.mark.soak
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
