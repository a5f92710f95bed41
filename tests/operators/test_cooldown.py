"""Silence after a result, and the count of what was silenced."""

import math
import pickle
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Batch, Liquidation, LiquidationOrders, Signal, TooManyKeysError, Trade
from cgrx import operators as ops
from cgrx._streams.running import Elementwise
from cgrx.testing import alive, batch, dropped, gap, liquidation, play, play_signals, play_timeline, trade
from tests.operators.sold import Sold, row
from tests.recordings import AS_FAR_AS, RECORDINGS, REQUIRED, Recording, decoded
from tests.streams.streaming import Hot, notes_of
from tests.support import examples


def told(stage: ops.Stage[Any, Any], *items: Any) -> list[tuple[int, int]]:
    """Of each that passes its place, and how many were silenced before it."""
    found: list[ops.Cooled[Any]] = play(stage, [Batch(None, 0, items)])
    return [(items.index(each.item), each.silenced) for each in found]


def at(*times: float, **fields: Any) -> list[Liquidation]:
    return [liquidation(time=time, volume_usd=1 + index, **fields) for index, time in enumerate(times)]


def test_the_first_then_silence_then_the_next_with_a_count() -> None:
    events = at(1, 2, 3, 6, 7)
    assert play(ops.cooldown("5s"), [batch(*events)]) == [ops.Cooled(events[0], 0), ops.Cooled(events[3], 2)]


def test_what_is_silenced_does_not_make_it_longer() -> None:
    assert told(ops.cooldown("5s"), *at(0, 4, 5, 9, 10)) == [(0, 0), (2, 1), (4, 1)]


def test_the_count_is_told_however_late() -> None:
    assert told(ops.cooldown("5s"), *at(0, 1, 2, 900, 2_000)) == [(0, 0), (3, 2), (4, 0)]


def test_each_key_has_its_own_silence() -> None:
    events = [liquidation(time=index, exchange=name) for index, name in enumerate("AABABB")]
    assert told(ops.cooldown("3s", by="exchange"), *events) == [(0, 0), (2, 0), (3, 1), (5, 1)]
    assert told(ops.cooldown("3s"), *events) == [(0, 0), (3, 2)]


def test_rows_by_their_key_fields_and_time() -> None:
    """The time of a row is the end of its window."""
    rows = [row(1, 0, "A"), row(1, 0, "B"), row(1, 1, "A"), row(1, 2, "A"), row(1, 2, "B")]
    assert told(ops.cooldown("2m"), *rows) == [(0, 0), (1, 0), (3, 1), (4, 0)]
    assert told(ops.cooldown("2m", by=()), *rows) == [(0, 0), (3, 2)]


def test_the_item_of_a_result() -> None:
    """An alert of a threshold, by the key of the row that crossed it."""
    stage = ops.pipeline(ops.crosses("usd", above=5, of=Sold), ops.cooldown("2m"))
    rows = [row(9, 0, "A"), row(9, 0, "B"), row(1, 1, "A"), row(9, 2, "A")]
    found: Any = play(stage, [Batch(None, 0, tuple(rows))])
    assert [(each.item.item, each.item.direction, each.silenced) for each in found] == [
        (rows[0], "above", 0),
        (rows[1], "above", 0),
        (rows[2], "below", 0),
        (rows[3], "above", 0),
    ]


