"""A replay as a feed: when it starts, how fast it goes, who gets what, and how it ends."""

import logging
import math
from datetime import UTC, datetime
from typing import Any

import pytest
import reactivex
import trio

import cgrx
from cgrx import Batch, Dropped, Gap, State
from cgrx._recording.entry import Recorded
from cgrx.testing import trade
from tests.feed.feeding import START_MS, Statuses, raises, record
from tests.replay.replaying import L, Log, alive, at, events, gap, number, numbers, prices, same, schedule_relative
from tests.streams.streaming import rx_any
from tests.support import run_mock

T = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)


# When


def test_it_starts_when_it_is_run() -> None:
    """However long the body takes before: a stream opened late misses nothing."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 1)) as feed:
            await trio.sleep(100)
            states = [feed.state]
            seen = record(feed.liquidations())
            await feed.run()
            states.append(feed.state)
        assert states == [State.CONNECTING, State.CLOSED]
        assert seen.signals == [entry.said for entry in numbers(0, 1).said]
        assert seen.end == "completed"

    run_mock(main)


def test_it_starts_with_the_first_iteration() -> None:
    """Not when a stream is opened: the second one begins at the beginning too."""

    async def main() -> None:
        async with (
            cgrx.replay(numbers(0, 1, 2)) as feed,
            cgrx.stream(feed.liquidations()) as first,
            cgrx.stream(feed.liquidations().pipe(rx_any.map(same))) as second,
        ):
            await trio.sleep(5)
            assert prices([event async for event in first]) == [0, 1, 2]
            assert prices([event async for event in second]) == [0, 1, 2]

    run_mock(main)


@pytest.mark.parametrize(("speed", "spacing"), [(1, 1.0), (10, 0.1), (0.5, 2.0), (math.inf, 0.0)])
def test_the_recorded_spacing_is_kept(speed: float, spacing: float) -> None:
    """On trio's clock, divided by the speed; the feed's own time is the recorded one."""

    async def main() -> None:
        log = numbers(0, 1, 2.5, 2.5, 10)
        async with cgrx.replay(log, speed=speed) as feed:
            began = trio.current_time()
            heard: list[tuple[float, float]] = []

            def hear(_: object) -> None:
                now_s = (feed.scheduler.now - datetime.fromtimestamp(START_MS / 1000, UTC)).total_seconds()
                heard.append((trio.current_time() - began, now_s))

            feed.liquidations().subscribe(hear)
            await feed.run()
        assert [now_s for _, now_s in heard] == [0, 1, 2.5, 2.5, 10]
        assert [trio_s for trio_s, _ in heard] == pytest.approx([s * spacing for s in (0, 1, 2.5, 2.5, 10)])

    run_mock(main)


@pytest.mark.parametrize("speed", [1, 60, math.inf])
def test_timed_operators_run_on_its_time(speed: float) -> None:
    """At any speed with the same results; what is due at a moment comes before what was received then."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 1, 2, 2.5, 9), speed=speed) as feed:
            quiet: list[Any] = []
            ticks: list[tuple[str, float]] = []
            feed.liquidations().pipe(rx_any.debounce(0.75)).subscribe(quiet.append)
            feed.liquidations().subscribe(lambda event: ticks.append(("event", event.price - 1)))
            reactivex.interval(2.0, scheduler=feed.scheduler).subscribe(
                lambda n: ticks.append(("tick", (feed.now_ms - START_MS) / 1000))
            )
            await feed.run()
        assert prices(quiet) == [0, 1, 2.5, 9]
        assert ticks == [
            ("event", 0), ("event", 1), ("tick", 2), ("event", 2), ("event", 2.5),
            ("tick", 4), ("tick", 6), ("tick", 8), ("event", 9),
        ]  # fmt: skip

    run_mock(main)


def test_what_is_pending_at_the_end_runs_as_long_as_the_body_does() -> None:
    """As on a live feed: a delayed stream completes behind the end."""

    async def main() -> None:
        for speed in (1, math.inf):
            async with (
                cgrx.replay(numbers(0, 1), speed=speed) as feed,
                cgrx.stream(feed.liquidations().pipe(rx_any.delay(5.0))) as delayed,
            ):
                assert prices([event async for event in delayed]) == [0, 1]
                assert feed.now_ms == at(6)
                done = trio.Event()
                schedule_relative(feed, 3.0, done.set)
                await done.wait()
                assert feed.now_ms == at(9)

    run_mock(main)


def test_time_waits_for_actions_behind_the_end() -> None:
    """Also where none was there before: it stands until one comes."""

    async def main() -> None:
        async with cgrx.replay(numbers(1.0)) as feed:
            await feed.run()
            await trio.sleep(1.0)
            done = trio.Event()
            schedule_relative(feed, 3.0, done.set)
            with trio.fail_after(60):
                await done.wait()

    run_mock(main)


