"""Cascades: which bursts are told, when, and under which key."""

import math
import pickle
from collections.abc import Iterable
from typing import Any

import pytest
import reactivex.operators

import cgrx
from cgrx import Batch, Liquidation, LiquidationOrders, LiquidationSide, Signal, TooManyKeysError, Trade, Watermark
from cgrx import operators as ops
from cgrx.testing import alive, batch, dropped, gap, liquidation, play, play_signals, play_timeline, watermark
from tests.streams.streaming import Hot

LONG, SHORT = LiquidationSide.LONG, LiquidationSide.SHORT
CHANNEL = LiquidationOrders()
BEGUN: Any = gap(0, "1s")
END: Any = watermark("1m")


def at(*times: float, received: float | None = None, **fields: Any) -> Batch[Liquidation]:
    """Liquidations at these seconds, 1,000 US dollars each unless said otherwise."""
    return batch(*(liquidation(time=each, **fields) for each in times), received=received)


def told(rows: Iterable[ops.Cascade]) -> list[tuple[Any, ...]]:
    """What rows say, short: key, start and end in seconds, count, and whether they are final or withdrawn."""
    return [
        (
            *row.identity[1:],
            row.start_ms / 1e3,
            row.end_ms / 1e3,
            row.count,
            "withdrawn" if row.withdrawn else row.final,
        )
        for row in rows
    ]


def test_a_cascade_is_one_row_when_it_is_over() -> None:
    """Everything of it; and it is whole, for everything around it was seen."""
    first = liquidation("long", 5_000.0, time="20s", price=50.0, exchange="OKX")
    second = liquidation("short", 1_000.0, time="23s", price=40.0, exchange="Binance")
    signals = [BEGUN, batch(second, received="23s"), batch(first, received="23s"), alive("30s")]
    (row,) = play(ops.cascades("3s"), signals)
    assert row == type(row)(
        base_asset="BTC",
        start_ms=20_000,
        end_ms=23_001,
        dominant_side=LONG,
        volume=6_000.0,
        count=2,
        exchanges=("Binance", "OKX"),
        first_price=50.0,
        last_price=40.0,
    )
    assert row.complete
    assert isinstance(row, ops.Cascade)


@pytest.mark.parametrize(
    ("sides", "dominant"), [("ls", None), ("lls", LONG), ("lss", SHORT), ("ss", SHORT), ("ll", LONG)]
)
def test_the_dominant_side_is_that_of_more_volume(sides: str, dominant: LiquidationSide | None) -> None:
    events = [liquidation(LONG if side == "l" else SHORT, time="1s") for side in sides]
    assert play(ops.cascades(), [batch(*events), watermark("9s")])[0].dominant_side is dominant


def test_it_goes_on_while_no_silence_is_longer_than_the_gap() -> None:
    assert told(play(ops.cascades("3s"), [at(1, 4, 7), at(10.001, 11), END])) == [
        ("BTC", 1.0, 7.001, 3, True),
        ("BTC", 10.001, 11.001, 2, True),
    ]


@pytest.mark.parametrize(
    ("thresholds", "counts"),
    [
        ({}, [2, 3]),
        ({"min_count": 1}, [1, 2, 3]),
        ({"min_count": 3}, [3]),
        ({"min_count": 4}, []),
        ({"min_volume": 2_000.0}, [2, 3]),
        ({"min_volume": 2_000.01}, [3]),
        ({"min_volume": 500.0, "min_count": 1}, [1, 2, 3]),
        ({"min_volume": 3_000, "min_count": 1}, [3]),
    ],
)
def test_the_thresholds_count_themselves_in(thresholds: dict[str, Any], counts: list[int]) -> None:
    signals = [at(10), at(20, 20), at(30, 30, 30), END]
    assert [row.count for row in play(ops.cascades(**thresholds), signals)] == counts


