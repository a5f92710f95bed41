"""Ways to receive a whole market, one for each client library: each channel has a callback of its own.

What is subscribed to stands in one message. The rivals look the callback of a message up by its channel, as one would
write it: with msgspec the channel is read first and the events then straight into their class; the others make them
from the dicts of their JSON library, as in `receivers`.
"""

import asyncio  # noqa: TID251 - the rivals' loop, not ours
import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import attrs
import msgspec
import trio
import trio_websocket

import cgrx
from benchmarks._harness.data import LIQUIDATIONS
from benchmarks.rivals.receivers import NO_HURRY, Client, of_dict
from cgrx import Liquidation, LiquidationSide, Trade

Callbacks: TypeAlias = Mapping[str, Callable[[Any], None]]
"""By channel."""


@attrs.define(eq=False)
class Listening:
    """What a client listens to, what starts the clock, and whether all has come."""

    callbacks: Callbacks
    start: Callable[[], None]
    done: Callable[[], bool]
    reached: Callable[[], None] = lambda: None
    """To be called when all has come: cgrx waits for it, the others look after each message."""

    @property
    def subscription(self) -> str:
        """The message that asks for all channels."""
        return json.dumps({"method": "subscribe", "channels": list(self.callbacks)})


Dispatching: TypeAlias = Callable[[str, ssl.SSLContext | None, Listening], None]


class Envelope(msgspec.Struct, gc=False):
    """A message whose events are not read yet."""

    channel: str
    data: msgspec.Raw


def by_msgspec(callbacks: Callbacks) -> Callable[[bytes | memoryview], None]:
    """Two decodings: the channel, then its events."""
    envelope = msgspec.json.Decoder(Envelope).decode
    trades = msgspec.json.Decoder(tuple[Trade, ...]).decode
    liquidations = msgspec.json.Decoder(tuple[Liquidation, ...]).decode
    table = {name: (liquidations if name == LIQUIDATIONS else trades, on) for name, on in callbacks.items()}

    def take(message: bytes | memoryview) -> None:
        found = envelope(message)
        decode, on_event = table[found.channel]
        for event in decode(found.data):
            on_event(event)

    return take


def by_dicts(loads: Callable[[Any], Any], callbacks: Callbacks) -> Callable[[Any], None]:
    """One decoding, and events made from dicts."""

    def take(message: Any) -> None:
        found = loads(message)
        channel = found["channel"]
        on_event, of = callbacks[channel], liquidation_of if channel == LIQUIDATIONS else of_dict
        for row in found["data"]:
            on_event(of(row))

    return take


def liquidation_of(row: dict[str, Any]) -> Liquidation:
    """As `of_dict`."""
    return Liquidation(
        row["baseAsset"],
        row["exName"],
        row["symbol"],
        LiquidationSide(row["side"]),
        row["price"],
        row["volUsd"],
        row["time"],
    )


def through_cgrx(url: str, context: ssl.SSLContext | None, listening: Listening) -> None:
    """cgrx: a whole feed, and a subscriber for each channel."""

    async def main() -> None:
        reached = trio.Event()
        listening.reached = reached.set
        async with cgrx.connect(url=url, api_key="any-key-will-do", ssl_context=context, limits=NO_HURRY) as feed:
            listening.start()
            for name, on_event in listening.callbacks.items():
                feed.channel(name).subscribe(on_event)
            await reached.wait()

    trio.run(main)


def through_trio_websocket(url: str, context: ssl.SSLContext | None, listening: Listening) -> None:
    """trio-websocket by itself, and `json`."""
    take = by_dicts(json.loads, listening.callbacks)

    async def main() -> None:
        async with trio_websocket.open_websocket_url(url, ssl_context=context) as connection:
            listening.start()
            await connection.send_message(listening.subscription)
            while not listening.done():
                take(await connection.get_message())

    trio.run(main)


def through_websockets(url: str, context: ssl.SSLContext | None, listening: Listening) -> None:
    """websockets on asyncio, and orjson."""
    import orjson
    from websockets.asyncio.client import connect

    take = by_dicts(orjson.loads, listening.callbacks)

    async def main() -> None:
        async with connect(url, ssl=context, compression=None, proxy=None) as connection:
            listening.start()
            await connection.send(listening.subscription)
            while not listening.done():
                take(await connection.recv(decode=False))

    asyncio.run(main())


def through_picows(url: str, context: ssl.SSLContext | None, listening: Listening) -> None:
    """picows, whose framing is C, on uvloop, and msgspec straight into the events."""
    import picows
    import uvloop

    take = by_msgspec(listening.callbacks)

    class Listener(picows.WSListener):
        def on_ws_connected(self, transport: picows.WSTransport) -> None:
            listening.start()
            transport.send(picows.WSMsgType.TEXT, listening.subscription.encode())

        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                take(frame.get_payload_as_memoryview())
                if listening.done():
                    transport.send_close(picows.WSCloseCode.OK)

    async def main() -> None:
        transport, _ = await cast("Any", picows).ws_connect(Listener, url, ssl_context=context)
        await transport.wait_disconnected()

    uvloop.run(main())


CLIENTS: tuple[Client[Dispatching], ...] = (
    Client("cgrx", through_cgrx, role="ours"),
    Client("trio-websocket + json", through_trio_websocket),
    Client("websockets on asyncio + orjson", through_websockets, ("websockets.asyncio.client", "orjson")),
    Client("picows on uvloop + msgspec", through_picows, ("picows", "uvloop")),
)
