"""Windows over rows as values, and what is refused."""

import pickle
from typing import Any, cast

import pytest

import cgrx
from cgrx import Batch
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import alive, batch, play, trade
from tests.windows.stacking import BEGUN, Long, Short, at, row, tall

LOOSE = cast(Any, agg)

# --- what is refused ------------------------------------------------------------------------------------------------

MINUTES = ops.tumbling("1m", Short)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.pipeline(ops.tumbling("7m", Short), tall("1h")), r'"7m", Short\) do not: some reach across'),
        (lambda: ops.pipeline(ops.sliding("2m", "1m", Short), tall("1h")), "they overlap"),
        (lambda: ops.pipeline(ops.session("1m", Short), tall("1h")), "they lie on no grid of time"),
        (lambda: ops.pipeline(ops.count_bars(3, Short), ops.final(), tall("1h")), "they lie on no grid of time"),
        (lambda: ops.pipeline(MINUTES, ops.tumbling("1h", Long, offset="30s")), "some reach across"),
        (lambda: ops.pipeline(ops.tumbling("1d", Short), tall("1d", zone="Europe/Berlin")), "some reach across"),
        (lambda: ops.pipeline(MINUTES, ops.sliding("90s", "30s", Long)), "some reach across"),
        (lambda: ops.pipeline(ops.tumbling("1m", by="exchange"), tall("1h")), "Flow has no number 'open'; it has"),
        (lambda: ops.pipeline(ops.tumbling("1m", ops.Flow), tall("1h")), "Flow has no key field 'exchange'"),
        (lambda: ops.pipeline(MINUTES, ops.tumbling("1h", n=agg.first("symbol"))), "not Short; over rows"),
        (
            lambda: ops.pipeline(MINUTES, ops.tumbling("1h", n=agg.first("symbol"), m=agg.sum("n"))),
            "Short has no number 'symbol'",
        ),
        (lambda: ops.pipeline(MINUTES, ops.tumbling("1h", n=agg.count())), "a field of theirs, such as agg.sum"),
        (lambda: ops.pipeline(ops.side("long"), tall("1h")), "takes rows, not Liquidation: open=agg.first"),
        (lambda: ops.session("1m", Long), "reads a field of rows, and this window takes events"),
        (lambda: ops.tumbling("1m", n=agg.rank("n")), r"n=agg.rank\(\"n\"\) is for ops.rolling"),
        (lambda: ops.tumbling("1m", n=agg.sum("n"), v=agg.vwap()), r"v=agg.vwap\(\) reads events, and n=agg.sum"),
        (lambda: ops.tumbling("1m", n=agg.sum("n"), v=agg.count(side="long")), "reads events, and n="),
        (lambda: agg.sum("volume_usd"), r"agg.sum\(field='volume_usd'\) takes the name of a number of the rows"),
        (lambda: agg.mean("volume", weight="price"), r"agg.mean\(weight='price'\) takes the name of a number"),
        (lambda: LOOSE.mean("volume", weight="n", side="long"), "reads rows, which have no side"),
        (lambda: LOOSE.max("high", side="long"), r"agg.max\(field='high'\) takes 'price', 'volume_usd', 'time_ms'$"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_refused_when_built(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_windows_of_the_calendar_fit_where_each_begins_with_one_beneath() -> None:
    hours = ops.tumbling("1h", Short)
    ops.pipeline(hours, tall("1mo", zone="America/New_York"))
    ops.pipeline(ops.tumbling("1d", Short, zone="America/New_York"), tall("1q", zone="America/New_York"))
    with pytest.raises(ValueError, match="some reach across"):
        ops.pipeline(ops.tumbling("1w", Short), tall("1mo"))


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (lambda: Batch(None, 1, (row(1000, 3500),)), "this one reaches from 1000 to 4500, across 4000"),
        (lambda: at(1), "takes rows, not Liquidation"),
        (lambda: batch(trade(time=1)), "takes rows, not Trade"),
        (lambda: Batch(None, 1, (1,)), r"takes rows, not int: .* \(none\)"),
        (lambda: Batch(None, 1, (row(0),)), "no number 'm'"),
    ],
)  # fmt: skip
def test_what_is_found_at_the_first_row(signal: Any, message: str) -> None:
    field = "m" if "'m'" in message else "n"
    with pytest.raises(ValueError, match=message) as raised:
        play(ops.tumbling("4s", n=agg.sum(field)), [BEGUN, signal()])
    assert any("raised in tumbling" in note for note in raised.value.__notes__)


def test_what_cannot_be_added_up_is_an_error() -> None:
    with pytest.raises(ValueError, match="n=inf cannot be added up: it is not finite"):
        play(ops.tumbling("4s", n=agg.sum("n")), [BEGUN, Batch(None, 1, (row(0, n=float("inf")),))])


def test_too_many_keys() -> None:
    with pytest.raises(cgrx.TooManyKeysError):
        play(
            ops.pipeline(ops.tumbling("1s", Short), tall("2s", max_keys=1)),
            [BEGUN, at(0.5), at(0.5, exchange="OKX"), alive("9s")],
        )


# --- as a value -----------------------------------------------------------------------------------------------------


def test_it_is_a_value() -> None:
    stage = ops.pipeline(ops.tumbling("1m", Short), ops.tumbling("1h", Long, updates="1m"))
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert hash(stage) == hash(ops.pipeline(ops.tumbling("1m", Short), ops.tumbling("1h", Long, updates="1m")))
    assert repr(stage) == 'pipeline(tumbling("1m", Short), tumbling("1h", Long, updates="1m"))'
    keyed = ops.tumbling(
        "1h", by="exchange", a=agg.mean("close", weight="volume"), b=agg.change("close"), c=agg.sum("n")
    )
    assert repr(keyed) == (
        'tumbling("1h", by="exchange", a=agg.mean("close", weight="volume"), b=agg.change("close"), c=agg.sum("n"))'
    )
    assert pickle.loads(pickle.dumps(keyed)) == keyed


def test_a_running_window_pickles() -> None:
    """With what it holds of rows."""
    partial: Any = Long.accumulator()
    partial.add(Short.from_values((0, 1000, "A", 1.0, 2.0, 0.5, 1.5, 10.0, -1.0, 3, 0, 0, 0, True, True)))
    again = pickle.loads(pickle.dumps(partial))
    assert again.values() == partial.values() == (1.0, 2.0, 0.5, 1.5, 10.0, -1.0, 3)


def test_it_explains_itself() -> None:
    told = cgrx.explain(ops.pipeline(ops.tumbling("1m", Short), ops.tumbling("1h", Long)))
    assert "the latest row of each window beneath that is open" in str(told)
    assert told.about[1].delay_ms == 0
