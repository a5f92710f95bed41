"""Each item with the latest of another stream, as of its time."""

import math
from typing import Any

import pytest
import reactivex

from cgrx import Alive, Batch, Watermark
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, liquidation, trade, watermark
from tests.operators.sold import row
from tests.windows.joins import BEGUN, Two, by, of, told

# --- the answer -----------------------------------------------------------------------------------------------------


def test_the_latest_up_to_the_time_of_the_item() -> None:
    """Not the latest to arrive, nor a later one."""
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10, 12, 11, 14))
    two.left.say(of(13))
    assert two.results == []  # an earlier trade may still come
    two.say(alive("30s"))
    assert two.results == [
        ops.Joined(liquidation(time=13), trade(time=12), 1000, "known"),
    ]


def test_it_waits_for_what_comes_within_the_lateness() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13))
    two.other.say(by(12.9), by(14.9))
    assert two.results == []
    two.other.say(by(12.95), by(15))
    two.left.say(of(15))
    assert told(two.results) == [(13, 12.95, "known")]


def test_one_of_the_same_time_counts() -> None:
    """Of several the greater in all fields, whichever came first."""
    for prices in ([1.0, 3.0, 2.0], [3.0, 2.0, 1.0]):
        two = Two()
        two.say(BEGUN)
        two.left.say(of(13))
        two.other.say(*(by(13, price=price) for price in prices))
        two.say(alive("30s"))
        assert [each.latest.price for each in two.results if each.latest] == [3.0]


def test_results_about_events_of_the_same_time_rank_as_those_do() -> None:
    two = Two(of=ops.cooldown("1ms", by="exchange"))
    two.say(BEGUN)
    two.left.say(of(13))
    two.other.say(by(12, exchange="OKX", price=3.0), by(12, price=1.0))
    two.say(alive("30s"))
    assert [(each.latest.item.price, each.quality) for each in two.results] == [(3.0, "known")]


def test_results_come_in_order_of_time() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13, 11, 12))
    two.say(alive("30s"))
    assert told(two.results) == [(11, 10, "known"), (12, 10, "known"), (13, 10, "known")]


def test_each_key_has_its_own() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10), by(11, base_asset="ETH"))
    two.left.say(of(12), of(12, base_asset="ETH"), of(12, base_asset="SOL"))
    two.say(alive("30s"))
    assert told(two.results) == [(12, 10, "known"), (12, 11, "known"), (12, None, "none")]


def test_keys_of_several_fields_and_of_none() -> None:
    for key, expected in ((("exchange", "symbol"), 10.0), ((), 11.0)):
        two = Two(by=key)
        two.say(BEGUN)
        two.other.say(by(10), by(11, exchange="OKX"))
        two.left.say(of(12))
        two.say(alive("30s"))
        assert told(two.results) == [(12, expected, "known")]


def test_what_is_older_than_max_age_counts_as_none() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(15, 15.001))
    two.say(alive("30s"))
    assert told(two.results) == [(15, 10, "known"), (15.001, None, "none")]
    assert [each.age_ms for each in two.results] == [5000, None]


@pytest.mark.parametrize("which", ["left", "other"])
def test_an_event_from_the_future_releases_nothing(which: str) -> None:
    """It moves time only as far as its receive time does."""
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13))
    early = {"left": liquidation(time=5000), "other": trade(time=5000)}[which]
    (two.left if which == "left" else two.other).say(batch(early, received=13.5))
    (two.other if which == "left" else two.left).say(batch(early, received=13.5))
    assert two.results == []
    two.other.say(by(12))
    two.say(alive("40s"))
    assert told(two.results)[0] == (13, 12, "known")


@pytest.mark.parametrize("at_once", [True, False])
def test_a_late_event_of_the_other_stream_comes_too_late(at_once: bool) -> None:
    """Whether it comes in one batch with the event that shows it to be late, or alone."""
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13), of(16))
    two.other.say(*([by(20, 12)] if at_once else [by(20), by(12)]))
    assert told(two.results) == [(13, 10, "known")]


def test_several_exchanges_in_one_batch() -> None:
    two = Two(by="exchange")
    two.say(BEGUN)
    two.left.say(of(13), of(16))
    two.other.say(batch(trade(time=10), trade(time=16, exchange="OKX"), trade(time=16), trade(time=11)))
    assert told(two.results) == [(13, 10, "known")]


def test_sources_of_several_channels() -> None:
    two = Two(by="exchange")
    two.say(BEGUN)
    two.other.say(by(10), by(11, exchange="OKX"), by(16), by(15.5, exchange="OKX"))
    two.left.say(of(13), of(13.2, exchange="OKX"), of(16, 15.9), of(15.6, exchange="OKX"))
    assert told(two.results) == [(13, 10, "known"), (13.2, 11, "known")]