def test_the_return_of_a_crossing_that_has_passed() -> None:
    """It passes within the silence and after it; that of one that was silenced does not, and counts as nothing."""
    stage = ops.pipeline(ops.crosses("price", above=5, of=Trade), ops.cooldown("5s"))
    times_and_prices = ((0, 9), (1, 1), (2, 9), (3, 1), (7, 9), (99, 1))
    found: Any = play(stage, [batch(*(trade(price=price, time=second) for second, price in times_and_prices))])
    assert [(each.item.item.time_ms // 1000, each.item.back, each.silenced) for each in found] == [
        (0, False, 0),
        (1, True, 0),
        (7, False, 1),
        (99, True, 0),
    ]


def test_keys_whose_return_is_to_be_told_are_kept() -> None:
    """And forgotten with it, where there is nothing else to tell."""
    stage = ops.pipeline(
        ops.crosses("price", above=5, by="symbol", of=Trade), ops.cooldown("5s", by="symbol", max_keys=1)
    )
    one, *others = [(0, 9, "A"), (20, 1, "A"), (20, 9, "B"), (21, 1, "B")]
    found: Any = play(
        stage, [batch(*(trade(price=price, time=second, symbol=name) for second, price, name in (one, *others)))]
    )
    assert [each.item.item.symbol for each in found] == ["A", "A", "B", "B"]
    with pytest.raises(TooManyKeysError):
        play(stage, [batch(trade(price=9, symbol="A"), trade(price=9, symbol="B", time=20))])


def test_a_time_from_the_future_silences_only_what_is_near_to_it() -> None:
    assert told(ops.cooldown("5s"), *at(0, 1, 900, 6, 7, 901)) == [(0, 0), (2, 1), (3, 0), (5, 1)]


def test_an_item_a_little_earlier_than_the_one_that_passed() -> None:
    assert told(ops.cooldown("5s"), *at(10, 8, 15)) == [(0, 0), (2, 1)]


def test_keys_are_forgotten_when_their_silence_is_over() -> None:
    """So there may be more of them in all than `max_keys`."""
    events = [liquidation(time=6 * index, symbol=str(index)) for index in range(50)]
    assert len(told(ops.cooldown("5s", by="symbol", max_keys=1), *events)) == 50


def test_keys_with_a_count_to_tell_are_kept() -> None:
    events = [event for name in "AB" for event in at(0, 1, exchange=name)]
    later = at(60, exchange="C")
    stage = ops.cooldown("5s", by="exchange", max_keys=2)
    played = play_timeline(stage, [batch(*events, *later)])
    assert len(played.results) == 2
    assert isinstance(played.error, TooManyKeysError)
    assert (played.error.max_keys, played.error.key) == (2, ("C",))
    back = at(60, exchange="A") + at(61, exchange="B") + at(70, exchange="C")
    assert told(stage, *events, *back)[2:] == [(4, 1), (5, 1), (6, 0)]


def test_too_many_keys_in_silence() -> None:
    events = [liquidation(time=1, exchange=name) for name in "ABAC"]
    played = play_timeline(ops.cooldown("5s", by=("exchange", "symbol"), max_keys=2), [batch(*events)])
    assert isinstance(played.error, TooManyKeysError)
    assert played.error.key == ("C", "BTCUSDT")


def test_a_time_from_the_future_makes_no_more_room_than_is_needed() -> None:
    """Two keys are forgotten early at most."""
    events = [*(liquidation(time=1, symbol=name) for name in "ABCD"), liquidation(time=9_000, symbol="E")]
    again = [liquidation(time=2, symbol=name) for name in "ABCD"]
    passed = told(ops.cooldown("5s", by="symbol"), *events, *again)
    assert [place for place, _ in passed] == [0, 1, 2, 3, 4, 5, 6]


def test_marks_pass_in_sequence_and_move_nothing() -> None:
    marks: list[Signal[Liquidation]] = [gap(0, "1s"), dropped(2), alive("900s")]
    first, second = at(1, 2)
    found = play_signals(ops.cooldown("5s"), [batch(first), *marks, batch(second), alive("901s")])
    assert [type(each) for each in found] == [Batch, *map(type, marks), type(alive("1s"))]


# --- laws -----------------------------------------------------------------------------------------------------------


def reference(times: list[int], silence_ms: int) -> list[tuple[int, int]]:
    """By definition: one after the other, each against the last that passed."""
    passed: list[tuple[int, int]] = []
    for index, time_ms in enumerate(times):
        if not passed or abs(time_ms - times[passed[-1][0]]) >= silence_ms:
            passed.append((index, index - passed[-1][0] - 1 if passed else 0))
    return passed


@settings(max_examples=examples(40))
@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 40)), max_size=25),
    st.lists(st.integers(0, 25), max_size=4),
)
def test_each_key_alone_in_any_batching(given_items: list[tuple[str, int]], cuts: list[int]) -> None:
    events = [liquidation(time=time, exchange=name, volume_usd=1 + i) for i, (name, time) in enumerate(given_items)]
    stage = ops.cooldown("5s", by="exchange")
    whole = play(stage, [batch(*events)])
    edges = [0, *sorted(cuts), len(events)]
    assert play(stage, [batch(*events[a:b]) for a, b in pairwise(edges)]) == whole
    in_order = sorted(events, key=lambda event: event.time_ms)  # then none is forgotten early
    whole = play(stage, [batch(*in_order)])
    for name in "ABC":
        mine = [event for event in in_order if event.exchange == name]
        expected = [(mine[index], count) for index, count in reference([event.time_ms for event in mine], 5000)]
        assert [(each.item, each.silenced) for each in whole if each.item.exchange == name] == expected


