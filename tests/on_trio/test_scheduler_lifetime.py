"""Where a scheduler begins and ends: constructing, entering, leaving, and calls outside of that."""

import asyncio  # noqa: TID251 - the loop in which it must refuse to work
from collections.abc import Callable

import pytest
import trio
from reactivex import abc
from reactivex.disposable import Disposable, MultipleAssignmentDisposable
from trio.testing import wait_all_tasks_blocked

from cgrx._model.use_errors import NotInTrioError
from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.scheduler_stats import SchedulerStats
from tests.on_trio.scheduling import Log, fail
from tests.support import run_mock

CALLS: list[Callable[[TrioScheduler], abc.DisposableBase]] = [
    lambda scheduler: scheduler.schedule(fail),
    lambda scheduler: scheduler.schedule_relative(1, fail),
    lambda scheduler: scheduler.schedule_absolute(scheduler.now, fail),
    lambda scheduler: scheduler.schedule_periodic(1, fail),
    lambda scheduler: scheduler.start_soon(trio.sleep_forever),
]


def test_it_refuses_to_be_made_without_a_trio_loop() -> None:
    """One sentence that says what to do: in plain code, and where asyncio runs (Jupyter, FastAPI)."""

    async def under_asyncio() -> None:
        TrioScheduler()

    with pytest.raises(NotInTrioError, match=r"^TrioScheduler\(\) needs a running trio loop.*cgrx\.run\(main\)"):
        TrioScheduler()
    with pytest.raises(NotInTrioError, match=r"^TrioScheduler\(\) needs trio, and asyncio .*use cgrx\.aio"):
        asyncio.run(under_asyncio())


def test_it_refuses_to_be_entered_in_another_loop() -> None:
    async def make() -> TrioScheduler:
        return TrioScheduler()

    async def enter(scheduler: TrioScheduler) -> None:
        with pytest.raises(NotInTrioError, match="in the same trio"):
            await scheduler.__aenter__()

    scheduler = run_mock(make)
    run_mock(enter, scheduler)
    with pytest.raises(NotInTrioError, match="needs trio, and asyncio"):
        asyncio.run(scheduler.__aenter__())


@pytest.mark.parametrize("call", CALLS)
def test_before_it_is_entered_calls_say_so(call: Callable[[TrioScheduler], abc.DisposableBase]) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="enter the scheduler first: async with"):
            call(TrioScheduler())

    run_mock(main)


@pytest.mark.parametrize("call", CALLS)
def test_after_it_has_ended_calls_return_disposed(call: Callable[[TrioScheduler], abc.DisposableBase]) -> None:
    """In the same run, and when no loop is left; nothing runs, nothing stays."""

    def check(scheduler: TrioScheduler) -> None:
        disposable = call(scheduler)
        assert isinstance(disposable, Disposable | MultipleAssignmentDisposable)
        inner = disposable.disposable if isinstance(disposable, MultipleAssignmentDisposable) else disposable
        assert isinstance(inner, Disposable)
        assert inner.is_disposed
        disposable.dispose()
        assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)

    async def main() -> TrioScheduler:
        async with TrioScheduler() as scheduler:
            pass
        check(scheduler)
        await trio.sleep(10)
        return scheduler

    check(run_mock(main))


def test_it_can_be_entered_once() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            with pytest.raises(RuntimeError, match="only once"):
                await scheduler.__aenter__()
        with pytest.raises(RuntimeError, match="only once"):
            await scheduler.__aenter__()

    run_mock(main)


def test_leaving_disposes_what_is_pending_at_once() -> None:
    async def main() -> None:
        log = Log()
        tasks_before = trio.lowlevel.current_statistics().tasks_living
        async with TrioScheduler() as scheduler:
            scheduler.schedule(log.action("due, but no checkpoint came"))
            pending = scheduler.schedule_relative(3600, log.action("far"))
            scheduler.schedule_periodic(1, lambda _: log.add("periodic"))
            scheduler.start_soon(trio.sleep_forever)
        assert log.ms() == 0
        assert trio.lowlevel.current_statistics().tasks_living == tasks_before
        assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)
        assert getattr(pending, "is_disposed", None) is True
        pending.dispose()
        await trio.sleep(7200)
        assert log.entries == []

    run_mock(main)


def test_leaving_a_sleeping_scheduler_takes_no_time() -> None:
    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            scheduler.schedule_relative(3600, log.action("far"))
            await wait_all_tasks_blocked()
        assert (log.ms(), log.entries) == (0, [])

    run_mock(main)


def test_what_an_action_returned_outlives_the_scheduler_until_disposed() -> None:
    """A subscription that an action made is its owner's to end."""

    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            disposable = scheduler.schedule(lambda _, __: Disposable(lambda: log.add("released")))
            await wait_all_tasks_blocked()
        assert log.labels == []
        disposable.dispose()
        assert log.labels == ["released"]

    run_mock(main)
