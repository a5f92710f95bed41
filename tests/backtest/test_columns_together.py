"""Windows behind different filters, in columns: what each knew is found for all at once, and is what it is alone."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx._backtest.compile
import cgrx._backtest.runs
from cgrx import operators as ops
from cgrx._backtest.common import Common
from cgrx._backtest.compile import Queries
from cgrx._backtest.plan import Inexpressible, plan
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx.operators import agg
from cgrx.testing import liquidation
from tests.backtest.columns import LIQUIDATIONS, WINDOWS, Build, Said, Source, in_columns, said, small_parts
from tests.backtest.test_columns import SHAPES, TERMS, keys

THRESHOLDS = (0, 0.5, 0.75, 1, 1.5, 1.75, 9)
"""The volumes of events are 0.25 to 2: the last lets none pass."""


def windowed(shape: str, window: str, by: Any, threshold: float, feed: Any) -> Any:
    stage = WINDOWS[window](by=by, n=agg.count(), usd=agg.volume(), share=agg.share(), **TERMS)
    return SHAPES[shape](feed).pipe(ops.min_volume(threshold), stage)


def told(run: Any) -> tuple[Any, str | None]:
    """The rows, or why there are none in columns."""
    try:
        return run().frame, None
    except Inexpressible as why:
        return None, str(why)


def assert_as_alone(builds: Sequence[Build], recorded: Said) -> None:
    queries = Queries(Source({}, recorded).tell, Common([plan(build) for build in builds]))
    for build in builds:
        with small_parts():
            frame, why = told(partial(queries.run, plan(build)))
        expected, expected_why = told(partial(in_columns, build, recorded))
        assert why == expected_why
        assert frame is expected is None or frame.equals(expected, null_equal=True)


@given(said(), st.sampled_from(list(SHAPES)), st.sampled_from(list(WINDOWS)), st.sampled_from(list(WINDOWS)), keys)
@settings(max_examples=6, deadline=None)
def test_as_alone(recorded: Said, shape: str, window: str, other: str, by: Any) -> None:
    """With disorder, late events, gaps, losses, slow clocks, idle sources, connections; windows of several kinds."""
    assert_as_alone(
        [partial(windowed, shape, each, by, threshold) for threshold in THRESHOLDS for each in (window, other)],
        recorded,
    )


@given(said(disorder=60, channels=(LIQUIDATIONS,)), st.sampled_from(list(WINDOWS)))
@settings(max_examples=5, deadline=None)
def test_late_events_of_some(recorded: Said, window: str) -> None:
    """Where the events of some come too late, and those of others do not."""
    assert_as_alone([partial(windowed, "one channel", window, "exchange", each) for each in THRESHOLDS], recorded)


FILTERS: dict[str, Any] = {
    "all": ops.pipeline(ops.min_volume(0), ops.max_volume(100)),
    "large": ops.min_volume(1),
    "small": ops.max_volume(1),
    "other exchanges": ops.pipeline(ops.exchange("B", "C"), ops.min_volume(0.5)),
    "one exchange": ops.pipeline(ops.exchange("A"), ops.max_volume(1.5)),
    "none": ops.pipeline(ops.min_volume(9), ops.exchange("A")),
}
"""Some have no events in common, and some have other fields."""


def behind(shape: str, window: str, by: Any, chosen: str, feed: Any) -> Any:
    stage = WINDOWS[window](by=by, n=agg.count(), usd=agg.volume(), open=agg.open(), median=agg.median(), **TERMS)
    return SHAPES[shape](feed).pipe(FILTERS[chosen], stage)


@given(said(disorder=8), st.sampled_from(list(SHAPES)), st.sampled_from(list(WINDOWS)), keys, st.integers(1, 60))
@settings(max_examples=6, deadline=None)
def test_filters_of_several_kinds(recorded: Said, shape: str, window: str, by: Any, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgrx._backtest.runs, "MOST_REPEATED", most)
        assert_as_alone([partial(behind, shape, window, by, chosen) for chosen in FILTERS], recorded)


def test_an_event_that_could_be_late() -> None:
    """It came too far ahead of its receive time to be seen at a glance: windows of both kinds are walked together."""
    lost = Gap(LIQUIDATIONS, 0, 0, "subscribed")
    events = (Batch(LIQUIDATIONS, 0, (liquidation("long", 0.25, time=time),)) for time in (0, 0.015))
    assert_as_alone(
        [partial(windowed, "one channel", window, "exchange", 0) for window in ("tumbling", "sliding")],
        [(LIQUIDATIONS, lost), *((LIQUIDATIONS, batch) for batch in events)],
    )


@pytest.mark.parametrize("window", list(WINDOWS))
def test_the_one_that_fits_has_its_own_events_alone(window: str) -> None:
    """Where all the others are too many beside it."""
    lost = Gap(LIQUIDATIONS, 0, 0, "subscribed")
    small = Batch(LIQUIDATIONS, 0, (liquidation("long", 0.25, time=0), liquidation("long", 0.25, time=0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgrx._backtest.runs, "MOST_REPEATED", 1)
        builds = [partial(behind, "one channel", window, (), chosen) for chosen in FILTERS]
        assert_as_alone(builds, [(LIQUIDATIONS, lost), (LIQUIDATIONS, small)])


@pytest.mark.soak
@given(
    said(disorder=25),
    st.sampled_from(list(SHAPES)),
    st.sampled_from(list(WINDOWS)),
    st.sampled_from(list(WINDOWS)),
    keys,
)
@settings(max_examples=2000, deadline=None)
def test_as_alone_at_length(recorded: Said, shape: str, window: str, other: str, by: Any) -> None:
    """The same for thousands of logs."""
    assert_as_alone(
        [partial(windowed, shape, each, by, threshold) for threshold in THRESHOLDS for each in (window, other)],
        recorded,
    )


@pytest.mark.thorough  # it takes seconds
@given(said(), st.integers(1, 20))
@settings(max_examples=5, deadline=None)
def test_not_more_at_once_than_memory_holds(recorded: Said, most: int) -> None:
    """Those that are too many for one go wait for the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgrx._backtest.compile, "MOST_EVENTS", most)
        assert_as_alone([partial(windowed, "one channel", "tumbling", (), each) for each in THRESHOLDS], recorded)


