"""What Prometheus scrapes and a supervisor probes: before the feed is there, while it runs, while it reconnects.

On the real feed: `cgrx.connect(connect_timeout=math.inf)` without a simulator, and `port=9464`.
"""

from urllib.error import HTTPError
from urllib.request import urlopen

import trio

import cgrx
from cgrx import metrics
from cgrx import operators as ops
from cgrx.testing import Refuse, Simulator, liquidation

SHOWN = (
    'cgrx_state{state="connected"}',
    "cgrx_events_total",
    "cgrx_stream_queued",
    "cgrx_open_keys",
    "cgrx_dropped_total",
)


def ask(url: str) -> str:
    try:
        with urlopen(url, timeout=5) as answer:
            return f"{answer.status} {answer.read().decode()}"
    except HTTPError as refusal:
        return f"{refusal.code} {refusal.read().decode()}"


async def show(server: metrics.Server) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await trio.to_thread.run_sync(ask, server.url + path)
        print(f"GET {path:8} {answer.partition(',')[0].strip()}")


async def main() -> None:
    async with metrics.serve(port=0) as server, Simulator() as simulator:
        await show(server)
        async with cgrx.connect(url=simulator.url, api_key="any-key-will-do") as feed:
            minutes = feed.liquidations().pipe(ops.tumbling("1m", by="exchange"))
            lost = trio.Event()
            feed.status.subscribe(lambda status: lost.set() if isinstance(status, cgrx.Disconnected) else None)
            async with cgrx.stream(minutes) as rows, cgrx.stream(feed.liquidations()) as events:
                server.watch(metrics.Collector(feed, streams={"minutes": rows}, pipelines={"minutes": minutes}))
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.send([liquidation(exchange=exchange) for exchange in ("Binance", "OKX", "OKX")])
                for _ in range(3):
                    await anext(events)
                await show(server)
                text = await trio.to_thread.run_sync(ask, f"{server.url}/metrics")
                print("\n".join(line for line in text.splitlines() if line.startswith(SHOWN)))
                simulator.script([Refuse(connections=100)])
                simulator.drop_all()
                await lost.wait()
                await show(server)


cgrx.run(main)
