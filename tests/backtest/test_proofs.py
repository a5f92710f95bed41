"""The proofs of life of a union in columns: those that a merge gives, signal by signal."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx._backtest.arrivals import Arrivals, Marked, union
from cgrx._backtest.proofs import proofs
from cgrx._model.channels import FuturesTrades
from cgrx._model.signals import Alive, Signal
from cgrx._streams.merging import FanIn
from tests.backtest.columns import EVENTS
from tests.support import examples

INPUTS = 4


class _Out:
    """Notes what comes out of a merge, with the place of the signal that caused it."""

    def __init__(self) -> None:
        self.seq = 0
        self.proven: list[tuple[int, int, str]] = []

    def on_signal(self, signal: Signal[object]) -> None:
        if isinstance(signal, Alive):
            self.proven.append((self.seq, signal.at_ms, signal.origin))

    def on_error(self, error: Exception) -> None:
        raise error

    def on_completed(self) -> None:
        """The proofs say all."""


def by_signals(said: list[tuple[int, int, str]], inputs: int) -> list[tuple[int, int, str]]:
    """What a merge of these inputs gives, which end in their order behind the last proof."""
    out = _Out()
    fan = FanIn[object](out, inputs)
    for out.seq, (index, at_ms, origin) in enumerate(said):
        fan.on_signal(index, Alive(origin, at_ms))
    for index in range(inputs):
        fan.on_completed(index)
    return out.proven


def in_columns(said: list[tuple[int, int, str]], inputs: int) -> list[tuple[int, int, str]]:
    """The same of tables."""
    silent = pl.DataFrame(schema=EVENTS).lazy

    def arrivals(index: int) -> Arrivals:
        table = proofs((seq, at_ms, origin) for seq, (by, at_ms, origin) in enumerate(said) if by == index)
        return Arrivals((FuturesTrades("A", f"X{index}", 0),), silent, lambda: Marked(table, ()))

    return union([arrivals(index) for index in range(inputs)]).proofs.rows()


@settings(max_examples=examples(200))
@given(
    st.integers(1, INPUTS).flatmap(
        lambda inputs: st.tuples(
            st.lists(st.tuples(st.integers(0, inputs - 1), st.integers(0, 12), st.just("a")), max_size=30),
            st.permutations(range(inputs)),
        )
    ),
    st.sampled_from(["a", "ab"]),
)
def test_a_union_has_come_as_far_as_its_slowest_input(
    drawn: tuple[list[tuple[int, int, str]], list[int]], origins: str
) -> None:
    """Also where proofs come twice or go back, where an input gives none for long, and of two connections."""
    said, first = drawn
    # Each input says something.
    said = [*said[:3], *((index, 5, "a") for index in first), *said[3:]]
    said = [(index, at_ms, origins[index % len(origins)]) for index, at_ms, _ in said]
    assert in_columns(said, len(first)) == by_signals(said, len(first))


def test_one_that_ends_no_longer_holds_the_others_back() -> None:
    said = [(0, 1, "a"), (1, 2, "a"), (2, 3, "a"), (2, 9, "a"), (1, 7, "a")]
    assert in_columns(said, 3) == [(0, 1, "a"), (4, 7, "a"), (4, 9, "a")]


def test_inputs_whose_proofs_begin_and_end_alike() -> None:
    said = [
        (0, 1, "a"),
        (1, 1, "a"),
        (2, 1, "a"),
        (0, 4, "a"),
        (1, 6, "a"),
        (2, 6, "a"),
        (0, 9, "a"),
        (1, 9, "a"),
        (2, 9, "a"),
    ]
    assert in_columns(said, 3) == by_signals(said, 3)
