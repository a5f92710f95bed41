"""The union of streams: order of arrival, marks that hold for all, one end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx_ops
from reactivex.subject import Subject

from cgrx import Alive, Batch, Mark, Watermark
from cgrx import operators as ops
from cgrx._fans import FanIn
from cgrx.operators import Stage
from cgrx.testing import alive, batch, dropped, gap, watermark
from tests.feeding import Record
from tests.streaming import Hot, Notes, raising


def merged(count: int = 2) -> tuple[list[Hot[Any]], Record]:
    """Sources, and what comes out of their union."""
    sources = [Hot[Any]() for _ in range(count)]
    record = Record()
    ops.merge(*(source.stream for source in sources)).subscribe_signals(record)
    return sources, record


def seconds(record: Record) -> list[float]:
    """The proofs that came, in seconds."""
    return [mark.at_ms / 1e3 for mark in record.of(Alive)]


def test_batches_and_most_marks_pass_in_order_of_arrival() -> None:
    (one, two), record = merged()
    one.say(batch(1), gap(0, "1s"))
    two.say(batch(2), dropped())
    one.say(batch(3))
    assert record.signals == [batch(1), gap(0, "1s"), batch(2), dropped(), batch(3)]


def test_proof_of_one_origin_counts_once_and_only_from_the_slowest() -> None:
    (one, two), record = merged()
    one.say(alive("1s"))
    two.say(alive("1s"))
    one.say(alive("3s"))
    assert seconds(record) == [1]
    two.say(alive("2s"))
    assert seconds(record) == [1, 2]
    two.say(alive("4s"))
    assert seconds(record) == [1, 2, 3]
    two.say(alive("4s"))
    one.say(alive("2s"))  # older than what it said itself: no news
    assert seconds(record) == [1, 2, 3]


def test_origins_do_not_wait_for_each_other() -> None:
    (one, two), record = merged()
    one.say(alive("5s", origin="a"))
    two.say(alive("1s", origin="b"))
    one.say(alive("6s", origin="a"))
    assert record.signals == [alive("5s", origin="a"), alive("1s", origin="b"), alive("6s", origin="a")]


def test_a_watermark_needs_all() -> None:
    (one, two), record = merged()
    one.say(watermark("5s"))
    assert record.signals == []
    two.say(watermark("3s"))
    one.say(watermark("6s"))
    two.say(watermark("9s"), watermark("8s"))
    assert record.signals == [watermark("3s"), watermark("6s")]


def test_one_that_has_ended_is_not_waited_for() -> None:
    (one, two), record = merged()
    one.say(alive("5s"), watermark("5s"))
    two.say(alive("1s"), watermark("1s"))
    two.complete()
    assert record.signals == [alive("5s"), watermark("1s"), watermark("5s")]
    assert record.end is None
    one.complete()
    assert record.end == "completed"


def test_one_that_ends_without_a_word_holds_nothing_up() -> None:
    (one, two), record = merged()
    one.say(watermark("5s"))
    two.complete()
    assert record.signals == [watermark("5s")]


def test_the_first_error_ends_it_and_disposes_the_others() -> None:
    (one, two, three), record = merged(3)
    error = OSError("gone")
    one.complete()
    two.fail(error)
    assert record.end is error
    assert three.subscribers == 0
    three.say(batch(1))
    assert record.signals == []


def test_disposing_disposes_all() -> None:
    sources = [Hot[int]() for _ in range(3)]
    subscription = ops.merge(*(source.stream for source in sources)).subscribe()
    assert [source.subscribers for source in sources] == [1, 1, 1]
    subscription.dispose()
    assert [source.subscribers for source in sources] == [0, 0, 0]


def test_an_observer_that_is_disposed_hears_no_more_within_a_turn() -> None:
    """Also one of signals, which has no guard of its own."""
    one: Subject[int] = Subject()
    two: Subject[int] = Subject()
    heard: list[Any] = []

    class Ear(Record):
        def on_signal(self, signal: Any) -> None:
            heard.append(signal)
            one.on_next(2)
            two.on_completed()
            subscription.dispose()

    subscription = ops.merge(one, two).subscribe_signals(Ear())
    one.on_next(1)
    two.on_next(3)
    assert heard == [Batch(None, 0, (1,))]
    assert not one.observers


def test_foreign_observables_contribute_events_without_marks() -> None:
    hot = Hot[Any]()
    subject: Subject[int] = Subject()
    record = Record()
    hot.stream.merge(subject).subscribe_signals(record)
    hot.say(alive("1s"))
    subject.on_next(1)
    hot.say(watermark("1s"))
    assert record.signals == [alive("1s"), Batch(None, 0, (1,))]


def test_what_arises_meanwhile_waits_its_turn() -> None:
    """A subscriber that pushes into one of the sources is not entered again before it has returned."""
    source = Hot[int]()
    subject: Subject[int] = Subject()
    log: list[str] = []

    def on_next(number: int) -> None:
        log.append(f"{number} begins")
        if number < 3:
            subject.on_next(number + 1)
        log.append(f"{number} ends")

    source.stream.merge(subject).subscribe(on_next)
    source.say(batch(1))
    assert log == ["1 begins", "1 ends", "2 begins", "2 ends", "3 begins", "3 ends"]


def test_a_new_origin_may_arise_while_one_ends() -> None:
    hot = [Hot[Any]() for _ in range(3)]

    class Answering(Record):
        def on_signal(self, signal: Any) -> None:
            super().on_signal(signal)
            if signal == alive("5s"):
                hot[0].say(alive("1s", origin="new"))

    record = Answering()
    ops.merge(*(each.stream for each in hot)).subscribe_signals(record)
    hot[0].say(alive("4s"))
    hot[1].say(alive("4s"))
    hot[0].say(alive("5s"))
    hot[1].complete()
    assert record.signals == [alive("4s"), alive("5s"), alive("1s", origin="new")]


@pytest.mark.parametrize("sources", [(), (1,), ([],)])
def test_bad_sources(sources: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError), match=r"at least one source|is no Observable"):
        ops.merge(*sources)


def test_max_concurrent_has_no_meaning() -> None:
    hot = Hot[int]()
    with pytest.raises(ValueError, match="max_concurrent=1"):
        hot.stream.merge(hot.stream, max_concurrent=1)


class Unready(Stage[Any, Any]):
    """Fails when it is started."""

    start = raising(LookupError("not ready"))


def test_a_stage_that_does_not_start_leaves_nothing_running() -> None:
    one, two = Hot[int](), Hot[int]()
    with pytest.raises(LookupError, match="not ready"):
        ops.merge(one.stream, two.stream.pipe(Unready())).subscribe()
    assert one.subscribers == 0


def test_the_union_of_feeds_is_of_all_their_runtimes() -> None:
    first, second = Notes(), Notes()
    one, two, three = Hot[int](first), Hot[int](second), Hot[int](first)
    both = ops.merge(one.stream, two.stream, three.stream, Subject[int]())
    assert ops.merge(one.stream, three.stream).runtime is first
    assert ops.merge(Subject[int]()).runtime is None
    runtime = both.runtime
    assert runtime is not None
    assert runtime.scheduler is first.scheduler
    runtime.hold()
    assert (first.holds, second.holds) == (1, 1)
    runtime.release()
    assert (first.holds, second.holds) == (0, 0)
    error = KeyError("mine")
    both.subscribe(raising(error))
    both.subscribe()
    two.say(batch(1))
    assert first.raised == [error]
    gone = OSError("gone")
    one.fail(gone)
    assert first.unheard == [gone]
    assert (second.raised, second.unheard) == ([], [])
    second.elsewhere = True
    with pytest.raises(Exception, match="another thread"):
        both.subscribe()


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["alive", "watermark"]), st.integers(0, 9)), max_size=30))
def test_no_mark_says_more_than_the_slowest_source(said: list[tuple[int, str, int]]) -> None:
    """And what goes on only ever moves forward."""
    record = Record()
    fan: FanIn[Any] = FanIn(record, 3)
    alive_ms: dict[int, int] = {}
    watermarks: dict[int, int] = {}
    for index, kind, time_ms in said:
        before = len(record.signals)
        mark: Mark = Alive("o", time_ms) if kind == "alive" else Watermark(time_ms)
        fan.input(index).on_signal(mark)
        times = alive_ms if kind == "alive" else watermarks
        times[index] = max(time_ms, times.get(index, 0))
        for each in record.signals[before:]:
            assert isinstance(each, type(mark))
            assert getattr(each, "at_ms", getattr(each, "time_ms", None)) == min(times.values())
            assert kind == "alive" or len(times) == 3
    for marks in (record.of(Alive), record.of(Watermark)):
        known = [getattr(each, "at_ms", getattr(each, "time_ms", 0)) for each in marks]
        assert known == sorted(set(known))


def test_merge_stands_behind_and_before_foreign_operators() -> None:
    def tenfold(number: int) -> int:
        return number * 10

    one, two = Hot[int](), Hot[int]()
    seen: list[int] = []
    one.stream.pipe(rx_ops.map(tenfold), rx_ops.merge(two.stream), rx_ops.skip(0)).subscribe(seen.append)
    one.say(batch(1))
    two.say(batch(2))
    assert seen == [10, 2]
