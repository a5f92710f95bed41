"""The snapshot and the collector where users live elsewhere: on asyncio, or without any loop."""

import asyncio  # noqa: TID251 - the host
import threading
from typing import Any

import trio
from prometheus_client import CollectorRegistry, generate_latest

import cgrx
import cgrx.aio
import cgrx.sync
from cgrx import metrics
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import KEY
from tests.hosts.asyncio_running import run_asyncio, served


def scraped(collector: metrics.Collector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def test_on_asyncio() -> None:
    """In its own thread, and in that of a server of metrics."""

    async def main() -> None:
        async with (
            served() as server,
            cgrx.aio.connect(**server.access) as feed,
            cgrx.aio.stream(feed.liquidations()) as events,
        ):
            await server.send(1_000.0)
            event = await anext(events)
            assert event.volume_usd == 1_000.0
            found = metrics.snapshot(feed, streams={"alerts": events})
            assert found.streams["alerts"].delivered == 1
            assert found.readiness().ready
            text = await asyncio.to_thread(scraped, metrics.Collector(feed, streams={"alerts": events}))
            assert 'cgrx_stream_delivered_total{stream="alerts"} 1.0' in text

    run_asyncio(main)


def test_without_a_loop() -> None:
    """The feed lives in another thread than those that ask."""
    urls: list[str] = []
    ready, done = threading.Event(), trio.Event()
    tokens: list[Any] = []

    async def serve() -> None:
        async with Simulator() as simulator:
            urls.append(simulator.url)
            tokens.append(trio.lowlevel.current_trio_token())
            ready.set()
            with trio.move_on_after(20):
                await done.wait()

    server = threading.Thread(target=trio.run, args=(serve,))
    server.start()
    assert ready.wait(20)
    try:
        with cgrx.sync.connect(url=urls[0], api_key=KEY) as feed, cgrx.sync.stream(feed.liquidations()) as events:
            found = metrics.snapshot(feed, streams={"alerts": events})
            assert found.feed.state is cgrx.State.CONNECTED
            assert found.streams["alerts"].received == 0
            assert 'cgrx_subscribers{channel="liquidation_orders"} 1.0' in scraped(metrics.Collector(feed))
    finally:
        tokens[0].run_sync_soon(done.set)
        server.join(20)
