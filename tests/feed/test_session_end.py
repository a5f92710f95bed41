"""How one connection is held up, how it ends, and what of it is shown."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._model.errors import DisconnectedError, HeartbeatError
from cgrx._model.status import MalformedInput, NoticeReceived
from tests.feed.feeding import KEY, START_MS, subscribe_text
from tests.feed.sessions import L, bench, frame
from tests.support import run_mock

# Backpressure


def test_while_held_nothing_is_dispatched_and_the_deadline_of_a_pong_pauses() -> None:
    """Pings go on; the time held does not count, to the moment."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            b.transport.push(b"pong", b"pong")
            await trio.sleep(24)  # the ping of 20 s is 4 s old
            b.pressure.hold()
            b.transport.push(frame(1))
            await trio.sleep(1)
            b.transport.push(frame(2))
            await trio.sleep(100)
            assert len(seen.events) == 1
            b.pressure.release()
            await wait_all_tasks_blocked()
            assert len(seen.events) == 2
            await trio.sleep(5.9)
            assert b.ended == []
            await trio.sleep(0.2)
            (error,) = b.ended
            assert isinstance(error, HeartbeatError)
            assert b.tally.pings == 8, "two at first, then at 20, 40, 60, 80, 100 and 120 s"

    run_mock(main)


def test_pings_of_the_time_held_are_given_their_whole_time_and_no_more() -> None:
    """Those sent meanwhile count from the release."""

    async def main() -> None:
        async with bench() as b:
            await wait_all_tasks_blocked()
            b.transport.push(b"pong")
            await trio.sleep(1)
            b.pressure.hold()
            b.transport.push(frame(1))
            await trio.sleep(99)
            b.pressure.release()
            await trio.sleep(9.9)
            assert b.ended == []
            await trio.sleep(0.2)
            assert isinstance(b.ended[0], HeartbeatError)

    run_mock(main)


def test_what_had_arrived_is_dispatched_before_the_end() -> None:
    """A hold delays the end too: it comes behind what came before it."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            b.pressure.hold()
            b.transport.push(frame(1))
            b.transport.push(frame(2))
            b.transport.fail(DisconnectedError(1001))
            await trio.sleep(5)
            assert b.ended == []
            b.pressure.release()
            await wait_all_tasks_blocked()
            assert len(seen.events) == 2
            assert isinstance(b.ended[0], DisconnectedError)

    run_mock(main)


# How it ends


def test_a_write_that_fails_leaves_the_end_to_the_reader() -> None:
    """Which still has what arrived."""

    async def main() -> None:
        async with bench() as b:
            await wait_all_tasks_blocked()
            b.transport.send_error = DisconnectedError(1006, "a send failed")
            seen = b.join()
            await wait_all_tasks_blocked()
            assert b.ended == []
            b.transport.push(frame(1))
            b.transport.fail(DisconnectedError(1006, "the connection broke"))
            await wait_all_tasks_blocked()
            assert len(seen.events) == 1
            assert [str(error) for error in b.ended] == ["connection closed with code 1006: the connection broke"]

    run_mock(main)


@pytest.mark.parametrize("error", [LookupError("a bug"), KeyboardInterrupt(), trio.BrokenResourceError()])
def test_whatever_a_task_raises_leaves_plain(error: BaseException) -> None:
    """The same object, in no group."""

    async def main() -> None:
        async with bench() as b:
            b.transport.fail(error)
            await wait_all_tasks_blocked()
            assert b.ended == [error]

    run_mock(main)


def test_a_cancellation_passes() -> None:
    """It is not the end of the connection."""

    async def main() -> None:
        async with bench() as b:
            pass
        assert isinstance(b.ended[0], trio.Cancelled | BaseExceptionGroup)

    run_mock(main)


def test_a_stop_comes_between_two_sends() -> None:
    """One that is under way is finished, so that a closing handshake can follow."""

    async def main() -> None:
        async with bench() as b:
            b.join()
            await trio.lowlevel.checkpoint()
            b.session.stop()
            await wait_all_tasks_blocked()
            assert b.stopped_at == 0
            assert b.transport.sent[-1] == "ping"

    run_mock(main)


def test_a_stop_waits_for_a_send_that_is_stuck_as_long_as_for_a_close() -> None:
    """Three seconds: shutting down is bounded."""

    async def main() -> None:
        async with bench() as b:
            b.transport.stuck = True
            b.join()
            await trio.sleep(1)
            b.session.stop()
            await trio.sleep(10)
            assert b.stopped_at == 4
            assert b.ended == []

    run_mock(main)


# What is shown


def test_the_key_is_not_shown() -> None:
    """Not in a notice, an excerpt or the name of a channel; nor a part of it that was cut off."""

    async def main() -> None:
        long = "x" * 100 + KEY
        async with bench() as b:
            b.transport.push(
                f"invalid key {KEY}".encode(),
                f"{'y ' * 240} {KEY}".encode(),
                f'{{"channel":"futures_trades@X_{KEY}@0","data":"{KEY}"}}'.encode(),
                f'{{"channel":"liquidationOrders","data":"{long}"}}'.encode(),
                f"{{{KEY}".encode(),
            )
            await wait_all_tasks_blocked()
            shown = "".join(map(repr, b.statuses))
            assert len([each for each in b.statuses if isinstance(each, NoticeReceived)]) == 2
            assert len([each for each in b.statuses if isinstance(each, MalformedInput)]) == 3
            assert b.session.last_notice == "y " * 240 + "***"
            for length in range(8, len(KEY) + 1):
                assert KEY[:length] not in shown
                assert KEY[-length:] not in shown

    run_mock(main)


def test_an_excerpt_is_shown_as_it_is_where_no_key_is_in_it() -> None:
    """Where and why it could not be read."""

    async def main() -> None:
        async with bench() as b:
            b.transport.push(b"[1, 2]")
            await wait_all_tasks_blocked()
            (malformed,) = b.statuses
            assert malformed == MalformedInput(START_MS, None, "$", "expected an object, got an array", "[1, 2]")

    run_mock(main)


def test_the_first_ping_goes_out_at_once_and_one_with_the_first_subscription() -> None:
    """Behind the subscription, so that its pong proves it."""

    async def main() -> None:
        async with bench() as b:
            assert b.transport.sent == ["ping"]
            b.join()
            await wait_all_tasks_blocked()
            assert b.transport.sent == ["ping", subscribe_text(L.name), "ping"]

    run_mock(main)
