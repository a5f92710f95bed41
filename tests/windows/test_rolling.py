"""The last n rows of a key: equal to what fractions say of them, whatever has passed before."""

import math
import pickle
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Batch, Signal, Watermark
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, dropped, gap, play
from tests.support import examples
from tests.windows.stacking import BEGUN, One, Short, at, heard, row

EVENTS = cast(Any, ops.side("long"))


class Looked(ops.Row):
    """All that looks back."""

    n = agg.count()
    value = agg.last("n")
    mean = agg.mean("n")
    stddev = agg.stddev("n")
    zscore = agg.zscore("n")
    rank = agg.rank("n")
    change = agg.change("n")
    least = agg.min("n")
    total = agg.sum("n")


def rows_of(values: Sequence[float | None]) -> list[Signal[Any]]:
    return [BEGUN, *(Batch(None, index, (row(index * 1000, n=value),)) for index, value in enumerate(values))]


def root(square: Fraction) -> float:
    """A square root, to 60 digits and then rounded."""
    scale = 10**120
    return float(Fraction(math.isqrt(square.numerator * scale // square.denominator), 10**60))


def assert_exact(found: ops.Row, values: Sequence[float]) -> None:
    """Each to one rounding."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction(0)) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction(0)) / len(exact)
    assert found["n"] == len(values)
    assert found["value"] == values[-1]
    assert found["mean"] == float(mean)
    assert found["stddev"] == pytest.approx(root(variance), rel=1e-15)
    if variance:
        zscore = root((exact[-1] - mean) ** 2 / variance) * (1 if exact[-1] > mean else -1)
        assert found["zscore"] == pytest.approx(zscore, rel=1e-15, abs=1e-60)
    else:
        assert found["zscore"] is None
    assert found["rank"] == sum(value <= values[-1] for value in values)
    assert found["change"] == values[-1] - values[0]
    assert found["least"] == min(values)
    assert found["total"] == float(sum(exact, Fraction(0)))


@given(st.lists(st.floats(-1e12, 1e12).map(lambda x: round(x, 6)), max_size=30), st.integers(2, 7))
@settings(max_examples=examples(40), deadline=None)
def test_each_row_is_about_the_last_n(values: list[float], n: int) -> None:
    found = play(ops.rolling(n, Looked), rows_of(values))
    assert len(found) == max(0, len(values) - n + 1)
    for index, made in enumerate(found):
        assert_exact(made, values[index : index + n])
        assert (made.start_ms, made.end_ms) == (index * 1000, (index + n) * 1000)
        assert made.complete


def test_nothing_drifts() -> None:
    """Numbers of sixteen digits come and go, and leave no trace in the small ones behind them."""
    values = [1e16 if index % 7 == 3 else 0.1 * (index % 5) for index in range(3000)] + [0.1, 0.2, 0.3, 0.4, 0.5]
    assert_exact(play(ops.rolling(5, Looked), rows_of(values))[-1], values[-5:])


def test_each_key_has_its_own() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short), ops.rolling(2, by="exchange", n=agg.sum("n")))
    said: list[Signal[Any]] = [BEGUN]
    for second in range(3):
        said += [at(second + 0.1, second + 0.2), at(second + 0.3, exchange="OKX")]
    found = heard(made, [*said, alive("1m")])
    assert [(each.exchange, each.start_ms, each["n"]) for each in found] == [
        ("Binance", 0, 4),
        ("OKX", 0, 2),
        ("Binance", 1000, 4),
        ("OKX", 1000, 2),
    ]


def test_several_keys_and_none() -> None:
    made = ops.tumbling("1s", by=("exchange", "symbol"), n=agg.count())
    said = [BEGUN, at(0.5), at(1.5), at(2.5), alive("9s")]
    for by in (("exchange", "symbol"), ("symbol", "exchange"), ()):
        found = heard(ops.pipeline(made, ops.rolling(3, by=by, n=agg.sum("n"))), said)
        assert [[each["n"], *(each[name] for name in by)] for each in found] == [
            [3, *({"exchange": "Binance", "symbol": "BTCUSDT"}[name] for name in by)]
        ]


def test_a_value_that_is_none_is_passed_over() -> None:
    """Or not a number; the row counts."""
    found = play(ops.rolling(3, Looked), rows_of([1.0, None, 3.0, math.nan, None, None]))
    assert [(each.n, each.mean, each.rank) for each in found] == [
        (3, 2.0, 2),
        (3, 3.0, 1),
        (3, 3.0, 1),
        (3, None, None),
    ]
    assert [(each.zscore, each.change, each.stddev) for each in found][-1] == (None, None, None)


def test_running_rows_and_those_cut_short_take_no_part() -> None:
    rows = (row(0, n=1), row(1000, n=9, final=False), row(1000, n=2), row(2000, n=9, final=False))
    found = heard(ops.rolling(2, Looked), [BEGUN, Batch(None, 1, rows)])
    assert [(each.total, each.final) for each in found] == [(3, True)]


# --- what was missed ------------------------------------------------------------------------------------------------


def test_what_is_missing_between_the_rows_counts() -> None:
    """Also where there is no row; what the rows say beyond the marks; a loss once."""
    stage = ops.rolling(2, Looked, lateness=0)
    found = heard(stage, [BEGUN, Batch(None, 1, (row(0),)), gap("2s", "3s"), Batch(None, 2, (row(5000), row(6000)))])
    assert [(each.gap_ms, each.complete) for each in found] == [(1000, False), (0, True)]
    told = (row(0, gap_ms=100, dropped=2, late=1), row(1000, gap_ms=50, dropped=2, late=3), row(2000), row(3000))
    found = heard(stage, [BEGUN, Batch(None, 1, told)])
    assert [(each.gap_ms, each.dropped, each.late) for each in found] == [(150, 2, 3), (50, 2, 3), (0, 0, 3)]
    found = heard(stage, [BEGUN, Batch(None, 1, (row(0),)), dropped(3), Batch(None, 2, (row(1000),))])
    assert [(each.dropped, each.complete) for each in found] == [(3, False)]
    found = heard(stage, [Batch(None, 1, (row(0), row(1000)))])
    assert [(each.gap_ms, each.complete) for each in found] == [(None, False)]


def test_gaps_that_no_row_needs_are_forgotten() -> None:
    running: Any = ops.rolling(2, Looked, lateness=0).start()
    for second in range(500):
        list(running.on_signal(gap(second + 0.5, second + 0.6)))
        list(running.on_signal(Batch(None, second * 1000, (row(second * 1000),))))
    assert len(running._beneath._missing) < 100
    untouched: Any = ops.rolling(2, Looked, lateness=0).start()
    for second in range(500):
        list(untouched.on_signal(gap(second + 0.5, second + 0.6)))
        list(untouched.on_signal(Watermark(second * 1000)))
    assert len(untouched._beneath._missing) < 100


# --- bounds and mistakes --------------------------------------------------------------------------------------------


def test_too_many_keys() -> None:
    made = ops.pipeline(ops.tumbling("1s", Short), ops.rolling(2, by="exchange", n=agg.sum("n"), max_keys=1))
    with pytest.raises(cgrx.TooManyKeysError) as raised:
        heard(made, [BEGUN, at(0.5), at(0.5, exchange="OKX"), alive("9s")])
    assert any("raised in rolling" in note for note in raised.value.__notes__)


def test_what_it_keeps() -> None:
    running: Any = ops.rolling(3, Looked).start()
    for second in range(100):
        list(running.on_signal(Batch(None, second * 1000, (row(second * 1000),))))
    assert running.stats.keys == 1
    (key,) = running._keys.values()
    assert len(key.rows) == 3
    assert all(len(each._ordered) == 3 for each in key.ordered.values())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ops.rolling(1, Looked), ValueError, "n=1 takes a number of rows, 2 or more"),
        (lambda: ops.rolling(True, Looked), TypeError, "n=True takes a number of rows"),
        (lambda: ops.rolling(cast(Any, 2.5), Looked), TypeError, "n=2.5 takes a number of rows"),
        (lambda: ops.rolling(2), ValueError, r"rolling\(2\) needs an aggregate of the rows that it looks back on"),
        (lambda: ops.rolling(2, ops.Bar, by=("exchange", "symbol")), ValueError, "needs an aggregate of the rows"),
        (lambda: ops.pipeline(ops.tumbling("1s"), ops.rolling(2, Looked)), ValueError, "Flow has no number 'n'"),
        (lambda: ops.pipeline(EVENTS, ops.rolling(2, Looked)), ValueError, "takes rows, not Liquidation"),
        (
            lambda: heard(ops.rolling(2, n=agg.sum("m")), [BEGUN, Batch(None, 1, (row(0),))]),
            ValueError,
            "no number 'm'",
        ),
        (lambda: ops.rolling(2, Looked, max_keys=0), ValueError, "max_keys=0"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_it_is_a_value() -> None:
    stage = ops.rolling(20, by="exchange", z=agg.zscore("volume"), r=agg.rank("volume"))
    assert repr(stage) == 'rolling(20, by="exchange", z=agg.zscore("volume"), r=agg.rank("volume"))'
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(pickle.loads(pickle.dumps(stage))) == hash(stage)
    assert "last 20 rows of each key" in str(cgrx.explain(stage))
    assert cgrx.explain(stage).about[0].bound == 100_000
    assert isinstance(One(start_ms=0, end_ms=1, n=1), ops.Row)
