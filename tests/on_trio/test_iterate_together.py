"""Several tasks that iterate over one `cgrx.stream`."""

import pytest
import trio
from reactivex.subject import Subject
from trio.testing import wait_all_tasks_blocked

import cgrx
from tests.on_trio.test_iterate import collect
from tests.support import run_mock


def test_several_tasks_share_the_events_and_all_see_the_end() -> None:
    """As with a memory channel of trio: whoever has waited longest gets the next event."""

    async def main() -> list[list[int]]:
        source: Subject[int] = Subject()
        seen: list[list[int]] = [[], [], []]
        async with cgrx.stream(source) as events:
            with trio.fail_after(5):
                async with trio.open_nursery() as nursery:
                    for each in seen:
                        nursery.start_soon(collect, events, each)
                    for number in range(9):
                        await wait_all_tasks_blocked()
                        source.on_next(number)
                    await wait_all_tasks_blocked()
                    source.on_completed()
        return sorted(seen)

    assert run_mock(main) == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]


def test_several_tasks_all_see_the_error() -> None:
    async def main() -> None:
        source: Subject[int] = Subject()
        raised: list[str] = []

        async def consume(events: cgrx.EventIterator[int]) -> None:
            with pytest.raises(KeyError, match="gone"):
                await anext(events)
            raised.append("gone")

        async with cgrx.stream(source) as events:
            with trio.fail_after(5):
                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(consume, events)
                    await wait_all_tasks_blocked()
                    source.on_error(KeyError("gone"))
        assert len(raised) == 3

    run_mock(main)
