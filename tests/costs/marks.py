"""What windows and merges cost by what comes to them: marks, and names of exchanges."""

import math
from typing import Any

import cgrx
from cgrx import Alive, Batch, Gap
from cgrx import operators as ops
from cgrx.testing import trade
from tests.costs.counting import Input, instructions
from tests.streams.merging import Merge, at, channel_of
from tests.streams.streaming import Hot
from tests.windows import windowing

START = 1_700_000_000_000


def _held_marks(size: int) -> int:
    """Every event that is held for a silent input has gaps and proofs beside it, and each is looked at once."""

    def run() -> None:
        one, two = Hot[Any](), Hot[Any]()
        seen: list[Any] = []
        cgrx.merge_exchanges(one.stream, two.stream, max_delay=math.inf, max_held=math.inf).subscribe(seen.append)
        one.say(Gap(channel_of("A"), 0, START, "subscribed"))
        for number in range(size):
            one.say(at("A", START + number), Alive("o", START + number))
        two.complete()
        one.complete()
        assert len(seen) == size

    return instructions(run)


def _proofs_of_many(size: int) -> int:
    """Each of so many inputs of a merge gives its proof, once a second, and the slowest of them decides."""
    inputs = [Hot[Any]() for _ in range(size)]
    cgrx.merge(*(each.stream for each in inputs)).subscribe()

    def run() -> None:
        for second in range(2):
            for each in inputs:
                each.say(Alive("o", START + second))

    return instructions(run)


def _merged_exchanges(size: int) -> int:
    """Beyond 256 of one channel they count as one more, so each name costs the same."""
    merge = Merge(1, max_delay="1s", max_held=math.inf)
    trades = tuple(trade(time=1, exchange=f"E{number}") for number in range(size))
    return instructions(lambda: merge.say(0, Batch(channel_of("E"), 1_000, trades)))


def _window_exchanges(size: int) -> int:
    """The same in a window."""
    events = tuple(windowing.trade(1_000, exchange=f"E{number}") for number in range(size))
    running = ops.tumbling("1s", windowing.Tally, lateness=0).start()
    return instructions(lambda: list(running.on_signal(Batch(windowing.CHANNEL, 1_000, events))))


def _window_marks(size: int) -> int:
    """Proofs, gaps and losses, with a window open."""
    running = ops.tumbling("1h", windowing.Tally).start()

    def run() -> None:
        list(running.on_signal(windowing.on_time(START)))
        for number in range(size):
            at_ms = START + number
            for mark in (Alive("o", at_ms), Gap(windowing.CHANNEL, at_ms - 1, at_ms, "test")):
                list(running.on_signal(mark))

    return instructions(run)


INPUTS = (
    Input("marks held by a merge", _held_marks, 200),
    Input("proofs of the inputs of a merge", _proofs_of_many, 100),
    Input("exchanges in a merge", _merged_exchanges, 1_000),
    Input("exchanges in a window", _window_exchanges, 1_000),
    Input("marks in a window", _window_marks, 300),
)