def test_rows_come_by_end_then_key() -> None:
    signals = [
        at(1, 3, base_asset="ETH"),
        at(1, 3, base_asset="BTC"),
        at(2, 2.5, base_asset="SOL"),
        END,
    ]
    assert [row["base_asset"] for row in play(ops.cascades(), signals)] == ["SOL", "BTC", "ETH"]


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("base_asset", [("BTC",)]),
        ("exchange", [("Binance",), ("OKX",)]),
        (("exchange", "base_asset"), [("Binance", "BTC"), ("OKX", "BTC")]),
        ((), [()]),
        ("side", [(LONG,)]),
    ],
)
def test_by(by: Any, keys: list[tuple[Any, ...]]) -> None:
    signals = [at(1, 2), at(1, 2, exchange="OKX"), END]
    rows = play(ops.cascades(by=by), signals)
    assert sorted(tuple(row[key] for key in row.key_fields) for row in rows) == sorted(keys)


def test_crossed_fires_on_the_very_event() -> None:
    """It waits for nothing; the final row has the same key."""
    signals: list[Signal[Liquidation]] = [at(1), at(2), at(3), END]
    out = play_signals(ops.cascades(min_count=2, emit="crossed"), signals)
    kinds = [told(signal.events) if isinstance(signal, Batch) else signal for signal in out]
    assert kinds == [[("BTC", 1.0, 2.001, 2, False)], [("BTC", 1.0, 3.001, 3, True)], Watermark(57_000)]
    assert out[0] == Batch(CHANNEL, 2000, out[0].events if isinstance(out[0], Batch) else ())


def test_crossed_fires_in_the_middle_of_a_batch() -> None:
    """With what had come by then; batching decides nothing."""
    stage = ops.cascades(min_volume=2_000, emit="crossed")
    expected = [("BTC", 1.0, 2.001, 2, False), ("BTC", 1.0, 4.001, 4, True)]
    assert told(play(stage, [at(1, 2, 3, 4), END])) == expected
    assert told(play(stage, [at(1), at(2), at(3), at(4), END])) == expected


def test_the_start_stays_once_a_row_is_out() -> None:
    """What comes from shortly before still counts."""
    signals = [at(10, 11), at(9, received=11), END]
    assert told(play(ops.cascades(emit="crossed"), signals)) == [
        ("BTC", 10.0, 11.001, 2, False),
        ("BTC", 10.0, 11.001, 3, True),
    ]
    assert told(play(ops.cascades(), signals)) == [("BTC", 9.0, 11.001, 3, True)]


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        # both had been told of
        (
            [(10, 10), (14, 14), (12,)],
            [
                (10.0, 10.001, 2, False),
                (14.0, 14.001, 2, False),
                (14.0, 14.001, 2, "withdrawn"),
                (10.0, 14.001, 5, False),
                (10.0, 14.001, 5, True),
            ],
        ),
        # the later one alone
        ([(10,), (14, 14), (12,)], [(14.0, 14.001, 2, False), (14.0, 14.001, 4, True)]),
        # the earlier one alone
        ([(14,), (10, 10), (12,)], [(10.0, 10.001, 2, False), (10.0, 14.001, 4, True)]),
        # neither
        ([(10,), (14,), (12,)], [(10.0, 14.001, 3, False), (10.0, 14.001, 3, True)]),
    ],
)
def test_two_that_turn_out_to_be_one(batches: list[tuple[int, ...]], expected: list[tuple[Any, ...]]) -> None:
    """They go on as the one of which a row is out; of two as the earlier, and the row of the later is withdrawn."""
    signals = [*(at(*times, received=14) for times in batches), END]
    rows = told(play(ops.cascades("2s", lateness="5s", emit="crossed"), signals))
    assert [row[1:] for row in rows] == expected


def test_updates_follow_those_that_are_large_enough() -> None:
    """On the grid of event time, by proof of life too, and only after a change."""
    signals = [BEGUN, at(10), at(10.5), at(11.2), at(11.9), at(12.1), alive("13s"), alive("14s"), alive("30s")]
    small = at(10, base_asset="ETH")
    rows = told(play(ops.cascades("3s", min_count=2, updates="1s"), [BEGUN, small, *signals[1:]]))
    assert rows == [
        ("BTC", 10.0, 10.501, 2, False),
        ("BTC", 10.0, 11.901, 4, False),
        ("BTC", 10.0, 12.101, 5, False),
        ("BTC", 10.0, 12.101, 5, True),
    ]


def test_an_update_does_not_repeat_the_row_of_the_crossing() -> None:
    signals = [BEGUN, at(10), at(10.5), at(11.2), at(11.3), alive("12s"), alive("30s")]
    rows = told(play(ops.cascades("3s", min_count=3, emit="crossed", updates="1s"), signals))
    assert rows == [
        ("BTC", 10.0, 11.201, 3, False),
        ("BTC", 10.0, 11.301, 4, False),
        ("BTC", 10.0, 11.301, 4, True),
    ]