@REQUIRED
@AS_FAR_AS
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_recorded_events_against_polars(recording: Recording, count: int) -> None:
    """In order of time each passing one is the first at or after the end of the silence before: a search in columns."""
    import polars as pl

    events: list[Any] = sorted(decoded(recording, count), key=lambda event: event.time_ms)
    found = play(ops.cooldown("1s", by="symbol"), [Batch(LiquidationOrders(), 0, tuple(events))])
    expected: list[tuple[int, int]] = []
    table = pl.DataFrame({"symbol": [e.symbol for e in events], "time": [e.time_ms for e in events]}).with_row_index()
    for (_,), group in table.group_by("symbol"):
        places, times = group["index"], group["time"]
        at_, last = 0, -1
        while at_ < len(times):
            expected.append((places[at_], at_ - last - 1))
            last, at_ = at_, cast(int, times.search_sorted(times[at_] + 1_000))
    assert len(found) > 5
    assert [(each.item, each.silenced) for each in found] == [(events[i], count) for i, count in sorted(expected)]


# --- a value --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (ops.cooldown("10m"), 'cooldown("10m")'),
        (ops.cooldown(0.25, by="exchange"), "cooldown(\"250ms\", by='exchange')"),
        (
            ops.cooldown("90s", by=["exchange", "symbol"], max_keys=7),
            "cooldown(\"90s\", by=('exchange', 'symbol'), max_keys=7)",
        ),
        (ops.cooldown("1d", by=(), max_keys=math.inf), 'cooldown("1d", by=(), max_keys=math.inf)'),
    ],
)
def test_it_is_a_value(stage: Any, code: str) -> None:
    assert repr(stage) == code
    assert eval(code, {**vars(ops), "math": math, "Trade": Trade}) == stage
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert stage != ops.cooldown("11m")
    with pytest.raises(AttributeError):
        stage.silence_ms = 1


def test_so_is_its_result() -> None:
    cooled = ops.Cooled(row(9), 2)
    assert pickle.loads(pickle.dumps(cooled)) == cooled
    assert len({cooled, ops.Cooled(row(9), 2)}) == 1


def test_what_it_says_of_itself() -> None:
    about = ops.cooldown("10m", max_keys=7).about
    assert (about.bound, about.beyond, about.delay_ms) == (7, "TooManyKeysError", 0)
    assert about.state == "the keys of the last 10m, and those with something left to tell"
    assert cgrx.explain(ops.cooldown("10m")).opaque == ()
    assert isinstance(ops.cooldown("10m").start(), Elementwise)


# --- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"silence": 0}, ValueError, "silence=0 is too short: give at least a millisecond"),
        ({"silence": "soon"}, ValueError, "silence='soon' is not a duration"),
        ({"silence": None}, TypeError, "silence=None is not a duration"),
        ({"silence": "1m", "by": "colour"}, ValueError, "by='colour' takes different names out of"),
        ({"silence": "1m", "max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        ops.cooldown(**arguments)


def test_a_key_field_that_rows_lack() -> None:
    stage = ops.cooldown("1m", by="symbol")
    why = "Sold has no key field 'symbol'; it has 'exchange': give the window by='symbol' too"
    with pytest.raises(ValueError, match=why):
        ops.pipeline(ops.tumbling("1m", Sold), stage)
    played = play_timeline(stage, [Batch(None, 0, (row(1),))])
    assert isinstance(played.error, ValueError)
    assert why in str(played.error)


def test_of_refuses_a_stream_of_other_events_at_once() -> None:
    source: Hot[Any] = Hot(None, Liquidation)
    with pytest.raises(ValueError, match="takes events of type Trade, not Liquidation"):
        source.stream.pipe(ops.cooldown("1m", of=Trade))
    with pytest.raises(TypeError, match="of=5 must be a type of event"):
        ops.cooldown("1m", of=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]  # what is tested


def test_an_item_without_a_time() -> None:
    items: tuple[Any, ...] = (trade(), "text")
    played = play_timeline(ops.cooldown("1m"), [Batch(None, 0, items)])
    assert len(played.results) == 1
    assert isinstance(played.error, AttributeError)
    assert notes_of(played.error) == ["raised in cooldown(\"1m\") by the event 'text'"]


def test_what_comes_out_is_known() -> None:
    source: Hot[Liquidation] = Hot(None, Liquidation)
    assert source.stream.pipe(ops.cooldown("1m")).event_types == frozenset({ops.Cooled})
