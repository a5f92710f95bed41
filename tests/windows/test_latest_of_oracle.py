"""Joins against their definition, on generated events, and against polars on the recorded ones."""

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import Alive, Batch, Signal
from cgrx import operators as ops
from cgrx.operators._windows.joining import Joining
from cgrx.testing import alive, gap, liquidation, play, trade
from tests.recordings import AS_FAR_AS, RECORDINGS, REQUIRED, TRADES, Recording, channel_of, decoded
from tests.support import examples
from tests.windows.joins import Two, one_each

LATENESS_MS = 2000
BEGUN = gap(0, 0)
END = (alive("900s", origin="o"), alive("901s", origin="o"))


def fields(event: Any) -> tuple[Any, ...]:
    return event.time_ms, event.price, event.volume_usd, int(event.side), event.exchange, event.symbol


def reference(items: Iterable[Any], others: Sequence[Any], max_age_ms: int) -> list[tuple[Any, Any]]:
    """By definition: of those of the key that are not later and not too old, the greatest in time and all fields."""
    pairs: list[tuple[Any, Any]] = []
    for item in items:
        found = [
            other
            for other in others
            if other.base_asset == item.base_asset and 0 <= item.time_ms - other.time_ms <= max_age_ms
        ]
        pairs.append((item, max(found, key=fields, default=None)))
    return sorted(pairs, key=repr)


def pairs_of(results: Iterable[ops.Joined[Any, Any]]) -> list[tuple[Any, Any]]:
    return sorted(((each.item, each.latest) for each in results), key=repr)


def arrivals(draw: st.DrawFn, make: Any, which: int, channel: Any) -> list[tuple[int, Signal[Any]]]:
    """Events with their times of receipt, none later than the lateness."""
    found: list[tuple[int, Signal[Any]]] = []
    for _ in range(draw(st.integers(0, 10))):
        time_ms = 10_000 + 250 * draw(st.integers(0, 60))
        received_ms = time_ms + draw(st.integers(0, LATENESS_MS))
        event = make(
            time=time_ms / 1000,
            price=draw(st.sampled_from([1.0, 2.0])),
            exchange=draw(st.sampled_from("AB")),
            base_asset=draw(st.sampled_from(["BTC", "ETH"])),
        )
        found.append((which, Batch(channel, received_ms, (event,))))
    return found


@st.composite
def said(draw: st.DrawFn) -> list[tuple[int, Signal[Any]]]:
    """What two streams say, in the order of receipt, with proofs of life between."""
    sample = liquidation(), trade(exchange="A")
    signals = arrivals(draw, liquidation, 0, channel_of(sample[0]))
    signals += arrivals(draw, trade, 1, channel_of(sample[1]))
    signals += [
        (which, Alive("o", at_ms))
        for at_ms in draw(st.lists(st.integers(10_000, 30_000), max_size=4))
        for which in (0, 1)
    ]
    return sorted(signals, key=lambda each: each[1].at_ms if isinstance(each[1], Alive) else each[1].received_ms)  # type: ignore[union-attr]  # there are no others


def joined(signals: Iterable[tuple[int, Signal[Any]]], **terms: Any) -> list[ops.Joined[Any, Any]]:
    two = Two(**terms)
    two.say(BEGUN)
    for which, signal in signals:
        (two.other if which else two.left).say(signal)
    two.say(*END)
    two.complete()
    assert two.record.end == "completed"
    return two.results


@given(said())
@settings(max_examples=examples(40), deadline=None)
def test_it_is_what_the_definition_says(signals: list[tuple[int, Signal[Any]]]) -> None:
    results = joined(signals)
    items, others = (
        [event for each, signal in signals if each == which and isinstance(signal, Batch) for event in signal.events]
        for which in (0, 1)
    )
    assert pairs_of(results) == reference(items, others, 5000)
    times = [each.item.time_ms for each in results]
    assert times == sorted(times)
    assert {each.quality for each in results} <= {"known", "none"}
    assert [each.quality == "none" for each in results] == [each.latest is None for each in results]


@given(said(), st.randoms(use_true_random=False), st.sampled_from(["none", "hold"]))
@settings(max_examples=examples(30), deadline=None)
def test_any_order_of_arrival_and_any_batching(
    signals: list[tuple[int, Signal[Any]]], rng: random.Random, missing: str
) -> None:
    """The streams may come in any order beside each other, and events in any order within the lateness."""
    expected = joined(signals, missing=missing)
    assert joined(one_each(signals), missing=missing) == expected
    events = [each for each in signals if isinstance(each[1], Batch)]
    again: list[tuple[float, tuple[int, Signal[Any]]]] = []
    for which, signal in events:
        assert isinstance(signal, Batch)
        (event,) = signal.events
        received_ms = event.time_ms + rng.randint(0, LATENESS_MS)
        again.append((received_ms, (which, Batch(signal.channel, received_ms, (event,)))))
    again.sort(key=lambda each: each[0])
    found = joined([each for _, each in again], missing=missing)
    assert pairs_of(found) == pairs_of(expected)
    if missing == "none":  # those that wait for a first come when it does
        assert [each.item.time_ms for each in found] == [each.item.time_ms for each in expected]


