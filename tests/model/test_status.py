"""Status events as sentences."""

from typing import get_args

import pytest

from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.errors import DisconnectedError
from cgrx._model.output_status import (
    Backpressured,
    DeliveryHeld,
    DeliveryResumed,
    RecordingFailed,
    Resumed,
    StreamFailed,
    SubscriberFailed,
    Undelivered,
)
from cgrx._model.status import (
    ClockSkewed,
    Connected,
    Connecting,
    Disconnected,
    Ended,
    MalformedInput,
    Misspelt,
    NoticeReceived,
    Silent,
    Status,
)

SENTENCES: list[tuple[Status, str]] = [
    (Connecting(0, 3), "connecting, attempt 3"),
    (Connected(0), "connected"),
    (Disconnected(0, DisconnectedError(1001), 0.44), f"{DisconnectedError(1001)}; trying again in 0.4 s"),
    (Silent(0, LiquidationOrders(), None), "no event of liquidationOrders yet: is it spelled as the exchange does?"),
    (Silent(0, LiquidationOrders(), "it is BTC"), "no event of liquidationOrders yet: it is BTC"),
    (
        Misspelt(0, FuturesTrades("Binnance", "BTCUSDT", 0), "Binnance", ("Binance",)),
        "'Binnance': did you mean Binance? (channel futures_trades@Binnance_BTCUSDT@0)",
    ),
    (ClockSkewed(0, 7_200_049, "system"), "the system's clock is 7200.0 s ahead of the feed's clock"),
    (ClockSkewed(0, -5_000, "events"), "the clock of the events is 5.0 s behind the feed's clock"),
    (ClockSkewed(0, 0, "system"), "the system's clock agrees with the feed's clock again"),
    (Backpressured(0), "a consumer is full: the socket is not read"),
    (Resumed(0), "the socket is read again"),
    (MalformedInput(0, "x", "$.data[3].price", "negative", "-1"), "malformed input at $.data[3].price: negative in -1"),
    (NoticeReceived(0, "maintenance"), "the server says: maintenance"),
    (SubscriberFailed(0, KeyError("k")), "a subscriber raised KeyError: 'k'"),
    (StreamFailed(0, OSError("gone")), "a stream without on_error has failed: gone"),
    (RecordingFailed(0, OSError("full")), "recording failed: full"),
    (DeliveryHeld(0, "mine", OSError("no route"), 1.25), "mine: no route; trying again in 1.2 s"),
    (DeliveryResumed(0, "mine"), "mine: delivering again"),
    (Undelivered(0, "mine", 1200, "no room"), "mine: 1,200 not delivered: no room"),
    (Ended(0, None), "the feed was closed"),
    (Ended(0, OSError("gone")), "the feed has ended: gone"),
]


@pytest.mark.parametrize(("status", "sentence"), SENTENCES)
def test_a_status_as_text_is_a_sentence(status: Status, sentence: str) -> None:
    assert str(status) == sentence


def test_there_is_one_for_every_kind() -> None:
    assert {type(status) for status, _ in SENTENCES} == set(get_args(Status))
