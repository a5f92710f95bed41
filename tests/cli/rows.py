"""Rows as the command line gets them, for its tests."""

from typing import Any

from cgrx import operators as ops
from cgrx._cli.view.windows import Windowing
from cgrx._cli.window_options import WindowOptions
from cgrx._model.events import TradeSide

NOON = 1_704_110_400_000


def windowing(window: str = "1m", **options: Any) -> Windowing:
    found = WindowOptions(window=window, **options).windowing()
    assert found is not None
    return found


BARS = windowing(by=("exchange", "symbol"))
FLOWS = windowing(by=("side",))


def bar(
    minute: int = 0, exchange: str = "Binance", symbol: str = "BTCUSDT", volume: float = 12_345.0, **quality: Any
) -> ops.Row:
    start_ms = NOON + 60_000 * minute
    return BARS.row(
        start_ms=start_ms,
        end_ms=start_ms + 60_000,
        exchange=exchange,
        symbol=symbol,
        open=60_001.0,
        high=60_004.0,
        low=60_000.0,
        close=60_003.0,
        vwap=60_002.5,
        volume=volume,
        count=3,
        buy_volume=volume,
        sell_volume=0.0,
        **quality,
    )


def flow(delta: float | None = -5.0, **quality: Any) -> ops.Row:
    return FLOWS.row(
        start_ms=NOON,
        end_ms=NOON + 60_000,
        side=TradeSide.SELL,
        count=1_234,
        volume=2_500_000.0,
        buy_volume=0.0,
        sell_volume=2_500_000.0,
        delta=delta,
        **quality,
    )
