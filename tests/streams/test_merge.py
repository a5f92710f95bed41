"""The union of streams: order of arrival, marks that hold for all, one end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx_ops
from reactivex.subject import Subject

import cgrx
from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap, Mark, Watermark
from cgrx import operators as ops
from cgrx._streams.merging import FanIn
from cgrx.operators import Stage
from cgrx.testing import alive, batch, dropped, gap, trade, watermark
from tests.feed.feeding import Record
from tests.streams.streaming import Hot, Notes, raising

OTHER = FuturesTrades("OKX", "BTC-USDT-SWAP", 0)
NOTHING: Batch[Any] = Batch(None, 0, ())


def merged(count: int = 2, *, heard: bool = True) -> tuple[list[Hot[Any]], Record]:
    """Sources, each of which has said something unless told otherwise, and what comes out of their union from then."""
    sources = [Hot[Any]() for _ in range(count)]
    record = Record()
    cgrx.merge(*(source.stream for source in sources)).subscribe_signals(record)
    if heard:
        for source in sources:
            source.say(NOTHING)
        record.signals.clear()
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


def test_an_origin_that_has_ended_is_as_alive_as_the_others() -> None:
    """It has no more to say. Else its last proof would stay the least, and hold up all who wait for proof of all."""
    (one, two), record = merged()
    one.say(alive("1s", origin="a"))
    two.say(alive("2s", origin="b"))
    one.complete()
    two.say(alive("5s", origin="b"))
    assert record.signals[2:] == [alive("5s", origin="a"), alive("5s", origin="b")]
    two.say(alive("4s", origin="c"))
    assert record.signals[4:] == [alive("4s", origin="c")], "it never goes back"
    two.say(alive("5s", origin="d"))
    assert record.signals[5:] == [alive("5s", origin="d")], "nor is it told again"
    two.say(alive("6s", origin="c"))
    assert record.signals[6:] == [alive("6s", origin="a"), alive("6s", origin="c")]


def test_windows_close_when_one_of_two_connections_has_ended() -> None:
    (one, two), _ = merged()
    rows: list[ops.Flow] = []
    cgrx.merge(one.stream, two.stream).pipe(ops.tumbling("1s", lateness=0, idle=0)).subscribe(rows.append)
    one.say(gap(0, 0))
    two.say(gap(0, 0, channel=OTHER), alive("1ms", origin="b"))
    one.say(alive("1ms", origin="a"))
    two.say(batch(trade(time="0.5s"), channel=OTHER, received="0.5s"))
    one.complete()
    assert rows == []
    two.say(alive("3s", origin="b"))
    assert [(row.count, row.complete) for row in rows] == [(1, True)]


def test_as_long_as_one_has_said_nothing_its_events_may_be_missing() -> None:
    """Told before whatever moves time on, once for each time."""
    (one, two), record = merged(heard=False)
    one.say(gap(0, "1s"), batch(trade(time="2s"), received="1s"), batch(trade(time="1s"), received="2s"), alive("3s"))
    told = [each for each in record.of(Gap) if each.channel is None]
    assert [(each.start_ms, each.end_ms) for each in told] == [(0, 1000), (1000, 2000), (2000, 3000)]
    assert record.signals.index(told[0]) < record.signals.index(batch(trade(time="2s"), received="1s"))
    one.say(batch(trade(time="3s"), received="3s"))
    assert [each for each in record.of(Gap) if each.channel is None] == told, "at 3 s it has been told"
    two.say(gap(0, "3s"))
    one.say(batch(trade(time="4s"), received="4s"))
    assert [each for each in record.of(Gap) if each.channel is None] == told


def test_where_no_stream_has_given_a_mark_nothing_is_told_of_the_unheard() -> None:
    """Such streams tell of no gaps at all."""
    (one, _), record = merged(heard=False)
    one.say(batch(trade(time="1s"), received="1s"))
    assert record.signals == [batch(trade(time="1s"), received="1s")]


@pytest.mark.parametrize("union", [cgrx.merge, cgrx.merge_exchanges])
def test_no_row_is_complete_before_every_source_has_been_heard(union: Any) -> None:
    """Two connections, of which the second is not there yet: rows come, and say that they do not know all."""
    one, two, rows = Hot[Any](), Hot[Any](), list[ops.Flow]()
    union(one.stream, two.stream).pipe(ops.tumbling("1s", lateness=0, idle="1s")).subscribe(rows.append)
    one.say(gap(0, 0), *(batch(trade(time=time_s), received=time_s) for time_s in range(1, 6)))
    assert rows
    assert not any(row.complete for row in rows)


def test_several_connections_close_windows_as_far_as_all_are_proven() -> None:
    """A quiet one may have died unnoticed, so a row waits for its proof, and for the gap if it did."""
    one, two, rows = Hot[Any](), Hot[Any](), list[ops.Flow]()
    cgrx.merge(one.stream, two.stream).pipe(ops.tumbling("1s", lateness=0, idle="1s")).subscribe(rows.append)
    one.say(gap(0, 0))
    two.say(gap(0, 0, channel=OTHER), alive("1ms", origin="b"))
    one.say(alive("1ms", origin="a"))
    for time_s in range(1, 6):
        one.say(batch(trade(time=time_s), received=time_s), alive(f"{time_s}s", origin="a"))
    assert rows == []
    two.say(alive("3s", origin="b"))
    assert [(row.start_ms, row.complete) for row in rows] == [(1000, True), (2000, True)]
    two.say(gap("3s", "4s", channel=OTHER), alive("5s", origin="b"))
    assert [(row.start_ms, row.complete) for row in rows[2:]] == [(3000, False), (4000, True)]


def test_a_loss_on_two_paths_of_one_stream_counts_once() -> None:
    """And two losses that look alike are two."""
    hot, record = Hot[Any](), Record()
    cgrx.merge(hot.stream.pipe(ops.side("buy")), hot.stream.pipe(ops.side("sell"))).subscribe_signals(record)
    hot.say(dropped(2))
    hot.say(dropped(2))
    assert record.of(Dropped) == [dropped(2), dropped(2)]


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
    subscription = cgrx.merge(*(source.stream for source in sources)).subscribe()
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

    subscription = cgrx.merge(one, two).subscribe_signals(Ear())
    one.on_next(1)
    two.on_next(3)
    assert heard == [Batch(None, 0, (1,))]
    assert not one.observers


def test_foreign_observables_contribute_events_without_marks() -> None:
    hot = Hot[Any]()
    subject: Subject[int] = Subject()
    record = Record()
    hot.stream.merge(subject).subscribe_signals(record)
    subject.on_next(1)
    hot.say(alive("1s"))
    hot.say(watermark("1s"))
    assert record.signals == [Batch(None, 0, (1,)), alive("1s")]


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
    cgrx.merge(*(each.stream for each in hot)).subscribe_signals(record)
    hot[2].say(NOTHING)
    hot[1].say(alive("4s"))
    hot[0].say(alive("4s"))
    hot[0].say(alive("5s"))
    hot[1].complete()
    assert record.of(Alive) == [alive("4s"), alive("5s"), alive("1s", origin="new")]


def test_events_without_a_channel_tell_nothing_of_the_unheard() -> None:
    """Of what has no channel nothing is known anyway."""
    one, two = Hot[int](), Hot[int]()
    record = Record()
    cgrx.merge(one.stream, two.stream).subscribe_signals(record)
    one.say(alive("1s"), batch(1, received="2s", channel=None))
    assert [each.end_ms for each in record.of(Gap)] == [1000]
    one.say(batch(1, received="2s", channel=FuturesTrades("Binance", "BTCUSDT", 0)))
    assert [each.end_ms for each in record.of(Gap)] == [1000, 2000]


@pytest.mark.parametrize("sources", [(), (1,), ([],)])
def test_bad_sources(sources: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError), match=r"at least one source|is no Observable"):
        cgrx.merge(*sources)


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
        cgrx.merge(one.stream, two.stream.pipe(Unready())).subscribe()
    assert one.subscribers == 0


def test_the_union_of_feeds_is_of_all_their_runtimes() -> None:
    first, second = Notes(), Notes()
    one, two, three = Hot[int](first), Hot[int](second), Hot[int](first)
    both = cgrx.merge(one.stream, two.stream, three.stream, Subject[int]())
    assert cgrx.merge(one.stream, three.stream).runtime is first
    assert cgrx.merge(Subject[int]()).runtime is None
    runtime = both.runtime
    assert runtime is not None
    assert runtime.scheduler is first.scheduler
    runtime.hold()
    assert (first.holds, second.holds) == (1, 1)
    runtime.release()
    assert (first.holds, second.holds) == (0, 0)
    assert runtime.waits is False
    runtime.begin()
    assert (first.begins, second.begins) == (1, 1)
    heard: list[str] = []
    runtime.after(3, lambda: heard.append("later"))
    assert heard == []
    first.scheduler.advance_by(3)
    assert heard == ["later"]
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
def test_marks_say_what_the_slowest_source_does(said: list[tuple[int, str, int]]) -> None:
    """No more, and of proofs no less. What goes on only ever moves forward."""
    record = Record()
    fan: FanIn[Any] = FanIn(record, 3)
    for index in range(3):
        fan.input(index).on_signal(NOTHING)
    alive_ms: dict[int, int] = {}
    watermarks: dict[int, int] = {}
    proved_ms = -1
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
        if kind == "alive":
            proved_ms = max(proved_ms, min(alive_ms.values()))
            assert record.of(Alive)[-1] == Alive("o", proved_ms)
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
