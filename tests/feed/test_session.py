"""What one connection takes for proof, and in which order it hands on what it reads."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from cgrx._feed.session import Tally
from cgrx._model.channels import FuturesTrades
from cgrx._model.errors import HeartbeatError
from cgrx._model.limits import Limits
from cgrx._model.status import Silent
from cgrx._wire.codec import encode_frame
from tests.feed.feeding import START_MS
from tests.feed.sessions import bench, frame
from tests.simulator.simulating import trade
from tests.support import run_mock


def test_a_read_that_left_more_behind_proves_nothing_about_its_moment() -> None:
    """A program that was busy reads late: frames are older than the read, and more of them may be in the socket."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            b.transport.push(b"pong", b"pong")
            await trio.sleep(15)
            full = [frame(number) for number in range(200)]
            assert sum(map(len, full)) > 2**14
            b.transport.push(*full)
            b.transport.push(*full)
            await wait_all_tasks_blocked()
            assert len(seen.events) == 400
            assert seen.alive == [0]
            assert b.session.proven_until_ms == START_MS
            b.transport.push(frame(1))
            await wait_all_tasks_blocked()
            assert seen.alive == [0, 15]
            assert b.session.proven_until_ms == START_MS + 15_000

    run_mock(main)


def test_a_full_first_read_still_proves_that_the_subscription_works() -> None:
    """And that the server lets this key in."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            await trio.sleep(3)
            b.transport.push(*[frame(number) for number in range(200)])
            await wait_all_tasks_blocked()
            assert seen.gaps == [(-float("inf"), 3)]
            assert seen.alive == []
            assert b.session.proven_until_ms == START_MS + 3_000

    run_mock(main)


def test_small_reads_are_judged_by_how_much_is_read_at_once() -> None:
    """Where `read_bytes` is set lower, a lower amount may have left something behind."""

    async def main() -> None:
        async with bench(Limits(read_bytes=1_000)) as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            b.transport.push(b"pong", b"pong")
            await trio.sleep(2)
            b.transport.push(frame(1), frame(2), frame(3), frame(4))
            await wait_all_tasks_blocked()
            assert seen.alive == [0]

    run_mock(main)


def test_a_frame_counts_from_its_read_not_from_its_dispatch() -> None:
    """What waits in the queue of the transport keeps the time at which it was read."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            await trio.sleep(5)
            b.transport.push(frame(1), at=2.0)
            await wait_all_tasks_blocked()
            assert seen.alive == [2]
            assert seen.gaps == [(-float("inf"), 2)]

    run_mock(main)


def test_a_frame_without_events_proves_as_well() -> None:
    """Also one between frames of another channel."""

    async def main() -> None:
        channel = FuturesTrades("Binance", "BTCUSDT", 0)
        async with bench() as b:
            seen = b.join(channel)
            await wait_all_tasks_blocked()
            await trio.sleep(1)
            b.transport.push(frame(1), encode_frame(channel.name, []), frame(2))
            await wait_all_tasks_blocked()
            assert seen.gaps == [(-float("inf"), 1)]
            assert seen.alive == [1]

    run_mock(main)