def test_an_update_of_what_is_over_or_small_says_nothing() -> None:
    """A key whose cascade has closed since its last change."""
    signals: list[Signal[Liquidation]] = [
        at(10),
        at(10.2, base_asset="ETH"),
        watermark("20s"),
        alive("21s"),
        alive("30s"),
    ]
    assert play(ops.cascades(min_count=2, updates="1m"), signals) == []
    both: list[Signal[Liquidation]] = [at(10, 10), watermark("20s"), at(60.5, base_asset="ETH"), watermark("100s")]
    assert told(play(ops.cascades(min_count=2, updates="1m"), both)) == [("BTC", 10.0, 10.001, 2, True)]


def test_proven_silence_closes_and_silence_alone_does_not() -> None:
    assert play(ops.cascades("3s"), [BEGUN, at(10, 10)])[0].final is False
    signals = [BEGUN, at(10, 10), alive("15s"), alive("15.001s")]
    closed = play_signals(ops.cascades("3s"), signals)
    assert [type(signal).__name__ for signal in closed] == ["Gap", "Alive", "Watermark", "Batch", "Alive", "Watermark"]


def test_completion_and_errors() -> None:
    """What is open and large enough comes out, not final; on an error nothing does."""
    done = play(ops.cascades(min_count=2), [BEGUN, at(10, 11), at(10, base_asset="ETH")])
    assert told(done) == [("BTC", 10.0, 11.001, 2, False)]
    assert not done[0].complete
    assert done[0].gap_ms
    source: Hot[Liquidation] = Hot()
    heard: list[object] = []
    source.stream.pipe(ops.cascades()).subscribe(heard.append, heard.append)
    error = OSError("mine")
    source.say(at(10, 11))
    source.fail(error)
    assert heard == [error]


def test_without_events_only_marks_pass() -> None:
    """A watermark as one of rows: those that end up to `gap` before it may still come."""
    marks: list[Signal[Liquidation]] = [BEGUN, dropped(), alive("1m")]
    assert play_signals(ops.cascades(), [*marks, END]) == [*marks, watermark("57s")]


def test_what_is_missing_near_by_counts() -> None:
    """A gap within `gap` of a cascade could have made it longer; one further away could not."""
    near = [BEGUN, at(20, 20), gap("24s", "24.5s"), END]
    far = [BEGUN, at(20, 20), gap("26s", "27s"), END]
    lossy = [BEGUN, at(20, 20), dropped(2), END]
    rows = [play(ops.cascades("3s"), signals)[0] for signals in (near, far, lossy)]
    assert [(bool(row.gap_ms), row.dropped, row.complete) for row in rows] == [
        (True, 0, False),
        (False, 0, True),
        (False, 2, False),
    ]


def test_late_ones_are_counted_and_handed_on() -> None:
    late: list[Liquidation] = []
    signals = [BEGUN, at(20, 20), at(40, 40), at(25), END]
    rows = play(ops.cascades("3s", on_late=late.append), signals)
    assert late == [liquidation(time=25)]
    assert [(row.start_ms, row.late) for row in rows] == [(20_000, 0), (40_000, 1)]


def test_too_many_keys() -> None:
    signals = [at(1, base_asset="A"), at(1, base_asset="B"), at(1, base_asset="C")]
    played = play_timeline(ops.cascades(max_keys=2), signals)
    assert isinstance(played.error, TooManyKeysError)
    assert played.error.key == ("C",)


def test_behind_share_and_a_foreign_operator() -> None:
    """There is no proof there: quality is unknown."""
    source: Hot[Liquidation] = Hot()
    rows: list[ops.Cascade] = []
    shared = source.stream.share()
    shared.pipe(reactivex.operators.filter(lambda _: True), ops.cascades("3s")).subscribe(rows.append)
    source.say(BEGUN, at(10, 11), at(30), alive("1m"))
    assert told(rows) == [("BTC", 10.0, 11.001, 2, True)]
    assert rows[0].gap_ms is None
    assert not rows[0].complete


