"""Calls from other threads: handed over through trio's token, without waiting, and harmless after the end."""

import threading
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
import trio
from reactivex import abc
from reactivex.disposable import Disposable
from trio.testing import wait_all_tasks_blocked

from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.scheduler_stats import SchedulerStats
from tests.on_trio.scheduling import Log, fail, in_thread
from tests.support import run, run_mock


def test_actions_of_another_thread_run_in_trio_s() -> None:
    async def main() -> None:
        log = Log()
        threads: list[int] = []

        def note(*_: object) -> None:
            threads.append(threading.get_ident())
            log.add("ran")

        def schedule_all(scheduler: TrioScheduler) -> bool:
            scheduler.schedule(note)
            scheduler.schedule_relative(1, note)
            scheduler.schedule_absolute(scheduler.now + timedelta(seconds=2), note)
            scheduler.schedule_periodic(3, note)
            return True

        async with TrioScheduler() as scheduler:
            in_thread(partial(schedule_all, scheduler))
            assert log.entries == []
            await trio.sleep(6.5)
            assert [ms for ms, _ in log.entries] == [0, 1000, 2000, 3000, 6000]
            assert set(threads) == {threading.get_ident()}

    run_mock(main)


def test_a_sleeping_scheduler_is_woken_from_another_thread() -> None:
    """On the real clock, with a thread that trio waits for in the usual way."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            done = trio.Event()
            scheduler.schedule_relative(3600, lambda _, __: None)
            await wait_all_tasks_blocked()
            await trio.to_thread.run_sync(lambda: scheduler.schedule_relative(0.01, lambda _, __: done.set()))
            await done.wait()
            assert scheduler.stats.pending == 1, "it did not sleep until the other action was due"

    run(main)


def test_now_and_stats_work_in_another_thread() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            await trio.sleep(1.5)
            scheduler.schedule_relative(1, lambda _, __: None)
            assert in_thread(lambda: scheduler.now) == scheduler.now
            assert in_thread(lambda: scheduler.stats).pending == 1

    run_mock(main)


def test_calls_of_one_thread_keep_their_order() -> None:
    async def main() -> None:
        log = Log()

        def schedule_all(scheduler: TrioScheduler) -> bool:
            for number in range(1000):
                scheduler.schedule(log.action(number))
            return True

        async with TrioScheduler() as scheduler:
            in_thread(partial(schedule_all, scheduler))
            await trio.sleep(1)
            assert log.labels == list(range(1000))

    run_mock(main)


def test_what_another_thread_disposes_never_runs() -> None:
    async def main() -> None:
        log = Log()

        def schedule_and_dispose(scheduler: TrioScheduler) -> bool:
            scheduler.schedule(log.action("now")).dispose()
            scheduler.schedule_relative(1, log.action("relative")).dispose()
            scheduler.schedule_periodic(1, lambda _: log.add("periodic")).dispose()
            return True

        async with TrioScheduler() as scheduler:
            here = scheduler.schedule_relative(1, log.action("scheduled in trio's thread"))
            in_thread(partial(schedule_and_dispose, scheduler))
            in_thread(here.dispose)
            await wait_all_tasks_blocked()
            assert scheduler.stats.pending == 0
            await trio.sleep(5)
            assert log.entries == []
            assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)

    run_mock(main)


def test_a_disposal_counts_before_trio_has_heard_of_it() -> None:
    """The second action of a round is disposed by another thread while the first one runs."""

    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            scheduler.schedule(lambda _, __: in_thread(victim.dispose))
            victim = scheduler.schedule(log.action("victim"))
            scheduler.schedule(log.action("survivor"))
            await wait_all_tasks_blocked()
            assert log.labels == ["survivor"]
            assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)

    run_mock(main)


def test_what_an_action_returned_can_be_disposed_from_another_thread() -> None:
    """After it ran, in the disposing thread; and while it runs, in trio's."""

    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            ran = scheduler.schedule(lambda _, __: Disposable(lambda: log.add("after")))
            await wait_all_tasks_blocked()
            released: list[int] = []
            ran_too = scheduler.schedule(lambda _, __: Disposable(lambda: released.append(threading.get_ident())))
            await wait_all_tasks_blocked()
            ran.dispose()
            in_thread(ran_too.dispose)
            assert released != [threading.get_ident()]
            assert len(released) == 1

            def action(*_: object) -> Disposable:
                in_thread(itself.dispose)
                return Disposable(lambda: log.add("during"))

            itself = scheduler.schedule(action)
            await wait_all_tasks_blocked()
            assert log.labels == ["after", "during"]

    run_mock(main)


def test_tasks_can_be_started_and_disposed_from_another_thread() -> None:
    async def main() -> None:
        log = Log()

        async def work() -> None:
            log.add("began")
            try:
                await trio.sleep_forever()
            finally:
                log.add("ended")

        async with TrioScheduler() as scheduler:
            task = in_thread(lambda: scheduler.start_soon(work))
            assert log.entries == []
            await wait_all_tasks_blocked()
            assert log.labels == ["began"]
            in_thread(task.dispose)
            await wait_all_tasks_blocked()
            assert log.labels == ["began", "ended"]
            in_thread(lambda: scheduler.start_soon(work).dispose())
            await wait_all_tasks_blocked()
            assert log.labels == ["began", "ended"]

    run_mock(main)


