"""Windows over rows: an hour of minutes is the hour of events, to the byte, with what was missed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Alive, Batch, Dropped, Gap, Signal, Watermark
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Timeline, alive, dropped, gap, liquidation, play, play_timeline
from tests.streams.streaming import Hot, rx_any
from tests.support import examples
from tests.windows.stacking import BEGUN, EXACT, Long, Short, at, events_of, heard, row, same, tall
from tests.windows.windowing import CHANNEL, OTHER, one_by_one


@st.composite
def signals(draw: st.DrawFn) -> list[Signal[Any]]:
    """What a feed could say: events up to a second late, of two exchanges, proofs, gaps and losses."""
    now = 10_000
    found: list[Signal[Any]] = [gap(0, "10s")]
    prices = st.floats(0.001, 1e9)
    for kind in draw(st.lists(st.sampled_from("eeeeagd"), max_size=25)):
        now += draw(st.sampled_from([0, 250, 1000, 3500, 9000]))
        if kind == "e":
            made = [
                liquidation(
                    draw(st.sampled_from(["long", "short"])),
                    draw(prices),
                    price=draw(prices),
                    time=(now - 250 * draw(st.integers(0, 4))) / 1000,
                    exchange=draw(st.sampled_from(["Binance", "OKX"])),
                )
                for _ in range(draw(st.integers(1, 4)))
            ]
            found.append(Batch(CHANNEL, now, tuple(made)))
        elif kind == "a":
            found.append(Alive("o", now))
        elif kind == "g":
            found.append(gap((now - 500) / 1000, now / 1000))
        else:
            found.append(Dropped(CHANNEL, 1, "malformed"))
    return found


@given(signals(), st.sampled_from([("2s", "8s", "8s"), ("1s", "4s", "2s"), ("4s", "4s", "4s")]))
@settings(max_examples=examples(40), deadline=None)
def test_the_long_window_of_short_ones_is_that_of_the_events(said: list[Signal[Any]], sizes: tuple[str, ...]) -> None:
    """To the byte: prices, sums and counts; and what is missing of it, and whether it is complete."""
    short, size, every = sizes
    made = ops.pipeline(ops.tumbling(short, Short, **EXACT), ops.sliding(size, every, Long, lateness="1s"))
    direct = ops.sliding(size, every, Short, **EXACT)
    mine, expected = (events_of(play_timeline(stage, said)) for stage in (made, direct))
    # Where an event came late for its short window alone, the long one of the events has had it.
    if any(row.late for row in [*mine, *expected]):
        return
    quality = len(Long.fields) - 5
    assert [row.values[:quality] for row in mine] == [row.values[:quality] for row in expected]
    for made_row, other in zip(mine, expected, strict=True):
        assert made_row.dropped >= other.dropped  # when a loss was is known by what came after it
        if made_row.final:
            assert made_row.gap_ms == other.gap_ms
            assert made_row.complete == (other.complete and made_row.dropped == other.dropped)
        else:  # completion: what of a window beneath was seen is known, what of its last moment is not
            assert made_row.gap_ms >= other.gap_ms
        assert made_row.final == other.final


@given(signals())
@settings(max_examples=examples(20), deadline=None)
def test_batches_decide_nothing(said: list[Signal[Any]]) -> None:
    made = ops.pipeline(ops.tumbling("1s", Short, updates="250ms", **EXACT), tall("4s", updates="1s", lateness="1s"))
    whole, apart = (play_timeline(made, each) for each in (said, one_by_one(said)))
    assert events_of(apart) == events_of(whole)


def test_a_chain_of_three_is_exact() -> None:
    """Sums go on as they are, not as they are rounded: 0.1 + 0.2 + 0.3 is 0.6 and not 0.6000000000000001."""

    class Summed(ops.Row):
        volume = agg.sum("volume")

    said: list[Signal[Any]] = [
        BEGUN,
        *(at(each + 0.5, volume_usd=volume) for each, volume in enumerate([0.1, 0.2, 0.3] * 4)),
    ]
    made = ops.pipeline(ops.tumbling("1s", volume=agg.volume()), ops.tumbling("3s", Summed), ops.tumbling("6s", Summed))
    assert [row.volume for row in heard(made, [*said, alive("1m")])] == [1.2, 1.2]


def test_it_closes_with_the_window_beneath_that_ends_with_it() -> None:
    """At the same signal as the window of the events: there is no second delay."""
    said: list[Signal[Any]] = [BEGUN, at(1), at(2), at(3), at(4.9), at(5), at(5.1)]
    made = ops.pipeline(ops.tumbling("1s", Short, **EXACT), tall("4s"))
    for count in range(len(said) + 1):
        so_far = Timeline(tuple(said[:count]), completed=False)
        assert len(events_of(play_timeline(made, so_far))) == (count > 5), count


def test_a_quiet_market_closes_by_proof() -> None:
    """Also where the last windows beneath had no event."""
    made = ops.pipeline(ops.tumbling("1s", Short, **EXACT), tall("4s", lateness="1s"))
    said = (BEGUN, at(0.5), alive("4.9s"), alive("5s"))
    found = play_timeline(made, Timeline(said, completed=False))
    assert [type(each).__name__ for each in found.signals] == [
        "Gap", "Alive", "Watermark", "Alive", "Batch", "Watermark"
    ]  # fmt: skip
    (row,) = events_of(found)
    assert (row.n, row.complete) == (1, True)


# --- which rows take part -------------------------------------------------------------------------------------------


def test_running_rows_count_once() -> None:
    """In running rows of the long window, each window beneath with its latest; never in the final one."""
    made = ops.pipeline(ops.tumbling("2s", Short, updates="1s", **EXACT), tall("4s", updates="1s", lateness="1s"))
    said: list[Signal[Any]] = [BEGUN, at(0.5), at(1.5), at(2.5), at(3.5), at(9), alive("20s")]
    rows = play(made, said)
    assert [(row.start_ms, row.n, row.final) for row in rows] == [
        (0, 1, False),
        (0, 2, False),
        (0, 3, False),
        (0, 4, True),
        (8000, 1, True),
    ]


def test_what_completion_cuts_short_counts_then() -> None:
    """With what the windows beneath say of it."""
    made = ops.pipeline(ops.tumbling("2s", Short, **EXACT), tall("8s", lateness="1s"))
    direct = ops.tumbling("8s", Short, **EXACT)
    said: list[Signal[Any]] = [BEGUN, at(0.5), at(5), at(5.5)]
    (mine,), (other,) = play(made, said), play(direct, said)
    assert (mine.n, mine.final, mine.gap_ms) == (other.n, other.final, other.gap_ms) == (3, False, 2500)


def test_a_row_that_comes_too_late_is_counted_and_handed_on() -> None:
    """As it may behind a merge, or behind an operator that passes no marks."""
    late: list[Any] = []
    stage = ops.tumbling("4s", n=agg.sum("n"), lateness=0, on_late=late.append)
    rows = [row(start) for start in (0, 4000, 8000, 1000, 12_000)]
    found = heard(stage, [BEGUN, Batch(None, 1, tuple(rows[:3])), Watermark(8000), Batch(None, 2, tuple(rows[3:]))])
    assert [(each.start_ms, each["n"], each.late) for each in found] == [
        (0, 1, 0),
        (4000, 1, 0),
        (8000, 1, 1),
        (12_000, 1, 1),
    ]
    assert late == [rows[3]]
    running = [row(0, final=False), row(8000), row(0, final=False)]
    assert [each["n"] for each in heard(stage, [BEGUN, Watermark(5000), Batch(None, 3, tuple(running))])] == [1]


def test_late_events_beneath_are_told() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short, lateness=0, idle=0), tall("2s", lateness=0))
    rows = heard(made, [BEGUN, at(0.5), at(3), at(0.7), at(3.5), at(9)])
    assert [row.late for row in rows] == [0, 1, 1]


def test_a_row_without_a_value_is_passed_over() -> None:
    """As the prices of a window without events are; with `emit_empty` each window beneath gives a row."""
    made = ops.pipeline(
        ops.tumbling("1s", Short, emit_empty=True, **EXACT),
        ops.tumbling(
            "4s",
            by="exchange",
            rows=agg.count(),
            first=agg.first("open"),
            mean=agg.mean("close"),
            stddev=agg.stddev("close"),
            least=agg.min("low"),
            weighed=agg.mean("close", weight="volume"),
        ),
    )
    said: list[Signal[Any]] = [
        BEGUN,
        at(0.5, price=10, volume_usd=100.0),
        at(3.5, price=40, volume_usd=300.0),
        alive("9s"),
    ]
    first, second = play(made, said)[:2]
    assert (first["rows"], first["first"], first["mean"], first["stddev"], first["least"]) == (4, 10, 25, 15, 10)
    assert first["weighed"] == (10 * 100 + 40 * 300) / 400
    assert second.start_ms == 4000
    assert [second[name] for name in ("rows", "first", "mean", "stddev", "least", "weighed")] == [4, *[None] * 5]


def test_known_keys_give_rows_where_nothing_was() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short, **EXACT), tall("2s", emit_empty=True))
    rows = heard(made, [BEGUN, at(0.5), alive("7s")])
    assert [(row.start_ms, row.n, row.volume, row.high, row.complete) for row in rows] == [
        (0, 1, 1000.0, 60_000.0, True),
        (2000, 0, 0, None, True),
        (4000, 0, 0, None, True),
    ]


def test_other_aggregates_of_rows() -> None:
    """Changes and z-scores go by start and then key; a user's own gets the rows."""

    def add(seen: tuple[int, ...], row: Any) -> tuple[int, ...]:
        return tuple(sorted((*seen, row.n)))

    def both(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(a + b))

    stage: Any = ops.tumbling(
        "4s",
        change=agg.change("n"),
        zscore=agg.zscore("n"),
        total=agg.sum("n"),
        most=agg.max("n"),
        seen=agg.custom(tuple[int, ...], add, both, len),
        last=agg.last("n"),
    )
    rows = [row(2000, n=5), row(0, n=1), row(1000, n=3)]
    for given_rows in (rows, rows[::-1]):
        (found,) = heard(stage, [BEGUN, Batch(None, 1, tuple(given_rows)), Watermark(4000)])
        assert (found["change"], found["total"], found["most"], found["seen"], found["last"]) == (4, 9, 5, 3, 5)
        assert found["zscore"] == pytest.approx(1.224744871391589, rel=1e-15)
    (alone,) = heard(stage, [BEGUN, Batch(None, 1, (row(0, n=7),)), Watermark(4000)])
    assert (alone["change"], alone["zscore"]) == (0, None)
    (low,) = heard(stage, [BEGUN, Batch(None, 1, (row(0, n=7), row(1000, n=1))), Watermark(4000)])
    assert low["zscore"] == -1.0


