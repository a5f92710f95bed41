"""What a join does with marks and ends, and its bounds."""

import math
import pickle
from typing import Any

import attrs
import pytest
import reactivex
import reactivex.operators as rx

from cgrx import Alive, Batch, Dropped, Gap, TooManyKeysError, Watermark
from cgrx import operators as ops
from cgrx._streams.keeping import keeping
from cgrx.testing import alive, dropped, gap, liquidation, trade, watermark
from tests.feed.feeding import Record
from tests.operators.sold import Sold, row
from tests.streams.streaming import notes_of
from tests.windows.joins import BEGUN, Two, by, of, told

# --- marks ----------------------------------------------------------------------------------------------------------


def test_proofs_follow_the_items_that_came_before_them_and_losses_wait_for_nothing() -> None:
    two = Two()
    two.left.say(BEGUN, of(13), alive("13s"), gap("13s", "13.5s"), dropped(), of(14), alive("14s"))
    two.other.say(BEGUN, by(12))
    assert two.record.signals == [BEGUN, gap("13s", "13.5s"), dropped()]
    two.other.say(by(15.5))
    two.left.say(of(15.5))
    two.other.say(alive("15.6s"))
    assert [type(each) for each in two.record.signals[3:]] == [Batch, Alive, Watermark]
    assert told(two.results) == [(13, 12, "known")]
    assert two.record.signals[-2:] == [alive("13s"), watermark("13.5s")]


def test_a_proof_goes_on_behind_an_item_that_was_one_too_many() -> None:
    two = Two(max_held=1)
    two.other.say(by(5))
    two.left.say(BEGUN, of(13), alive("13s"), of(14), alive("14s"))
    assert [type(each) for each in two.record.signals] == [Gap, Watermark, Batch, Alive]
    assert two.record.signals[-1] == alive("13s")


def test_the_marks_of_the_other_stream_do_not_go_on() -> None:
    two = Two()
    two.other.say(BEGUN, gap("1s", "2s"), dropped(), alive("3s"))
    assert two.record.signals == []


def test_a_watermark_is_believed() -> None:
    two = Two()
    two.say(BEGUN)
    two.left.say(of(13), watermark("14s"))
    two.other.say(by(12), watermark("14s"))
    assert told(two.results) == [(13, 12, "known")]
    assert two.record.of(Watermark) == [watermark("14s")]


def test_a_late_item_passes_at_once() -> None:
    """What it could have asked for may be forgotten; then it is unknown, not wrong."""
    two = Two()
    two.say(BEGUN)
    two.other.say(*(by(second) for second in range(10, 40)))
    two.left.say(of(35))
    two.say(alive("60s"))
    two.other.say(*(by(second) for second in range(60, 80)))
    two.left.say(of(12))
    assert told(two.results) == [(35, 35, "known"), (12, None, "unknown")]


# --- ends -----------------------------------------------------------------------------------------------------------


def test_on_completion_what_is_held_waits_for_the_other_stream() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13))
    two.left.complete()
    assert (two.results, two.record.end) == ([], None)
    two.other.say(by(12), by(15))
    assert (told(two.results), two.record.end) == ([(13, 12, "known")], "completed")
    assert two.other.subscribers == 0


def test_it_completes_at_once_where_nothing_is_held() -> None:
    two = Two()
    two.say(BEGUN)
    two.left.complete()
    assert (two.record.end, two.other.subscribers) == ("completed", 0)


def test_when_the_other_stream_has_completed_nobody_waits_for_it() -> None:
    two = Two()
    two.say(BEGUN)
    two.other.say(by(10))
    two.other.complete()
    two.left.say(of(10, 12), of(20), alive("30s"))
    assert told(two.results) == [(10, 10, "known"), (12, 10, "unknown"), (20, None, "unknown")]
    assert two.record.end is None


@pytest.mark.parametrize("which", ["left", "other"])
def test_on_an_error_what_is_held_goes_out_first(which: str) -> None:
    two, error = Two(), OSError("gone")
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13, 12))
    (two.left if which == "left" else two.other).fail(error)
    assert told(two.results) == [(12, 10, "unknown"), (13, 10, "unknown")]
    assert two.record.end is error
    assert (two.left.subscribers, two.other.subscribers) == (0, 0)


def test_disposal_lets_go_of_both() -> None:
    two = Two()
    two.say(BEGUN)
    two.left.say(of(13))
    two.subscription.dispose()
    assert (two.left.subscribers, two.other.subscribers) == (0, 0)
    assert two.record.end is None


def test_disposal_by_a_result() -> None:
    two = Two()
    found: list[Any] = []

    def take(joined: Any) -> None:
        found.append(joined)
        subscription.dispose()

    stream = two.left.stream.pipe(ops.latest_of(two.other.stream, by="symbol", max_age="5s"))
    subscription = stream.subscribe(take)
    two.say(BEGUN)
    two.left.say(of(13), alive("13s"), of(14))
    two.other.say(alive("40s"))
    two.left.say(alive("40s"))
    assert len(found) == 1


def test_a_subscriber_that_speaks_on_one_of_the_streams() -> None:
    """What it says is taken in when the results before have been delivered."""
    two = Two()
    heard: list[Any] = []

    def take(joined: Any) -> None:
        heard.append(joined)
        if len(heard) == 1:
            two.left.say(of(12.5))

    two.left.stream.pipe(ops.latest_of(two.other.stream, by="symbol", max_age="5s")).subscribe(take)
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(12, 13))
    two.other.say(alive("40s"))
    two.left.say(alive("40s"))
    assert told(heard) == [(12, 10, "known"), (13, 10, "known"), (12.5, 10, "known")]


