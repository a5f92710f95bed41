"""How far event times are ahead of receive times: samples, their median, and what they support."""

import pytest

from cgrx._streams.offset import Offset


def sampled(*differences: int, tolerance_ms: int = 100) -> Offset:
    """An offset after a proof behind an event for each of these differences."""
    offset = Offset(tolerance_ms)
    for each in differences:
        offset.latest_ms = each
        offset.on_proof()
    return offset


@pytest.mark.parametrize(
    ("differences", "known", "ms"),
    [
        ((), False, 0),
        ((5,), False, 0),
        ((5, 6), False, 0),
        ((7, 5, 6), True, 6),
        ((7, 5, 6, 8), True, 6),  # of an even number the lower one of the two in the middle
        ((7, 5, 6, 8, 9), True, 7),
        ((0, 0, 3_600_000), True, 0),
        ((3_600_000, 0, 0), True, 0),
        ((-5_000, -5_000, -5_000), True, -5_000),
        ((*range(9),), True, 4),
        ((*range(10),), True, 5),  # the first one is forgotten
        ((0, 0, 0, 0, 0, 9, 9, 9, 9), True, 0),
        ((9, 0, 0, 0, 0, 9, 9, 9, 9), True, 9),
        ((0, 0, 0, 0, 0, 9, 9, 9, 9, 9), True, 9),  # a clock that is set is believed after five proofs
    ],
)
def test_it_is_the_median_of_the_last_nine_samples(differences: tuple[int, ...], known: bool, ms: int) -> None:
    """With fewer than three, one wrong event could be the median."""
    offset = sampled(*differences)
    assert (offset.known, offset.ms, offset.reach_ms) == (known, ms, ms + 100)


def test_a_proof_without_a_new_event_is_no_sample() -> None:
    offset = sampled(5, 5)
    for _ in range(5):
        offset.on_proof()
    assert not offset.known


@pytest.mark.parametrize(
    ("time_ms", "moved_ms"),
    [(900, 900), (1_150, 1_150), (1_151, 1_050), (9_000_000, 1_050)],
)
def test_an_event_that_is_too_far_ahead_moves_time_as_its_receive_time_does(time_ms: int, moved_ms: int) -> None:
    """Received at 1,000, where events are 50 ahead, with a tolerance of 100."""
    assert sampled(50, 50, 50).supported_ms(time_ms, 1_000) == moved_ms