def test_the_key_of_the_first_row() -> None:
    """Of rows with the same window the smaller key comes first."""
    made = ops.pipeline(
        ops.tumbling("1s", Short, **EXACT),
        ops.tumbling("2s", n=agg.sum("n"), first=agg.first("exchange"), last=agg.last("exchange")),
    )
    (found,) = heard(made, [BEGUN, at(0.5, exchange="OKX"), at(0.5), alive("9s")])
    assert (found["first"], found["last"]) == ("Binance", "OKX")


def test_a_sum_of_whole_numbers_is_whole() -> None:
    class Mixed(ops.Row):
        n = agg.count()
        usd = agg.volume()

    made = ops.pipeline(ops.tumbling("1s", Mixed), ops.tumbling("2s", n=agg.sum("n"), usd=agg.sum("usd")))
    (found,) = heard(made, [BEGUN, at(0.5, 1.5, volume_usd=2.0), alive("9s")])
    assert [repr(found[name]) for name in ("n", "usd")] == ["2", "4.0"]


# --- what was missed ------------------------------------------------------------------------------------------------


def test_a_gap_where_no_row_is_counts() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short, lateness=0, idle=0), tall("8s", lateness=0))
    (found,) = heard(made, [BEGUN, at(0.5), gap("3s", "5s"), at(7.5), alive("9s")])
    assert (found.gap_ms, found.complete) == (2000, False)


