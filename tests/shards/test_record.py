"""Records: any signal comes back from a log as it was, numbered without a hole; what is no record is told as such."""

import json
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgrx
from cgrx import Alive, Batch, Dropped, End, FuturesTrades, Gap, LiquidationOrders, Record, RecordError
from cgrx._recording.entry import Recorded
from cgrx._shards.record import Numbering
from cgrx.testing import batch, liquidation
from tests.recording.entries import ENTRIES

TRADES = FuturesTrades("OKX", "BTC-USDT_SWAP", 0.5)
LIQUIDATIONS = LiquidationOrders()
NAME = LIQUIDATIONS.name
FAILURES = st.none() | st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=8)] * 2)


def numbered(entries: Sequence[Recorded]) -> list[Record]:
    numbering = Numbering("a1")
    return [
        numbering.record(entry.channel.name, entry.said)
        for entry in entries
        if entry.channel is not None and not isinstance(entry.said, cgrx.Status)
    ]


@given(ENTRIES)
def test_every_signal_comes_back_as_it_was(entries: list[Recorded]) -> None:
    for record in numbered(entries):
        again = Record.decode(record.channel.encode(), record.encode())
        assert again == record
        assert repr(again) == repr(record)  # 1 and 1.0 are equal, and another type


@given(FAILURES)
def test_an_end_says_how(failure: tuple[str, str] | None) -> None:
    numbering = Numbering("a1")
    numbering.record(NAME, Alive("cgrx", 5))
    record = numbering.record(NAME, End(failure))
    assert record == Record(NAME, "a1", 1, 5, End(failure)) == Record.decode(NAME, record.encode())


@given(ENTRIES)
def test_numbers_have_no_holes_and_times_do_not_wait_behind_marks(entries: list[Recorded]) -> None:
    """Each channel counts from 0. A mark bears the latest time known when it came, a batch its own."""
    counts: Counter[str] = Counter()
    now_ms = 0
    for record in numbered(entries):
        assert record.seq == counts[record.channel]
        counts[record.channel] += 1
        now_ms = max(now_ms, record.received_ms)
        assert record.received_ms == now_ms or isinstance(record.signal, Batch)


def test_a_record_is_what_the_page_says() -> None:
    event = liquidation("long", 2_500.0, time="1s")
    value = Record(NAME, "a1", 7, 1_200, Batch(LIQUIDATIONS, 1_200, (event,))).encode()
    assert json.loads(value) == [
        *(1, "a1", 7, 1_200, "e"),
        [[event.base_asset, event.exchange, event.symbol, 1, event.price, 2_500.0, 1_000]],
    ]
    assert Record(NAME, "a1", 0, 9, End()).encode() == b'[1,"a1",0,9,"end",[]]'


@pytest.mark.parametrize(
    "signal", [Gap(TRADES, 0, 1, "x"), Dropped(TRADES, 1, "x"), Gap(None, 0, 1, "x"), batch(liquidation("long"))]
)
def test_a_signal_of_another_channel_is_refused(signal: cgrx.Signal[cgrx.Event]) -> None:
    """Nothing else than the key says of which channel a record is."""
    name = NAME if isinstance(signal, Gap | Dropped) else TRADES.name
    with pytest.raises(ValueError, match=f"channel='{name}'"):
        Record(name, "a1", 0, 0, signal)
    with pytest.raises(ValueError, match="channel 'nobody' is not known"):
        Record("nobody", "a1", 0, 0, Alive("cgrx", 1))


def test_what_was_refused_has_taken_no_number() -> None:
    numbering = Numbering("a1")
    with pytest.raises(ValueError, match="is of"):
        numbering.record(NAME, Gap(TRADES, 0, 1, "x"))
    assert numbering.record(NAME, Alive("cgrx", 1)).seq == 0


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, b"[]", "it has no key"),
        (b"\xff", b"[]", "can't decode byte 0xff"),
        (b"nobody", b"[]", "channel 'nobody' is not known"),
        (b"liquidationOrders", None, "truncated"),
        (b"liquidationOrders", b"\xff", "malformed"),
        (b"liquidationOrders", b"{}", "Expected `array`, got `object`"),
        (b"liquidationOrders", b'[1,"a1",0,5,"a"]', "length 6, got 5"),
        (b"liquidationOrders", b'[1,"a1",-1,5,"a",["cgrx",5]]', r"`int` >= 0 - at `\$\[2\]`"),
        (b"liquidationOrders", b'[2,"a1",0,5,"a",["cgrx",5]]', "version 2 is not known: this cgrx reads 1"),
        (b"liquidationOrders", b'[1,"a1",0,5,"x",["cgrx",5]]', "kind 'x' is none of 'e', 'a'"),
        (b"liquidationOrders", b'[1,"a1",0,5,"a",["cgrx"]]', "Expected `array` of length 2"),
        (b"liquidationOrders", b'[1,"a1",0,5,"end",["x"]]', "a failure is the name"),
        (b"liquidationOrders", b'[1,"a1",0,5,"e",[["BTC","OKX","BTC",3,1,1,1]]]', r"enum value 3 - at `\$\[0\]\[3\]`"),
        (b"liquidationOrders", b'[1,"a1",0,5,"e",[["BTC","OKX","BTC",1,0,1,1]]]', r"`float` > 0.0 - at `\$\[0\]\[4\]`"),
    ],
)
def test_what_is_no_record_is_told(key: bytes | None, value: bytes | None, reason: str) -> None:
    """With where it stood, its key, its value and what is wrong."""
    with pytest.raises(RecordError, match=reason) as caught:
        Record.decode(key, value, "trades[3] at offset 17")
    assert str(caught.value).startswith("trades[3] at offset 17: no record under the key ")
    assert (caught.value.key, caught.value.value) == (repr(key), repr(value))


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(RecordError) as caught:
        Record.decode(NAME, b"[" * 100_000)
    assert len(str(caught.value)) < 400
    assert caught.value.place is None
