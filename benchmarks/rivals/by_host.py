"""Ways to iterate over a feed where users live: what `hosts` compares. Each is a `Receiver`, as in `receivers`."""

import asyncio  # noqa: TID251 - one of the hosts
import math
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import trio

import cgrx
import cgrx.aio
import cgrx.sync
from benchmarks.rivals.receivers import NO_HURRY, Client, Goal, Receiver

RunAsyncio: TypeAlias = Callable[[Coroutine[Any, Any, None]], object]


def _access(url: str, context: ssl.SSLContext | None) -> dict[str, Any]:
    return {"url": url, "api_key": "any-key-will-do", "ssl_context": context, "limits": NO_HURRY}


def on_trio(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """Plain cgrx, under `trio.run`."""

    async def main() -> None:
        async with cgrx.connect(**_access(url, context)) as feed:
            trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
            goal.start()
            async with cgrx.stream(trades, buffer=math.inf) as events:
                async for event in events:
                    goal.on_event(event)
                    if not goal.left:
                        return

    trio.run(main)


def on_asyncio(run: RunAsyncio, url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """The same with `cgrx.aio`, under `asyncio.run` or `uvloop.run`."""

    async def main() -> None:
        async with cgrx.aio.connect(**_access(url, context)) as feed:
            trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
            goal.start()
            async with cgrx.aio.stream(trades, buffer=math.inf) as events:
                async for event in events:
                    goal.on_event(event)
                    if not goal.left:
                        return

    run(main())


def on_uvloop(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """The same under `uvloop.run`."""
    import uvloop

    on_asyncio(uvloop.run, url, context, goal)


def without_a_loop(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """The same with `cgrx.sync`."""
    with cgrx.sync.connect(**_access(url, context)) as feed:
        trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        goal.start()
        with cgrx.sync.stream(trades, buffer=math.inf) as events:
            for event in events:
                goal.on_event(event)
                if not goal.left:
                    return


HOSTS: tuple[Client[Receiver], ...] = (
    Client("cgrx", on_trio, role="ours"),
    Client("cgrx.aio on asyncio", partial(on_asyncio, asyncio.run)),
    Client("cgrx.aio on uvloop", on_uvloop, ("uvloop",)),
    Client("cgrx.sync", without_a_loop),
)
