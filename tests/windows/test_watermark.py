"""Event time: sources, lateness, proof of life, what is known to be missing."""

from typing import Any

import pytest

from cgrx._model.channels import Channel
from cgrx._model.signals import Dropped, Gap, Watermark
from cgrx._model.times import FOREVER, NEVER
from cgrx.operators._windows.missing import Missing
from cgrx.operators._windows.watermark import Progress
from tests.costs.counting import growth, instructions
from tests.windows.windowing import CHANNEL, OTHER, alive


def see(progress: Progress, channel: Channel | None, exchange: str, time_ms: int, received_ms: int) -> None:
    """An event in a batch of its own, as the running windows show it."""
    source = progress.source(progress.sources(channel), exchange, received_ms)
    source.advance(progress.clocks.offset.supported_ms(time_ms, received_ms), received_ms)
    progress.clocks.offset.latest_ms = source.offset.latest_ms = time_ms - received_ms


def progress(*events: tuple[str, int, int], lateness_ms: int = 2000, idle_ms: int = 2000) -> Progress:
    """After events of these exchanges, times and receive times."""
    made = Progress(lateness_ms, idle_ms)
    for exchange, time_ms, received_ms in events:
        see(made, CHANNEL, exchange, time_ms, received_ms)
    return made


def test_the_watermark_is_the_highest_time_minus_the_lateness() -> None:
    assert progress().watermark == NEVER
    assert progress(("A", 5000, 5000), ("A", 4000, 5100)).watermark == 3000


def test_the_slowest_exchange_holds_it_back() -> None:
    assert progress(("A", 9000, 9000), ("B", 5000, 9000)).watermark == 7000, "B came when it was there already"
    assert progress(("B", 5000, 9000), ("A", 9000, 9000)).watermark == 3000


def test_the_same_exchange_in_two_channels_is_two_sources() -> None:
    two = progress(("A", 5000, 5000))
    see(two, OTHER, "A", 4000, 5000)
    see(two, CHANNEL, "A", 9000, 9000)
    assert two.watermark == 3000


def test_a_quiet_exchange_does_not() -> None:
    """It is idle when the stream has been alive for `idle` past its last event, and not a millisecond before."""
    two = progress(("B", 5000, 5100), ("A", 9000, 9000))
    two.on_mark(alive(7099))
    assert two.watermark == 3000
    two.on_mark(alive(7100))
    assert two.watermark == 7000
    see(two, CHANNEL, "B", 5500, 9500)
    assert two.watermark == 7000, "it never goes back"
    see(two, CHANNEL, "A", 19_000, 19_000)
    assert two.watermark == 7000, "B is awake again"


def test_when_all_are_quiet_proof_moves_it_on() -> None:
    """The latest event's time, plus what is proven since it was received, minus the lateness."""
    two = progress(("A", 5000, 5300), ("B", 4000, 4500))
    two.on_mark(alive(7300))
    assert two.watermark == 5000
    two.on_mark(alive(8000))
    assert two.watermark == 5700
    two.on_mark(alive(7900))
    assert two.watermark == 5700


def test_an_old_event_does_not_stop_it() -> None:
    """Some exchanges send one from long ago when they are subscribed to."""
    two = progress(("A", 500_000, 500_000), ("B", 1000, 500_100))
    two.on_mark(alive(510_000))
    assert two.watermark == 508_000


def test_the_slowest_connection_says_what_is_proven() -> None:
    two = progress(("A", 5000, 5000))
    two.on_mark(alive(20_000, "o"))
    assert two.watermark == 18_000
    two.on_mark(alive(6000, "p"))
    two.on_mark(alive(30_000, "o"))
    assert two.watermark == 18_000
    two.on_mark(alive(25_000, "p"))
    assert two.watermark == 23_000


@pytest.mark.parametrize("ahead", [0, 1500])
def test_events_do_not_pass_what_all_connections_have_proven(ahead: int) -> None:
    """Minus the lateness, and by the clock of the exchange. At the end no more than that has been seen."""
    two = progress(("A", 5000 + ahead, 5000))
    two.on_mark(alive(5000, "o"))
    two.on_mark(alive(4000, "p"))
    see(two, CHANNEL, "A", 20_000 + ahead, 20_000)
    assert two.watermark == 3000 + ahead
    source = two.source(two.sources(CHANNEL), "B", 20_000)
    two.on_mark(alive(20_000, "o"))
    two.on_mark(alive(15_000, "p"))
    assert two.awaited(13_000 + ahead) == (source, 15_000 + ahead)
    assert two.awaited(13_001 + ahead) == (None, FOREVER)
    source.advance(20_000 + ahead, 20_000)
    assert not two.reached(13_001 + ahead)
    assert two.reached(13_000 + ahead)
    assert two.watermark == 13_000 + ahead
    two.end()
    assert two.gap_ms(10_000 + ahead, 20_000 + ahead) == 5000


def test_the_present_is_not_before_the_latest_event() -> None:
    one = progress(("A", 5000, 5300))
    one.on_mark(alive(5000))
    assert one.latest_ms == 5000
    one.on_mark(alive(5301))
    assert one.latest_ms == 5001


def test_each_event_of_a_source_costs_the_same() -> None:
    def cost(count: int) -> int:
        events = [("A", time_ms, time_ms) for time_ms in range(count)]
        return instructions(lambda: progress(*events))

    assert growth(cost, 50) < 1.1


def test_without_proof_nothing_moves() -> None:
    one = progress(("A", 5000, 5000))
    one.on_mark(Gap(CHANNEL, 5000, 60_000, "disconnected"))
    one.on_mark(Dropped(CHANNEL, 1, "malformed"))
    assert one.watermark == 3000
    nothing = progress()
    nothing.on_mark(alive(60_000))
    assert nothing.watermark == NEVER


