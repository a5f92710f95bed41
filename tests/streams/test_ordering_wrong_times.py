"""Merges where event times are wrong, an input is silent for long, or a server makes exchanges up."""

import math
from typing import Any

import pytest

import cgrx
from cgrx import Alive, Batch, Gap, Watermark
from cgrx import operators as ops
from cgrx.testing import trade
from tests.streams.merging import Merge, at, channel_of
from tests.streams.streaming import Hot

HOUR = 3_600_000
START = 1_700_000_000_000


@pytest.mark.parametrize("ahead", [5_000, HOUR])
@pytest.mark.parametrize("max_delay", ["1s", math.inf])
@pytest.mark.parametrize("off", [0, -HOUR, HOUR])
def test_an_event_from_the_future_does_not_move_the_order(ahead: int, max_delay: Any, off: int) -> None:
    """It goes out where its receive time stands, also where the machine's clock is off, and no other is late."""
    merge = Merge(1, max_delay=max_delay)
    for second in range(20):
        time_ms = START + second * 1000
        event = at("A", time_ms + (ahead if second == 10 else 0), received=time_ms + off)
        merge.say(0, event, Alive("o", time_ms + 50 + off))
    place = [event.time_ms for event in merge.events].index(START + 10_000 + ahead)
    assert place == 10
    assert merge.stream.stats.late == 0
    assert max(signal.time_ms for signal in merge.signals if isinstance(signal, Watermark)) < START + 20_000


def test_two_seconds_ahead_is_not_too_early() -> None:
    merge = Merge(1)
    assert merge.say(0, at("A", 12_000, received=10_000)) == ["A12000", "%12000"]
    assert merge.say(0, at("A", 22_001, received=20_000)) == ["A22001", "%20000"]


@pytest.mark.parametrize("off", [-2 * HOUR, -5_000, 5_000, 2 * HOUR])
def test_a_machine_whose_clock_is_off_keeps_the_order(off: int) -> None:
    """None is late, and once the clocks have been compared, at the third proof, all are in order."""
    merge = Merge(2, max_delay="1s")
    for second in range(30):
        time_ms = START + second * 1000
        merge.say(0, at("A", time_ms, received=time_ms + off))
        merge.say(1, at("B", time_ms - 400, received=time_ms + off))
        merge.say_all(Alive("o", time_ms + 50 + off))
    for index in (0, 1):
        merge.end_input(index)
    times = [event.time_ms for event in merge.events]
    assert len(times) == 60
    assert times[6:] == sorted(times[6:])
    assert merge.stream.stats.late == 0


def test_a_gap_moves_no_clock() -> None:
    """One of two merged streams has said nothing yet; the exchange's clock is 1.5 s ahead of this machine's."""
    one, two = Hot[Any](), Hot[Any]()
    kept: list[Any] = []
    cgrx.merge(one.stream, two.stream).pipe(ops.dedupe("500ms", key="price")).subscribe(kept.append)
    one.say(Gap(channel_of("A"), 0, START, "subscribed"))
    for number in range(9):
        received = START + number * 600
        one.say(Batch(channel_of("A"), received, (trade(time=(received + 1_500) / 1000, exchange="A", price=1.0),)))
    assert len(kept) == 9


def test_behind_a_merge_events_are_held_no_longer_than_asked() -> None:
    """The same two streams: what is overdue is measured on receive times and proofs alone."""
    one, two, seen = Hot[Any](), Hot[Any](), list[tuple[int, int]]()
    now = START
    merged = cgrx.merge_exchanges(cgrx.merge(one.stream, two.stream), max_delay="1s")
    merged.subscribe(lambda event: seen.append((event.time_ms - 1_500, now)))
    one.say(Gap(channel_of("A"), 0, START, "subscribed"), Gap(channel_of("B"), 0, START, "subscribed"))
    for number in range(20):
        now = START + number * 300
        one.say(Batch(channel_of("A"), now, (trade(time=(now + 1_500) / 1000, exchange="A"),)))
    assert len(seen) > 10
    assert max(given - received for received, given in seen) <= 1_300
