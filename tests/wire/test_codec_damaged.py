"""A fuzzed codec: whatever bytes come, it gives a message. Takes a minute."""

import random

import pytest

import cgrx
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.messages import Frame, Malformed, Notice, Pong


@pytest.mark.soak
def test_a_million_damaged_messages_are_messages() -> None:
    """Bytes flipped, inserted, removed and repeated: each gives a message, none an exception."""
    rng = random.Random(7)
    events = [
        cgrx.Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.BUY, 61800.3, 370.8, 1723161256322),
        cgrx.Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.SELL, 61800.4, 12298.2, 1723161256344),
    ]
    whole = encode_frame("futures_trades@Binance_BTCUSDT@10000", events)
    for _ in range(1_000_000):
        payload = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(payload))
            match rng.randrange(4):
                case 0:
                    payload[at] = rng.randrange(256)
                case 1:
                    payload.insert(at, rng.randrange(256))
                case 2:
                    del payload[at : at + rng.randint(1, 8)]
                case _:
                    payload[at:at] = payload[at : at + rng.randint(1, 8)]
        assert isinstance(decode(bytes(payload)), Frame | Malformed | Notice | Pong)
