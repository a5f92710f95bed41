"""The time of a replay, and the scheduler that runs on it.

    at speed 1, 10, ...   time moves with trio's clock while the replay waits for the next entry, and stands while
                          that entry is delivered; it never passes an entry that has not been delivered
    at infinite speed     time jumps from one entry to the next
    paused                time stands, and nothing is delivered; what is due at that moment still runs
    behind the end        time moves with trio's clock, as long as the body of the `async with` lasts

A scheduled action runs at exactly the time it is due, in order, and before an entry that was recorded at the same time.
So timed operators give the same results at any speed.
"""

import math
from collections.abc import Awaitable, Callable

import trio

from cgrx._trio.scheduler import TrioScheduler

_ROUNDS = 10_000
"""How many rounds of actions may run at one moment. Then time goes on, or a period of zero would stop it for ever."""


class ReplayClock:
    """A clock in microseconds since the epoch. It begins to move with `run`."""

    def __init__(self, at_us: int, speed: float) -> None:
        self.at_us = at_us
        """The time at which it stands, or stood last."""
        self.speed = speed
        """What was asked for; see `set_speed`."""
        self.paused = False
        """Whether it stands until `resume`."""
        self.jumps = speed == math.inf
        """Whether nothing has to be waited for: at infinite speed, as long as there is something to replay."""
        self._rate = speed
        self._over = False
        self._trio_clock = trio.lowlevel.current_clock()
        self._until_us: float = at_us
        self._anchor_us = at_us
        self._anchor = self._run_at = math.inf

    def run(self) -> None:
        """Let time move with trio's clock from now on."""
        self._rate = 1.0 if self._over and self.speed == math.inf else self.speed
        self.jumps = self._rate == math.inf
        self._anchor = self._run_at = trio.current_time()
        self._anchor_us = self.at_us

    def pause(self) -> None:
        """Stand until `resume`."""
        self.stand(self.now_us())
        self.paused = True

    def resume(self) -> None:
        """Move again from where it stands."""
        self.paused = False
        self.stand(self.at_us)
        self.run()

    def set_speed(self, speed: float) -> None:
        """Move so fast from now on."""
        self.stand(self.now_us())
        self.speed = speed
        self.run()

    def now_us(self) -> int:
        """The time now. May be called in any thread."""
        if self.paused or self._until_us <= self.at_us:
            return self.at_us
        # Not trio.current_time(), which knows no other thread than trio's.
        moved_us = (self._trio_clock.current_time() - self._anchor) * self._rate * 1e6
        return max(self.at_us, int(min(self._anchor_us + moved_us, self._until_us)))

    def go_on(self) -> None:
        """The recording is over: move with trio's clock. At infinite speed, continue in real time."""
        self._over = True
        self.run()

    def due(self, at_us: int) -> float:
        """When this time will come, on trio's clock; where it is past already, a moment that is past too."""
        return self._anchor + (at_us - self._anchor_us) / 1e6 / self._rate

    def move_until(self, until_us: float) -> None:
        """Move with trio's clock, but not beyond this time."""
        self._until_us = self.at_us if self.jumps else until_us

    def stand(self, at_us: int) -> None:
        """Stand at this time, or where the clock stands if that is later."""
        if at_us > self.at_us:
            self.at_us = at_us
        self._until_us = self.at_us

    def stood(self, since: float) -> None:
        """Time has stood since then, on trio's clock, without being paused: shift everything that follows."""
        self._anchor += trio.current_time() - max(since, self._run_at)


class ReplayScheduler(TrioScheduler):
    """A scheduler on the time of a replay: `advance_to` moves it, and after `free` it moves by itself.

    Tasks of `start_soon` run as on any `TrioScheduler`.

    Args:
        replay_clock: its time.
        turn: awaited between two rounds of actions; lets other tasks run.
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
        """Whether time may be set to `at_us` at once: nothing has to be waited for, and no action is due before."""
        due_us = self._agenda.next_due()
        clock = self._replay_clock
        if clock.paused or (due_us is not None and due_us <= at_us):
            return False
        return clock.jumps or clock.due(at_us) <= trio.current_time()

    async def advance_to(self, at_us: int) -> None:
        """Let time go on to `at_us`, and run the actions that are due until then. `interrupt` ends it earlier."""
        rounds = 0
        clock, self._interrupted = self._replay_clock, False
        while (rounds < _ROUNDS or clock.paused) and not self._interrupted:
            due_us = self._agenda.next_due()
            is_last = due_us is None or due_us > at_us
            before_us = clock.at_us
            if clock.paused and (due_us is None or due_us > before_us):
                await self._sleep(math.inf)
                continue
            if not await self._reach(at_us if due_us is None or is_last else due_us):
                continue
            if is_last:
                return
            rounds = rounds + 1 if clock.at_us == before_us else 0
            self._run_round()
            await self._turn()

    def interrupt(self) -> None:
        """Stop time where it is: the next entry may have become another one."""
        self._interrupted = True
        self._wake()

    def pause(self) -> None:
        """Stop time until `resume`."""
        self._replay_clock.pause()
        self._wake()

    def resume(self) -> None:
        """Let time go on."""
        self._replay_clock.resume()
        self._wake()

    def set_speed(self, speed: float) -> None:
        """Let time go on at this speed."""
        self._replay_clock.set_speed(speed)
        self._wake()

    def free(self) -> None:
        """The recording is over: from now on time runs by itself."""
        self._replay_clock.go_on()
        self._freed.set()

    async def _reach(self, at_us: int) -> bool:
        """Wait until it is this time; False where an action was scheduled, or time interrupted, meanwhile."""
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