def test_a_stream_that_does_not_start() -> None:
    """Nothing is left running."""

    class Broken(ops.Stage[Any, Any]):
        def start(self) -> Any:
            raise OSError("no start")

    two = Two()
    stream = two.left.stream.pipe(Broken(), ops.latest_of(two.other.stream, by="symbol", max_age="5s"))
    before = two.other.subscribers
    with pytest.raises(OSError, match="no start"):
        stream.subscribe_signals(Record())
    assert two.other.subscribers == before


# --- bounds ---------------------------------------------------------------------------------------------------------


def test_no_more_than_max_held_are_held() -> None:
    two = Two(max_held=2)
    two.say(BEGUN)
    two.other.say(by(10))
    two.left.say(of(13, 12, 14, 15))
    assert told(two.results) == [(12, 10, "unknown"), (13, 10, "unknown")]


@pytest.mark.parametrize("max_age", ["1d", math.inf])
def test_those_that_wait_for_a_first_count_too(max_age: Any) -> None:
    two = Two(max_held=1, missing="hold", max_age=max_age)
    two.say(BEGUN)
    two.other.say(by(10, base_asset="OTHER"))
    two.left.say(of(13), alive("40s"))
    two.other.say(alive("40s"))
    two.left.say(of(50), of(60, base_asset="ETH"))
    assert len(two.results) == 2
    assert {each.quality for each in two.results} == {"unknown"}


def test_no_more_than_max_held_are_kept_of_the_other_stream() -> None:
    """Where the first one does not come along: what it says too late is unknown then."""
    two = Two(max_held=20)
    two.say(BEGUN)
    two.left.say(of(10))
    two.other.say(*(by(10 + second / 10) for second in range(200)))
    two.left.say(of(11), of(29.9))
    two.say(alive("60s"))
    assert told(two.results) == [(10, None, "unknown"), (11, None, "unknown"), (29.9, 29.9, "known")]


def test_nothing_is_forgotten_while_an_item_waits_for_the_first_of_its_key() -> None:
    two = Two(missing="hold", max_age="1d")
    two.say(BEGUN)
    two.left.say(of(10, base_asset="ETH"))
    two.other.say(*(by(second) for second in range(5, 20)))
    two.say(alive("60s"))
    two.other.say(*(by(second) for second in range(60, 80)))
    two.left.say(of(12))
    two.say(alive("90s"))
    assert told(two.results) == [(12, 12, "known")]


def test_one_that_waits_for_ever_keeps_no_others() -> None:
    """Nor the proofs behind it: the latest of each origin says what earlier ones said."""
    with keeping() as parts:
        two = Two(missing="hold", max_age=math.inf, max_held=50)
    two.say(BEGUN)
    two.left.say(of(1, base_asset="ETH"))

    def kept_after(seconds: range) -> int:
        for second in seconds:
            two.left.say(of(second))
            two.other.say(by(second))
            two.say(alive(f"{second}s"), alive(f"{second}s", origin="another"))
        return len(pickle.dumps([part.state() for part in parts]))

    early, late = kept_after(range(2, 100)), kept_after(range(100, 1_000))
    assert len(two.results) > 900
    assert late < 1.2 * early


def test_too_many_keys() -> None:
    two = Two(max_keys=2, by="symbol")
    two.say(BEGUN)
    two.left.say(of(10))
    two.other.say(by(10, symbol="A"), by(10, symbol="B"), by(11, symbol="A"), by(11, symbol="C"))
    assert told(two.results) == [(10, None, "unknown")]
    assert isinstance(two.record.end, TooManyKeysError)
    assert (two.record.end.max_keys, two.record.end.key) == (2, ("C",))
    assert "raised in latest_of(" in notes_of(two.record.end)[0]


@pytest.mark.parametrize("which", ["left", "other"])
def test_an_item_without_a_time(which: str) -> None:
    two = Two(by=())
    two.say(BEGUN)
    (two.left if which == "left" else two.other).say(Batch(None, 0, ("text",)))
    assert isinstance(two.record.end, AttributeError)
    assert "by the event 'text'" in notes_of(two.record.end)[0]


def test_items_of_a_users_own() -> None:
    """Time is theirs; of two with the same the one that came last counts. Only an end tells how far they have come."""

    @attrs.frozen
    class Point:
        time_ms: int
        name: str

    two = Two(by=())
    two.left.say(Batch(None, 0, (Point(10, "a"),)))
    two.other.say(Batch(None, 0, (Point(9, "b"), Point(9, "c"), Point(11, "d"))))
    assert two.results == []
    two.complete()
    assert [each.latest.name for each in two.results] == ["c"]


def test_a_row_without_the_field() -> None:
    two = Two(by="symbol")
    two.left.say(Batch(None, 0, (row(1),)))
    assert isinstance(two.record.end, ValueError)
    assert "Sold has no key field 'symbol'; it has 'exchange'" in str(two.record.end)
    assert Sold.key_fields == ("exchange",)


def test_behind_rx() -> None:
    """A join of plain observables: time is that of their items."""
    found: list[Any] = []
    trades = reactivex.from_iterable([trade(time=second) for second in range(10, 20)]).pipe(rx.skip(1))
    stream = reactivex.of(liquidation(time=12.5), liquidation(time=10.5))
    stream.pipe(ops.latest_of(trades, by="symbol", max_age="5s")).subscribe(found.append)
    assert sorted(told(found)) == [(10.5, None, "unknown"), (12.5, 12, "unknown")]


def test_marks_of_other_kinds_change_nothing() -> None:
    two = Two()
    two.other.say(BEGUN, Dropped(None, 1, "x"), Gap(None, 0, 1, "x"))
    two.complete()
    assert (two.results, two.record.end) == ([], "completed")
