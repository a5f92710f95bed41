"""A pipeline in columns gives the rows that it gives event by event, or says that it does not."""

import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx._backtest.compile import Columnar
from cgrx._backtest.plan import Inexpressible
from cgrx._backtest.results import as_rows, as_table
from cgrx._model.channels import Channel
from cgrx._model.events import Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._streams.stream import EventStream
from cgrx.operators import agg
from tests.backtest.columns import (
    AGGREGATES,
    LIQUIDATIONS,
    TRADES,
    WINDOWS,
    Build,
    Said,
    assert_same,
    by_events,
    in_columns,
    said,
)
from tests.choosing import one_in
from tests.support import examples
from tests.windows.windowing import trade

TERMS: dict[str, Any] = {"lateness": "10ms", "idle": "15ms"}


def trades(feed: Any) -> Any:
    return feed.futures_trades(TRADES.exchange, TRADES.symbol, min_volume=0)


def merged(*streams: Any) -> EventStream[Any]:
    return cgrx.merge(*streams)


SHAPES: dict[str, Build] = {
    "one channel": lambda feed: feed.liquidations(),
    "filtered": lambda feed: feed.liquidations().pipe(
        ops.min_volume(0.5), ops.max_volume(1.75), ops.exchange("a", "C"), ops.symbol("x"), ops.base_asset("btc", "eth")
    ),
    "two channels": lambda feed: merged(feed.liquidations().pipe(ops.side("long")), trades(feed)),
    "one channel twice": lambda feed: merged(feed.liquidations(), feed.liquidations().pipe(ops.side("short"))).share(),
    "three streams": lambda feed: merged(
        merged(trades(feed), feed.liquidations()), trades(feed).pipe(ops.side("buy"))
    ).pipe(ops.min_volume(0.5)),
    "ordered": lambda feed: cgrx.merge_exchanges(feed.liquidations(), trades(feed), max_delay="20ms"),
    "one in order": lambda feed: cgrx.merge_exchanges(feed.liquidations(), max_delay="9ms").pipe(ops.min_volume(0.5)),
    "waiting": lambda feed: cgrx.merge_exchanges(trades(feed), feed.liquidations(), max_delay=math.inf),
    "deduplicated": lambda feed: merged(feed.liquidations(), trades(feed)).pipe(ops.dedupe("20ms")),
    "deduplicated by fields": lambda feed: feed.liquidations().pipe(ops.dedupe("30ms", ("exchange", "symbol"))),
}


def attempt(build: Build, recorded: Said) -> Columnar | str:
    """What the columns give, or why they do not."""
    try:
        return in_columns(build, recorded)
    except Inexpressible as inexpressible:
        return str(inexpressible)


def assert_same_or_declined(build: Build, recorded: Said) -> None:
    """Either the columns say that they cannot, or the rows are equal, as objects and as a table."""
    expected = by_events(build, recorded)
    found = attempt(build, recorded)
    if isinstance(found, str):
        assert re.search("late|says nothing|gaps or losses|several connections", found)
        return
    rows = as_rows(found.frame, found.window.rows.type)
    assert_same(rows, expected)
    assert all(row.late == 0 for row in expected)
    if expected:
        table, in_columns = cgrx.to_frame(rows, final_only=False), as_table(found.frame, found.window.rows.type)
        assert in_columns.schema == table.schema
        assert in_columns.equals(table)


keys = st.sampled_from([(), "exchange", "symbol", ("exchange", "symbol"), ("base_asset", "exchange")])


def assert_quality(recorded: Said, shape: str, window: str, by: Any) -> None:
    stage = WINDOWS[window](by=by, n=agg.count(), usd=agg.volume(), **TERMS)
    assert_same_or_declined(lambda feed: SHAPES[shape](feed).pipe(stage), recorded)


@given(said(), st.sampled_from(list(SHAPES)), st.sampled_from(list(WINDOWS)), keys)
@settings(max_examples=examples(25), deadline=None)
def test_rows_and_their_quality(recorded: Said, shape: str, window: str, by: Any) -> None:
    """Columns give them too, with gaps, losses, idle sources, one connection or two; or decline, as for late events."""
    assert_quality(recorded, shape, window, by)


