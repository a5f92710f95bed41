"""What a user sees of a feed: the members of `Feed` and no others, and the few that are not streams."""

import pytest
import trio

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import START_MS, Record, Statuses, feed_on, record
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

MEMBERS = {
    "aclose",
    "channel",
    "futures_trades",
    "futures_trades_across",
    "liquidations",
    "now_ms",
    "report",
    "run",
    "scheduler",
    "state",
    "stats",
    "status",
}


def public(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def test_a_feed_shows_what_its_protocol_has() -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            assert public(dir(feed)) == public(dir(cgrx.Feed)) == MEMBERS

    run_mock(main)


def test_a_replay_adds_what_only_a_recording_has() -> None:
    assert public(dir(cgrx.Replay)) == MEMBERS | {"channels", "pause", "paused", "progress", "resume", "speed"}


@pytest.mark.parametrize("member", sorted(MEMBERS))
def test_each_member_is_documented(member: str) -> None:
    assert getattr(cgrx.Feed, member).__doc__


def test_a_channel_is_given_as_a_value_or_by_name() -> None:
    """Both give what the method for that channel gives."""
    records = dict[str, Record]()

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            for name, stream in {
                "value": feed.channel(cgrx.LiquidationOrders()),
                "name": feed.channel("liquidation_orders"),
                "method": feed.liquidations(),
                "trades by name": feed.channel("futures_trades@Binance_BTCUSDT@10000"),
                "trades": feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000),
            }.items():
                records[name] = record(stream)
            await trio.sleep(1)
            await simulator.send(liquidation(1))
            await simulator.send(trade(1, 20_000.0))
            await trio.sleep(1)

    run_mock(main)
    assert records["value"].signals == records["name"].signals == records["method"].signals
    assert records["method"].events == [liquidation(1)]
    assert records["trades by name"].signals == records["trades"].signals
    assert records["trades"].events == [trade(1, 20_000.0)]


def test_a_channel_that_is_none_is_refused() -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            with pytest.raises(ValueError, match="channel 'trades' is not known"):
                feed.channel("trades")

    run_mock(main)


def test_the_time_of_a_live_feed_is_the_wall_time() -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            assert feed.now_ms == START_MS

    run_mock(main)


def test_what_is_reported_reaches_those_who_watch_the_status() -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            told = cgrx.RecordingFailed(feed.now_ms, cgrx.RecordingError("folder", None, "full"))
            feed.report(told)
            assert statuses.of(cgrx.RecordingFailed) == [told]

    run_mock(main)
