"""Several exchanges in order: trades as they arrive, and as they happened."""

import trio

import cgrx
from cgrx.testing import Simulator, run, trade

binance = [trade("buy", time=n, price=60_000 + n) for n in (0, 2, 4, 6)]
okx = [trade("sell", time=n, price=60_000 + n, exchange="OKX", symbol="BTC-USDT-SWAP") for n in (1, 3, 5)]
market = [binance[0], binance[1], okx[0], binance[2], okx[1], binance[3], okx[2]]  # OKX's arrive a second late


def show(what: str, event: cgrx.Trade) -> None:
    print(f"second {trio.current_time():4.1f}  {what:8}  {event.exchange:7} of second {event.time_ms // 1000}")


async def main() -> None:
    async with (
        Simulator(market, start=2, listen=False) as server,  # when both channels are subscribed to
        cgrx.connect(**server.in_memory()) as feed,
    ):
        on_binance = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        on_okx = feed.futures_trades("OKX", "BTC-USDT-SWAP", min_volume=0)
        ordered = cgrx.merge_exchanges(on_binance, on_okx, max_delay="2s")
        cgrx.merge(on_binance, on_okx).subscribe(lambda event: show("arrived", event))
        ordered.subscribe(lambda event: show("in order", event))
        await trio.sleep(30)
    print(ordered.stats)


run(main)
