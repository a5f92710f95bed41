"""The codec on everything that can be wrong: reported with a path and a reason, at the cost of itself, never raised."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from cgrx._model.events import LATEST_MS
from cgrx._wire.codec import Frame, Malformed, Notice, Pong, decode
from tests.wire.wire_events import (
    FIRST,
    LIQUIDATION,
    LIQUIDATIONS,
    SECOND,
    TRADE,
    TRADES,
    as_frame,
    decoded,
    frame,
)

DEEP = 100_000
NESTED = b"[" * DEEP + b"]" * DEEP

NUMBERS: list[tuple[object, str]] = [
    (math.nan, "expected a finite number"),
    (math.inf, "expected a finite number"),
    (-math.inf, "expected a finite number"),
    ("NaN", "expected a number, got other text"),
    ("inf", "expected a number, got other text"),
    ("-Infinity", "expected a number, got other text"),
    ("1e400", "expected a finite number"),
    ("-1e400", "expected a finite number"),
    ("", "expected a number, got other text"),
    ("1_000", "expected a number, got other text"),
    ("1,5", "expected a number, got other text"),
    ("0x10", "expected a number, got other text"),
    ("٣", "expected a number, got other text"),
    (True, "expected a number, got a boolean"),
    (False, "expected a number, got a boolean"),
    (None, "expected a number, got null"),
    ([1], "expected a number, got an array"),
    ({"value": 1}, "expected a number, got an object"),
]
AMOUNTS: list[tuple[object, str]] = [
    *NUMBERS,
    (10**400, "expected a finite number"),
    (0, "expected a number above zero"),
    (0.0, "expected a number above zero"),
    (-0.0, "expected a number above zero"),
    (-1, "expected a number above zero"),
    (-1e-300, "expected a number above zero"),
    ("0", "expected a number above zero"),
    ("-5.5", "expected a number above zero"),
    ("1e-400", "expected a number above zero"),
]
TIMES: list[tuple[object, str]] = [
    *NUMBERS,
    (-1, "expected a time between 1970 and 9999"),
    ("-1", "expected a time between 1970 and 9999"),
    (1.5, "expected a whole number"),
    ("1725416318379.5", "expected a whole number"),
    (LATEST_MS + 1, "expected a time between 1970 and 9999"),
    (str(LATEST_MS + 1), "expected a time between 1970 and 9999"),
    (10**30, "expected a time between 1970 and 9999"),
    (1e300, "expected a time between 1970 and 9999"),
]
SIDES: list[tuple[object, str]] = [
    *NUMBERS,
    (0, "expected 1 or 2"),
    (3, "expected 1 or 2"),
    (-1, "expected 1 or 2"),
    ("3", "expected 1 or 2"),
    (1.5, "expected a whole number"),
    ("long", "expected a number, got other text"),
]
TEXTS: list[tuple[object, str]] = [
    (5, "expected a string, got a number"),
    (None, "expected a string, got null"),
    (["BTC"], "expected a string, got an array"),
    ("\ud800", "not valid Unicode"),
    ("BTC\udfff", "not valid Unicode"),
]

BAD_VALUES: list[tuple[str, str, object, str]] = [
    (first, second, value, reason)
    for names, values in (
        ([("price", "price"), ("volUsd", "volume_usd")], AMOUNTS),
        ([("time", "time")], TIMES),
        ([("side", "side")], SIDES),
        ([("baseAsset", "base_asset"), ("exName", "exchange"), ("symbol", "symbol")], TEXTS),
    )
    for first, second in names
    for value, reason in values
]


def short(value: object) -> str:
    return ascii(value)[:20]


@pytest.mark.parametrize(("first", "second", "value", "reason"), BAD_VALUES, ids=short)
def test_one_bad_value_costs_its_event(first: str, second: str, value: object, reason: str) -> None:
    """In either generation, for either type of event; the path has the name as sent, the others flow."""
    for event, name in ((FIRST, first), (SECOND, second)):
        for channel, good in ((LIQUIDATIONS, LIQUIDATION), (TRADES, TRADE)):
            found = decoded(FIRST, {**event, name: value}, SECOND, channel=channel)
            assert found.events == (good, good)
            (malformed,) = found.malformed
            assert (malformed.path, malformed.reason) == (f"$.data[1].{name}", reason)


@pytest.mark.parametrize("literal", [b"1e400", b"-1e400", b"1" + b"0" * 400, b"9" * 5000, b"-" + b"9" * 5000])
@pytest.mark.parametrize("name", ["price", "time", "side"])
def test_huge_literals(name: str, literal: bytes) -> None:
    """Beyond what `int` and `float` can hold, and longer than `int` is willing to read."""
    payload = frame(FIRST, {**FIRST, name: "HERE"}).replace(b'"HERE"', literal)
    found = as_frame(decode(payload))
    assert found.events == (LIQUIDATION,)
    assert [each.path for each in found.malformed] == [f"$.data[1].{name}"]


@pytest.mark.parametrize("name", list(FIRST))
def test_a_missing_field_is_named_as_in_the_first_generation(name: str) -> None:
    """Whichever generation the rest is in, for both names are missing."""
    position = list(FIRST).index(name)
    for event in (FIRST, SECOND):
        rest = {key: value for key, value in event.items() if key != list(event)[position]}
        assert [(each.path, each.reason) for each in decoded(rest).malformed] == [(f"$.data[0].{name}", "missing")]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5, "expected an object, got a number"),
        ("x", "expected an object, got a string"),
        (None, "expected an object, got null"),
        (True, "expected an object, got a boolean"),
        ([FIRST], "expected an object, got an array"),
    ],
    ids=short,
)
def test_an_event_that_is_no_object(value: object, reason: str) -> None:
    found = decoded(FIRST, value)
    assert found.events == (LIQUIDATION,)
    assert [(each.path, each.reason) for each in found.malformed] == [("$.data[1]", reason)]


def test_each_bad_event_is_reported_once_at_its_first_fault() -> None:
    found = decoded({**FIRST, "price": 0, "side": 9}, FIRST, {}, {**SECOND, "time": -1})
    assert found.events == (LIQUIDATION,)
    assert [each.path for each in found.malformed] == ["$.data[0].side", "$.data[2].baseAsset", "$.data[3].time"]


@pytest.mark.parametrize("data", [None, {}, FIRST, "[]", 5, True], ids=short)
def test_data_that_is_no_list(data: object) -> None:
    """Charged to the channel, which is known."""
    found = as_frame(decode(json.dumps({"channel": TRADES, "data": data}).encode()))
    assert (found.channel, found.events) == (TRADES, ())
    assert [each.path for each in found.malformed] == ["$.data"]
    assert found.malformed[0].reason.startswith("expected an array, got ")


def test_missing_data() -> None:
    payload = b'{"channel":"liquidationOrders","dat":[]}'
    expected = Malformed("$.data", "missing", '{"channel":"liquidationOrders","dat":[]}')
    assert decode(payload) == Frame(LIQUIDATIONS, (), (expected,))


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        ({}, "$.channel", "missing"),
        ({"data": [FIRST]}, "$.channel", "missing"),
        ({"channel": None, "data": [FIRST]}, "$.channel", "expected a string, got null"),
        ({"channel": 5, "data": [FIRST]}, "$.channel", "expected a string, got a number"),
        ({"channel": [LIQUIDATIONS], "data": [FIRST]}, "$.channel", "expected a string, got an array"),
        ({"channel": "\ud800", "data": [FIRST]}, "$.channel", "not valid Unicode"),
        ({"channel": "futures_trades@A_\udc00@1", "data": []}, "$.channel", "not valid Unicode"),
        ({"channel": "", "data": [FIRST]}, "$.channel", "not a channel that cgrx knows"),
        ({"channel": "LiquidationOrders", "data": [FIRST]}, "$.channel", "not a channel that cgrx knows"),
        ({"channel": "spot_trades@Binance_BTCUSDT@0", "data": [FIRST]}, "$.channel", "not a channel that cgrx knows"),
        ({"channel": "futures_ticker@Binance_BTCUSDT", "data": {}}, "$.channel", "not a channel that cgrx knows"),
        ({"channel": "futures_trades@Binance@1", "data": [FIRST]}, "$.channel", "not a channel that cgrx knows"),
        ({"channel": "futures_trades@A_B@NaN", "data": [SECOND]}, "$.channel", "not a channel that cgrx knows"),
        (
            {"channel": f"futures_trades@A_{'B' * 200}@1", "data": [FIRST]},
            "$.channel",
            "not a channel that cgrx knows",
        ),
        ({"channel": "nowhere", "code": 1, "msg": "no"}, "$.channel", "not a channel that cgrx knows"),
        ([], "$", "expected an object, got an array"),
        ([{"channel": LIQUIDATIONS, "data": [FIRST]}], "$", "expected an object, got an array"),
        (5, "$", "expected an object, got a number"),
        (1.5, "$", "expected an object, got a number"),
        (math.nan, "$", "expected an object, got a number"),
        (None, "$", "expected an object, got null"),
        (True, "$", "expected an object, got a boolean"),
        ("", "$", "expected an object, got a string"),
        ("\x00", "$", "expected an object, got a string"),
    ],
    ids=short,
)
def test_json_that_is_no_frame_of_ours(message: object, path: str, reason: str) -> None:
    """A frame of a channel that cgrx does not know was not asked for: it counts as one malformed message."""
    found = decode(json.dumps(message).encode())
    assert isinstance(found, Malformed)
    assert (found.path, found.reason) == (path, reason)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"channel":"liquidationOrders","data":[],"other":' + NESTED + b"}",
        b'{"other":' + NESTED + b',"channel":"liquidationOrders","data":[]}',
        b'{"channel":"liquidationOrders","data":' + NESTED + b"}",
        b'{"channel":' + NESTED + b',"data":[]}',
        b'{"channel":"liquidationOrders","data":[{"price":' + NESTED + b"}]}",
        b'{"channel":"liquidationOrders","data":[{"base_asset":"BTC","other":' + NESTED + b"}]}",
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"a":' * DEEP,
        NESTED,
        b"[" * DEEP,
    ],
    ids=["extra", "extra first", "data", "channel", "value", "in event", "objects", "open", "alone", "open alone"],
)
def test_nesting_of_100_000_levels(payload: bytes) -> None:
    """A RecursionError, from msgspec and from json, in every place."""
    found = decode(payload)
    assert isinstance(found, Malformed)
    assert (found.path, found.reason) == ("$", "nested too deeply")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"{", "not JSON: "),
        (b'{"channel":"liquidationOrders","data":[', "not JSON: "),
        (b'[{"channel":"liquidationOrders"', "not JSON: "),
        (b"[ [1,", "not JSON: "),
        (frame(FIRST)[:-1], "not JSON: "),
        (frame(FIRST) + b"x", "not JSON: "),
        (frame(FIRST) * 2, "not JSON: "),
        (frame(FIRST).replace(b"BTCUSDT", b"BTC\x00USDT"), "not JSON: "),
        (frame(FIRST).replace(b"56738.0", b"056738.0"), "not JSON: "),
        (frame(FIRST).replace(b"56738.0", b"nan"), "not JSON: "),
        (b"\x00" + frame(FIRST), "not JSON: "),
        (b"\xff\xfe\x00pong", "not JSON: "),
        (b"\x1b[31mred", "not JSON: "),
        (frame(FIRST).decode().encode("utf-16"), "not JSON: "),
    ],
    ids=short,
)
def test_neither_json_nor_text(payload: bytes, reason: str) -> None:
    found = decode(payload)
    assert isinstance(found, Malformed)
    assert found.path == "$"
    assert found.reason.startswith(reason)


@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
def test_invalid_utf8_costs_the_event_that_it_is_in(event: dict[str, Any]) -> None:
    payload = frame(FIRST, {**event, "symbol": "HERE"}, SECOND).replace(b"HERE", b"BTC\xff\xc3")
    found = as_frame(decode(payload))
    assert found.events == (LIQUIDATION,) * 2
    assert found.malformed == (Malformed("$.data[1].symbol", "not valid Unicode", r"'BTC\udcff\udcc3'"),)


def test_invalid_utf8_in_the_channel() -> None:
    payload = frame(FIRST).replace(b"Orders", b"Orders\xff")
    expected = Malformed("$.channel", "not valid Unicode", r"'liquidationOrders\udcff'")
    assert decode(payload) == expected


@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize("note", [b'"\xff"', b'"\\ud800"', b"NaN", b"-Infinity", b"1e400"])
def test_what_is_ignored_may_be_wrong(event: dict[str, Any], note: bytes) -> None:
    """In keys that cgrx does not read, at both levels."""
    payload = frame({**event, "note": "HERE"}, note="HERE").replace(b'"HERE"', note)
    assert decode(payload) == Frame(LIQUIDATIONS, (LIQUIDATION,), ())


@pytest.mark.parametrize(
    ("first", "last"), [("null", "56738.0"), ("0", "56738.0"), ("NaN", "56738.0"), ('"x"', '"56738"'), ("1", "56738.0")]
)
def test_of_duplicate_keys_the_last_counts(first: str, last: str) -> None:
    """Also where the one before it could not be read."""
    duplicate = frame(FIRST).replace(b'"price": 56738.0', f'"price": {first}, "price": {last}'.encode())
    assert decode(duplicate) == Frame(LIQUIDATIONS, (LIQUIDATION,), ())


def test_of_duplicate_keys_a_bad_last_one_counts_too() -> None:
    duplicate = frame(FIRST).replace(b'"price": 56738.0', b'"price": 56738.0, "price": 0')
    assert [each.path for each in as_frame(decode(duplicate)).malformed] == ["$.data[0].price"]


@pytest.mark.parametrize(
    "payload",
    [
        frame({**FIRST, "price": "x" * 1_000_000}),
        frame({**FIRST, "price": ["x" * 1000] * 1000}),
        frame({**FIRST, "price": {str(number): "y" for number in range(1000)}}),
        frame({f"key {number}": "z" * 1000 for number in range(1000)}),
        frame({**FIRST, "price": "\x1b[2J\u202e\u0000\n\ud800"}),
        frame({**FIRST, "price": -(10**290)}),
        frame(channel="\x1b" * 100_000),
        b'{"' + b"\x1b\xff\n" * 100_000,
        b'{"' + "\u202e".encode() * 100_000,
    ],
    ids=short,
)
def test_excerpts_are_bounded_and_safe_to_print(payload: bytes) -> None:
    found = decode(payload)
    (malformed,) = found.malformed if isinstance(found, Frame) else (found,)
    assert isinstance(malformed, Malformed)
    assert 0 < len(malformed.excerpt) <= 120
    assert malformed.excerpt.isprintable()
    malformed.excerpt.encode()


@pytest.mark.parametrize(
    "text", ["1" * 10**6 + "x", "9" * 401, "." * 10**6, "1e" + "0" * 10**6], ids=["a letter", "just", "points", "zeros"]
)
def test_a_text_too_long_for_a_number_is_not_looked_through(text: str) -> None:
    """Its length is looked at first: what reads digits may take longer the more there are."""
    (malformed,) = decoded({**FIRST, "price": text}).malformed
    assert (malformed.path, malformed.reason) == (
        "$.data[0].price",
        "expected a number, got a text of more than 400 characters",
    )


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, 2.2250738585072014e-308])
def test_the_shortest_form_of_any_float_is_read(value: float) -> None:
    """Also without an exponent."""
    text = format(Decimal(repr(value)), "f")
    (event,) = decoded({**FIRST, "price": text}).events
    assert event.price == value


def test_a_huge_message_is_read() -> None:
    """A mebibyte of events, the last of them bad."""
    count = 6_000
    found = as_frame(decode(frame(*[FIRST] * count, 0)))
    assert found.events == (LIQUIDATION,) * count
    assert [each.path for each in found.malformed] == [f"$.data[{count}]"]


def test_bad_events_are_counted_exactly() -> None:
    """As many reports as events lost, however many."""
    assert len(decoded(*[0] * 10_000).malformed) == 10_000


@pytest.mark.parametrize("time_ms", [0, LATEST_MS])
@pytest.mark.parametrize("fields", [FIRST, SECOND], ids=["first", "second"])
def test_any_time_that_a_clock_can_show_is_read(fields: dict[str, Any], time_ms: int) -> None:
    """However far it is from the receive time: which of the two clocks is wrong is not for the codec to say."""
    (event,) = decoded(fields | {"time": time_ms}).events
    assert event.time_ms == time_ms
    assert event.datetime.year in {1970, 9999}


def test_a_reply_that_cannot_be_shown() -> None:
    assert decode(b'{"msg":"\xff"}') == Malformed("$.channel", "missing", r'{"msg":"\xff"}')


def test_a_notice_is_not_taken_for_a_frame_nor_a_frame_for_a_notice() -> None:
    """What decides is the channel, then the keys of a reply."""
    assert isinstance(decode(json.dumps({"code": 0, "data": [FIRST]}).encode()), Notice)
    assert isinstance(decode(frame(FIRST, code=0, msg="x")), Frame)
    assert not isinstance(decode(b'{"pong":1}'), Pong | Notice)