def test_neighbouring_frames_of_a_channel_are_one_batch() -> None:
    """That is where the speed comes from; order is kept across channels."""

    async def main() -> None:
        channel = FuturesTrades("Binance", "BTCUSDT", 0)
        async with bench() as b:
            liquidations, trades = b.join(), b.join(channel)
            await wait_all_tasks_blocked()
            t = encode_frame(channel.name, [trade(3)])
            b.transport.push(frame(1), frame(2), t, b"pong", frame(4, 5), b"hello", frame(6))
            await wait_all_tasks_blocked()
            batches = [[event.time_ms // 1000 for event in batch.events] for batch in liquidations.batches]
            assert batches == [[1, 2], [4, 5], [6]]
            assert len(trades.events) == 1
            assert (b.tally.messages, b.tally.events, b.tally.pongs, b.tally.notices) == (7, 6, 1, 1)

    run_mock(main)


def test_a_pong_proves_only_what_was_subscribed_to_before_its_ping() -> None:

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            assert b.tally.pings == 2
            b.transport.push(b"pong")
            await wait_all_tasks_blocked()
            assert seen.signals == []
            b.transport.push(b"pong")
            await wait_all_tasks_blocked()
            assert seen.gaps == [(-float("inf"), 0)]

    run_mock(main)


def test_what_is_counted() -> None:
    """Also what nobody wanted and what could not be read; a pong tells how long it took."""

    async def main() -> None:
        unwanted = encode_frame("futures_trades@OKX_BTC-USDT-SWAP@0", [trade(3)])
        received = (frame(1), unwanted, b"[1, 2]", b"pong", b"hello")
        async with bench() as b:
            await trio.sleep(5)
            b.transport.push(b"pong")
            await wait_all_tasks_blocked()
            b.join()
            await wait_all_tasks_blocked()
            assert b.tally == Tally(
                messages=1, received_bytes=4, pings=2, pongs=1, round_trip_ms=5000.0, proven_ms=START_MS + 5_000
            )
            await trio.sleep(0.25)
            b.transport.push(*received)
            await wait_all_tasks_blocked()
            assert b.tally == Tally(
                messages=6,
                received_bytes=4 + sum(map(len, received)),
                events=1,
                unclaimed=1,
                malformed=1,
                notices=1,
                pings=2,
                pongs=2,
                round_trip_ms=250.0,
                proven_ms=START_MS + 5_250,
            )

    run_mock(main)


def test_a_read_of_many_messages_gives_other_tasks_a_turn_behind_each_640() -> None:

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            b.transport.push(*[frame(number) for number in range(1281)])
            counts = {0}
            while len(seen.events) < 1281:
                await trio.lowlevel.checkpoint()
                counts.add(len(seen.events))
            assert {0, 1281} < counts <= {0, 640, 1280, 1281}

    run_mock(main)


def test_a_channel_is_silent_when_it_has_been_proven_for_so_long() -> None:
    """To the millisecond; frames of other channels are proof, at most once a second."""

    async def main() -> None:
        channel, unknown = FuturesTrades("OKX", "BTCUSDT", 0), FuturesTrades("OKX", "?", 0)
        async with bench(Limits(silent_after_s=10, alive_every_s=1, ping_every_s=10)) as b:
            b.join()
            seen = b.join(channel)
            b.join(unknown)
            await wait_all_tasks_blocked()
            b.transport.push(b"pong", b"pong")
            await wait_all_tasks_blocked()
            for at, alive in ((0.999, [0]), (1.0, [0, 1]), (1.999, [0, 1])):
                b.transport.push(frame(1), at=at)
                await wait_all_tasks_blocked()
                assert seen.alive == alive
            b.transport.push(frame(1), at=9.995)
            await trio.sleep(10)
            assert not [each for each in b.statuses if isinstance(each, Silent)]
            b.transport.push(b"pong")
            await wait_all_tasks_blocked()
            silent = [each for each in b.statuses if isinstance(each, Silent)]
            assert silent == [
                Silent(START_MS + 10_000, channel, "OKX spells this BTC-USDT-SWAP"),
                Silent(START_MS + 10_000, unknown, None),
            ]

    run_mock(main)


def test_a_watch_that_wakes_late_looks_again_for_the_pong() -> None:
    """The program was busy when the pong was due: it has a second more to be read, and no longer."""

    async def main() -> None:
        async with bench() as b:
            await trio.sleep(9)
            clock = trio.lowlevel.current_clock()
            assert isinstance(clock, MockClock)
            clock.jump(2)
            await trio.sleep(0.9)
            assert b.ended == []
            await trio.sleep(0.2)
            assert isinstance(b.ended[0], HeartbeatError)

    run_mock(main)


def test_a_pong_that_was_waiting_when_the_watch_woke_late_is_one() -> None:
    """The watch goes on with the pings that follow."""

    async def main() -> None:
        async with bench() as b:
            await trio.sleep(9)
            clock = trio.lowlevel.current_clock()
            assert isinstance(clock, MockClock)
            clock.jump(2)
            b.transport.push(b"pong")
            await trio.sleep(18.9)
            assert b.ended == [], "29.9 s"
            await trio.sleep(0.2)
            assert isinstance(b.ended[0], HeartbeatError)

    run_mock(main)
