"""reactivex's scheduler on trio's clock: one heap of what is due, one task that runs it.

1. An action never runs inside `schedule()`: it runs in the scheduler's task, in order of (due time, scheduling).
2. What is due when a round begins runs in it, without a checkpoint in between. What those actions schedule runs in a
   later round, after a checkpoint, so that recursion cannot starve other tasks.
3. Time is counted in whole microseconds of trio's clock, as `datetime` counts it: when an action that was scheduled
   at `now + delay` runs, `now` has reached that, never a rounding error less (`delay` and `throttle_first` compare).
4. Only trio's thread touches the agenda. Others hand their calls over through the trio token and wait for nothing.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import partial
from threading import get_ident
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

import trio
from reactivex import abc, typing
from reactivex.disposable import Disposable, MultipleAssignmentDisposable
from reactivex.scheduler.periodicscheduler import PeriodicScheduler

from cgrx._model.use_errors import NotInTrioError
from cgrx._trio.agenda import Agenda, Entry, Work
from cgrx._trio.clock import WallClock
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler_stats import SchedulerStats

State = TypeVar("State")
Ts = TypeVarTuple("Ts")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_S = timedelta.max.total_seconds()


class _Phase(Enum):
    NEW = auto()
    RUNNING = auto()
    ENDED = auto()


class _Task(abc.DisposableBase):
    """A task of `start_soon`: disposing it cancels it, or keeps it from starting."""

    def __init__(self, cancel_soon: "Callable[[_Task], None]") -> None:
        self._cancel_soon = cancel_soon
        # Shielded, so that its end is always the scheduler's doing: then nothing but errors reaches the nursery, and
        # an error of the body leaves without trio's `Cancelled` of a child beside it.
        self.scope = trio.CancelScope(shield=True)
        self.is_disposed = False

    def dispose(self) -> None:
        self.is_disposed = True
        self._cancel_soon(self)


class TrioScheduler(PeriodicScheduler):
    """A reactivex scheduler whose actions run in one trio task, on trio's clock.

        async with TrioScheduler() as scheduler:
            observable.pipe(rx_ops.delay(1.0)).subscribe(print, scheduler=scheduler)
            await trio.sleep(10)

    Every timed reactivex operator works on it, and no thread is started. Its methods may be called from any thread;
    actions run in trio's. Leaving the `async with` disposes what is pending, cancels the tasks of `start_soon` and
    ends the scheduler's own at once; a cancellation from outside takes effect when it has made the body leave. From
    then on every call returns a disposed disposable, and nothing runs.

    Everything due at one moment runs in one round without a checkpoint, in order of (due time, scheduling); what an
    action schedules runs in a later round. State kept: what is pending, and at most as many disposed entries (or 64).

    Args:
        clock: the wall clock that `now` and absolute times refer to; one of its own by default.
        on_error: called with each `Exception` that an action or a task of `start_soon` raises; the scheduler goes on.
            Without it the first one cancels the body and leaves the `async with`, as it is and not in a group. (Only
            errors of several tasks at the same moment leave as a group.)

    Raises:
        NotInTrioError: no trio loop is running here.

    Examples:
        >>> import trio
        >>> async with cgrx.TrioScheduler() as scheduler:
        ...     due = trio.Event()
        ...     _ = scheduler.schedule_relative(0.001, lambda *_: due.set())
        ...     await due.wait()
        ...     print(scheduler.stats.pending)
        0
    """

    def __init__(self, *, clock: WallClock | None = None, on_error: Callable[[Exception], None] | None = None) -> None:
        super().__init__()
        self._token = require_trio("TrioScheduler()")
        self._thread = get_ident()
        self._trio_clock = trio.lowlevel.current_clock()
        self._wall_clock = WallClock() if clock is None else clock
        self._on_error = on_error
        self._phase = _Phase.NEW
        self._agenda = Agenda()
        self._alarm: trio.CancelScope | None = None
        self._scope = trio.CancelScope(shield=True)  # shielded as a _Task's is
        self._tasks: set[_Task] = set()

    @property
    def token(self) -> trio.lowlevel.TrioToken:
        """Of the trio loop that it runs in, for calls from other threads."""
        return self._token

    async def __aenter__(self) -> Self:
        if require_trio("TrioScheduler") is not self._token:
            raise NotInTrioError("enter a TrioScheduler in the same trio.run(...) that constructed it")
        if self._phase is not _Phase.NEW:
            raise RuntimeError("a TrioScheduler can be entered only once: construct another one")
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        self._nursery.start_soon(self._dispatch)
        self._phase = _Phase.RUNNING
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        self._end()
        try:
            return await self._manager.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            if len(group.exceptions) != 1:
                raise
            only = group.exceptions[0]
        if only is error:
            return False
        context = only.__context__
        try:
            raise only
        finally:
            only.__context__ = context  # `raise` has put in the body's exception, which has nothing to do with it
            del only, error  # no cycle through this frame

    @property
    def now(self) -> datetime:
        """The time as an aware UTC datetime: the wall clock at the start plus the time elapsed on trio's clock."""
        return _EPOCH + timedelta(microseconds=self._wall_offset_us() + self._now_us())

    def schedule(self, action: typing.ScheduledAction[State], state: State | None = None) -> abc.DisposableBase:
        """Run an action as soon as possible, but never inside this call.

        Args:
            action: called with the scheduler and `state`; a disposable that it returns is disposed with the result.
            state: handed to the action.

        Returns:
            What keeps the action from running when disposed, from any thread, or disposes what it returned. In
            another thread than trio's it is best effort: an action that has begun is not interrupted.

        Raises:
            RuntimeError: the scheduler has not been entered.
        """
        return self._put(self._now_us(), partial(action, self, state))

    def schedule_relative(
        self, duetime: typing.RelativeTime, action: typing.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        """Run an action after a delay; as `schedule`, where it is zero or negative.

        Args:
            duetime: the delay in seconds, or a timedelta; fractions of a microsecond are rounded.
            action: as for `schedule`.
            state: as for `schedule`.

        Returns:
            As `schedule`.

        Raises:
            ValueError: the delay is NaN, infinite or longer than a timedelta can be.
            TypeError: it is neither a number nor a timedelta.
            RuntimeError: the scheduler has not been entered.
        """
        delay_us = _microseconds(duetime, "a number of seconds or a timedelta")
        return self._put(self._now_us() + max(delay_us, 0), partial(action, self, state))

    def schedule_absolute(
        self, duetime: typing.AbsoluteTime, action: typing.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        """Run an action at a time; as `schedule`, where that is past.

        The time is translated to trio's clock at once: a later step of the wall clock does not move the action.

        Args:
            duetime: an aware datetime, or seconds since the epoch.
            action: as for `schedule`.
            state: as for `schedule`.

        Returns:
            As `schedule`.

        Raises:
            ValueError: the datetime is naive, the number NaN, infinite or larger than a timedelta can be.
            TypeError: it is neither a datetime nor a number.
            RuntimeError: the scheduler has not been entered.
        """
        since_epoch: object = duetime
        if isinstance(duetime, datetime):
            if duetime.utcoffset() is None:
                raise ValueError(f"duetime={duetime!r} is naive: give an aware datetime, as datetime.now(UTC) is")
            since_epoch = duetime - _EPOCH
        due_us = _microseconds(since_epoch, "an aware datetime or seconds since the epoch") - self._wall_offset_us()
        return self._put(max(due_us, self._now_us()), partial(action, self, state))

    def schedule_periodic(
        self, period: typing.RelativeTime, action: typing.ScheduledPeriodicAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        """Run an action again and again, first after one period.

        Each due time is the one before plus the period, so neither the action's own duration nor late wake-ups add
        up. Where that is past, because an action took longer, the next run is in the next round, and the periods
        count from there: no burst makes up for what was missed. With a period of zero or less it runs every round.
        An action that raises is not run again.

        Args:
            period: seconds, or a timedelta.
            action: called with the state; returns the next state.
            state: the first state.

        Returns:
            What ends the series when disposed.

        Raises:
            ValueError: the period is NaN, infinite or longer than a timedelta can be.
            TypeError: it is neither a number nor a timedelta.
            RuntimeError: the scheduler has not been entered.
        """
        period_us = max(_microseconds(period, "a number of seconds or a timedelta"), 0)
        series = MultipleAssignmentDisposable()

        def run(due_us: int, state: State | None) -> None:
            state = action(state)
            plan(max(due_us + period_us, self._now_us()), state)  # disposed at once where the series is

        def plan(due_us: int, state: State | None) -> None:
            series.disposable = self._put(due_us, partial(run, due_us, state))

        plan(self._now_us() + period_us, state)
        return series

    def start_soon(self, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> abc.DisposableBase:
        """Start a task that lives no longer than the scheduler; what it raises goes the way of an action's error.

        Args:
            async_fn: the async function to run. A cancellation of the code around the scheduler reaches it when the
                `async with` is left.
            *args: its arguments.

        Returns:
            What cancels the task when disposed, from any thread; one that has not begun does not begin.

        Raises:
            RuntimeError: the scheduler has not been entered.
        """
        task = _Task(self._cancel_soon)
        if self._is_over() or not self._in_trio_thread(self._spawn, task, partial(async_fn, *args)):
            return _disposed()
        return task

    @property
    def stats(self) -> SchedulerStats:
        """What the scheduler holds at this moment, a snapshot."""
        return SchedulerStats(pending=self._agenda.pending, disposed=self._agenda.forgotten, tasks=len(self._tasks))

    def _now_us(self) -> int:
        # Not trio.current_time(), which knows no other thread than trio's.
        return round(self._trio_clock.current_time() * 1e6)

    def _wall_offset_us(self) -> int:
        """The wall time when trio's clock was at zero.

        In whole milliseconds: added as a float, so large a number would cost the microseconds of `now`.
        """
        return self._wall_clock.at_ms(0.0) * 1000

    def _is_over(self) -> bool:
        if self._phase is _Phase.NEW:
            raise RuntimeError("enter the scheduler first: async with TrioScheduler() as scheduler")
        return self._phase is _Phase.ENDED

    def _in_trio_thread(self, function: Callable[[*Ts], object], *args: *Ts) -> bool:
        """Call it at once in trio's thread, soon from another one; False where that will never be."""
        if get_ident() == self._thread:
            function(*args)
        else:
            try:
                self._token.run_sync_soon(function, *args)
            except trio.RunFinishedError:
                return False
        return True

    def _put(self, due_us: int, work: Work) -> abc.DisposableBase:
        entry = Entry(work, self._forget_soon)
        if self._is_over() or not self._in_trio_thread(self._add, due_us, entry):
            return _disposed()
        return entry

    def _add(self, due_us: int, entry: Entry) -> None:
        if self._phase is _Phase.ENDED:
            entry.is_disposed = True
        if entry.is_disposed:  # on its way from another thread
            return
        if self._agenda.add(due_us, entry):
            self._reset_alarm(due_us)

    def _reset_alarm(self, due_us: int) -> None:
        if self._alarm is not None:
            # What is due now wakes the task now: a deadline that is ahead by a rounding error sleeps a millisecond.
            self._alarm.deadline = due_us / 1e6 if due_us > self._now_us() else -math.inf

    def _forget_soon(self, entry: Entry) -> None:
        self._in_trio_thread(self._agenda.forget, entry)

    async def _dispatch(self) -> None:
        try:
            with self._scope:
                await self._run_rounds()
        finally:
            self._end()

    async def _run_rounds(self) -> None:
        while True:
            await self._until_due()
            self._run_round()

    def _run_round(self) -> None:
        for entry in self._agenda.take_due(self._now_us()):
            try:
                entry.run()
            except Exception as error:
                if self._on_error is None:
                    raise
                self._on_error(error)

    async def _until_due(self) -> None:
        due_us = self._agenda.next_due()
        if due_us is not None and due_us <= self._now_us():
            await trio.lowlevel.checkpoint()
            return
        with trio.CancelScope(deadline=math.inf if due_us is None else due_us / 1e6) as self._alarm:
            await trio.sleep_forever()
        self._alarm = None

    def _spawn(self, task: _Task, start: Callable[[], Awaitable[object]]) -> None:
        if self._phase is _Phase.ENDED:
            task.is_disposed = True
        else:
            self._tasks.add(task)
            self._nursery.start_soon(self._run_task, task, start)

    async def _run_task(self, task: _Task, start: Callable[[], Awaitable[object]]) -> None:
        try:
            with task.scope:
                if not task.is_disposed:
                    await start()
        except Exception as error:
            if self._on_error is None:
                raise
            self._on_error(error)
        finally:
            self._tasks.discard(task)

    def _cancel_soon(self, task: _Task) -> None:
        self._in_trio_thread(task.scope.cancel)

    def _end(self) -> None:
        self._phase = _Phase.ENDED
        self._agenda.clear()
        for task in self._tasks:
            task.dispose()
        self._scope.cancel()


def _microseconds(value: object, accepted: str) -> int:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no time: give {accepted}")
    if not -_LONGEST_S <= value <= _LONGEST_S:  # NaN neither
        raise ValueError(f"{value!r} is no finite time that fits a timedelta: give {accepted}")
    return round(value * 1e6)


def _disposed() -> abc.DisposableBase:
    disposable = Disposable()
    disposable.dispose()
    return disposable
