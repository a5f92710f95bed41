"""The laws of the ordered merge, on generated signals and on the recordings."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgrx
from cgrx import Alive, Batch, Liquidation, Signal, Trade, TradeSide, Watermark
from cgrx._streams.reordering import Reordering
from cgrx._wire.codec import decode
from tests.recordings import LIQUIDATIONS, RECORDINGS, REQUIRED, Recording
from tests.streams.merging import Merge, Reference, channel_of, short
from tests.wire.wire_events import as_frame

MAX_DELAY_MS = 50

Said = tuple[int, Signal[Any]]
"""Which input says what."""


@st.composite
def conversations(draw: st.DrawFn, marks: bool = True) -> list[Said]:
    """Three inputs of one connection whose events are out of order now and then, by more than the delay too."""
    said: list[Said] = []
    now_ms = 1000
    for number in range(draw(st.integers(0, 15))):
        now_ms += draw(st.sampled_from([0, 1, 10, 60]))
        if marks and draw(st.integers(0, 5)) == 0:
            said += [(index, Alive("feed", now_ms)) for index in range(3)]
            continue
        index = draw(st.integers(0, 2))
        exchange = draw(st.sampled_from("AB"))
        delays = draw(st.lists(st.sampled_from([0, 5, 20, 49, 50, 51, 120]), max_size=4))
        trades = tuple(
            Trade("BTC", exchange, "BTCUSDT", TradeSide.BUY, 1.0 + number, 1.0 + place, now_ms - delay)
            for place, delay in enumerate(delays)
        )
        said.append((index, Batch(channel_of(f"{exchange}{index}"), now_ms, trades)))
    return said


def merged(said: Iterable[Said]) -> Merge:
    merge = Merge(3, max_delay=MAX_DELAY_MS / 1000)
    for index, signal in said:
        merge.say(index, signal)
    return merge


def ended(merge: Merge) -> Merge:
    for index in range(len(merge.inputs)):
        merge.end_input(index)
    assert merge.end == "completed"
    return merge


def events_of(said: Iterable[Said]) -> list[Any]:
    return [event for _, signal in said if isinstance(signal, Batch) for event in signal.events]


@given(conversations())
def test_every_event_comes_out_exactly_once(said: list[Said]) -> None:
    merge = ended(merged(said))
    assert Counter(map(id, merge.events)) == Counter(map(id, events_of(said)))
    assert merge.stream.stats.events == len(merge.events)


@given(conversations())
def test_the_watermark_holds_for_all_but_the_counted_late_ones(said: list[Said]) -> None:
    """So the order is sorted but for these: each time is at least all that came before it."""
    merge = ended(merged(said))
    promised_ms, latest_ms, late, worst_ms = -1, -1, 0, 0
    for signal in merge.signals:
        if isinstance(signal, Watermark):
            assert signal.time_ms > promised_ms
            promised_ms = signal.time_ms
        elif isinstance(signal, Batch):
            for event in signal.events:
                if event.time_ms < promised_ms:
                    late += 1
                    worst_ms = max(worst_ms, promised_ms - event.time_ms)
                else:
                    assert event.time_ms >= latest_ms
                    latest_ms = event.time_ms
    assert (merge.stream.stats.late, merge.stream.stats.worst_late_ms) == (late, worst_ms)


@given(conversations(marks=False))
def test_it_is_what_its_definition_says(said: list[Said]) -> None:
    merge = ended(merged(said))
    reference = Reference(3, MAX_DELAY_MS)
    for index, signal in said:
        assert isinstance(signal, Batch)
        reference.take(index, signal)
    assert [id(event) for event in merge.events] == [id(event) for event in reference.finish()]
    assert merge.stream.stats.late == reference.late


@given(conversations(), st.randoms(use_true_random=False))
def test_batching_decides_nothing(said: list[Said], rng: random.Random) -> None:
    """Marks and events come in the same order, whichever way the batches are cut."""

    def cut() -> Iterator[Said]:
        for index, signal in said:
            if not isinstance(signal, Batch):
                yield index, signal
                continue
            places = sorted(rng.sample(range(len(signal.events) + 1), rng.randint(0, len(signal.events))))
            for start, end in zip([0, *places], [*places, len(signal.events)], strict=True):
                yield index, Batch(signal.channel, signal.received_ms, signal.events[start:end])

    assert short(ended(merged(cut())).signals) == short(ended(merged(said)).signals)


@given(conversations(), st.sampled_from([math.inf, 1, 3]))
def test_a_batch_of_one_is_taken_as_any_other(said: list[Said], max_held: float) -> None:
    """It has a path of its own, which gives the same signals."""

    def heard() -> list[Signal[Any]]:
        merge = Merge(3, max_delay=MAX_DELAY_MS / 1000, max_held=max_held)
        for index, signal in said:
            if isinstance(signal, Batch):
                alone = [Batch(signal.channel, signal.received_ms, (event,)) for event in signal.events]
                merge.say(index, *alone)
            else:
                merge.say(index, signal)
        return ended(merge).signals

    def leave_it(*_: object) -> None:
        """To `take_batch`."""

    quick = heard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reordering, "hold", leave_it)
        assert heard() == quick


@given(conversations())
def test_nothing_is_held_for_longer_than_max_delay(said: list[Said]) -> None:
    """Whatever the stream's clock says at a signal, what had come so long before is out by then."""
    merge = merged([])
    now_ms = 0
    arrivals: list[tuple[int, int]] = []  # when, and how many so far
    total = 0
    for index, signal in said:
        merge.say(index, signal)
        if isinstance(signal, Batch):
            now_ms = max(now_ms, signal.received_ms)
            total += len(signal.events)
            arrivals.append((now_ms, total))
        elif index == 2:  # a proof counts when the last input has given it
            now_ms = max(now_ms, signal.at_ms) if isinstance(signal, Alive) else now_ms
        due = [count for arrival_ms, count in arrivals if now_ms - arrival_ms >= MAX_DELAY_MS]
        out = {id(event) for event in merge.events}
        assert all(id(event) in out for event in events_of(said)[: max(due, default=0)])


