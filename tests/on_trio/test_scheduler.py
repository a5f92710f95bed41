"""The contract of the scheduler: what runs, when, in which order, and what keeps it from running."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import trio
from reactivex import abc
from trio.testing import wait_all_tasks_blocked

from cgrx._trio.clock import WallClock
from cgrx._trio.scheduler import TrioScheduler
from tests.on_trio.scheduling import Log, nothing
from tests.support import run, run_mock

WALL_S = 1_735_689_600.123
"""A wall time whose sums with small delays are not exact in floating point."""


def test_now_is_aware_utc_and_moves_with_trio() -> None:
    async def main() -> None:
        async with TrioScheduler(clock=WallClock(lambda: WALL_S)) as scheduler:
            before = scheduler.now
            assert before.tzinfo is UTC
            assert abs(before - datetime.fromtimestamp(WALL_S, UTC)) <= timedelta(milliseconds=1)
            for step in range(1, 100):
                await trio.sleep(0.1)
                assert scheduler.now - before == timedelta(seconds=0.1) * step, "to the microsecond"

    run_mock(main)


def test_now_is_the_system_s_by_default() -> None:
    async def main() -> None:
        apart = TrioScheduler().now - datetime.now(UTC)  # noqa: TID251 - what it is compared with
        assert abs(apart) < timedelta(seconds=1)

    run(main)


def test_now_follows_a_clock_that_is_shared_and_moved() -> None:
    """After a suspend the feed moves its wall clock; absolute times count from there, what is planned stays."""

    async def main() -> None:
        wall_s = [WALL_S]
        clock = WallClock(lambda: wall_s[0])
        async with TrioScheduler(clock=clock) as scheduler:
            log = Log()
            before = scheduler.now
            scheduler.schedule_absolute(before + timedelta(seconds=5), log.action("planned before"))
            wall_s[0] += 3600
            clock.catch_up()
            assert abs(scheduler.now - before - timedelta(hours=1)) <= timedelta(milliseconds=1)
            scheduler.schedule_absolute(scheduler.now + timedelta(seconds=1), log.action("planned after"))
            await trio.sleep(10)
            assert log.entries == [(1000, "planned after"), (5000, "planned before")]

    run_mock(main)


def test_an_action_runs_after_schedule_has_returned() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule(log.action("ran"))
            log.add("scheduled")
            await wait_all_tasks_blocked()
            assert log.entries == [(0, "scheduled"), (0, "ran")]

    run_mock(main)


def test_an_action_gets_the_scheduler_and_its_state() -> None:
    async def main() -> None:
        seen: list[tuple[abc.SchedulerBase, str | None]] = []

        def action(scheduler: abc.SchedulerBase, state: str | None) -> None:
            seen.append((scheduler, state))

        async with TrioScheduler() as scheduler:
            scheduler.schedule(action, "state")
            scheduler.schedule_relative(1, action)
            scheduler.schedule_absolute(scheduler.now + timedelta(seconds=2), action, "later")
            await trio.sleep(3)
            assert seen == [(scheduler, "state"), (scheduler, None), (scheduler, "later")]

    run_mock(main)


@pytest.mark.parametrize(
    ("delay", "due_ms"),
    [(0.2, 200), (1, 1000), (timedelta(milliseconds=1.5), 1.5), (1e-9, 0), (0, 0), (-3, 0), (timedelta(days=-1), 0)],
)
def test_relative_times_are_exact(delay: float | timedelta, due_ms: float) -> None:
    async def main() -> None:
        await trio.sleep(0.1)  # so that sums are not exact in floating point
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_relative(delay, log.action("ran"))
            await trio.sleep(2)
            assert log.entries == [(due_ms, "ran")]

    run_mock(main)


def test_on_the_real_clock_no_action_runs_early() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            start = trio.current_time()
            done = trio.Event()
            scheduler.schedule_relative(0.02, lambda _, __: done.set())
            await done.wait()
            assert 0.02 - 1e-6 <= trio.current_time() - start < 5, "microseconds are the unit"

    run(main)


def test_absolute_times_are_exact() -> None:
    """Aware datetimes of any zone and seconds since the epoch; what is past runs as soon as possible."""

    async def main() -> None:
        clock = WallClock(lambda: 1_000_000.0)  # epoch seconds small enough for microseconds in a float
        async with TrioScheduler(clock=clock) as scheduler:
            log = Log()
            elsewhere = timezone(timedelta(hours=-9, minutes=-30))
            scheduler.schedule_absolute(scheduler.now + timedelta(milliseconds=300), log.action("utc"))
            scheduler.schedule_absolute(
                (scheduler.now + timedelta(seconds=1)).astimezone(elsewhere), log.action("zone")
            )
            scheduler.schedule_absolute(1_000_000.125, log.action("number"))
            scheduler.schedule_absolute(scheduler.now, log.action("now"))
            scheduler.schedule_absolute(datetime(1969, 7, 20, tzinfo=UTC), log.action("past"))
            scheduler.schedule_absolute(0, log.action("epoch"))
            await trio.sleep(2)
            assert log.entries == [
                (0, "now"),
                (0, "past"),
                (0, "epoch"),
                (125, "number"),
                (300, "utc"),
                (1000, "zone"),
            ]

    run_mock(main)


BAD_NUMBERS = [float("nan"), float("inf"), float("-inf"), 1e308]


@pytest.mark.parametrize("time", BAD_NUMBERS)
def test_a_time_that_never_comes_is_refused(time: float) -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            for call in (scheduler.schedule_relative, scheduler.schedule_absolute):
                with pytest.raises(ValueError, match="no finite time"):
                    call(time, nothing)
            with pytest.raises(ValueError, match="no finite time"):
                scheduler.schedule_periodic(time, nothing)
            assert scheduler.stats.pending == 0

    run_mock(main)


def test_a_time_of_another_type_is_refused() -> None:
    async def main() -> None:
        text: Any = "5s"
        async with TrioScheduler() as scheduler:
            for call in (scheduler.schedule_relative, scheduler.schedule_absolute, scheduler.schedule_periodic):
                with pytest.raises(TypeError, match="'5s' is no time: give"):
                    call(text, nothing)

    run_mock(main)


def test_a_naive_datetime_is_refused() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            with pytest.raises(ValueError, match="is naive: give an aware datetime"):
                scheduler.schedule_absolute(datetime(2030, 1, 1), nothing)  # noqa: DTZ001 - the mistake in question

    run_mock(main)


def test_order_is_due_time_then_scheduling() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_relative(0.4, log.action("d"))
            scheduler.schedule_relative(0.2, log.action("b"))
            scheduler.schedule_relative(0.2, log.action("c"))
            scheduler.schedule(log.action("a"))
            await trio.sleep(1)
            assert log.entries == [(0, "a"), (200, "b"), (200, "c"), (400, "d")]

    run_mock(main)


def test_equal_times_reached_by_different_sums_keep_their_order() -> None:
    """0.1 + 0.2 is not 0.3 in floating point; here it is."""

    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_relative(0.1, lambda s, _: s.schedule_relative(0.2, log.action("first")))
            await trio.sleep(0.2)
            scheduler.schedule_relative(0.1, log.action("second"))
            await trio.sleep(1)
            assert log.entries == [(300, "first"), (300, "second")]

    run_mock(main)


def test_an_earlier_action_wakes_a_scheduler_that_sleeps_until_a_later_one() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()
            scheduler.schedule_relative(100, log.action("late"))
            await wait_all_tasks_blocked()
            scheduler.schedule_relative(50, log.action("earlier"))
            scheduler.schedule_relative(70, log.action("between"))
            await trio.sleep(60)
            scheduler.schedule(log.action("at once"))
            await trio.sleep(60)
            assert log.entries == [(50e3, "earlier"), (60e3, "at once"), (70e3, "between"), (100e3, "late")]

    run_mock(main)


def test_what_is_due_now_waits_for_no_rounding_error() -> None:
    """Between two microseconds, too, it wakes a sleeping scheduler without a deadline ahead: a poll sleeps 1 ms."""

    async def main() -> None:
        await trio.sleep(0.6e-6)
        async with TrioScheduler() as scheduler:
            await wait_all_tasks_blocked()
            times: list[float] = []
            scheduler.schedule(lambda _, __: times.append(trio.current_time()))
            await wait_all_tasks_blocked()
            assert times == [0.6e-6]

    run_mock(main)


def test_nested_actions_run_after_what_was_scheduled_before_them() -> None:
    async def main() -> None:
        async with TrioScheduler() as scheduler:
            log = Log()

            def outer(scheduler: abc.SchedulerBase, _: object) -> None:
                log.add("outer")
                scheduler.schedule_relative(0.2, log.action("later"))
                scheduler.schedule(log.action("inner"))

            scheduler.schedule(outer)
            scheduler.schedule(log.action("sibling"))
            await trio.sleep(1)
            assert log.entries == [(0, "outer"), (0, "sibling"), (0, "inner"), (200, "later")]

    run_mock(main)


def test_what_is_due_runs_in_one_round_and_recursion_starves_no_one() -> None:
    """A thousand actions take no checkpoint among them; each nested one leaves the others a turn."""

    async def main() -> None:
        turns = 0
        turns_seen: list[int] = []

        async def other_task() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        def nested(scheduler: abc.SchedulerBase, depth: int | None) -> None:
            turns_seen.append(turns)
            if depth:
                scheduler.schedule(nested, depth - 1)

        async with TrioScheduler() as scheduler, trio.open_nursery() as nursery:
            nursery.start_soon(other_task)
            for _ in range(1000):
                scheduler.schedule(nested, 0)
            while len(turns_seen) < 1000:
                await trio.lowlevel.checkpoint()
            assert len(set(turns_seen)) == 1

            turns_seen.clear()
            scheduler.schedule(nested, 100)
            while len(turns_seen) < 101:
                await trio.lowlevel.checkpoint()
            # Two apart, for trio shuffles the tasks of one turn.
            assert all(after > before for before, after in zip(turns_seen, turns_seen[2:], strict=False))
            nursery.cancel_scope.cancel()

    run_mock(main)
