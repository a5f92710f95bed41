"""Timelines as text, and back."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap, Liquidation, LiquidationOrders, Signal, Watermark
from cgrx import operators as ops
from cgrx.testing import (
    Timeline,
    alive,
    batch,
    dropped,
    gap,
    liquidation,
    marbles,
    play_timeline,
    to_marbles,
    trade,
    watermark,
)

LIQUIDATIONS = LiquidationOrders()
EVENTS = {"a": liquidation("long"), "b": liquidation("short")}


def at(seconds: int, *events: str) -> Batch[str]:
    return Batch(LIQUIDATIONS, seconds * 1000, events)


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ("", []),
        ("---", []),
        ("a-b", [at(0, "a"), at(2, "b")]),
        ("-Z7", [at(1, "Z"), at(2, "7")]),
        ("-(ab)c", [at(1, "a", "b"), at(2, "c")]),
        ("(a,b)", [at(0, "a"), at(0, "b")]),
        ("(a^b)", [at(0, "a"), alive(0), at(0, "b")]),
        ("(a b)", [at(0, "a", "b")]),
        (" a  - b", [at(0, "a"), at(2, "b")]),
        ("--^", [alive("2s")]),
        ("-[-a-]", [at(3, "a"), gap("1s", "5s")]),
        ("[(][)]", [gap(0, "1s"), gap("1s", "2s")]),
        ("-([])", [gap("1s", "1s")]),
        ("-~(~~)(~,~~)", [dropped(), dropped(2), dropped(), dropped(2)]),
        ("-%", [watermark("1s")]),
    ],
)
def test_reading(text: str, signals: list[Signal[str]]) -> None:
    assert marbles(text) == Timeline(tuple(signals), completed=False)


def test_reading_the_end() -> None:
    error = KeyError("mine")
    assert marbles("a|") == Timeline((at(0, "a"),), completed=True)
    assert marbles("(a|) ").completed
    assert marbles("a#", error=error).error is error
    assert isinstance(marbles("#").error, RuntimeError)
    assert not marbles("#").completed


def test_events_by_their_letter_happen_at_their_tick() -> None:
    assert marbles("a-(ba)", EVENTS).results == [
        liquidation("long", time=0),
        liquidation("short", time="2s"),
        liquidation("long", time="2s"),
    ]
    assert marbles("-x", {"x": trade()}).results == [trade(time="1s")]
    assert marbles("-x", {"x": 42}).results == [42]


def test_where_the_ticks_lie_and_what_they_are_of() -> None:
    channel = FuturesTrades("Binance", "BTCUSDT", 0)
    read = marbles("^[a]~", start="1m", tick="250ms", channel=channel, origin="feed")
    assert read.signals == (
        Alive("feed", 60_000),
        Batch(channel, 60_500, ("a",)),
        Gap(channel, 60_250, 60_750, "test"),
        Dropped(channel, 1, "malformed"),
    )
    assert to_marbles(read, start="1m", tick="250ms", channel=channel, origin="feed") == "^[a(]~)"
    assert marbles("a", channel=None).signals == (batch("a"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a", "do not match"),
        ("a)", "do not match"),
        ("((a))", "do not match"),
        ("()", "must hold something"),
        ("(a-)", "no `-`"),
        ("a|b", "'b' behind the end"),
        ("a#|", "behind the end"),
        ("[-", "does not close"),
        ("[([])", r"'\[' has no meaning here"),
        ("[[", r"'\[' has no meaning here"),
        ("a]", r"'\]' has no meaning here"),
        ("a,b", "',' has no meaning here"),
        ("a!", "'!' has no meaning here"),
        ("é", "'é' has no meaning here"),
    ],
)
def test_what_is_no_timeline(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        marbles(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda: marbles("c", EVENTS), "no event is given for 'c'"),
        (lambda: marbles("a", {"ab": 1}), "'ab' is no single letter or digit"),
        (lambda: marbles("a", tick=0), "tick=0 must be at least 1 ms"),
        (lambda: marbles("a", start="x"), "start='x'"),
        (lambda: marbles("[]", channel=None), "has no meaning here"),
    ],
)
def test_bad_arguments(read: Callable[[], object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read()


def test_writing_signals_that_complete() -> None:
    assert to_marbles([batch(liquidation(time="2s")), alive("3s")], EVENTS) == "--a^|"
    nothing: list[Signal[str]] = []
    assert to_marbles(nothing) == "|"
    assert to_marbles(Timeline((), completed=False)) == ""
    assert to_marbles(Timeline((at(1, "a"),), completed=False, error=OSError())) == "-a#"


def test_a_test_may_be_a_picture() -> None:
    played = play_timeline(ops.side("short"), marbles("[^]a-(bab)~--a^b|", EVENTS))
    assert to_marbles(played, EVENTS) == "[^]--(bb~)----^b|"


@pytest.mark.parametrize(
    ("signal", "why"),
    [
        (at(0), "empty"),
        (alive("1s", origin="other"), "origin='other'"),
        (gap(0, "1s", reason="other"), "reason='other'"),
        (gap(0, "1s", channel=FuturesTrades("a", "b", 0)), "FuturesTrades"),
        (dropped(reason="other"), "reason='other'"),
        (dropped(0), "count=0"),
        (dropped(channel=None), "channel=None"),
        (batch("a"), "channel=None"),
        (at(1, "ab"), "no letter stands for 'ab'"),
        (Batch(LIQUIDATIONS, 0, (1,)), "no letter stands for 1"),
        (alive("1500ms"), "on none of the first"),
        (alive("3h"), "on none of the first"),
        (Gap(LIQUIDATIONS, 2000, 1000, "test"), "ends before it starts"),
    ],
)
def test_what_cannot_be_written(signal: Signal[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        to_marbles([signal])


def test_what_cannot_be_written_one_behind_the_other() -> None:
    backwards: list[Signal[str]] = [alive("2s"), watermark("1s")]
    with pytest.raises(ValueError, match="tick 1 comes behind one of tick 2"):
        to_marbles(backwards)
    with pytest.raises(ValueError, match="overlaps"):
        to_marbles([gap("1s", "3s"), gap("2s", "4s")])
    with pytest.raises(ValueError, match="on none of the first"):
        to_marbles([alive("2s")], start="3s")
    with pytest.raises(ValueError, match="no letter stands for"):
        to_marbles([batch(liquidation(time="2s"), received="3s")], EVENTS)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline[str]:
    """Any timeline that has a text."""
    signals: list[Signal[str]] = []
    now, gap_end = 0, 0
    for steps in draw(st.lists(st.integers(0, 4), max_size=12)):
        kind = draw(st.sampled_from(["batch", "alive", "gap", "dropped", "watermark"]))
        if kind == "dropped":
            signals.append(dropped(draw(st.integers(1, 3))))
            continue
        now += steps
        match kind:
            case "batch":
                signals.append(at(now, *draw(st.lists(st.sampled_from("abXY01"), min_size=1, max_size=3))))
            case "alive":
                signals.append(alive(now))
            case "gap":
                signals.append(gap(draw(st.integers(gap_end, now)), now))
                gap_end = now
            case _:
                signals.append(Watermark(now * 1000))
    error = draw(st.sampled_from([None, RuntimeError("#")]))
    return Timeline(tuple(signals), completed=error is None and draw(st.booleans()), error=error)


@given(timelines())
def test_a_text_reads_back_the_same(timeline: Timeline[str]) -> None:
    text = to_marbles(timeline)
    assert marbles(text) == timeline
    assert to_marbles(marbles(text)) == text


@given(st.text(alphabet="-ab^[]~%|#(), ", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never another error, and what is read has the same signals when written and read again."""
    timeline: Timeline[str] | None = None
    with suppress(ValueError):
        timeline = marbles(text)
    assert timeline is None or marbles(to_marbles(timeline)) == timeline


def test_liquidations_read_back_the_same() -> None:
    timeline: Timeline[Liquidation] = marbles("a-(ab)--[b]|", EVENTS)
    assert to_marbles(timeline, EVENTS) == "a-(ab)--[b]|"
