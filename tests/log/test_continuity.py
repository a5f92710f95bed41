"""What records say, whatever a log did to them: repeated, left out, begun anew."""

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cgrx import Alive, Batch, Dropped, Gap, LiquidationOrders, Record, Watermark
from cgrx._log.continuity import Continuity
from cgrx._shards.record import Numbering, channel_named
from cgrx.testing import liquidation

L = LiquidationOrders()


def run(session: str, begun_ms: int, seconds: int) -> list[Record]:
    """What one publisher puts on a log: its gap, then a batch and a proof in turns, a second apart."""
    numbering = Numbering(session)
    signals: list[Any] = [Gap(L, 0, begun_ms, "subscribed")]
    for at_ms in range(begun_ms + 1_000, begun_ms + 1_000 * (seconds + 1), 1_000):
        event = liquidation("long", time=at_ms)
        signals.append(Batch(L, at_ms, (event,)) if at_ms % 2_000 else Alive(f"origin of {session}", at_ms))
    return [numbering.record(L.name, signal) for signal in signals]


def said(records: Iterable[Record], continuity: Continuity | None = None) -> list[Any]:
    found = continuity or Continuity()
    return [signal for record in records for signal in found.take(channel_named(record.channel), record)]


def plain(records: Iterable[Record]) -> list[Any]:
    return [record.signal for record in records]


@given(st.data())
def test_a_log_that_repeats_says_the_same(data: st.DataObject) -> None:
    """Any part of what stands there may stand there again, at any place behind it: as a retried batch does."""
    log = run("a", 1_000, 8) + run("b", 20_000, 8)
    again = list(log)
    for _ in range(data.draw(st.integers(0, 4))):
        end = data.draw(st.integers(1, len(again)))
        begin = data.draw(st.integers(0, end - 1))
        again[end:end] = again[begin:end]
    continuity = Continuity()
    assert said(again, continuity) == said(log)
    assert continuity.repeated == len(again) - len(log)
    assert continuity.missing == 0


@given(st.sets(st.integers(0, 17), max_size=17))
def test_whatever_is_left_out_lies_in_a_gap(left_out: set[int]) -> None:
    """Each event of the whole log comes, or its time of receipt is covered by a gap, told before what follows."""
    log = run("a", 1_000, 8) + run("b", 20_000, 8)
    kept = [record for number, record in enumerate(log) if number not in left_out]
    signals = said(kept)
    gaps = [signal for signal in signals if isinstance(signal, Gap)]
    if kept:
        last_ms = kept[-1].received_ms
        for record in log:
            if isinstance(record.signal, Batch) and record.received_ms <= last_ms:
                covered = any(gap.start_ms <= record.received_ms <= gap.end_ms for gap in gaps)
                assert record.signal in signals or covered
    assert [each for each in signals if isinstance(each, Batch)] == [
        record.signal for record in kept if isinstance(record.signal, Batch)
    ]


def test_another_session_begins_with_the_outage() -> None:
    """From when the channel was last heard; its proofs go on under the origin that they had."""
    signals = said(run("a", 1_000, 4) + run("b", 20_000, 2))
    assert Gap(L, 5_000, 20_000, "subscribed") in signals
    assert {each.origin for each in signals if isinstance(each, Alive)} == {"origin of a"}


def test_what_a_session_says_first_may_be_missing_too() -> None:
    """Its gap, or whatever else it began with."""
    first, second = run("a", 1_000, 4), run("b", 20_000, 2)
    assert said(first + second[1:])[5] == Gap(L, 5_000, 21_000, "published anew")
    without_gap = [msgspec.structs.replace(record, seq=record.seq - 1) for record in second[1:]]
    assert said(first + without_gap)[5] == Gap(L, 5_000, 21_000, "published anew")
    assert said(without_gap) == plain(without_gap)


def test_reading_from_the_midst_begins_with_a_gap() -> None:
    log = run("a", 1_000, 4)
    assert said(log[2:]) == [Gap(L, 0, 3_000, "records before 2 are missing"), *plain(log[2:])]
    assert said(log) == plain(log)


def test_a_hole_is_a_gap_and_is_counted() -> None:
    log, continuity = run("a", 1_000, 6), Continuity()
    signals = said([*log[:2], *log[4:]], continuity)
    assert signals == [*plain(log[:2]), Gap(L, 2_000, 5_000, "records 2 to 3 are missing"), *plain(log[4:])]
    assert continuity.missing == 2


def test_late_records_of_a_session_that_is_over_are_skipped() -> None:
    continuity = Continuity()
    sessions = [run(f"{number}", 1_000 * number + 1_000, 1) for number in range(4)]
    assert said([record for session in sessions for record in session], continuity)
    assert said([msgspec.structs.replace(sessions[1][1], seq=9)], continuity) == []
    assert said([msgspec.structs.replace(sessions[2][1], seq=9)], continuity) == []


def test_a_loss_of_no_channel_is_one_loss() -> None:
    """The same object on every channel that it is charged to, so that a union counts it once."""
    other = "futures_trades@OKX_BTC@1"
    lost = Dropped(None, 1, "malformed")
    records = [Record(name, "a", 0, 5, attrs.evolve(lost)) for name in (L.name, other)]
    first, second = said(records)
    assert first is second


def test_marks_without_a_time_move_nothing() -> None:
    log = run("a", 1_000, 2)
    more = [Record(L.name, "a", 3, 9_000, Dropped(L, 1, "malformed")), Record(L.name, "a", 4, 9_000, Watermark(1))]
    late = Record(L.name, "a", 6, 10_000, Alive("origin of a", 10_000))
    assert said([*log, *more, late])[-2] == Gap(L, 3_000, 10_000, "records 5 to 5 are missing")
