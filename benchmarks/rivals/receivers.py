"""Ways to receive frames as typed events, one for each client library: what `wire` and `latency` compare.

A receiver connects, tells its `Goal` to start the clock, sends the one message that sets the sender off, and calls
`goal.on_event` for every event until the goal is reached. Rivals do it as their documentation shows, with the options
that make them faster where these cost the reader nothing; the events are cgrx's own, made with the rival's parser.
"""

import asyncio  # noqa: TID251 - the rivals' loop, not ours
import importlib
import json
import ssl
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar, cast

import attrs
import msgspec
import trio
import trio_websocket

import cgrx
from benchmarks._harness.scenario import Role
from cgrx import Limits, Trade, TradeSide

GO = "{}"
"""The message that sets the sender off; cgrx sends its subscription instead."""
NO_HURRY = Limits(pong_within_s=120)
"""The sender answers pings only after it has sent everything."""


class TradeFrame(msgspec.Struct, gc=False):
    """A message of the trade channel, for rivals that use msgspec themselves."""

    channel: str
    data: tuple[Trade, ...]


@attrs.define(eq=False)
class Goal:
    """How many events are still to come, what starts the clock, and what to do when the last event is here."""

    left: int
    on_event: Callable[[Trade], None]
    start: Callable[[], None]
    reached: Callable[[], None] = lambda: None


R = TypeVar("R")
Receiver: TypeAlias = Callable[[str, ssl.SSLContext | None, Goal], None]


def of_dict(row: dict[str, Any]) -> Trade:
    """The event made from the dict of a JSON library, in the shortest code that gives the same values."""
    return Trade(
        row["baseAsset"],
        row["exName"],
        row["symbol"],
        TradeSide(row["side"]),
        row["price"],
        row["volUsd"],
        row["time"],
    )


def through_cgrx(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """cgrx: a whole feed, supervised, with its heartbeat."""

    async def main() -> None:
        reached = trio.Event()
        goal.reached = reached.set
        async with cgrx.connect(url=url, api_key="any-key-will-do", ssl_context=context, limits=NO_HURRY) as feed:
            goal.start()
            feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(goal.on_event)
            await reached.wait()

    trio.run(main)


def through_trio_websocket(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """trio-websocket by itself, and `json`."""

    async def main() -> None:
        async with trio_websocket.open_websocket_url(url, ssl_context=context) as connection:
            goal.start()
            await connection.send_message(GO)
            while goal.left:
                for row in json.loads(await connection.get_message())["data"]:
                    goal.on_event(of_dict(row))

    trio.run(main)


def through_websockets(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """websockets on asyncio, and orjson."""
    import orjson
    from websockets.asyncio.client import connect

    async def main() -> None:
        async with connect(url, ssl=context, compression=None, proxy=None) as connection:
            goal.start()
            await connection.send(GO)
            while goal.left:
                for row in orjson.loads(await connection.recv(decode=False))["data"]:
                    goal.on_event(of_dict(row))

    asyncio.run(main())


def through_websockets_trio(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """websockets on trio, and orjson."""
    import orjson
    from websockets.trio.client import connect

    async def main() -> None:
        async with connect(url, ssl=context, compression=None, proxy=None) as connection:
            goal.start()
            await connection.send(GO)
            while goal.left:
                for row in orjson.loads(await connection.recv(decode=False))["data"]:
                    goal.on_event(of_dict(row))

    trio.run(main)


def through_picows(url: str, context: ssl.SSLContext | None, goal: Goal) -> None:
    """picows, whose framing is C, on uvloop, and msgspec straight into the events."""
    import picows
    import uvloop

    decode = msgspec.json.Decoder(TradeFrame).decode

    class Listener(picows.WSListener):
        def on_ws_connected(self, transport: picows.WSTransport) -> None:
            goal.start()
            transport.send(picows.WSMsgType.TEXT, GO.encode())

        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                for event in decode(frame.get_payload_as_memoryview()).data:
                    goal.on_event(event)
                if not goal.left:
                    transport.send_close(picows.WSCloseCode.OK)

    async def main() -> None:
        transport, _ = await cast("Any", picows).ws_connect(Listener, url, ssl_context=context)
        await transport.wait_disconnected()

    uvloop.run(main())


@attrs.frozen
class Client(Generic[R]):
    """A way to receive with its name, and the modules that must be installed for it."""

    name: str
    receive: R
    modules: tuple[str, ...] = ()
    role: Role = "rival"

    def require(self) -> None:
        """Import the modules of this client.

        Raises:
            ImportError: one of them is not installed.
        """
        for module in self.modules:
            importlib.import_module(module)


CLIENTS: tuple[Client[Receiver], ...] = (
    Client("cgrx", through_cgrx, role="ours"),
    Client("trio-websocket + json", through_trio_websocket),
    Client("websockets on asyncio + orjson", through_websockets, ("websockets.asyncio.client", "orjson")),
    Client("websockets on trio + orjson", through_websockets_trio, ("websockets.trio.client", "orjson")),
    Client("picows on uvloop + msgspec", through_picows, ("picows", "uvloop")),
)