def test_its_time_moves_while_it_waits_and_new_actions_are_in_time() -> None:
    """A task that schedules something between two recorded moments gets it run before the later one."""

    async def main() -> None:
        async with cgrx.replay(numbers(0, 10), speed=2) as feed, trio.open_nursery() as nursery:
            seen: list[float] = []
            feed.liquidations().subscribe(lambda _: seen.append((feed.now_ms - START_MS) / 1000))
            nursery.start_soon(feed.run)
            await trio.sleep(2)
            assert feed.now_ms == at(4)
            schedule_relative(feed, 1.0, lambda: seen.append((feed.now_ms - START_MS) / 1000))
            await trio.sleep(0.6)
        assert seen == [0, 5, 10]

    run_mock(main)


def test_a_period_of_zero_does_not_stop_the_time() -> None:
    async def main() -> None:
        async with cgrx.replay(numbers(0, 0.005)) as feed:
            rounds: list[int] = []
            feed.scheduler.schedule_periodic(0, lambda _: rounds.append(feed.now_ms))
            seen = record(feed.liquidations())
            await feed.run()
            assert len(seen.events) == 2
            assert len(rounds) > 1000

    run_mock(main)


# Who gets what


def test_a_late_subscriber_begins_with_a_gap_as_on_a_live_feed() -> None:
    """From 0 to the moment at which it came, and then gets what the others get."""

    async def main() -> None:
        async with cgrx.replay(Log([gap(0), number(1), alive(1), number(5)]), speed=1) as feed:
            first = record(feed.liquidations())
            with trio.move_on_after(3):
                await feed.run()
            late = record(feed.liquidations())
            await feed.run()
            assert late.signals == [Gap(L, 0, at(3), "subscribed"), *first.batches[1:]]
            after = record(feed.liquidations())
            assert (after.signals, after.end) == ([], "completed")

    run_mock(main)


def test_who_subscribes_before_the_channel_began_gets_its_recorded_gap() -> None:
    async def main() -> None:
        log = Log([gap(0, T), events(1, trade(), channel=T), gap(4), number(5)])
        async with cgrx.replay(log, speed=1) as feed:
            record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
            with trio.move_on_after(2):
                await feed.run()
            seen = record(feed.liquidations())
            await feed.run()
            assert seen.gaps == [(-math.inf, 4)]

    run_mock(main)


def test_the_nearest_channels_that_are_recorded_are_named() -> None:
    """By instrument and minimum volume, the nearest first."""
    held = [
        cgrx.FuturesTrades(exchange, "BTCUSDT", least) for exchange, least in (("Binance", 0), ("OKX", 0), ("Aster", 5))
    ]

    async def main() -> None:
        async with cgrx.replay(Log(Recorded(each, Gap(each, 0, START_MS, "subscribed")) for each in held)) as feed:
            with raises(ValueError, match=r"@0 is not recorded \(did you mean futures_trades@Binance_BTCUSDT@0"):
                feed.futures_trades("Binnance", "BTCUSDT", min_volume=0)
            with raises(ValueError, match=r"is not recorded \(did you mean futures_trades@Aster_BTCUSDT@5"):
                feed.futures_trades("Aster", "BTCUSDT", min_volume=0)
            with raises(ValueError, match="liquidationOrders is not recorded; the channels are "):
                feed.liquidations()

    run_mock(main)


def test_a_channel_that_is_not_recorded_is_refused_by_name() -> None:
    async def main() -> None:
        async with cgrx.replay(numbers(1)) as feed:
            with raises(ValueError, match=r"futures_trades@OKX_BTC@5 is not recorded; .* are liquidationOrders"):
                feed.futures_trades("OKX", "BTC", min_volume=5)
            assert feed.channels == (L,)
        with raises(
            ValueError, match="liquidationOrders is not recorded, or left out by `channels`; the channels are none"
        ):
            async with cgrx.replay(numbers(1), channels=[]) as feed:
                feed.liquidations()

    run_mock(main)


def test_only_the_channels_asked_for_are_replayed() -> None:
    """By value or by name; events of the others are not even passed."""
    log = Log([gap(0), gap(0, T), number(1), events(2, trade(), channel=T)])

    async def main() -> None:
        for channels in ([T], [T.name]):
            async with cgrx.replay(log, channels=channels) as feed:
                seen = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
                with raises(ValueError, match="not recorded"):
                    feed.liquidations()
                await feed.run()
                assert len(seen.events) == feed.progress.events == 1

    run_mock(main)


def test_from_and_to_a_moment() -> None:
    """The part begins with a gap for what runs already; what was received at the end is left out."""
    iso = datetime.fromtimestamp(START_MS / 1000 + 2, UTC).isoformat()

    async def main() -> None:
        log = Log([gap(0), number(1), number(2), alive(2), gap(2.5, T), number(3), number(4)])
        for start in (iso, at(2), datetime.fromisoformat(iso)):
            async with cgrx.replay(log, start=start, end=at(4)) as feed:
                seen = record(feed.liquidations())
                trades = record(feed.futures_trades("Binance", "BTCUSDT", min_volume=0))
                await feed.run()
                assert seen.gaps == [(-math.inf, 2)]
                assert seen.signals[0] == Gap(L, 0, at(2), "replayed from here")
                assert prices(seen.events) == [2, 3]
                assert trades.gaps == [(-math.inf, 2.5)]
                assert feed.progress == cgrx.ReplayProgress(at(2), at(4), at(3), 2)
                assert feed.progress.fraction == 0.5

    run_mock(main)


