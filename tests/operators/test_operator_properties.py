"""What holds for every operator whatever the signals: batches decide nothing, nor does what comes later."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Alive, Batch, Dropped, Liquidation, LiquidationOrders, Signal, Watermark
from cgrx.testing import Timeline, gap, liquidation, play_timeline
from tests.operators.contracts import BEGUN, CLOSING, EARLY, LIFTS, OVER_ROWS, Lift
from tests.windows.windowing import one_by_one

every = pytest.mark.parametrize("lift", LIFTS.values(), ids=LIFTS)
law = settings(max_examples=15, deadline=None)
CHANNEL = LiquidationOrders()


@st.composite
def signals(draw: st.DrawFn) -> list[Signal[Liquidation]]:
    """What a feed could say: events up to three seconds old, proofs, gaps and losses."""
    now = 10_000
    found: list[Signal[Liquidation]] = [BEGUN]
    for kind in draw(st.lists(st.sampled_from("eeeeagd"), max_size=12)):
        now += draw(st.sampled_from([0, 250, 1000, 3500]))
        if kind == "e":
            events = [
                liquidation(
                    draw(st.sampled_from(["long", "short"])),
                    draw(st.sampled_from([100.0, 1_000.0, 6_000.0])),
                    time=(now - 250 * draw(st.integers(0, 12))) / 1000,
                    exchange=draw(st.sampled_from(["Binance", "OKX"])),
                )
                for _ in range(draw(st.integers(1, 4)))
            ]
            found.append(Batch(CHANNEL, now, tuple(events)))
        elif kind == "a":
            found.append(Alive("o", now))
        elif kind == "g":
            found.append(gap((now - 500) / 1000, now / 1000))
        else:
            found.append(Dropped(CHANNEL, 1, "malformed"))
    return found


def told(played: Timeline[Any]) -> list[Any]:
    """The results, as they print, and the marks between them."""
    said: list[Any] = []
    for signal in played.signals:
        said += map(repr, signal.events) if isinstance(signal, Batch) else [signal]
    return said


@pytest.mark.parametrize("name", [name for name in LIFTS if name not in ("merge", "latest_of")])
@given(given_signals=signals())
@law
def test_batching_decides_nothing(name: str, given_signals: list[Signal[Liquidation]]) -> None:
    """The same results and marks in the same order, to the byte.

    Not so where two parts of one stream meet: whole batches of them come in turn.
    """
    lift = LIFTS[name]
    whole = play_timeline(lift, given_signals)
    assert whole.completed
    assert told(play_timeline(lift, one_by_one(given_signals))) == told(whole)


@every
@given(given_signals=signals(), data=st.data())
@law
def test_nothing_depends_on_what_comes_later(
    lift: Lift, given_signals: list[Signal[Liquidation]], data: st.DataObject
) -> None:
    """What has come out after some signals stays the beginning of what comes out in the end."""
    cut = data.draw(st.integers(0, len(given_signals)))
    so_far = told(play_timeline(lift, Timeline(tuple(given_signals[:cut]), completed=False)))
    assert told(play_timeline(lift, given_signals))[: len(so_far)] == so_far


@pytest.mark.parametrize(
    "lift",
    [lift for name, lift in (CLOSING | EARLY | OVER_ROWS).items() if name not in ("bars_updates", "rolling")],
    ids=str,
)
@given(given_signals=signals())
@law
def test_rows_keep_what_a_watermark_promises(lift: Lift, given_signals: list[Signal[Liquidation]]) -> None:
    """None that follows speaks of an earlier time; nor does a watermark go back."""
    promised_ms = 0
    for signal in play_timeline(lift, given_signals).signals:
        if isinstance(signal, Watermark):
            assert signal.time_ms > promised_ms
            promised_ms = signal.time_ms
        elif isinstance(signal, Batch):
            assert all(row.time_ms >= promised_ms for row in signal.events)