def test_a_stream_that_says_nothing_is_waited_for_a_while() -> None:
    """By its proofs of life: the lateness and the time after which a source is idle."""
    two = Two()
    two.say(BEGUN)
    two.left.say(of(13, 17))
    two.left.say(alive("30s"))
    two.other.say(alive("20.999s"))
    assert told(two.results) == []
    two.other.say(alive("21s"))
    assert told(two.results) == [(13, None, "none"), (17, None, "none")]


# --- what is not known ----------------------------------------------------------------------------------------------


def test_a_gap_in_the_other_stream_makes_it_unknown_not_old() -> None:
    """What was the latest before it is still told."""
    two = Two()
    two.say(BEGUN)
    two.other.say(by(20))
    two.left.say(of(17.5, 24.5, 29))
    two.other.say(gap("23s", "24s"), alive("40s"))
    two.left.say(alive("40s"))
    assert told(two.results) == [(17.5, None, "none"), (24.5, 20, "unknown"), (29, None, "unknown")]


def test_what_comes_after_the_gap_is_known() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(20), gap("21s", "22s"), by(25))
    two.left.say(of(26))
    two.say(alive("40s"))
    assert told(two.results) == [(26, 25, "known")]


def test_a_gap_of_its_own_makes_nothing_unknown() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(20))
    two.left.say(gap("21s", "22s"), of(24))
    two.say(alive("40s"))
    assert told(two.results) == [(24, 20, "known")]


def test_lost_events_may_have_been_the_latest() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(20), dropped())
    two.left.say(of(20.5))
    two.say(alive("40s"))
    assert told(two.results) == [(20.5, 20, "unknown")]


def test_the_time_before_the_subscription() -> None:
    two = Two(max_age="1m")
    two.say(gap(0, "10s"))
    two.left.say(of(13, base_asset="ETH"), of(13), of(80))
    two.other.say(by(12.5))
    two.say(alive("99s"))
    assert told(two.results) == [(13, None, "unknown"), (13, 12.5, "known"), (80, None, "none")]


def test_behind_a_foreign_operator_nothing_is_known() -> None:
    found: list[Any] = []
    trades = reactivex.of(trade(time=10), trade(time=12))
    reactivex.of(liquidation(time=11)).pipe(ops.latest_of(trades, by="symbol", max_age="5s")).subscribe(found.append)
    assert told(found) == [(11, 10, "unknown")]


def test_gaps_that_nobody_asks_for_are_forgotten() -> None:
    """Not that there were some: what is older than they are stays unknown."""
    two = Two(max_age=math.inf)
    two.say(BEGUN)
    two.other.say(by(20))
    for second in range(100, 1000, 10):
        two.other.say(gap(second, second + 1))
    two.say(alive("2000s"))
    two.left.say(of(1990))
    two.other.say(by(1990, base_asset="ETH"))
    two.left.say(of(1991, base_asset="ETH"))
    two.say(alive("3000s"), alive("3001s"))
    two.left.say(of(3500))
    two.say(alive("4000s"))
    assert told(two.results) == [(1990, 20, "unknown"), (1991, 1990, "known"), (3500, 20, "unknown")]


# --- at first -------------------------------------------------------------------------------------------------------


def test_an_item_may_wait_for_the_first_of_its_key() -> None:
    """It comes with that; the next ones find the latest as ever."""
    two = Two(missing="hold")
    two.say(BEGUN)
    two.left.say(of(13), of(14, base_asset="ETH"))
    two.say(alive("15s"))
    two.other.say(by(15.5), by(15.2))
    two.say(alive("16s"))
    assert two.results == []
    two.other.say(by(17.5, base_asset="OTHER"))
    two.left.say(of(18))
    two.say(alive("20s"))
    assert told(two.results) == [(13, 15.2, "known"), (18, 15.5, "known")]
    two.say(alive("40s"))
    assert told(two.results)[2:] == [(14, None, "none")]
    assert two.results[0].age_ms == -2200


def test_it_waits_no_longer_than_max_age() -> None:
    two = Two(missing="hold")
    two.say(BEGUN)
    two.left.say(of(13), of(13.5, base_asset="ETH"))
    two.other.say(by(13, base_asset="OTHER"), by(18.001), by(18.2, base_asset="ETH"), by(19, base_asset="OTHER"))
    two.say(alive("40s"))
    assert told(two.results) == [(13, None, "none"), (13.5, 18.2, "known")]


def test_a_first_that_is_exactly_max_age_later_is_not_too_late() -> None:
    two = Two(missing="hold")
    two.say(BEGUN)
    two.left.say(of(13))
    two.other.say(by(13, base_asset="OTHER"), by(15.5, base_asset="OTHER"))
    two.left.say(of(15.5, base_asset="OTHER"))
    two.other.say(by(18))
    two.say(alive("40s"))
    assert told(two.results) == [(15.5, 15.5, "known"), (13, 18, "known")]