def test_behind_an_ordered_merge_no_second_delay_is_added() -> None:
    first: Hot[Liquidation] = Hot()
    second: Hot[Liquidation] = Hot()
    rows: list[ops.Cascade] = []
    cgrx.merge_exchanges(first.stream, second.stream).pipe(ops.cascades("3s")).subscribe(rows.append)
    first.say(at(10, 11), at(14.001))
    second.say(at(14, exchange="OKX", base_asset="ETH"))
    assert rows == []
    second.say(at(14.001, exchange="OKX", base_asset="ETH"))
    assert told(rows) == [("BTC", 10.0, 11.001, 2, True)]


def test_disposal_inside_a_batch() -> None:
    source: Hot[Liquidation] = Hot()
    rows: list[ops.Cascade] = []

    def hear(row: ops.Cascade) -> None:
        rows.append(row)
        subscription.dispose()

    subscription = source.stream.pipe(ops.cascades(emit="crossed")).subscribe(hear)
    source.say(batch(*(liquidation(time="1s", base_asset=name) for name in "AABB")))
    assert [row["base_asset"] for row in rows] == ["A"]
    assert source.subscribers == 0


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (ops.cascades(), 'cascades("3s", min_count=2)'),
        (
            ops.cascades("500ms", min_volume=1e6, min_count=5, by="exchange", emit="crossed", updates="1s"),
            'cascades("500ms", min_volume=1000000.0, min_count=5, by=\'exchange\', emit="crossed", updates="1s")',
        ),
        (ops.cascades(by=("exchange", "side")), "cascades(\"3s\", min_count=2, by=('exchange', 'side'))"),
        (ops.cascades(by=()), 'cascades("3s", min_count=2, by=())'),
    ],
)
def test_it_is_a_value(stage: Any, code: str) -> None:
    assert repr(stage) == code
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert stage != ops.cascades("4s")
    with pytest.raises(AttributeError):
        stage.gap_ms = 1


def test_its_rows_are_values() -> None:
    rows = play(ops.cascades(), [at(1, 2), END])
    assert pickle.loads(pickle.dumps(rows)) == rows
    assert repr(rows[0]).startswith("Cascade(base_asset='BTC', start_ms=1000, end_ms=2001, dominant_side=")
    assert cgrx.to_frame(rows).columns[:5] == ["start_ms", "end_ms", "base_asset", "dominant_side", "volume"]
    assert cgrx.to_frame(rows)["dominant_side"].to_list() == ["long"]


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"gap": 0}, ValueError, "gap=0 is too short"),
        ({"gap": "soon"}, ValueError, "gap='soon' is not a duration"),
        ({"min_volume": -1}, ValueError, "min_volume=-1 takes a finite number of US dollars, 0 or more"),
        ({"min_volume": math.nan}, ValueError, "min_volume=nan takes"),
        ({"min_volume": math.inf}, ValueError, "min_volume=inf takes"),
        ({"min_volume": "much"}, TypeError, "min_volume='much' takes a number"),
        ({"min_volume": True}, TypeError, "min_volume=True takes a number"),
        ({"min_count": 0}, ValueError, "min_count=0 takes a whole number, 1 or more"),
        ({"min_count": 2.5}, TypeError, "min_count=2.5 takes a whole number"),
        ({"by": "colour"}, ValueError, "'colour' is no field to tell rows apart by"),
        ({"by": 5}, TypeError, "by=5 takes the name of a field"),
        ({"emit": "open"}, ValueError, "emit='open' is none of \"closed\""),
        ({"updates": 0.0001}, ValueError, "updates=0.0001 is too short"),
        ({"lateness": "x"}, ValueError, "lateness='x' is not a duration"),
        ({"on_late": 5}, TypeError, "on_late=5 takes an observer"),
        ({"max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        ops.cascades(**arguments)


def test_it_takes_liquidations_alone() -> None:
    """Trades are refused as soon as the stream is known to carry them."""
    liquidations: Hot[Any] = Hot(None, Liquidation)
    both: Hot[Any] = Hot(None, Liquidation, Trade)
    types = liquidations.stream.pipe(ops.cascades()).event_types
    assert types is not None
    assert all(issubclass(each, ops.Cascade) for each in types)
    with pytest.raises(ValueError, match="takes events of type Liquidation, not Trade"):
        both.stream.pipe(ops.cascades())
