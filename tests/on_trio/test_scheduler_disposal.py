"""What keeps an action from running, what disposes of its result, and the room that disposed actions take."""

from datetime import timedelta
from typing import Any

import trio
from reactivex.disposable import Disposable
from trio.testing import wait_all_tasks_blocked

from cgrx._trio.scheduler import TrioScheduler
from cgrx._trio.scheduler_stats import SchedulerStats
from tests.on_trio.scheduling import Log, nothing
from tests.support import run_mock


def test_a_disposed_action_never_runs() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            for disposable in (
                scheduler.schedule(log.action("now")),
                scheduler.schedule_relative(0.05, log.action("relative")),
                scheduler.schedule_absolute(scheduler.now + timedelta(seconds=1), log.action("absolute")),
                scheduler.schedule_periodic(0.05, lambda _: log.add("periodic")),
            ):
                disposable.dispose()
                disposable.dispose()  # once more is nothing
            assert scheduler.stats == SchedulerStats(pending=0, disposed=4, tasks=0)
            await trio.sleep(2)
            assert log.entries == []
            assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)

    run_mock(main)


def test_an_action_may_dispose_another_of_the_same_round() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_relative(1, lambda _, __: victim.dispose())
            victim = scheduler.schedule_relative(1, log.action("victim"))
            scheduler.schedule_relative(1, log.action("survivor"))
            await trio.sleep(2)
            assert log.labels == ["survivor"]

    run_mock(main)


def test_what_an_action_returns_is_disposed_with_it() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            outer = scheduler.schedule(lambda s, _: s.schedule_relative(1, log.action("inner")))
            resource = scheduler.schedule(lambda _, __: Disposable(lambda: log.add("released")))
            await wait_all_tasks_blocked()
            outer.dispose()
            resource.dispose()
            resource.dispose()
            await trio.sleep(2)
            assert log.labels == ["released"]

    run_mock(main)


def test_an_action_that_disposes_itself_disposes_what_it_returns() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()

            def action(*_: object) -> Disposable:
                itself.dispose()
                return Disposable(lambda: log.add("released"))

            itself = scheduler.schedule(action)
            await wait_all_tasks_blocked()
            assert log.labels == ["released"]

    run_mock(main)


def test_what_an_action_returns_besides_a_disposable_is_ignored() -> None:
    async def main() -> None:
        def number(_: object, __: object) -> Any:  # no type checker lets an int pass
            return 7

        async with TrioScheduler() as scheduler:
            disposable = scheduler.schedule(number)
            await wait_all_tasks_blocked()
            disposable.dispose()
            assert scheduler.stats == SchedulerStats(pending=0, disposed=0, tasks=0)

    run_mock(main)


def test_disposed_actions_take_bounded_room() -> None:
    """What `debounce` and `timeout` do all day: a hundred thousand timers, all disposed but the last."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            for number in range(10):
                scheduler.schedule_relative(2, log.action(number))
            most = 0
            for number in range(100_000):
                scheduler.schedule_relative(1, nothing).dispose()
                if number % 13 == 0:
                    most = max(most, scheduler.stats.disposed)
            assert scheduler.stats.pending == 10
            assert 50 < most <= 65, "64 may stay, and one more before the heap is rebuilt"
            await trio.sleep(3)
            assert log.entries == [(2000, number) for number in range(10)]

    run_mock(main)


def test_a_large_heap_of_disposed_actions_is_rebuilt_at_half() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            disposables = [scheduler.schedule_relative(i % 7, log.action(i)) for i in range(1000)]
            for disposable in disposables[:500]:
                disposable.dispose()
            assert scheduler.stats == SchedulerStats(pending=500, disposed=500, tasks=0)
            disposables[500].dispose()
            assert scheduler.stats == SchedulerStats(pending=499, disposed=0, tasks=0)
            await trio.sleep(10)
            assert log.entries == [(i % 7 * 1000, i) for i in sorted(range(501, 1000), key=lambda i: i % 7)]

    run_mock(main)


def test_a_disposed_action_lets_go_of_what_it_held() -> None:
    """An entry that waits in the heap for its turn must not keep a stream and its buffers alive."""

    async def main() -> None:
        class Held:
            alive = 0

            def __init__(self) -> None:
                Held.alive += 1

            def __del__(self) -> None:
                Held.alive -= 1

        async with TrioScheduler() as scheduler:
            disposable = scheduler.schedule_relative(3600, nothing, Held())
            assert Held.alive == 1
            disposable.dispose()
            assert scheduler.stats.disposed == 1
            assert Held.alive == 0
            ran = scheduler.schedule(nothing, Held())
            await wait_all_tasks_blocked()
            assert Held.alive == 0
            ran.dispose()

    run_mock(main)