def _never(*_: object) -> bool:
    return False


def heard(signals: Iterable[tuple[int, Signal[Any]]], **terms: Any) -> tuple[list[Signal[Any]], list[int]]:
    """All that comes out, and how much of it was out behind each signal."""
    two = Two(**terms)
    two.say(BEGUN)
    counts: list[int] = []
    for which, signal in signals:
        (two.other if which else two.left).say(signal)
        counts.append(len(two.record.signals))
    two.other.complete()
    two.left.complete()
    return two.record.signals, counts


@given(said(), st.sampled_from(["none", "hold"]), st.sampled_from([math.inf, 1, 3]), st.sampled_from(["0s", "2s"]))
@settings(max_examples=examples(200), deadline=None)
def test_an_event_that_is_alone_is_taken_as_any_other(
    signals: list[tuple[int, Signal[Any]]], missing: str, max_held: float, lateness: str
) -> None:
    """It has a path of its own, which gives the same signals at the same time."""
    terms = {"missing": missing, "max_held": max_held, "lateness": lateness}
    quick = heard(signals, **terms)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_take_one_left", "_take_one_other"):
            patch.setattr(Joining, name, _never)
        assert heard(signals, **terms) == quick


@given(said())
@settings(max_examples=examples(20), deadline=None)
def test_rows_that_run(signals: list[tuple[int, Signal[Any]]]) -> None:
    """Against the rows that the window gives alone: the last that was given up to the time of the item."""
    window = ops.tumbling("4s", by="base_asset", updates="1s")
    trades = [BEGUN, *(signal for which, signal in signals if which), *END]
    rows = play(window, trades)
    results = joined(signals, of=window, max_age="30s")
    assert joined(one_each(signals), of=window, max_age="30s") == results
    for each in results:
        item = each.item
        of_key = [row for row in rows if row.base_asset == item.base_asset and row.time_ms <= item.time_ms]
        expected = max(of_key, key=lambda row: (row.time_ms, row.final, row.start_ms), default=None)
        assert each.latest == expected


def split(recording: Recording, events: list[Any]) -> tuple[list[Any], list[Any]]:
    """One file as two streams: of trades the coin-margined ones and the others, of liquidations the two sides."""
    if recording is TRADES:
        return [e for e in events if "_PERP" in e.symbol], [e for e in events if "_PERP" not in e.symbol]
    return [e for e in events if e.side == 1], [e for e in events if e.side == 2]


@REQUIRED
@AS_FAR_AS
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_recorded_events_against_polars(recording: Recording, count: int) -> None:
    """`join_asof`, backward and with a tolerance, on shuffled arrivals."""
    import polars as pl

    items, others = split(recording, decoded(recording, count))
    rng = random.Random(7)
    signals = [
        (received_ms, (which, Batch(channel_of(event), received_ms, (event,))))
        for which, events in ((0, items), (1, others))
        for event in events
        for received_ms in (event.time_ms + rng.randint(0, 1900),)
    ]
    signals.sort(key=lambda each: each[0])
    two = Two(max_age="1m")
    two.say(BEGUN)
    for _, (which, signal) in signals:
        (two.other if which else two.left).say(signal)
    two.complete()

    def table(events: list[Any], name: str) -> pl.DataFrame:
        rows = [(place, e.base_asset, *fields(e)) for place, e in enumerate(events)]
        names = (name, "asset", "time", "price", "usd", "side", "exchange", "symbol")
        return pl.DataFrame(rows, names, orient="row").sort(names[2:])

    right = table(others, "other").unique(["asset", "time"], keep="last", maintain_order=True)
    left = table(items, "item").select("item", "asset", "time")
    matched = left.join_asof(
        right, on="time", by="asset", strategy="backward", tolerance=60_000, check_sortedness=False
    )
    expected = {
        (fields(items[i]), None if j is None else fields(others[j])) for i, j in matched.select("item", "other").rows()
    }
    found = [(fields(each.item), None if each.latest is None else fields(each.latest)) for each in two.results]
    assert len(found) == len(items)
    assert set(found) == expected
    assert any(latest for _, latest in found)