def calls_after_the_end(scheduler: TrioScheduler, log: Log) -> list[abc.DisposableBase]:
    async def work() -> None:
        log.add("task")

    return [
        scheduler.schedule(log.action("now")),
        scheduler.schedule_relative(1, log.action("relative")),
        scheduler.schedule_absolute(scheduler.now, log.action("absolute")),
        scheduler.start_soon(work),
    ]


def test_after_the_end_calls_from_another_thread_return_disposed() -> None:
    """While the run goes on, and when it is over."""

    def check(scheduler: TrioScheduler, log: Log) -> None:
        for disposable in in_thread(lambda: calls_after_the_end(scheduler, log)):
            assert isinstance(disposable, Disposable)
            assert disposable.is_disposed
            in_thread(disposable.dispose)

    async def main() -> tuple[TrioScheduler, Log, list[abc.DisposableBase]]:
        async with TrioScheduler() as scheduler:
            log = Log()
            left_over = [scheduler.schedule_relative(60, log.action("left over"))]
            left_over.append(scheduler.start_soon(trio.sleep_forever))
        check(scheduler, log)
        await trio.sleep(60)
        return scheduler, log, left_over

    scheduler, log, left_over = run_mock(main)
    check(scheduler, log)
    for disposable in left_over:
        in_thread(disposable.dispose)
    assert log.entries == []


def test_calls_that_cross_with_the_end_do_nothing() -> None:
    """They were made before the end and arrive after it."""

    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            crossing = in_thread(lambda: calls_after_the_end(scheduler, log))
        await trio.sleep(60)
        assert log.entries == []
        assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)
        for disposable in crossing:
            assert getattr(disposable, "is_disposed", None) is True

    run_mock(main)


def test_calls_that_cross_with_an_action_s_error_do_nothing() -> None:
    """They arrive when the scheduler's task has ended already."""

    async def main(log: Log, crossing: list[abc.DisposableBase]) -> None:
        async with TrioScheduler() as scheduler:
            pending = scheduler.schedule_relative(60, log.action("pending"))

            def action(_: object, __: object) -> None:
                crossing.extend(in_thread(lambda: calls_after_the_end(scheduler, log)))
                in_thread(pending.dispose)
                fail()

            scheduler.schedule(action)
            with trio.CancelScope(shield=True):
                await trio.sleep(60)
                log.add(scheduler.stats)

    async def catch() -> None:
        log = Log()
        crossing: list[abc.DisposableBase] = []
        with pytest.raises(LookupError):
            await main(log, crossing)
        assert log.labels == [SchedulerStats(pending=0, disposed=0, tasks=0)]
        assert [getattr(disposable, "is_disposed", None) for disposable in crossing] == [True] * 4

    run_mock(catch)


def test_a_run_that_is_over_takes_no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last moment of a race: the run ends between a thread's look at the scheduler and its call."""

    async def token() -> trio.lowlevel.TrioToken:
        return trio.lowlevel.current_trio_token()

    ended = run_mock(token)

    async def main() -> None:
        log = Log()
        async with TrioScheduler() as scheduler:
            pending = scheduler.schedule_relative(1, log.action("pending"))
            monkeypatch.setattr(scheduler, "_token", ended)
            for disposable in in_thread(lambda: calls_after_the_end(scheduler, log)):
                assert isinstance(disposable, Disposable)
                assert disposable.is_disposed
            in_thread(pending.dispose)
            await trio.sleep(2)
            assert log.entries == []

    run_mock(main)


def test_many_threads_at_once_lose_and_double_nothing() -> None:
    """Four threads schedule, and dispose every other action, while trio runs them."""

    async def main() -> None:
        ran: list[object] = []
        disposed: list[object] = []
        expected = [(thread, number) for thread in range(4) for number in range(500)]
        all_ran = trio.Event()

        def note(_: object, what: object) -> None:
            ran.append(what)
            if len(ran) == len(expected):
                all_ran.set()

        def discard(_: object, what: object) -> None:
            disposed.append(what)

        def schedule_many(scheduler: TrioScheduler, thread: int) -> None:
            for number in range(500):
                scheduler.schedule_relative(0.0001 * (number % 5), note, (thread, number))
                scheduler.schedule_relative(60, discard, (thread, number)).dispose()

        async with TrioScheduler() as scheduler:
            async with trio.open_nursery() as nursery:
                for thread in range(4):
                    nursery.start_soon(trio.to_thread.run_sync, schedule_many, scheduler, thread)
            await all_ran.wait()
            assert scheduler.stats.pending == 0
            await wait_all_tasks_blocked()
            assert Counter(ran) == Counter(expected)
            assert disposed == []

    run(main)
