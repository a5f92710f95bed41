"""What a subscription has missed: times that it did not see, and events that were lost on the way."""

from cgrx._model.times import NEVER

_LOSSES = 256
"""How many losses are kept apart; beyond that the oldest two become one, which may concern more windows."""


class Missing:
    """The gaps, and the lost events with the event times that they may have had."""

    def __init__(self) -> None:
        self._gaps: list[tuple[int, int]] = []  # no two overlap; in order
        self._losses: list[tuple[int, int, int]] = []  # from, until, how many
        self.forgotten_ms = NEVER
        """What was missing before this time may have been forgotten."""

    def __len__(self) -> int:
        return len(self._gaps) + len(self._losses)

    @property
    def until_ms(self) -> int:
        """Nothing is missing from here on."""
        gaps_ms = self._gaps[-1][1] if self._gaps else NEVER
        return max([gaps_ms, *(end_ms for _, end_ms, _ in self._losses)]) if self._losses else gaps_ms

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The times that were not seen, apart and in order."""
        return tuple(self._gaps)

    def add_gap(self, start_ms: int, end_ms: int) -> None:
        """Events with a time in [start_ms, end_ms) may be missing."""
        apart: list[tuple[int, int]] = []
        for gap in self._gaps:
            if gap[1] < start_ms or gap[0] > end_ms:
                apart.append(gap)
            else:
                start_ms, end_ms = min(start_ms, gap[0]), max(end_ms, gap[1])
        self._gaps = sorted([*apart, (start_ms, end_ms)])

    def add_loss(self, start_ms: int, end_ms: int, count: int) -> None:
        """`count` events are lost, each with a time in [start_ms, end_ms)."""
        losses = self._losses
        if losses and losses[-1][:2] == (start_ms, end_ms):
            count += losses.pop()[2]
        losses.append((start_ms, end_ms, count))
        if len(losses) > _LOSSES:
            first, second = losses[:2]
            losses[:2] = [(min(first[0], second[0]), max(first[1], second[1]), first[2] + second[2])]

    def end_losses(self, time_ms: int) -> None:
        """Nothing that is lost so far had this time or a later one."""
        self._losses = [
            (start_ms, min(end_ms, max(time_ms, start_ms + 1)), count) for start_ms, end_ms, count in self._losses
        ]

    def shift(self, by_ms: int) -> None:
        """All of it was placed by a clock that is off by so much; the end of a loss only where that clock is ahead."""
        self._gaps = [(start_ms + by_ms, end_ms + by_ms) for start_ms, end_ms in self._gaps]
        self._losses = [
            (start_ms, max(start_ms + 1, end_ms + min(by_ms, 0)), count) for start_ms, end_ms, count in self._losses
        ]

    def widen(self, before_ms: int, after_ms: int) -> None:
        """All of it may be so much earlier, and so much later, than was known; a loss is not before what was seen."""
        gaps, self._gaps = self._gaps, []
        for start_ms, end_ms in gaps:
            self.add_gap(start_ms - before_ms, end_ms + after_ms)
        self._losses = [(start_ms, end_ms + after_ms, count) for start_ms, end_ms, count in self._losses]

    def gap_ms(self, start_ms: int, end_ms: int) -> int:
        """How many milliseconds of [start_ms, end_ms) lie in gaps."""
        if not self._gaps:  # mostly, and each window asks
            return 0
        return sum(max(0, min(end_ms, gap[1]) - max(start_ms, gap[0])) for gap in self._gaps)

    def dropped(self, start_ms: int, end_ms: int) -> int:
        """How many of the lost events may belong to [start_ms, end_ms)."""
        if not self._losses:  # as above
            return 0
        return sum(count for from_ms, until_ms, count in self._losses if from_ms < end_ms and until_ms > start_ms)

    def forget_before(self, time_ms: int) -> None:
        """Drop the gaps and losses before `time_ms`: no window needs them any more."""
        ends = [end_ms for _, end_ms, *_ in (*self._gaps, *self._losses) if end_ms <= time_ms]
        self.forgotten_ms = max([self.forgotten_ms, *ends])
        self._gaps = [gap for gap in self._gaps if gap[1] > time_ms]
        self._losses = [loss for loss in self._losses if loss[1] > time_ms]
