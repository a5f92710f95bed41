"""One value of everything that counts, and whether a service can do its work."""

import threading
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import cgrx
import cgrx.metrics
from cgrx import operators as ops
from cgrx._simulator.faults import Drop, Fault, Refuse
from cgrx._simulator.simulator import Simulator
from cgrx.operators import agg
from tests.feed.feeding import feed_on, raises
from tests.simulator.simulating import liquidation
from tests.support import run, run_mock

ROWS: dict[str, Any] = {"n": agg.count(), "by": "exchange", "lateness": "0s"}


def test_everything_that_counts_is_in_one_value(tmp_path: Path) -> None:
    """The feed's counters, and by the names of the user those of streams, pipelines and recorders."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            rows = feed.liquidations().pipe(ops.tumbling("1s", **ROWS))
            ordered = cgrx.merge_exchanges(feed.liquidations(), max_delay="1s")
            rows.subscribe(print)
            ordered.subscribe(print)
            async with (
                cgrx.stream(feed.liquidations(), buffer=1, overflow="drop_oldest") as events,
                cgrx.record(feed, tmp_path / "day", channels=["liquidationOrders"]) as recorder,
            ):
                await simulator.wait_subscribed("liquidationOrders")
                now_ms = feed.now_ms
                for time_ms in (now_ms - 3_000, now_ms, now_ms - 3_000):
                    await simulator.send(moved(liquidation(1), time_ms))
                    await trio.sleep(0.1)
                found = cgrx.metrics.snapshot(
                    feed,
                    streams={"alerts": events},
                    pipelines={"bars": rows, "ordered": ordered, "plain": feed.liquidations()},
                    recorders={"day": recorder},
                )
                assert found.feed.channels == feed.stats.channels
                assert found.streams == {"alerts": cgrx.StreamStats(received=3, delivered=0, dropped=2, queued=1)}
                assert found.pipelines["bars"] == cgrx.StageStats(keys=1, late=1)
                assert found.pipelines["ordered"] == cgrx.StageStats(keys=0, late=ordered.stats.late)
                assert found.pipelines["plain"] == cgrx.StageStats()
                assert found.recorders == {"day": recorder.stats}
                assert found.recorders["day"].events == 3
                assert found.dropped == {"malformed": 0, "overflow": 2, "unrecorded": 0, "undelivered": 0}
                assert cgrx.metrics.snapshot(feed).streams == {}

    run(main)


def moved(event: cgrx.Liquidation, time_ms: int) -> cgrx.Liquidation:
    """The event at another time."""
    return cgrx.Liquidation(
        event.base_asset, event.exchange, event.symbol, event.side, event.price, event.volume_usd, time_ms
    )


def test_any_thread_may_ask() -> None:
    """The feed's thread answers, and after its end the last counters are there."""
    found: list[cgrx.metrics.Snapshot] = []
    feeds: list[cgrx.Feed] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feeds.append(feed)
            await trio.to_thread.run_sync(lambda: found.append(cgrx.metrics.snapshot(feed)))

    run(main)
    thread = threading.Thread(target=lambda: found.append(cgrx.metrics.snapshot(feeds[0])))
    thread.start()
    thread.join(10)
    assert [each.feed.state for each in found] == [cgrx.State.CONNECTED, cgrx.State.CLOSED]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"feed": 1}, "feed=1 is no feed"),
        ({"streams": 1}, "streams=1 takes a mapping from names"),
        ({"streams": {"alerts": 1}}, "streams: 'alerts': 1 is not a name and something with `stats`"),
        ({"pipelines": {"bars": ops.tumbling("1m")}}, "pipelines: 'bars': .* `stage_stats`"),
        ({"recorders": {3: 1}}, "recorders: 3: 1 is not a name"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: dict[str, Any], message: str) -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            given: dict[str, Any] = {"feed": feed, **arguments}
            with pytest.raises(TypeError, match=message):
                cgrx.metrics.snapshot(**given)

    run_mock(main)


def test_a_feed_is_ready_where_it_is_connected_and_was_proven_alive_lately() -> None:
    """Quiet is no reason against it; each other case says its reason."""

    async def main() -> None:
        faults: list[Fault] = [Drop(after=100), Refuse(connections=100, after=100)]
        async with Simulator(listen=False, faults=faults) as simulator, feed_on(simulator) as feed:

            def readiness(within: str = "45s") -> str:
                return str(cgrx.metrics.snapshot(feed).readiness(within))

            assert readiness() == "not ready: connected, but nothing has been heard yet"
            await trio.sleep(91)
            assert readiness() == "ready: connected, the last proof of life is 11.0 s ago"
            assert readiness("10s") == ("not ready: connected, the last proof of life is 11.0 s ago, more than 10s")
            await trio.sleep(10)
            assert readiness() == "not ready: the feed is reconnecting"
            await feed.aclose()
            assert readiness() == "not ready: the feed was closed"

    run_mock(main)


def test_a_feed_that_has_failed_is_not_ready() -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            feeds: list[cgrx.Feed] = []
            with raises(ZeroDivisionError):
                async with feed_on(simulator) as feed:
                    feeds.append(feed)
                    feed.status.subscribe(lambda _: None)
                    feed.liquidations().subscribe(lambda _: 1 / 0)
                    await simulator.wait_subscribed("liquidationOrders")
                    await simulator.send(liquidation(1))
                    await trio.sleep_forever()
            assert str(cgrx.metrics.snapshot(feeds[0]).readiness()) == "not ready: the feed has failed"

    run_mock(main)


def test_a_replay_is_ready_as_long_as_it_goes_on() -> None:
    """Nothing is proven of it."""
    stats = cgrx.FeedStats(
        at_ms=0,
        state=cgrx.State.CONNECTED,
        connections=0,
        attempts=0,
        messages=None,
        received_bytes=None,
        events=0,
        unclaimed=None,
        malformed=0,
        notices=0,
        pings=None,
        pongs=None,
        round_trip_ms=None,
        proven_ms=None,
        lag_ms=None,
        clock_skew_ms=None,
        subscribers=0,
        channels={},
        forgotten={},
    )
    found = cgrx.metrics.Snapshot(stats, {}, {}, {})
    assert found.readiness() == cgrx.metrics.Readiness(True, "the replay goes on")
    assert found.proof_age_s is None
    assert attrs.evolve(stats, connections=3).reconnects == 2
