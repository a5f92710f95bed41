"""Trades that claim to come from the future."""

import json

import pytest

from cgrx._wire.codec import Frame, decode, decode_batch

NOW_MS = 1_700_000_000_000
TRADE = {
    "baseAsset": "BTC", "exName": "Binance", "symbol": "BTCUSDT", "side": 1, "price": 1.5, "volUsd": 2.5,
    "time": NOW_MS,
}  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_trade_far_ahead_costs_itself(place: int) -> None:
    """Wherever it stands in its frame; the others are taken."""
    data = [TRADE | {"time": NOW_MS + 7_200_000 * (n == place)} for n in range(3)]
    payload = json.dumps({"channel": "futures_trades@Binance_BTCUSDT@0", "data": data}).encode()
    frame = decode(payload, NOW_MS)
    assert isinstance(frame, Frame)
    assert [event.time_ms for event in frame.events] == [NOW_MS, NOW_MS]
    (malformed,) = frame.malformed
    assert malformed.path == f"$.data[{place}].time"
    assert malformed.reason == "more than an hour ahead of its receive time"
    together = [each for each in decode_batch([payload, payload], NOW_MS) if isinstance(each, Frame)]
    assert sum(len(each.events) for each in together) == 4
    assert sum(len(each.malformed) for each in together) == 2
