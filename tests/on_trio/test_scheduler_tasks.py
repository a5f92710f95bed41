"""The tasks that a scheduler holds for others: `start_soon`."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._trio.scheduler import TrioScheduler
from tests.on_trio.scheduling import Log, fail
from tests.support import run_mock


def test_a_task_runs_with_its_arguments_and_is_counted() -> None:
    async def main() -> None:
        log = Log()

        async def work(label: str, seconds: float) -> None:
            await trio.sleep(seconds)
            log.add(label)

        async with TrioScheduler() as scheduler:
            scheduler.start_soon(work, "done", 1.0)
            assert log.entries == []
            assert scheduler.stats.tasks == 1
            await trio.sleep(2)
            assert log.entries == [(1000, "done")]
            assert scheduler.stats.tasks == 0

    run_mock(main)


def test_a_disposed_task_is_cancelled_or_never_begins() -> None:
    async def main() -> None:
        log = Log()

        async def work() -> None:
            log.add("began")
            try:
                await trio.sleep_forever()
            finally:
                log.add("ended")

        async with TrioScheduler() as scheduler:
            scheduler.start_soon(work).dispose()
            await wait_all_tasks_blocked()
            assert log.labels == []
            task = scheduler.start_soon(work)
            await wait_all_tasks_blocked()
            task.dispose()
            task.dispose()
            await wait_all_tasks_blocked()
            assert log.labels == ["began", "ended"]
            assert scheduler.stats.tasks == 0

    run_mock(main)


def test_a_task_may_dispose_itself() -> None:
    async def main() -> None:
        log = Log()

        async def work() -> None:
            itself.dispose()
            log.add("until the next checkpoint")
            await trio.lowlevel.checkpoint()
            log.add("not reached")

        async with TrioScheduler() as scheduler:
            itself = scheduler.start_soon(work)
            await wait_all_tasks_blocked()
        assert log.labels == ["until the next checkpoint"]

    run_mock(main)


def test_an_error_of_a_task_goes_the_way_of_an_action_s() -> None:
    async def failing() -> None:
        await trio.sleep(1)
        fail()

    async def handled() -> None:
        errors: list[Exception] = []
        async with TrioScheduler(on_error=errors.append) as scheduler:
            scheduler.start_soon(failing)
            await trio.sleep(2)
            assert [type(error) for error in errors] == [LookupError]

    async def unhandled() -> None:
        async with TrioScheduler() as scheduler:
            scheduler.start_soon(failing)
            await trio.sleep_forever()

    run_mock(handled)
    with pytest.raises(LookupError):
        run_mock(unhandled)


def test_a_task_cleans_up_when_the_scheduler_is_left() -> None:
    async def main() -> None:
        log = Log()

        async def work() -> None:
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(1)
                    log.add("cleaned up")

        async with TrioScheduler() as scheduler:
            scheduler.start_soon(work)
            await wait_all_tasks_blocked()
        assert log.entries == [(1000, "cleaned up")]

    run_mock(main)
