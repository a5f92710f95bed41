"""The codec on good messages: both generations, text replies, commands."""

import json
import pickle
from copy import copy
from typing import Any, Literal

import pytest

from cgrx._model.events import LATEST_MS, Event, LiquidationSide, TradeSide
from cgrx._wire.codec import (
    PING,
    Frame,
    Malformed,
    Message,
    Notice,
    Pong,
    decode,
    encode_frame,
    subscribe_command,
    unsubscribe_command,
)
from tests.wire.wire_events import (
    FIRST,
    LIQUIDATION,
    LIQUIDATIONS,
    NOW_MS,
    SECOND,
    TRADE,
    TRADES,
    as_frame,
    decoded,
    frame,
)

OFFICIAL = b"""{
    "channel": "liquidationOrders",
    "data": [
        {
            "baseAsset": "BTC",
            "exName": "Binance",
            "price": 56738.00,
            "side": 2,
            "symbol": "BTCUSDT",
            "time": 1725416318379,
            "volUsd": 3858.18400
        }
    ]
}"""


def test_the_official_example() -> None:
    """As published, with its white space."""
    assert decode(OFFICIAL) == Frame(LIQUIDATIONS, (LIQUIDATION,), ())


@pytest.mark.parametrize("channel", ["liquidationOrders", "liquidation_orders"])
@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
def test_both_generations_in_either_channel_spelling(event: dict[str, Any], channel: str) -> None:
    """Equal, of equal hash, and of exactly the public types."""
    assert decoded(event, channel=channel) == Frame(channel, (LIQUIDATION,), ())
    found = decoded(event, channel=channel).events[0]
    assert hash(found) == hash(LIQUIDATION)
    assert type(found) is type(LIQUIDATION)
    assert type(found.side) is LiquidationSide
    assert pickle.loads(pickle.dumps(found)) == LIQUIDATION


@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
def test_the_channel_says_which_event_it_is(event: dict[str, Any]) -> None:
    found = decoded(event, channel=TRADES).events[0]
    assert (found, type(found), type(found.side)) == (TRADE, type(TRADE), TradeSide)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (json.dumps({"data": [FIRST], "channel": TRADES}), TRADE),
        (json.dumps({"note": '"futures_trades@', "channel": LIQUIDATIONS, "data": [FIRST]}), LIQUIDATION),
        (json.dumps({"channel": LIQUIDATIONS, "note": "futures_trades@", "data": [FIRST]}), LIQUIDATION),
        ('{"channel":"futures_trades@X_Y@1","data":[],' + frame(FIRST).decode()[1:], LIQUIDATION),
        ('{"channel":"liquidationOrders","data":[],' + frame(FIRST, channel=TRADES).decode()[1:], TRADE),
        ('{"channel":"\\u0066utures_trades@X_Y@1",' + frame(FIRST).decode().partition(",")[2], TRADE),
    ],
    ids=["channel last", "misleading", "misleading too", "duplicate", "duplicate too", "escaped"],
)
def test_a_wrong_guess_from_the_bytes_is_put_right(payload: str, event: Event) -> None:
    """Also with duplicate keys, of which the last counts."""
    found = as_frame(decode(payload.encode()))
    assert found.events == (event,)
    assert type(found.events[0].side) is type(event.side)


def test_both_generations_in_one_frame_and_in_one_event() -> None:
    mixed = {**{key: FIRST[key] for key in ("baseAsset", "price", "side", "symbol", "time")}, **SECOND}
    del mixed["base_asset"]
    assert decoded(FIRST, SECOND, mixed) == Frame(LIQUIDATIONS, (LIQUIDATION,) * 3, ())


@pytest.mark.parametrize("neighbours", [(), (SECOND,), (None,)], ids=["alone", "among the second", "beside a bad one"])
def test_the_first_generation_counts_where_an_event_has_both(neighbours: tuple[object, ...]) -> None:
    """Whatever stands beside it in the frame."""
    both = {**FIRST, "base_asset": "ETH", "exchange": "OKX", "volume_usd": 1.0}
    assert decoded(both, *neighbours).events[0] == LIQUIDATION


def test_extra_keys_are_ignored_at_both_levels() -> None:
    """A capture shows a `time` beside the channel."""
    event = {**FIRST, "orderId": 7, "nested": {"price": [1, {"x": 2}]}, "none": None, "huge": 10**400}
    assert decode(frame(event, time=NOW_MS, other=[{"y": 3}])) == Frame(LIQUIDATIONS, (LIQUIDATION,), ())


