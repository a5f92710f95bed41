"""What leaves a scheduler as an error: an action's, a handler's, the body's, and cancellation."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from reactivex.disposable import Disposable
from trio.testing import wait_all_tasks_blocked

from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.scheduler_stats import SchedulerStats
from tests.on_trio.scheduling import Log, fail
from tests.support import run_mock


class Fatal(BaseException):
    """As KeyboardInterrupt or SystemExit, but not special to anyone."""


def fail_fatally(*_: object) -> None:
    raise Fatal


def test_an_error_of_an_action_cancels_the_body_and_leaves_plain() -> None:
    cause = ValueError("why")

    def action(_: object, __: object) -> None:
        raise LookupError("the action's") from cause

    async def body(log: Log) -> None:
        async with TrioScheduler() as scheduler:
            scheduler.schedule_relative(1, action)
            scheduler.schedule_relative(1, log.action("of the same round"))
            scheduler.schedule_relative(2, log.action("after"))
            await trio.sleep(10)
            log.add("not reached")

    async def main() -> None:
        log = Log()
        with pytest.raises(LookupError, match="the action's") as caught:
            await body(log)
        assert (log.ms(), log.entries) == (1000, [])
        assert caught.value.__cause__ is cause
        assert caught.value.__context__ is None, "neither the group nor the body's cancellation"

    run_mock(main)


def test_between_an_action_s_error_and_the_end_nothing_runs_any_more() -> None:
    """A body that is slow to leave finds the scheduler ended."""

    async def body(log: Log) -> None:
        async with TrioScheduler() as scheduler:
            scheduler.schedule(fail)
            scheduler.schedule_relative(0.1, log.action("pending"))
            scheduler.start_soon(trio.sleep_forever)
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                log.add(scheduler.stats)
                scheduler.schedule(log.action("late"))
                await trio.sleep(1)
                log.add("cleaned up")

    async def main() -> None:
        log = Log()
        with pytest.raises(LookupError):
            await body(log)
        assert log.entries == [(1000, SchedulerStats(pending=0, disposed=0, tasks=0)), (2000, "cleaned up")]

    run_mock(main)


def test_on_error_gets_every_error_and_the_scheduler_goes_on() -> None:
    async def main() -> None:
        async with TrioScheduler(on_error=lambda error: log.add(str(error))) as scheduler:
            log = Log()
            scheduler.schedule_relative(1, fail)
            scheduler.schedule_relative(1, log.action("of the same round"))
            scheduler.schedule_relative(2, fail)
            scheduler.schedule_relative(3, log.action("after"))
            await trio.sleep(4)
            assert log.entries == [
                (1000, "the action's"),
                (1000, "of the same round"),
                (2000, "the action's"),
                (3000, "after"),
            ]

    run_mock(main)


def test_disposing_what_an_action_returned_may_raise_as_the_action_may() -> None:
    async def main() -> None:
        errors: list[Exception] = []
        async with TrioScheduler(on_error=errors.append) as scheduler:

            def action(*_: object) -> Disposable:
                itself.dispose()
                return Disposable(fail)

            itself = scheduler.schedule(action)
            await wait_all_tasks_blocked()
        assert [type(error) for error in errors] == [LookupError]

    run_mock(main)


@pytest.mark.parametrize("as_task", [False, True])
def test_an_error_in_on_error_leaves_plain(as_task: bool) -> None:
    async def failing() -> None:
        fail()

    def on_error(error: Exception) -> None:
        raise RuntimeError("the handler's") from error

    async def main() -> None:
        async with TrioScheduler(on_error=on_error) as scheduler:
            if as_task:
                scheduler.start_soon(failing)
            else:
                scheduler.schedule(fail)
            await trio.sleep_forever()

    with pytest.raises(RuntimeError, match="the handler's"):
        run_mock(main)


def test_what_is_no_exception_is_not_handled() -> None:
    errors: list[Exception] = []

    async def main() -> None:
        async with TrioScheduler(on_error=errors.append) as scheduler:
            scheduler.schedule(fail_fatally)
            await trio.sleep_forever()

    with pytest.raises(Fatal):
        run_mock(main)
    assert errors == []


def test_a_periodic_action_may_end_with_what_is_no_exception() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            scheduler.schedule_periodic(1, fail_fatally)
            await trio.sleep_forever()

    with pytest.raises(Fatal):
        run_mock(main)


def test_the_body_s_error_leaves_as_it_is() -> None:
    error = ValueError("the body's")

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            scheduler.schedule_relative(1, fail)
            scheduler.start_soon(trio.sleep_forever)
            raise error

    with pytest.raises(ValueError, match="the body's") as caught:
        run_mock(main)
    assert caught.value is error
    assert caught.value.__context__ is None
    assert not any(str(entry.path).endswith("_scheduler.py") for entry in caught.traceback), "not raised anew"


def test_a_group_that_the_body_raised_leaves_as_that_group() -> None:
    errors = (ValueError("one"), KeyError("two"))

    async def main() -> None:
        async with TrioScheduler():
            raise ExceptionGroup("the body's", errors)

    with pytest.raises(ExceptionGroup, match="the body's") as caught:
        run_mock(main)
    assert caught.value.exceptions == errors


def test_two_errors_leave_as_a_group() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            scheduler.schedule(fail)
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("the body's")

    with pytest.raises(ExceptionGroup) as caught:
        run_mock(main)
    assert {type(error) for error in caught.value.exceptions} == {LookupError, ValueError}


def test_cancellation_from_outside_ends_all_of_it_at_once() -> None:
    async def main() -> None:
        log = Log()
        with trio.move_on_after(5) as scope:
            async with TrioScheduler() as scheduler:
                scheduler.schedule_relative(10, log.action("late"))
                scheduler.start_soon(trio.sleep_forever)
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert (log.ms(), log.entries) == (5000, [])

    run_mock(main)


def test_while_a_cancelled_body_cleans_up_timers_still_run() -> None:
    async def main() -> None:
        log = Log()
        with trio.move_on_after(1):
            async with TrioScheduler() as scheduler:
                scheduler.schedule_relative(2, log.action("ran"))
                with trio.CancelScope(shield=True):
                    await trio.sleep(3)
        assert log.entries == [(2000, "ran")]

    run_mock(main)


def test_an_error_of_a_cancelled_body_leaves_plain() -> None:
    """Neither trio's Cancelled nor a group of one comes out beside it."""

    async def main() -> None:
        with trio.move_on_after(1):
            async with TrioScheduler() as scheduler:
                scheduler.start_soon(trio.sleep_forever)
                scheduler.schedule_relative(5, fail)
                try:
                    await trio.sleep_forever()
                finally:
                    raise ValueError("the body's")

    with pytest.raises(ValueError, match="the body's"):
        run_mock(main)


def test_it_works_in_a_context_manager_of_a_user() -> None:
    @asynccontextmanager
    async def timers() -> AsyncGenerator[TrioScheduler]:
        async with TrioScheduler() as scheduler:
            yield scheduler

    async def main() -> None:
        async with timers() as scheduler:
            scheduler.schedule(fail)
            await trio.sleep_forever()

    with pytest.raises(LookupError):
        run_mock(main)