@given(said(), st.sampled_from(list(WINDOWS)))
@settings(max_examples=examples(10), deadline=None)
def test_thresholds_behind_the_window(recorded: Said, window: str) -> None:
    """They take the rows that the columns gave, in the order in which a stream gives them."""
    stage = WINDOWS[window](by="exchange", n=agg.count(), **TERMS)

    def build(feed: Any) -> Any:
        return feed.liquidations().pipe(stage, ops.crosses("n", above=2), ops.cooldown("30ms"))

    try:
        found = in_columns(build, recorded)
    except Inexpressible:
        return
    expected = by_events(build, recorded)
    assert found.results() == tuple(expected)


@pytest.mark.soak
@given(said(), st.sampled_from(list(SHAPES)), st.sampled_from(list(WINDOWS)), keys)
@settings(max_examples=5000, deadline=None)
def test_rows_and_their_quality_at_length(recorded: Said, shape: str, window: str, by: Any) -> None:
    """The same for thousands of logs."""
    assert_quality(recorded, shape, window, by)


@pytest.mark.parametrize("channel", [cgrx.LiquidationOrders(), cgrx.FuturesTrades("A", "X", 0)])
def test_the_gap_of_an_unheard_input_is_known_before_the_proof_that_ends_it(channel: cgrx.Channel) -> None:
    """Also where a loss follows, after which the columns go another way."""
    liquidations, trades = cgrx.LiquidationOrders(), cgrx.FuturesTrades("A", "X", 0)
    event = cgrx.Liquidation("BTC", "A", "X", cgrx.LiquidationSide.LONG, 0.25, 0.25, 0)
    recorded: Said = [
        (liquidations, cgrx.Batch(liquidations, 0, (event,))),
        (liquidations, cgrx.Alive("o", 20)),
        (trades, cgrx.Alive("o", 20)),
        (channel, cgrx.Dropped(channel, 1, "malformed")),
    ]
    assert_quality(recorded, "two channels", "session", ())


@pytest.mark.parametrize("window", WINDOWS)
@given(recorded=said(disorder=8), shape=st.sampled_from(["one channel", "two channels"]), by=keys)
@settings(max_examples=4, deadline=None)
def test_every_aggregate(window: str, recorded: Said, shape: str, by: Any) -> None:
    """Columns compute it as the loop over events does."""
    stage = WINDOWS[window](by=by, **AGGREGATES, **TERMS)
    assert_same_or_declined(lambda feed: SHAPES[shape](feed).pipe(stage), recorded)


@given(said(disorder=60, channels=(LIQUIDATIONS,)), st.sampled_from(list(WINDOWS)))
@settings(max_examples=examples(12), deadline=None)
def test_late_events_are_never_overlooked(recorded: Said, window: str) -> None:
    """Where the disorder is large, the columns give the same or say that they cannot."""
    assert_quality(recorded, "one channel", window, "exchange")


@given(said(channels=(LIQUIDATIONS,)))
@settings(max_examples=4, deadline=None)
def test_sides_are_keys_too(recorded: Said) -> None:
    """Rows by side are equal, in their order too."""
    assert_same_or_declined(
        lambda feed: feed.liquidations().pipe(ops.tumbling("20ms", by=("side", "symbol"), **TERMS)), recorded
    )


