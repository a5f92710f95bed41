"""What one connection takes for proof, and in which order it hands on what it reads."""

import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._model.channels import FuturesTrades
from cgrx._model.limits import Limits
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
