"""The in-memory stream behaves as a loopback TCP connection: bounded, closable, breakable."""

import pytest
import trio
from trio.testing import check_two_way_stream, wait_all_tasks_blocked

from cgrx._simulator.pipe import PipeEnd, pipe
from tests.support import run_mock


async def opened() -> tuple[PipeEnd, PipeEnd]:
    return pipe()


async def clogged() -> tuple[PipeEnd, PipeEnd]:
    left, right = pipe(4)
    await left.send_all(b"full")
    await right.send_all(b"full")
    return left, right


def test_it_keeps_trios_contract_of_a_stream() -> None:
    """trio's own checks: order, ends, closed and broken streams, two tasks at once, cancellation."""
    run_mock(check_two_way_stream, opened, clogged)


def test_a_full_buffer_holds_up_the_writer() -> None:
    """The bound is kept to the byte, whatever is written at once."""

    async def main() -> None:
        left, right = pipe(10)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(left.send_all, b"x" * 25)
            sizes: list[int] = []
            for _ in range(3):
                await wait_all_tasks_blocked()
                sizes.append(len(await right.receive_some()))
        assert sizes == [10, 10, 5]

    run_mock(main)


def test_a_reset_breaks_both_directions() -> None:
    """The other end sees a broken connection at once, without what was in the buffer; its own end is closed."""

    async def main() -> None:
        left, right = pipe()
        await left.send_all(b"lost")
        left.reset()
        with pytest.raises(trio.BrokenResourceError):
            await right.receive_some()
        with pytest.raises(trio.BrokenResourceError):
            await right.send_all(b"x")
        with pytest.raises(trio.ClosedResourceError):
            await left.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await left.send_all(b"x")

    run_mock(main)


def test_a_reset_wakes_who_waits() -> None:
    """A reader and a writer of the other end."""

    async def main() -> None:
        left, right = pipe(1)
        await right.send_all(b"x")
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await right.receive_some()

            async def write() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await right.send_all(b"y")

            nursery.start_soon(read)
            nursery.start_soon(write)
            await wait_all_tasks_blocked()
            left.reset()

    run_mock(main)


def test_closing_twice_is_closing_once() -> None:
    """As for every stream; the other end reads what was written before."""

    async def main() -> None:
        left, right = pipe()
        await left.send_all(b"kept")
        await left.aclose()
        await left.aclose()
        assert await right.receive_some(2) == b"ke"
        assert await right.receive_some() == b"pt"
        assert await right.receive_some() == b""

    run_mock(main)