def test_what_several_keys_miss_together_counts_once() -> None:
    """A key that the long window does not have: each short window gives two rows."""
    made = ops.pipeline(ops.tumbling("2s", Short, lateness=0, idle=0), ops.tumbling("4s", n=agg.sum("n"), lateness=0))
    said: list[Signal[Any]] = [
        BEGUN,
        at(0.2),
        at(0.2, exchange="OKX"),
        gap("0.5s", "1s"),
        at(1.5, 3),
        at(1.5, exchange="OKX"),
        alive("9s"),
    ]
    (found,) = play(made, said)
    assert (found["n"], found.gap_ms) == (5, 500)


def test_rows_tell_of_what_marks_do_not() -> None:
    """A gap that was moved to the events' clock is in the rows alone; two windows that miss the same are not added."""
    stage = ops.tumbling("4s", n=agg.sum("n"), lateness=0)
    rows = [row(0, gap_ms=400), row(0, gap_ms=300), row(2000, gap_ms=100), row(3000)]
    (found,) = heard(stage, [BEGUN, gap("0.9s", "1.1s"), Batch(None, 1, tuple(rows)), Watermark(4000)])
    assert found.gap_ms == 200 + (400 - 100) + 100
    rows = [row(0, dropped=2), row(1000, dropped=2), row(2000)]
    (found,) = heard(stage, [BEGUN, Batch(None, 1, tuple(rows)), Watermark(4000)])
    assert (found.gap_ms, found.dropped, found.complete) == (0, 2, False)