@given(conversations(), st.integers(1, 4))
def test_no_more_than_max_held_are_held(said: list[Said], max_held: int) -> None:
    merge = Merge(3, max_delay=float("inf"), max_held=max_held)
    total = 0
    for index, signal in said:
        merge.say(index, signal)
        total += len(signal.events) if isinstance(signal, Batch) else 0
        assert total - len(merge.events) <= max_held
    assert len(ended(merge).events) == total


@given(conversations())
def test_a_proof_never_overtakes_an_event(said: list[Said]) -> None:
    """Behind `Alive` up to a time comes no event that was received before it."""
    merge = ended(merged(said))
    events = events_of(said)
    out: set[int] = set()
    for signal in merge.signals:
        if isinstance(signal, Batch):
            out |= {id(event) for event in signal.events}
        elif isinstance(signal, Alive):
            assert all(id(event) in out for event in events[: _heard_before(said, signal)])


def _heard_before(said: list[Said], proof: Alive) -> int:
    """How many events had come when the first input gave this proof."""
    total = 0
    for _, signal in said:
        if signal == proof:
            break
        total += len(signal.events) if isinstance(signal, Batch) else 0
    return total


@REQUIRED
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
@pytest.mark.parametrize("seed", range(2))
def test_recordings_come_back_into_order(recording: Recording, seed: int) -> None:
    """Split by exchange and symbol, each part delayed on its own by less than `max_delay`; `sorted` is the oracle."""
    rng = random.Random(seed)
    kind = Liquidation if recording is LIQUIDATIONS else Trade
    events: list[Any] = [event for frame in recording.frames(500) for event in as_frame(decode(frame)).events]
    assert len(events) == recording.events
    assert {type(event) for event in events} == {kind}
    parts: dict[tuple[str, str], list[Any]] = {}
    for event in sorted(events, key=lambda event: event.time_ms):
        parts.setdefault((event.exchange, event.symbol), []).append(event)
    arrivals: list[tuple[int, int, Any]] = []
    for index, part in enumerate(parts.values()):
        received_ms = 0
        for event in part:
            received_ms = max(received_ms, event.time_ms + rng.randint(0, 1900))
            arrivals.append((received_ms, index, event))
    arrivals.sort(key=lambda arrival: arrival[0])
    merge = Merge(len(parts))
    for received_ms, index, event in arrivals:
        merge.inputs[index].say(Batch(channel_of("all"), received_ms, (event,)))
    ended(merge)
    assert [event.time_ms for event in merge.events] == sorted(event.time_ms for event in events)
    assert Counter(map(id, merge.events)) == Counter(map(id, events))
    assert merge.stream.stats == cgrx.OrderStats(events=len(events), late=0, worst_late_ms=0)
