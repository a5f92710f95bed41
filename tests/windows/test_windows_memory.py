"""The memory of keyed windows that close all the while, over ten million events. Takes minutes."""

import resource
import sys

import pytest

import cgrx
from cgrx import operators as ops


@pytest.mark.soak
def test_ten_million_events_of_a_thousand_keys_in_flat_memory() -> None:
    """Keyed windows, closing all the while, take no more memory after ten million events than after one."""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in KiB on Linux alone")
    running = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol")).start()
    channel = cgrx.FuturesTrades("Binance", "ALL", 0)
    symbols = [f"S{n}USDT" for n in range(1000)]
    rows = 0
    after_one_million = 0
    time_ms = 1_700_000_000_000
    for batch in range(100_000):
        if batch == 10_000:
            after_one_million = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        events = tuple(
            cgrx.Trade("X", "Binance", symbols[(batch * 100 + n) % 1000], cgrx.TradeSide.BUY, 1.0 + n, 5.0, time_ms + n)
            for n in range(100)
        )
        time_ms += 100
        for signal in running.on_signal(cgrx.Batch(channel, time_ms, events)):
            rows += len(signal.events) if isinstance(signal, cgrx.Batch) else 0
    assert rows > 9_000_000
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - after_one_million
    assert grown_kib < 20_000, f"{grown_kib} KiB more after ten million events than after one million"