def test_a_loss_counts_in_each_window_that_may_have_had_it() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short, **EXACT), tall("2s", lateness="1s"))
    rows = heard(made, [BEGUN, at(0.5), dropped(2), at(1.2), at(8), at(8.5), alive("20s")])
    assert [(row.start_ms, row.dropped) for row in rows] == [(0, 2), (8000, 0)]
    rows = heard(made, [dropped(3), at(0.5), at(8), alive("20s")])
    assert [(row.start_ms, row.dropped) for row in rows] == [(0, 3), (8000, 0)]


def test_a_loss_that_no_row_tells_of() -> None:
    """What was lost while a window beneath held an event back may be as late as that, where no other row is."""
    made = ops.pipeline(ops.tumbling("1s", Short, **EXACT), tall("2s", lateness="1s"))
    said = [BEGUN, at(0.5), alive("0.6s"), at(1.5), dropped(1), at(3), alive("20s")]
    assert [(row.start_ms, row.dropped) for row in heard(made, said)] == [(0, 1), (2000, 1)]
    assert [row.dropped for row in heard(ops.tumbling("2s", Short, **EXACT), said)] == [1, 1]


@pytest.mark.parametrize(("others", "dropped"), [((), [1, 0]), ((Gap(OTHER, -10_000, -10_000, "subscribed"),), [1, 1])])
def test_a_row_of_another_channel_knows_nothing_of_a_loss(others: tuple[Gap, ...], dropped: list[int]) -> None:
    """It may be of a window that is merged with the one whose channel has lost something."""
    stage = ops.tumbling("2s", n=agg.sum("n"), lateness=0)
    lost = [Alive("o", 1500), Dropped(CHANNEL, 1, "malformed")]
    rows = heard(stage, [BEGUN, *others, *lost, Batch(None, 2600, (row(1000), row(2000))), Watermark(4000)])
    assert [found.dropped for found in rows] == dropped


def test_what_no_window_needs_is_forgotten() -> None:
    made: Any = tall("4s", lateness=0).start()
    for second in range(3000):
        rows = (Short.from_values((second * 1000, second * 1000 + 1000, "A", *[1.0] * 6, 1, 1, 0, 0, True, False)),)
        list(made.on_signal(Batch(None, second * 1000, rows)))
        list(made.on_signal(Gap(CHANNEL, second * 1000, second * 1000 + 1, "x")))
        list(made.on_signal(Watermark(second * 1000)))
    assert len(made._beneath._faults) < 200
    assert len(made._beneath._missing) < 200


def test_behind_an_operator_without_marks() -> None:
    """A row tells by its start that the windows before it have closed; what was missed is not known."""
    source: Hot[Any] = Hot()
    found: list[Any] = []
    source.stream.pipe(ops.tumbling("1s", Short, **EXACT), rx_any.map(same), tall("2s")).subscribe(found.append)
    source.say(BEGUN, at(0.5), at(1.5), at(2.5), at(3.5), at(4.5))
    assert [(row.start_ms, row.n, row.gap_ms, row.complete) for row in found] == [(0, 2, None, False)]


def test_behind_an_operator_without_marks_in_front_of_all() -> None:
    source: Hot[Any] = Hot()
    found: list[Any] = []
    source.stream.pipe(rx_any.map(same), ops.tumbling("1s", Short, **EXACT), tall("2s")).subscribe(found.append)
    source.say(BEGUN, at(0.5), at(1.5), at(2.5), at(3.5), at(4.5))
    assert [(row.start_ms, row.n, row.gap_ms, row.complete) for row in found] == [(0, 2, None, False)]


def test_two_streams_of_rows_together() -> None:
    """The window waits for both: a promise goes on when each has given it."""
    one, two = Hot[Any](), Hot[Any]()
    found: list[Any] = []
    short = ops.tumbling("1s", Short, **EXACT)
    cgrx.merge(one.stream.pipe(short), two.stream.pipe(short)).pipe(tall("2s")).subscribe(found.append)
    one.say(BEGUN, at(0.5), at(4.5))
    assert found == []
    two.say(BEGUN, at(1.5, exchange="OKX"), at(4.5, exchange="OKX"))
    assert [(row.exchange, row.n) for row in found] == [("Binance", 1), ("OKX", 1)]
