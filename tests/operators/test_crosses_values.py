"""Thresholds as values, and what they refuse."""

import math
import pickle
from typing import Any

import pytest

import cgrx
from cgrx import Batch, Liquidation, Trade
from cgrx import operators as ops
from cgrx._streams.running import Elementwise
from cgrx.testing import batch, liquidation, play, play_timeline, trade
from tests.operators.sold import Sold, row
from tests.streams.streaming import Hot, notes_of

# --- a value --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "code"),
    [
        (ops.crosses("price", above=5), "crosses('price', above=5)"),
        (ops.crosses("usd", above=5, below=2.5), "crosses('usd', above=5, below=2.5)"),
        (ops.crosses("usd", below=1, by="exchange"), "crosses('usd', below=1, by='exchange')"),
        (ops.crosses("price", below=1, of=Trade), "crosses('price', below=1, of=Trade)"),
        (
            ops.crosses("usd", above=1, by=["exchange", "symbol"], max_keys=7),
            "crosses('usd', above=1, by=('exchange', 'symbol'), max_keys=7)",
        ),
        (
            ops.crosses("usd", above=5, below=2, begins="above", returns=False),
            "crosses('usd', above=5, below=2, begins='above', returns=False)",
        ),
        (ops.crosses("usd", above=1, by=(), max_keys=math.inf), "crosses('usd', above=1, by=(), max_keys=math.inf)"),
    ],
)
def test_it_is_a_value(stage: Any, code: str) -> None:
    assert repr(stage) == code
    assert eval(code, {**vars(ops), "math": math, "Trade": Trade}) == stage
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert stage != ops.crosses("price", above=6)
    with pytest.raises(AttributeError):
        stage.above = 1


def test_so_is_a_crossing() -> None:
    crossing = ops.Crossing(row(9), "usd", 9.0, 5, "above")
    assert pickle.loads(pickle.dumps(crossing)) == crossing
    assert len({crossing, ops.Crossing(row(9), "usd", 9.0, 5, "above")}) == 1
    with pytest.raises(AttributeError):
        crossing.value = 1.0  # type: ignore[misc]  # what is tested


def test_what_it_says_of_itself() -> None:
    about = ops.crosses("price", above=5, max_keys=7).about
    assert (about.state, about.bound, about.beyond, about.delay_ms) == (
        "for each key the side it is on",
        7,
        "TooManyKeysError",
        0,
    )
    assert cgrx.explain(ops.crosses("price", above=5)).opaque == ()
    assert isinstance(ops.crosses("price", above=5).start(), Elementwise)


# --- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "why"),
    [
        ({"field": "usd"}, ValueError, r"crosses\('usd'\) needs a level: above=, below= or both"),
        ({"field": 5, "above": 1}, TypeError, "field=5 takes the name of a number"),
        ({"field": "usd", "above": "5M"}, TypeError, "above='5M' takes a number"),
        ({"field": "usd", "below": True}, TypeError, "below=True takes a number"),
        ({"field": "usd", "above": math.nan}, ValueError, "above=nan takes a finite number"),
        ({"field": "usd", "below": -math.inf}, ValueError, "below=-inf takes a finite number"),
        ({"field": "usd", "above": 1, "below": 2}, ValueError, "below=2 is not under above=1"),
        ({"field": "usd", "above": 1, "below": 1}, ValueError, "below=1 is not under above=1"),
        ({"field": "usd", "above": 1, "begins": "above"}, ValueError, "begins='above' takes 'below' where above= is"),
        ({"field": "usd", "below": 1, "begins": "below"}, ValueError, "begins='below' takes 'below' where above= is"),
        ({"field": "usd", "above": 1, "returns": 0}, TypeError, "returns=0 takes True or False"),
        ({"field": "usd", "above": 1, "by": "colour"}, ValueError, "by='colour' takes different names out of"),
        ({"field": "usd", "above": 1, "by": ("side", "side")}, ValueError, "takes different names"),
        ({"field": "usd", "above": 1, "by": 5}, TypeError, "by=5 takes the name of a key field"),
        ({"field": "usd", "above": 1, "by": (5,)}, TypeError, r"by=\(5,\) takes the name"),
        ({"field": "usd", "above": 1, "max_keys": 0}, ValueError, "max_keys=0 takes a whole number"),
    ],
)
def test_arguments_that_do_not_fit(arguments: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        ops.crosses(**arguments)


@pytest.mark.parametrize(
    ("field", "by", "why"),
    [
        ("volume", None, "Trade has no number 'volume'; it has 'price', 'volume_usd', 'time_ms', 'signed_volume_usd'"),
        ("side", None, "Trade has no number 'side'"),
        ("symbol", None, "Trade has no number 'symbol'"),
        ("datetime", None, "Trade has no number 'datetime'"),
    ],
)
def test_a_field_that_events_lack(field: str, by: Any, why: str) -> None:
    """Known at once where the stream's type is, else at the first event."""
    stage = ops.crosses(field, above=1, by=by)
    known: Hot[Any] = Hot(None, Trade)
    with pytest.raises(ValueError, match=why):
        known.stream.pipe(stage)
    played = play_timeline(stage, [batch(trade())])
    assert isinstance(played.error, ValueError)
    assert why in str(played.error)
    assert notes_of(played.error) == [f"raised in {stage!r} by the event {trade()!r}"]


@pytest.mark.parametrize(
    ("field", "by", "why"),
    [
        ("volume", None, "Sold has no number 'volume'; it has 'usd', 'mean', 'ratio', 'start_ms'"),
        ("exchange", None, "Sold has no number 'exchange'"),
        ("final", None, "Sold has no number 'final'"),
        ("complete", None, "Sold has no number 'complete'"),
        ("usd", "symbol", "Sold has no key field 'symbol'; it has 'exchange': give the window by='symbol' too"),
    ],
)
def test_a_field_that_rows_lack(field: str, by: Any, why: str) -> None:
    stage = ops.crosses(field, above=1, by=by)
    with pytest.raises(ValueError, match=why):
        ops.pipeline(ops.tumbling("1m", Sold), stage)
    played = play_timeline(stage, [Batch(None, 0, (row(1),))])
    assert isinstance(played.error, ValueError)
    assert why in str(played.error)


def test_of_refuses_a_stream_of_other_events_at_once() -> None:
    source: Hot[Any] = Hot(None, Liquidation)
    with pytest.raises(ValueError, match="takes events of type Trade, not Liquidation"):
        source.stream.pipe(ops.crosses("price", above=1, of=Trade))
    with pytest.raises(ValueError, match="Sold has no number 'price'"):
        play(ops.crosses("price", above=1, of=Sold), [Batch(None, 0, (row(1),))])


def test_the_results_before_it_come_first() -> None:
    items: tuple[Any, ...] = (trade(price=9), "text", trade(price=1))
    played = play_timeline(ops.crosses("price", above=5), [Batch(None, 0, items)])
    assert [each.direction for each in played.results] == ["above"]
    assert isinstance(played.error, AttributeError)
    assert notes_of(played.error) == ["raised in crosses('price', above=5) by the event 'text'"]


def test_what_comes_out_is_known() -> None:
    source: Hot[Liquidation] = Hot(None, Liquidation)
    stream = source.stream.pipe(ops.crosses("price", above=5))
    assert stream.event_types == frozenset({ops.Crossing})
    with pytest.raises(ValueError, match=r"takes events \(Liquidation, Trade\), not Crossing"):
        stream.pipe(ops.tumbling("1m"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is tested
    assert play(ops.crosses("price", above=5), [batch(liquidation(price=9))])[0].item == liquidation(price=9)