@pytest.mark.parametrize("generation", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize(
    "change",
    [
        {"price": "56738.0"},
        {"price": "+56738.0"},
        {"price": " 5.6738E4 "},
        {"time": "1725416318379"},
        {"time": 1725416318379.0},
        {"side": "2"},
        {"side": 2.0},
        {"price": "56738", "time": "1725416318379", "side": "2.0"},
    ],
    ids=str,
)
def test_numbers_may_be_strings(change: dict[str, Any], generation: dict[str, Any]) -> None:
    """Some clients claim it; whole numbers may also be written with a point."""
    assert decoded({**generation, **change}).events == (LIQUIDATION,)


def test_the_volume_may_be_a_string() -> None:
    assert decoded({**FIRST, "volUsd": "3858.184"}, {**SECOND, "volume_usd": "3858.184"}).events == (LIQUIDATION,) * 2


@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
@pytest.mark.parametrize(("sent", "kept"), [("BINANCE", "Binance"), ("gate.io", "Gate"), ("Nowhere", "Nowhere")])
def test_known_exchanges_get_one_spelling(event: dict[str, Any], sent: str, kept: str) -> None:
    """Unknown ones stay as received; both beside a bad event too, where another way of reading is taken."""
    sent_event = {**event, ("exName" if "exName" in event else "exchange"): sent}
    assert decoded(sent_event).events[0].exchange == kept
    assert decoded(sent_event, 0).events[0].exchange == kept


@pytest.mark.parametrize("time_ms", [0, 1, 86_400_000, LATEST_MS])
@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["first", "second"])
def test_times_from_1970_to_an_hour_ahead(event: dict[str, Any], time_ms: int) -> None:
    assert decoded({**event, "time": time_ms}).events[0].time_ms == time_ms


@pytest.mark.parametrize("channel", [LIQUIDATIONS, TRADES])
def test_a_frame_may_be_empty(channel: str) -> None:
    assert decoded(channel=channel) == Frame(channel, (), ())


def test_a_byte_order_mark_and_white_space_are_passed_over() -> None:
    assert decode(b"\xef\xbb\xbf \r\n" + OFFICIAL + b"\n\t ") == Frame(LIQUIDATIONS, (LIQUIDATION,), ())


@pytest.mark.parametrize(
    "payload", [b"pong", b"PONG", b" Pong\r\n", b'"pong"', b"'pong'", b' "pong" ', b"\xef\xbb\xbfpong"]
)
def test_pong(payload: bytes) -> None:
    assert decode(payload) == Pong()


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"liquidationOrders need upgrade plan", "liquidationOrders need upgrade plan"),
        (b'"quoted text"', "quoted text"),
        (b"  two\r\n lines ", "two lines"),
        (b"[ERROR] no", "[ERROR] no"),
        (b"pong!", "pong!"),
        (b"ping", "ping"),
        (b'{"code": "40001",\n "msg": "no"}', '{"code": "40001", "msg": "no"}'),
        (b'{"success":false,"data":null}', '{"success":false,"data":null}'),
        ("需要升级".encode(), "需要升级"),
        (b"x" * 2_000_000, "x" * 500),
    ],
    ids=lambda value: str(value[:20]),
)
def test_replies_for_humans_are_told_apart(payload: bytes, text: str) -> None:
    """One line of printable text, bounded; JSON replies as they stand."""
    assert decode(payload) == Notice(text)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("liquidationOrders need upgrade plan", "liquidationOrders"),
        (" LiquidationOrders  NEED Upgrade\tplan. ", "LiquidationOrders"),
        ("futures_trades@ApeX Omni_BTC-USDT@10000 need upgrade plan", "futures_trades@ApeX Omni_BTC-USDT@10000"),
        ('{"msg":"liquidation_orders needs upgrade plan"}', "liquidation_orders"),
        ("need upgrade plan", None),
        ('{"msg":" need upgrade plan"}', None),
        ("need upgrade plan: spot need upgrade plan", "need upgrade plan: spot"),
        ('{"why":"need upgrade plan", "of": "liquidationOrders need upgrade plan"}', "liquidationOrders"),
        ("liquidationOrders need upgrade", None),
        ("liquidationOrdersneed upgrade plan", None),
        ("welcome", None),
        ("", None),
    ],
)
def test_the_channel_of_a_plan_notice(text: str, channel: str | None) -> None:
    assert Notice(text).plan_channel == channel


@pytest.mark.parametrize(("generation", "event"), [(1, FIRST), (2, SECOND)])
def test_frames_are_encoded_in_either_generation(generation: Literal[1, 2], event: dict[str, Any]) -> None:
    payload = encode_frame(LIQUIDATIONS, [LIQUIDATION, LIQUIDATION], generation, {"time": 7})
    assert json.loads(payload) == {"channel": LIQUIDATIONS, "data": [event, event], "time": 7}


def test_events_may_come_from_an_iterator() -> None:
    assert json.loads(encode_frame(TRADES, iter([TRADE]))) == {"channel": TRADES, "data": [FIRST]}


def test_commands() -> None:
    """The shapes of the official page; several channels go into one message."""
    assert json.loads(subscribe_command([LIQUIDATIONS])) == {"method": "subscribe", "channels": [LIQUIDATIONS]}
    assert json.loads(unsubscribe_command(iter([LIQUIDATIONS, TRADES]))) == {
        "method": "unsubscribe",
        "channels": [LIQUIDATIONS, TRADES],
    }
    assert PING == "ping"


@pytest.mark.parametrize("value", [Frame(LIQUIDATIONS, (), ()), Pong(), Notice("x"), Malformed("$", "x", "")], ids=repr)
def test_messages_are_values(value: Message) -> None:
    """Frozen, with slots, equal and hashed by their fields."""
    assert not hasattr(value, "__dict__")
    assert (copy(value), hash(copy(value))) == (value, hash(value))
    for name in ("text", "anything"):
        with pytest.raises(AttributeError):
            setattr(value, name, "")
