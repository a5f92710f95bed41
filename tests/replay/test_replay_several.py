"""Several recordings as one feed: in which order, with which gaps and proofs."""

import math

import cgrx
from cgrx import Alive
from cgrx._recording.entry import Recorded
from cgrx.testing import trade
from tests.feed.feeding import raises, record
from tests.replay.replaying import L, Log, alive, at, events, gap, number, numbers
from tests.support import run_mock

T = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)


# Several recordings


def test_several_recordings_are_one_by_time_of_receipt() -> None:
    """Ties in the order of the arguments."""

    async def main() -> None:
        one = numbers(1, 3, 5)
        two = Log([gap(0, T), *(events(s, trade(price=s + 1), channel=T) for s in (0, 3, 4))])
        for logs, tie in (((one, two), [3, -3]), ((two, one), [-3, 3])):
            async with cgrx.replay(logs) as feed:
                order: list[float] = []
                trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
                signs = feed.liquidations().map(lambda event: event.price - 1)
                signs.merge(trades.map(lambda event: 1 - event.price)).subscribe(order.append)
                await feed.run()
            assert order == [0, 1, *tie, -4, 5]

    run_mock(main)


def test_a_channel_that_goes_on_in_another_recording_misses_what_is_between() -> None:
    """And its proofs go on as one origin's: else the first recording's last would hold idle sources up for ever."""

    async def main() -> None:
        one = Log([gap(0), number(1), alive(2, origin="a")])
        two = Log([gap(10), number(11), alive(12, origin="b")])
        for logs in ([one, two], [two, one]):
            async with cgrx.replay(logs) as feed:
                seen = record(feed.liquidations())
                await feed.run()
            assert seen.gaps == [(-math.inf, 0), (2, 10)]
            assert {mark.origin for mark in seen.of(Alive)} == {"a"}
            assert seen.alive == [2, 12]

    run_mock(main)


def test_recordings_side_by_side_keep_their_origins() -> None:
    """A proof of one connection says nothing about another."""

    async def main() -> None:
        one = Log([gap(0), number(1), alive(5, origin="a")])
        two = Log([gap(0, T), events(2, trade(), channel=T), alive(5, T, origin="b")])
        async with cgrx.replay([one, two]) as feed:
            union = record(feed.liquidations().merge(feed.futures_trades("Binance", "BTCUSDT", min_volume=0)))
            await feed.run()
        assert {mark.origin for mark in union.of(Alive)} == {"a", "b"}

    run_mock(main)


def test_a_channel_in_two_recordings_at_the_same_time_is_refused() -> None:
    async def main() -> None:
        one, two = numbers(1, 5), Log([gap(0), gap(0, T), number(4), events(9, trade(), channel=T)])
        with raises(ValueError, match=rf"hold liquidationOrders between {at(0)} and {at(5)}"):
            cgrx.replay([one, two])
        async with cgrx.replay([one, two], channels=[T]) as feed:
            await feed.run()

    run_mock(main)


# Losses


def test_a_loss_that_was_charged_to_every_channel_counts_once_in_a_union() -> None:
    """But two equal losses of one channel, which follow one another, are two."""

    async def main() -> None:
        log = Log([gap(0), gap(0, T)])
        log.said += [Recorded(channel, cgrx.Dropped(None, 1, "malformed")) for channel in (L, T, L, T, L)]
        async with cgrx.replay(log) as feed:
            union = record(feed.liquidations().merge(feed.futures_trades("Binance", "BTCUSDT", min_volume=0)))
            alone = record(feed.liquidations())
            await feed.run()
        assert union.of(cgrx.Dropped) == alone.of(cgrx.Dropped) == [cgrx.Dropped(None, 1, "malformed")] * 3

    run_mock(main)