def test_of_two_that_wait_one_may_have_waited_for_too_long() -> None:
    two = Two(missing="hold")
    two.say(BEGUN)
    two.left.say(of(13), of(14))
    two.other.say(by(13, base_asset="OTHER"), by(20.5, base_asset="OTHER"))
    two.left.say(of(20.5))
    assert told(two.results) == [(13, None, "none")]
    two.say(alive("60s"))
    assert told(two.results)[1] == (14, None, "none")


def test_no_watermark_passes_one_that_waits() -> None:
    two = Two(missing="hold", max_age="1d")
    two.say(BEGUN)
    two.left.say(of(13))
    two.other.say(by(13, base_asset="OTHER"))
    two.say(alive("40s"))
    assert (two.record.of(Watermark), two.record.of(Alive)) == ([watermark("11s")], [])
    two.other.say(by(50))
    two.say(alive("90s"))
    assert told(two.results) == [(13, 50, "known")]
    assert [type(each) for each in two.record.signals[-3:]] == [Batch, Alive, Watermark]


def test_an_end_lets_go_of_those_that_wait() -> None:
    two = Two(missing="hold", max_age="1d")
    two.say(BEGUN)
    two.left.say(of(13), of(12, base_asset="ETH"))
    two.other.say(by(13, base_asset="OTHER"))
    two.say(alive("40s"))
    two.complete()
    assert told(two.results) == [(12, None, "unknown"), (13, None, "unknown")]
    assert two.record.end == "completed"


# --- rows -----------------------------------------------------------------------------------------------------------


def test_running_rows_of_a_window_count_from_when_they_were_given() -> None:
    """So the first window need not close for there to be an answer."""
    two = Two(of=ops.tumbling("1m", by="base_asset", updates="1s"), max_age="1m")
    two.say(BEGUN)
    two.other.say(by(10.5), by(11.5), by(12.5), by(13.5))
    two.left.say(of(12.2))
    two.say(alive("20s"))
    (found,) = two.results
    assert (found.latest.time_ms, found.latest.count, found.latest.final) == (12_000, 2, False)
    assert (found.age_ms, found.quality) == (200, "known")


def test_a_final_row_counts_from_its_end() -> None:
    two = Two(of=ops.tumbling("10s", by="base_asset", lateness="1s"), max_age="1m")
    two.say(BEGUN)
    two.other.say(by(11), by(21))
    two.left.say(of(20), of(19.999))
    two.say(alive("22s"))
    two.other.say(by(24))
    two.say(alive("24s"), alive("25s"))
    found = [(each.item.time_ms, each.latest and each.latest.end_ms, each.quality) for each in two.results]
    assert found == [(19_999, None, "unknown"), (20_000, 20_000, "known")]


def test_rows_on_both_sides() -> None:
    """Behind windows on both, each as far as its window tells: a row does not wait for its own stream."""
    two = Two(
        before=ops.cascades("3s", min_count=1, emit="crossed"),
        of=ops.tumbling("10s", by="base_asset", updates="1s"),
        max_age="1m",
    )
    two.say(BEGUN)
    two.other.say(*(by(second + 0.5) for second in range(10, 18)))
    two.left.say(of(14.5), of(15))
    two.other.say(alive("18s"))
    found = [(each.item.end_ms, each.item.final, each.latest.count, each.quality) for each in two.results]
    assert found == [(14_501, False, 4, "known")]
    two.left.say(alive("30s"))
    two.other.say(alive("30s"))
    assert [(each.item.final, each.latest.count) for each in two.results] == [(False, 4), (True, 5)]


def test_rows_without_marks() -> None:
    """Final rows tell how far they have come, but for others that end with them."""
    two = Two(by="exchange", max_age="10m")
    two.left.say(Batch(None, 0, (row(1, 0), row(1, 1), row(1, 2))))
    two.other.say(Batch(None, 0, (row(5, 0), row(6, 1, final=False))))
    assert two.results == []
    two.other.say(Batch(None, 0, (row(7, 1), row(9, 2))))
    assert [(each.item.end_ms, each.latest.usd) for each in two.results] == [(60_000, 5), (120_000, 7)]
    two.complete()
    assert [each.latest.usd for each in two.results] == [5, 7, 9]


def test_results_that_carry_events() -> None:
    two = Two(before=ops.cooldown("1s"), of=ops.crosses("price", above=5.0, by="symbol"))
    two.say(BEGUN)
    two.other.say(by(10), by(11, price=1.0))
    two.left.say(of(12))
    two.say(alive("30s"))
    (found,) = two.results
    assert (found.item.item, found.latest.direction, found.age_ms) == (liquidation(time=12), "below", 1000)
