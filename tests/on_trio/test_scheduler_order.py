"""Laws of the scheduler, over any delays and any interleaving of scheduling, disposal and time."""

from collections import Counter

import trio
from hypothesis import given
from hypothesis import strategies as st
from reactivex import abc

from cgrx._trio.scheduler import TrioScheduler
from tests.on_trio.scheduling import Log
from tests.support import run_mock

delays_ms = st.integers(-20, 60)  # few values, so that many are equal


@given(st.lists(delays_ms))
def test_actions_run_in_order_of_due_time_and_scheduling(delays: list[int]) -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            for label, delay in enumerate(delays):
                scheduler.schedule_relative(delay / 1e3, log.action(label))
            await trio.sleep(1)
            due = [(float(max(delay, 0)), label) for label, delay in enumerate(delays)]
            assert log.entries == sorted(due)

    run_mock(main)


steps = st.one_of(
    st.tuples(st.just("schedule"), delays_ms),
    st.tuples(st.just("dispose"), st.integers(0, 50)),
    st.tuples(st.just("sleep"), st.integers(1, 30)),
)


@given(st.lists(steps, max_size=60))
def test_a_disposed_action_never_runs_and_each_other_one_runs_once(script: list[tuple[str, int]]) -> None:
    """With its due time too; an action that was disposed after it ran has run."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            expected: list[tuple[float, int]] = []
            handles: list[abc.DisposableBase] = []
            for step, number in script:
                if step == "schedule":
                    expected.append((log.ms() + max(number, 0), len(handles)))
                    handles.append(scheduler.schedule_relative(number / 1e3, log.action(len(handles))))
                elif step == "sleep":
                    await trio.sleep(number / 1e3 + 0.0005)  # never until a due time itself: trio shuffles tasks
                elif handles:
                    label = number % len(handles)
                    ran = label in log.labels
                    handles[label].dispose()
                    if not ran:
                        expected = [entry for entry in expected if entry[1] != label]
            assert scheduler.stats.pending == len(expected) - len(log.entries)
            await trio.sleep(1)
            assert log.entries == sorted(expected)
            stats = scheduler.stats
            assert (stats.pending, stats.disposed) == (0, 0)

    run_mock(main)


@given(st.lists(st.tuples(delays_ms, st.lists(delays_ms, max_size=3), st.none() | st.integers(0, 30)), max_size=30))
def test_actions_that_schedule_and_dispose_keep_the_law(plan: list[tuple[int, list[int], int | None]]) -> None:
    """As above, from inside of actions: a model by a plain sorted list says what must run."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            handles: list[abc.DisposableBase] = []

            def begin(number: int) -> None:
                delay, children, victim = plan[number]

                def action(scheduler: abc.SchedulerBase, _: object) -> None:
                    log.add(number)
                    for child, child_delay in enumerate(children):
                        scheduler.schedule_relative(child_delay / 1e3, log.action((number, child)))
                    if victim is not None:
                        handles[victim % len(handles)].dispose()

                handles.append(scheduler.schedule_relative(delay / 1e3, action))

            for number in range(len(plan)):
                begin(number)
            await trio.sleep(1)
            assert log.entries == expected_run(plan)
            assert max(Counter(log.labels).values(), default=1) == 1

    run_mock(main)


def expected_run(plan: list[tuple[int, list[int], int | None]]) -> list[tuple[float, object]]:
    """The model: take the least (due, sequence), again and again."""
    waiting: list[tuple[float, int, object]] = [
        (float(max(delay, 0)), number, number) for number, (delay, _, _) in enumerate(plan)
    ]
    sequence = len(plan)
    ran: list[tuple[float, object]] = []
    while waiting:
        now, _, label = entry = min(waiting, key=lambda item: item[:2])
        waiting.remove(entry)
        ran.append((now, label))
        if isinstance(label, int):
            _, children, victim = plan[label]
            for child, child_delay in enumerate(children):
                waiting.append((now + max(child_delay, 0), sequence, (label, child)))
                sequence += 1
            if victim is not None:
                waiting = [item for item in waiting if item[2] != victim % len(plan)]
    return ran
