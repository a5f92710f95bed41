"""Any two stages fuse without a difference: windows, cascades, bars, scans and dedupe too, on input without marks."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import Observable

from cgrx import Batch, Liquidation
from cgrx import operators as ops
from cgrx.operators import Stage
from cgrx.testing import liquidation, play_timeline
from tests.operators.contracts import BARS, CLOSING, EARLY, EVENT_STAGES, SCANS, same
from tests.streams.streaming import notes_of, rx_any
from tests.support import examples


def is_final(row: Any) -> bool:
    return bool(row.final)


def known_exchange(event: Any) -> bool:
    """A function that fails on some events."""
    return {"Binance": True, "OKX": False}[event.exchange]


def text(result: Any) -> str:
    return repr(result)


def count(so_far: int, _: object) -> int:
    return so_far + 1


EVENTS_IN = [
    *EVENT_STAGES.values(),
    *CLOSING.values(),
    *BARS.values(),
    *EARLY.values(),
    *SCANS.values(),
    ops.where(known_exchange),
    ops.side("short"),
]
ROWS_IN: list[Stage[Any, Any]] = [ops.final(), ops.where(is_final), ops.map(text), ops.scan(count, 0)]
ANYTHING_IN: list[Stage[Any, Any]] = [ops.map(text), ops.scan(count, 0)]
EVENTS_OUT = [*EVENT_STAGES.values(), ops.where(known_exchange), ops.side("short")]
ROWS_OUT = [*CLOSING.values(), *BARS.values(), *EARLY.values()]

PAIRS = [
    *((first, second) for first in EVENTS_OUT for second in EVENTS_IN),
    *((first, second) for first in ROWS_OUT for second in ROWS_IN),
    *((first, second) for first in SCANS.values() for second in ANYTHING_IN),
]
"""Every stage in front of every one that takes what it gives. `dedupe` takes events, not rows."""


@st.composite
def events(draw: st.DrawFn) -> list[Liquidation]:
    now = 20_000
    found: list[Liquidation] = []
    for step in draw(st.lists(st.sampled_from([0, 0, 250, 500, 1000, 5000]), max_size=14)):
        now += step
        found.append(
            liquidation(
                draw(st.sampled_from(["long", "long", "short"])),
                draw(st.sampled_from([100.0, 1_000.0, 1_000.0, 6_000.0])),
                time=(now - 250 * draw(st.sampled_from([0, 0, 0, 1, 3, 10]))) / 1000,
                exchange=draw(st.sampled_from(["Binance", "OKX", "Binance", "OKX", "Binance", "OKX", "Bybit"])),
            )
        )
    return found


def batches(items: list[Liquidation], *, whole: bool) -> list[Batch[Any]]:
    """Each event alone, or neighbours of one time together; received when it happened, as behind a plain observable."""
    found: list[Batch[Any]] = []
    for event in items:
        if whole and found and found[-1].received_ms == event.time_ms:
            found[-1] = Batch(None, event.time_ms, (*found[-1].events, event))
        else:
            found.append(Batch(None, event.time_ms, (event,)))
    return found


def differences(items: list[Liquidation], whole: bool) -> list[str]:
    """The pairs whose results, or whose error with its notes, depend on whether they are fused."""
    found: list[str] = []
    signals = batches(items, whole=whole)
    for first, second in PAIRS:
        fused, apart = joined(first, second), joined(first, second, rx_any.map(same))
        if outcome(play_timeline(fused, signals)) != outcome(play_timeline(apart, signals)):
            found.append(f"{first!r}, {second!r}")
    return found


def joined(first: Stage[Any, Any], second: Stage[Any, Any], *joint: Any) -> Any:
    def lifted(source: Observable[Any]) -> Observable[Any]:
        pipe: Any = first(source).pipe
        between: Observable[Any] = pipe(*joint)
        return second(between)

    return lifted


def outcome(played: Any) -> tuple[Any, ...]:
    error = played.error
    return repr(played.results), played.completed, repr(error), notes_of(error) if error else []


@given(events(), st.booleans())
@settings(max_examples=examples(10), deadline=None)
def test_any_two_stages_give_the_same_fused_or_not(items: list[Liquidation], whole: bool) -> None:
    """To the byte: results, the error with its notes, and the end."""
    assert differences(items, whole) == []


@given(events(), st.lists(st.sampled_from(EVENTS_OUT), max_size=3), st.sampled_from(PAIRS[-80:]), st.booleans())
@settings(max_examples=examples(40), deadline=None)
def test_longer_chains_too(
    items: list[Liquidation], before: list[Stage[Any, Any]], pair: tuple[Stage[Any, Any], Stage[Any, Any]], whole: bool
) -> None:
    chain = [*before, *pair]

    def apart(source: Any) -> Any:
        for stage in chain:
            source = stage(source).pipe(rx_any.map(same))
        return source

    signals = batches(items, whole=whole)
    pipeline: Any = ops.pipeline
    assert outcome(play_timeline(pipeline(*chain), signals)) == outcome(play_timeline(apart, signals))


def test_every_pair_gives_something() -> None:
    """So that equality says something: of a few bursts each pair makes a result, but for those of two sides."""
    items = [
        liquidation(("long", "short")[index % 5 >= 3], time=20 + index / 2 + 8 * (index // 5), exchange="Binance")
        for index in range(20)
    ]
    for first, second in PAIRS:
        played = play_timeline(joined(first, second), batches(items, whole=True))
        pair = repr(first), repr(second)
        no_short = pair[1] == 'side("short")' and pair[0] in ('side("long")', "map(dearer)")
        nothing = no_short or pair == ('side("short")', 'side("long")')
        assert bool(played.results) is not nothing, pair
        assert played.completed, pair
