"""The delays between attempts."""

import itertools
import random

from cgrx._feed.backoff import delays


class Bounds(random.Random):
    """Draws the upper bound, and remembers the lower ones."""

    def __init__(self) -> None:
        super().__init__()
        self.lower: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        self.lower.append(a)
        return b


def test_the_bound_doubles_up_to_the_longest() -> None:
    """Full jitter: from zero to a bound that doubles, and stays at the longest."""
    rng = Bounds()
    assert list(itertools.islice(delays(0.5, 30.0, rng), 8)) == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(rng.lower) == {0}


def test_the_first_delay_is_bounded_too() -> None:
    """A first bound above the longest is cut to it."""
    assert list(itertools.islice(delays(5.0, 2.0, Bounds()), 2)) == [2.0, 2.0]


def test_delays_are_spread_over_the_whole_range() -> None:
    """Clients that lost their connection at one moment come back at different ones."""
    firsts = [next(delays(0.5, 30.0, random.Random(seed))) for seed in range(200)]
    assert min(firsts) < 0.05
    assert max(firsts) > 0.45
    assert len(set(firsts)) == 200


def test_a_seed_fixes_the_delays() -> None:
    """The same generator gives the same delays."""
    first, second = (list(itertools.islice(delays(0.5, 30.0, random.Random(7)), 20)) for _ in range(2))
    assert first == second
