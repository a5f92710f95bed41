"""`connect(**simulator.in_memory())`: a feed on the server, in memory, the same in each run."""

import logging
import random
from collections.abc import Callable

import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._trio.clock import system_time
from cgrx.testing import Drop, Generator, Refuse, Simulator, liquidation
from tests.feed.certificates import Authority
from tests.feed.feeding import Record
from tests.support import run, run_mock


def test_a_key_that_leaves_nothing_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """In memory nobody else reads it, by all of `in_memory` or by its `url` and `dial`."""

    async def main() -> None:
        async with Simulator([liquidation()], listen=False) as simulator:
            async with cgrx.connect(**simulator.in_memory()) as feed, cgrx.stream(feed.liquidations()) as events:
                assert await anext(events) == liquidation()
            async with cgrx.connect(url=simulator.url, dial=simulator.dial, api_key="0123456789abcdef"):
                pass

    run_mock(main)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("keys", [None, ("the-second", "the-first")])
def test_it_has_a_key_that_the_server_accepts(keys: tuple[str, ...] | None) -> None:
    async def main() -> None:
        async with Simulator(keys=keys, listen=False) as simulator, cgrx.connect(**simulator.in_memory()):
            await simulator.wait_connections(1)

    run_mock(main)


@pytest.mark.parametrize("keys", [(), ("the-right-one",)])
def test_a_wrong_key_is_refused_as_ever(keys: tuple[str, ...]) -> None:
    async def main() -> None:
        async with Simulator(keys=keys, listen=False) as simulator:
            reach = simulator.in_memory()
            reach["api_key"] = "a-wrong-one"
            with pytest.raises(cgrx.AuthError):
                await cgrx.connect(**reach).__aenter__()

    run_mock(main)


@pytest.mark.parametrize("listen", [True, False])
def test_over_tls_on_the_real_clock(listen: bool) -> None:
    """In memory also where the server listens: nobody connects to its port."""
    authority = Authority(("localhost", "127.0.0.1"))

    async def main() -> None:
        async with (
            Simulator([liquidation()], listen=listen, times="now", ssl_context=authority.server()) as simulator,
            cgrx.connect(**simulator.in_memory(), ssl_context=authority.client()) as feed,
            cgrx.stream(feed.liquidations()) as events,
        ):
            assert (await anext(events)).time_ms == pytest.approx(system_time() * 1e3, abs=60_000)

    run(main)


def test_before_it_runs_there_is_nothing_to_connect_to() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="does not run yet"):
            Simulator(listen=False).in_memory()

    run_mock(main)


def test_what_happens_is_the_same_in_each_run() -> None:
    """Times of events and gaps, delays included; another `rng` gives other delays."""

    async def main(rng: random.Random | None = None) -> list[str]:
        seen: list[str] = []
        faults = (Drop(after="7s"), Refuse(503, connections=2, after="7s"))
        market = Generator(seed=3)
        async with (
            Simulator(market, faults=faults, listen=False) as simulator,
            cgrx.connect(**simulator.in_memory(rng)) as feed,
        ):
            feed.liquidations().pipe(ops.tumbling("2s")).subscribe(lambda row: seen.append(repr(row)))
            feed.status.subscribe(lambda status: seen.append(repr(status)))
            await trio.sleep(30)
        return seen

    once, again, other = run_mock(main), run_mock(main), run_mock(main, random.Random(5))
    assert once == again
    assert len(once) > 15
    assert once != other


@pytest.mark.parametrize(
    ("wall_clock", "on"),
    [(lambda: 1e9, 10**12), (trio.current_time, 5_000), (None, 5_000)],
    ids=["own", "trio", "none"],
)
def test_the_feed_has_the_time_of_the_server(wall_clock: Callable[[], float] | None, on: int) -> None:
    """What is given, or that of the mock clock; a feed that is opened later has the later time."""

    async def main() -> None:
        await trio.sleep(5)
        async with Simulator(listen=False, wall_clock=wall_clock) as simulator:
            for after in (0, 3_000):
                seen = Record()
                async with cgrx.connect(**simulator.in_memory()) as feed:
                    feed.liquidations().subscribe_signals(seen)
                    await simulator.wait_subscribed("liquidationOrders")
                    await simulator.send(liquidation(time=1))
                    await trio.sleep(1)
                assert [each.received_ms for each in seen.signals if isinstance(each, cgrx.Batch)] == [on + after]
                await trio.sleep(2)

    run_mock(main)