def test_an_upstream_watermark_is_believed() -> None:
    one = progress(("A", 5000, 5000))
    one.on_mark(Watermark(4900))
    one.on_mark(Watermark(4000))
    assert one.watermark == 4900
    assert one.reached(4900)
    assert not one.reached(4901)


def test_reached_says_the_same_as_the_watermark() -> None:
    """It remembers one source that is behind, and must look for another when that one has come."""
    made = Progress(10, 10)
    times = {"A": 100, "B": 103, "C": 101}
    for round_number in range(60):
        for exchange in times:
            times[exchange] += (round_number * 7 + ord(exchange)) % 5
            see(made, CHANNEL, exchange, times[exchange], times[exchange])
            lowest = min(times.values()) - 10
            assert not made.reached(lowest + 1)
            assert made.reached(lowest)
            assert made.watermark == lowest


def test_the_only_source_that_can_bring_it_is_awaited() -> None:
    made = Progress(10, 10)
    sources = made.sources(CHANNEL)
    first, second = made.source(sources, "A", 0), made.source(sources, "B", 0)
    first.advance(100, 0)
    second.advance(130, 0)
    assert made.awaited(95) == (first, 105)
    first.advance(140, 0)
    assert made.awaited(95) == (None, FOREVER)
    assert made.awaited(125) == (second, 135)


def test_quality_is_unknown_without_marks() -> None:
    one = progress(("A", 5000, 5000))
    assert one.gap_ms(0, 1000) is None
    one.on_mark(alive(5000))
    assert one.gap_ms(0, 1000) == 0


def test_quality_of_events_without_a_channel_is_unknown() -> None:
    """They come from behind a foreign operator, whatever marks another stream adds."""
    one = progress()
    one.on_mark(Gap(CHANNEL, 0, 0, "subscribed"))
    see(one, None, "A", 5000, 5000)
    assert one.gap_ms(0, 1000) is None


def test_gaps_are_widened_and_united() -> None:
    one = progress(lateness_ms=10)
    one.on_mark(Gap(CHANNEL, 100, 200, "disconnected"))
    one.on_mark(Gap(OTHER, 215, 230, "disconnected"))
    one.on_mark(Gap(CHANNEL, 500, 600, "disconnected"))
    one.on_mark(Gap(OTHER, 120, 130, "disconnected"))
    assert one.gap_ms(0, 1000) == 150 + 120
    assert one.gap_ms(150, 205) == 55
    assert one.gap_ms(300, 400) == 0


def test_losses_count_where_they_may_belong() -> None:
    """Between the watermark and now, a lateness further."""
    one = progress(("A", 1000, 1000), lateness_ms=100)
    one.on_mark(Dropped(CHANNEL, 2, "malformed"))
    one.on_mark(Dropped(CHANNEL, 1, "malformed"))
    assert one.lost == 3
    assert one.dropped(0, 900) == 0
    assert one.dropped(800, 901) == 3
    assert one.dropped(1100, 1200) == 3
    assert one.dropped(1101, 1200) == 0


def test_a_loss_before_anything_is_placed_by_the_first_event() -> None:
    one = progress()
    one.on_mark(Dropped(CHANNEL, 2, "malformed"))
    assert one.dropped(NEVER, FOREVER) == 0
    see(one, CHANNEL, "A", 5000, 5000)
    assert one.dropped(5000, 6000) == 2
    assert one.dropped(8000, 9000) == 0
    see(one, CHANNEL, "A", 6000, 6000)
    assert one.dropped(5000, 6000) == 2, "each loss counts once"


def test_the_end_is_a_gap_from_the_last_that_was_seen() -> None:
    one = progress(("A", 5000, 5000))
    one.on_mark(Gap(CHANNEL, 0, 0, "subscribed"))
    one.end()
    assert one.gap_ms(4000, 6000) == 1000


def test_the_end_believes_an_upstream_watermark() -> None:
    one = progress(("A", 5000, 5000))
    one.on_mark(Watermark(5500))
    one.end()
    assert one.gap_ms(4000, 6000) == 500


def test_old_gaps_are_forgotten() -> None:
    one: Any = progress(lateness_ms=0)
    for start in range(0, 10_000, 100):
        one.on_mark(Gap(CHANNEL, start, start + 10, "disconnected"))
    assert one.crowded
    one.forget_before(9500)
    assert not one.crowded
    assert one.gap_ms(9500, 10_000) == 50


def test_losses_are_bounded() -> None:
    """A flood of them costs detail, not memory: none is forgotten, some count in more windows."""
    missing = Missing()
    for index in range(1000):
        missing.add_loss(index * 10, index * 10 + 5, 1)
    assert len(missing) <= 256
    assert missing.dropped(0, 10_000) == 1000
    assert missing.dropped(9990, 10_000) == 1


def test_begun_is_where_the_first_gap_ends() -> None:
    one: Any = progress()
    one.on_mark(Gap(CHANNEL, 100, 200, "disconnected"))
    assert one.begun_ms == NEVER
    one.on_mark(Gap(CHANNEL, 0, 300, "subscribed"))
    one.on_mark(Gap(OTHER, 0, 900, "subscribed"))
    assert one.begun_ms == 300
    for time_ms in range(1000, 9000, 1000):
        one.on_mark(alive(time_ms))
        see(one, CHANNEL, "A", time_ms, time_ms)
    assert one.begun_ms == 300, "whatever is heard then"
