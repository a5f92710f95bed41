"""The time of a replay, and the scheduler that runs on it.

    at speed 1, 10, ...   the time moves with trio's clock while the replay waits for what comes next, and stands
                          while that is being said; it never passes by something that has not been said
    at infinite speed     it jumps from one thing to the next
    behind the end        it goes on with trio's clock, as long as the body lasts

What was scheduled on it runs when the time comes there, in order and at exactly the time it is due, before what was
recorded at the same time. So timed operators give the same results at any speed.
"""

import math
from collections.abc import Awaitable, Callable

import trio

from cgrx._trio.scheduler import TrioScheduler

_ROUNDS = 10_000
"""So many rounds of actions may run at one moment; then the time goes on, lest a period of zero stop it for ever."""


class ReplayClock:
    """Microseconds since the epoch. It begins to move with `run`."""

    def __init__(self, at_us: int, speed: float) -> None:
        self.at_us = at_us
        """Where it stood last, or stands."""
        self._speed = speed
        self.jumps = speed == math.inf
        """Whether nothing has to be waited for."""
        self._trio_clock = trio.lowlevel.current_clock()
        self._until_us: float = at_us
        self._anchor_us = at_us
        self._anchor = math.inf

    def run(self) -> None:
        """From this moment of trio's clock on, time goes on."""
        self._anchor, self._anchor_us = trio.current_time(), self.at_us

    def now_us(self) -> int:
        """The time now. May be called in any thread."""
        if self._until_us <= self.at_us:
            return self.at_us
        # Not trio.current_time(), which knows no other thread than trio's.
        moved_us = (self._trio_clock.current_time() - self._anchor) * self._speed * 1e6
        return max(self.at_us, int(min(self._anchor_us + moved_us, self._until_us)))

    def go_on(self) -> None:
        """Nothing will be said any more: move with trio's clock, as fast as it where it was faster than any clock."""
        if self.jumps:
            self.jumps, self._speed = False, 1.0
        self.run()

    def due(self, at_us: int) -> float:
        """When it will be that time, on trio's clock; a time that is past needs no waiting."""
        return self._anchor + (at_us - self._anchor_us) / 1e6 / self._speed

    def move_until(self, until_us: float) -> None:
        """Move with trio's clock, but not beyond."""
        self._until_us = self.at_us if self.jumps else until_us

    def stand(self, at_us: int) -> None:
        """Stand at that time."""
        if at_us > self.at_us:
            self.at_us = at_us
        self._until_us = self.at_us

    def delay(self, seconds: float) -> None:
        """So long the replay was held up: all that follows comes later."""
        self._anchor += seconds


class ReplayScheduler(TrioScheduler):
    """A scheduler on the time of a replay, which `advance_to` moves, and which goes on by itself after `free`.

    Tasks of `start_soon` run as on any `TrioScheduler`.

    Args:
        replay_clock: its time.
        turn: awaited between two rounds; lets other tasks run.
        on_error: as of `TrioScheduler`.
    """

    def __init__(
        self, replay_clock: ReplayClock, turn: Callable[[], Awaitable[None]], on_error: Callable[[Exception], None]
    ) -> None:
        super().__init__(on_error=on_error)
        self._replay_clock = replay_clock
        self._turn = turn
        self._freed = trio.Event()
        self._woken = False
        self._interrupted = False

    def is_due(self, at_us: int) -> bool:
        """Whether the time may come to be `at_us` at once: nothing has to be waited for, nothing runs before."""
        due_us = self._agenda.next_due()
        if due_us is not None and due_us <= at_us:
            return False
        return self._replay_clock.jumps or self._replay_clock.due(at_us) <= trio.current_time()

    async def advance_to(self, at_us: int) -> None:
        """Let the time go on to `at_us`, and run what is due until then; not so far where `interrupt` is called."""
        rounds = 0
        self._interrupted = False
        while rounds < _ROUNDS and not self._interrupted:
            due_us = self._agenda.next_due()
            is_last = due_us is None or due_us > at_us
            before_us = self._replay_clock.at_us
            if not await self._reach(at_us if due_us is None or is_last else due_us):
                continue
            if is_last:
                return
            rounds = rounds + 1 if self._replay_clock.at_us == before_us else 0
            self._run_round()
            await self._turn()

    def interrupt(self) -> None:
        """What comes next has to be looked for again: the time stops where it is."""
        self._interrupted = True
        self._wake()

    def free(self) -> None:
        """Nothing will be said any more: go on alone, with what was scheduled and what will be."""
        self._replay_clock.go_on()
        self._freed.set()

    async def _reach(self, at_us: int) -> bool:
        """Wait until it is that time; False where something was scheduled meanwhile."""
        clock = self._replay_clock
        if clock.due(at_us) > trio.current_time():
            await self._sleep(at_us)
            if self._woken:
                clock.stand(clock.now_us())
                return False
        clock.stand(at_us)
        return True

    async def _sleep(self, until_us: float) -> None:
        clock, self._woken = self._replay_clock, False
        clock.move_until(until_us)
        deadline = math.inf if until_us == math.inf else clock.due(int(until_us))
        with trio.CancelScope(deadline=deadline) as self._alarm:
            await trio.sleep_forever()
        self._alarm = None

    async def _run_rounds(self) -> None:
        await self._freed.wait()
        while True:
            due_us = self._agenda.next_due()
            if due_us is None:
                await self._sleep(math.inf)
                self._replay_clock.stand(self._replay_clock.now_us())
            else:
                await self.advance_to(due_us)

    def _reset_alarm(self, due_us: int) -> None:
        self._wake()

    def _wake(self) -> None:
        if self._alarm is not None:
            self._woken = True
            self._alarm.cancel()

    def _now_us(self) -> int:
        return self._replay_clock.now_us()

    def _wall_offset_us(self) -> int:
        return 0