def test_a_part_without_anything_is_a_gap() -> None:
    async def main() -> None:
        async with cgrx.replay(numbers(1, 2), start=at(50)) as feed:
            seen = record(feed.liquidations())
            await feed.run()
            assert (seen.gaps, seen.end) == ([(-math.inf, 50)], "completed")
            assert feed.progress.fraction == 0.0

    run_mock(main)


# What it says of itself


def test_status_and_counters_come_from_the_recording(caplog: pytest.LogCaptureFixture) -> None:
    """What the connection was like is said again, without a warning; how the recorded feed ended is its own affair."""
    caplog.set_level(logging.INFO, "cgrx")
    said: list[cgrx.Status] = [
        cgrx.Connecting(at(0), 1),
        cgrx.Connected(at(0)),
        cgrx.MalformedInput(at(1), L.name, "$.data[0]", "no", "x"),
        cgrx.NoticeReceived(at(1), "hello"),
        cgrx.Silent(at(1), L, None),
        cgrx.Disconnected(at(2), cgrx.DisconnectedError(1006), 1.0),
        cgrx.Backpressured(at(2)),
        cgrx.SubscriberFailed(at(2), LookupError()),
        cgrx.Ended(at(3), None),
    ]
    log = Log(
        [gap(0), number(0.5), Recorded(L, Dropped(L, 2, "malformed")), Recorded(L, Dropped(None, 1, "malformed"))]
    )
    log.said += [Recorded(None, each) for each in said]
    log.said += [gap(3, start=0.5), number(4)]

    async def main() -> None:
        async with cgrx.replay(log) as feed:
            statuses = Statuses(feed)
            seen = record(feed.liquidations())
            await feed.run()
            stats = feed.stats
        assert statuses.all == [*said[:6], cgrx.Ended(at(4), None)]
        assert statuses.completed
        assert seen.dropped == 3
        assert (stats.connections, stats.attempts, stats.malformed, stats.notices) == (1, 1, 1, 1)
        assert (stats.events, stats.state) == (2, State.CLOSED)
        channel = stats.channels[L]
        assert (channel.events, channel.malformed, channel.gaps) == (2, 2, 1)
        assert (channel.last_event_ms, channel.last_received_ms) == (at(4), at(4))

    run_mock(main)
    assert {(each.levelno, each.__dict__["recorded"]) for each in caplog.records} == {(logging.INFO, True)}
    assert [each.getMessage().partition(":")[0] for each in caplog.records] == [
        "recorded"
    ] * 5  # Connecting has no line
    assert "recorded: the server says: hello" in caplog.messages


def test_counters_that_no_recording_holds_are_none() -> None:
    """Not 0, which would say that something was counted."""

    async def main() -> None:
        async with cgrx.replay(Log([gap(0), number(1)])) as feed:
            feed.liquidations().subscribe()
            await feed.run()
            stats = feed.stats
        assert (stats.messages, stats.received_bytes, stats.unclaimed) == (None, None, None)
        assert (stats.pings, stats.pongs, stats.round_trip_ms) == (None, None, None)
        assert [channel.proven for channel in stats.channels.values()] == [None]

    run_mock(main)


def test_an_empty_batch_is_passed_on() -> None:
    async def main() -> None:
        async with cgrx.replay(Log([gap(0), events(1)])) as feed:
            seen = record(feed.liquidations())
            await feed.run()
        assert seen.batches == [Batch(L, at(1), ())]

    run_mock(main)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"speed": 0}, ValueError, "speed=0 takes a number above 0"),
        ({"speed": math.nan}, ValueError, "speed=nan"),
        ({"speed": "fast"}, TypeError, "speed='fast'"),
        ({"speed": True}, TypeError, "speed=True"),
        ({"start": "yesterday"}, ValueError, "start='yesterday' is no moment: give an aware datetime"),
        ({"end": 5, "start": 7}, ValueError, "end=5 is before start=7"),
        ({"channels": "liquidationOrders"}, TypeError, "put it into a list"),
        ({"channels": ["spot"]}, ValueError, "'spot' is not known"),
        ({"channels": [T]}, ValueError, "futures_trades@Binance_BTCUSDT@0 is not recorded"),
        ({"on_subscriber_error": "ignore"}, ValueError, 'neither "raise" nor "isolate"'),
    ],
)
def test_what_cannot_be_used_is_named(arguments: dict[str, Any], error: type[Exception], match: str) -> None:
    async def main() -> None:
        with pytest.raises(error, match=match):
            cgrx.replay(numbers(1), **arguments)

    run_mock(main)


def test_no_recording_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="at least one recording"):
            cgrx.replay([])

    run_mock(main)


def test_outside_trio_it_says_so() -> None:
    with pytest.raises(cgrx.NotInTrioError):
        cgrx.replay(numbers(1))