def test_clocks_that_are_too_far_off_for_some() -> None:
    """The large events are of an exchange whose clock is a minute ahead: columns give those of the small ones alone."""
    recorded: list[Any] = [(LIQUIDATIONS, Gap(LIQUIDATIONS, 0, 5, "subscribed"))]
    for now in range(10, 400, 10):
        ahead = 60_000 if now > 200 else 0
        event = liquidation(volume_usd=3 if ahead else 1, time=(now + ahead) / 1000, exchange="B" if ahead else "A")
        recorded += [(LIQUIDATIONS, Batch(LIQUIDATIONS, now, (event,))), (LIQUIDATIONS, Alive("o", now))]
    recorded.append((LIQUIDATIONS, Batch(LIQUIDATIONS, 400, (liquidation(volume_usd=9, time=0.4),))))
    builds = [partial(windowed, "one channel", "tumbling", (), threshold) for threshold in (0, 2, 9)]
    assert_as_alone(builds, recorded)
    assert "further apart" in str(told(partial(in_columns, builds[1], recorded))[1])
    assert told(partial(in_columns, builds[2], recorded))[1] is None


@pytest.mark.parametrize("most", [20, 1_000_000])
def test_losses_among_the_events(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stream with losses is seen through at a glance, but one without events."""
    monkeypatch.setattr(cgrx._backtest.compile, "MOST_EVENTS", most)
    recorded: list[Any] = [(LIQUIDATIONS, Gap(LIQUIDATIONS, 0, 5, "subscribed"))]
    for number in range(40):
        now = 10 + 4 * number
        event = liquidation(volume_usd=(number % 8 + 1) / 4, time=now / 1000, exchange="AB"[number // 10 % 2])
        recorded += [(LIQUIDATIONS, Batch(LIQUIDATIONS, now, (event,))), (LIQUIDATIONS, Alive("o", now))]
        if number % 15 == 9:
            recorded.append((LIQUIDATIONS, Dropped(LIQUIDATIONS, 2, "malformed")))
    builds = [partial(windowed, "one channel", "tumbling", "exchange", threshold) for threshold in THRESHOLDS]
    assert_as_alone(builds, recorded)
    assert all(told(partial(in_columns, build, recorded))[1] is None for build in builds)
