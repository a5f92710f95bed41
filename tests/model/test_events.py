"""The two events: values, with what their sides and times mean."""

import copy
import pickle
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide


def liquidation(side: LiquidationSide = LiquidationSide.LONG, time_ms: int = 1_725_416_318_379) -> Liquidation:
    return Liquidation("BTC", "Binance", "BTCUSDT", side, 56738.0, 3858.184, time_ms)


def trade(side: TradeSide = TradeSide.SELL, time_ms: int = 1_725_416_318_379) -> Trade:
    return Trade("BTC", "Binance", "BTCUSDT", side, 56738.0, 3858.184, time_ms)


@pytest.mark.parametrize(
    ("position", "order", "signed"),
    [(LiquidationSide.LONG, TradeSide.SELL, -3858.184), (LiquidationSide.SHORT, TradeSide.BUY, 3858.184)],
)
def test_a_liquidated_long_is_a_forced_sell(position: LiquidationSide, order: TradeSide, signed: float) -> None:
    event = liquidation(position)
    assert event.order_side is order
    assert event.signed_volume_usd == signed


@pytest.mark.parametrize(("side", "signed"), [(TradeSide.SELL, -3858.184), (TradeSide.BUY, 3858.184)])
def test_the_sign_of_a_trade_is_its_takers(side: TradeSide, signed: float) -> None:
    assert trade(side).signed_volume_usd == signed


def test_sides_are_numbered_as_on_the_wire() -> None:
    """Two enumerations: their numbers are equal, which is why filters must not compare them across types."""
    assert {side.name: int(side) for side in LiquidationSide} == {"LONG": 1, "SHORT": 2}
    assert {side.name: int(side) for side in TradeSide} == {"SELL": 1, "BUY": 2}
    assert not issubclass(LiquidationSide, TradeSide)


@pytest.mark.parametrize("event", [liquidation(), trade()], ids=["liquidation", "trade"])
@pytest.mark.parametrize("time_ms", [0, 1, 999, 1_725_416_318_379, 253_402_300_799_999])
def test_datetimes_are_aware_and_exact(event: Event, time_ms: int) -> None:
    """To the millisecond, from 1970 to the end of the calendar."""
    moment = msgspec.structs.replace(event, time_ms=time_ms).datetime
    assert moment.utcoffset() == timedelta(0)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == time_ms
    assert moment.microsecond % 1000 == 0


@pytest.mark.parametrize("event", [liquidation(), trade()], ids=["liquidation", "trade"])
def test_events_are_values(event: Event) -> None:
    """Equal and hashed by their fields, frozen, copied and pickled."""
    again = msgspec.structs.replace(event)
    assert again is not event
    assert (again, hash(again)) == (event, hash(event))
    assert msgspec.structs.replace(event, price=1.0) != event
    assert copy.deepcopy(event) == event
    assert pickle.loads(pickle.dumps(event)) == event
    assert eval(repr(event).replace("<LiquidationSide.LONG: 1>", "1").replace("<TradeSide.SELL: 1>", "1")) == event
    for name in event.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(event, name, None)


def test_a_trade_is_never_equal_to_a_liquidation() -> None:
    assert set(map(type, {liquidation(), trade()})) == {Liquidation, Trade}


@pytest.mark.parametrize("event", [liquidation(), trade()], ids=["liquidation", "trade"])
def test_msgspec_writes_and_reads_them_in_names_of_the_first_generation(event: Event) -> None:
    written = msgspec.json.encode(event)
    assert set(msgspec.json.decode(written)) == {"baseAsset", "exName", "symbol", "side", "price", "volUsd", "time"}
    assert msgspec.json.decode(written, type=type(event)) == event


@pytest.mark.parametrize(("name", "value"), [("price", 0), ("price", -1.5), ("volUsd", 0), ("time", -1), ("side", 3)])
@pytest.mark.parametrize("event", [liquidation(), trade()], ids=["liquidation", "trade"])
def test_msgspec_refuses_what_no_event_can_be(event: Event, name: str, value: float) -> None:
    """The codec relies on it."""
    fields = {**msgspec.to_builtins(event), name: value}
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{name}"):
        msgspec.json.decode(msgspec.json.encode(fields), type=type(event))