def event(channel: Channel, n: int) -> Any:
    """The n-th event of a log: all names and sides turn up, and times are somewhat out of order."""
    kind: Any = Liquidation if channel == LIQUIDATIONS else Trade
    side: Any = LiquidationSide if channel == LIQUIDATIONS else TradeSide
    names = ("BTC" if n % 3 else "ETH", "A" if n % 5 < 3 else "B", "X" if n % 7 < 4 else "Y")
    return kind(*names, side(1 + n % 4 // 2), 1 + n % 11 / 4, 0.25 + n % 8 / 4, 5 * n - n % 4)


def log(*origins: str) -> Said:
    """Both channels in turns, with a gap, a loss, and proofs of these connections in turns."""
    both = (LIQUIDATIONS, TRADES)
    found: list[tuple[Channel, Signal[Any]]] = [(channel, Gap(channel, 0, 1, "subscribed")) for channel in both]
    for n in range(1, 80):
        channel = both[n % 2]
        found.append((channel, Batch(channel, 5 * n, (event(channel, n),))))
        if n % 6 == 0:
            found += [(each, Alive(origins[n // 6 % len(origins)], 5 * n)) for each in both]
        if n == 30:
            found.append((channel, Gap(channel, 5 * n - 7, 5 * n, "disconnected")))
        if n == 40:
            found += [(each, Dropped(None, 1, "malformed")) for each in both]
    return found


@pytest.mark.parametrize("origins", ["o", "op"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_on_one_log(shape: str, origins: str) -> None:
    """Of pipeline, with the proofs of one connection and of two."""
    assert_quality(log(*origins), shape, "tumbling", ("exchange", "symbol"))


@pytest.mark.parametrize("recorded", [log("o")[2:], [each for each in log("o") if each[0] == TRADES]])
@pytest.mark.parametrize("shape", ["one channel", "two channels"])
def test_a_channel_that_is_not_announced_or_silent(recorded: Said, shape: str) -> None:
    """Without the gaps of the beginning, and without one channel: the rows are equal, or columns decline."""
    assert_quality(recorded, shape, "tumbling", "exchange")


@pytest.mark.parametrize(
    ("shape", "by"), one_in(2, [("one channel", ("exchange", "side")), ("two channels", "exchange")])
)
@pytest.mark.parametrize("window", WINDOWS)
def test_every_aggregate_on_one_log(window: str, shape: str, by: Any) -> None:
    """In columns indeed."""
    stage = WINDOWS[window](by=by, **AGGREGATES, **TERMS)

    def build(feed: Any) -> Any:
        return SHAPES[shape](feed).pipe(stage)

    assert isinstance(attempt(build, log("o")), Columnar)
    assert_same_or_declined(build, log("o"))


@pytest.mark.parametrize("window", WINDOWS)
def test_an_aggregate_may_have_any_name(window: str) -> None:
    """Also one that columns use themselves."""
    names = dict.fromkeys(("run", "holders", "price", "name", "place", "close_ms", "watermark"), agg.volume())
    stage = WINDOWS[window](by="exchange", parts=agg.share("symbol"), **names, **TERMS)
    assert isinstance(attempt(lambda feed: feed.liquidations().pipe(stage), log("o")), Columnar)
    assert_same_or_declined(lambda feed: feed.liquidations().pipe(stage), log("o"))


@pytest.mark.parametrize("make", [agg.median, agg.count_distinct])
def test_a_sketch_is_not_for_columns(make: Any) -> None:
    """Up to its bound an aggregate is exact, in columns too; with one value more a sketch's, and they say so."""

    def build(exact: float) -> Build:
        stage = WINDOWS["sliding"](by="exchange", n=make("volume_usd", exact=exact), **TERMS)
        return lambda feed: feed.liquidations().pipe(stage)

    counted = WINDOWS["sliding"](by="exchange", n=agg.count_distinct("volume_usd", exact=math.inf), **TERMS)
    most = max(row.n for row in by_events(lambda feed: feed.liquidations().pipe(counted), log("o")))
    assert_same_or_declined(build(most), log("o"))
    assert isinstance(attempt(build(most), log("o")), Columnar)
    declined = attempt(build(most - 1), log("o"))
    assert re.search(r'"volume_usd", exact=\d+\): some row has so many values that a sketch', str(declined))


def at(channel: Any, received_ms: int, *times_ms: int) -> tuple[Any, Any]:
    return channel, Batch(channel, received_ms, tuple(trade(time_ms) for time_ms in times_ms))


TWO = [(TRADES, Gap(TRADES, 0, 0, "subscribed")), at(TRADES, 50, 40), at(TRADES, 60, 55), at(TRADES, 90, 80)]


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ([*TWO, (TRADES, Alive("o", 90)), (TRADES, Alive("p", 91))], "several connections"),
        ([*TWO, at(TRADES, 100, 75)], "1 event may come too late for merge_exchanges"),
        ([*TWO, (TRADES, Gap(TRADES, 80, 95, "disconnected"))], "gaps or losses"),
        (TWO, ""),
    ],
)
@pytest.mark.parametrize("max_delay", ["20ms", math.inf])
def test_an_order_that_columns_cannot_keep(recorded: Said, reason: str, max_delay: Any) -> None:
    def build(feed: Any) -> Any:
        return cgrx.merge_exchanges(trades(feed), max_delay=max_delay).pipe(ops.tumbling("20ms", **TERMS))

    found = attempt(build, recorded)
    assert reason in found if isinstance(found, str) else not reason
    assert_same_or_declined(build, recorded)
