"""Clients for tests of the simulator: one that sees every byte, and the two ways to reach a simulator."""

import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, NamedTuple, Self
from urllib.parse import urlsplit

import pytest
import trio

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._simulator.faults import Fault
from cgrx._simulator.frames import frame
from cgrx._simulator.journal import Happened
from cgrx._simulator.simulator import Simulator
from cgrx._wire.address import Address
from cgrx._wire.codec import Frame, decode, encode_frame
from tests.support import run, run_mock

LIQUIDATIONS = "liquidationOrders"
TRADES = "futures_trades@Binance_BTCUSDT@10000"
RESOURCE = "/ws-api?cg-api-key=key"
TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


def liquidation(number: int = 0, volume_usd: float = 1_000.0, exchange: str = "Binance") -> Liquidation:
    """Liquidations of different numbers are different events, a second apart."""
    return Liquidation("BTC", exchange, "BTCUSDT", LiquidationSide.LONG, 60_000.0, volume_usd, 1_000 * number)


def trade(number: int = 0, volume_usd: float = 1_000.0, exchange: str = "Binance", symbol: str = "BTCUSDT") -> Trade:
    """Trades of different numbers are different events, a second apart."""
    return Trade("BTC", exchange, symbol, TradeSide.BUY, 60_000.0, volume_usd, 1_000 * number)


def request(resource: str = RESOURCE) -> bytes:
    """A client's handshake."""
    return (
        f"GET {resource} HTTP/1.1\r\nHost: simulator.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


class RawFrame(NamedTuple):
    """A frame as it stood on the wire."""

    opcode: int
    final: bool
    payload: bytes

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of a data frame, without the malformed ones."""
        message = decode(self.payload)
        assert isinstance(message, Frame), message
        return message.events

    @property
    def close_code(self) -> int:
        assert self.opcode == CLOSE
        return int(struct.unpack("!H", self.payload[:2])[0])


class EndOfStreamError(Exception):
    """The server closed the stream."""


class RawClient:
    """A WebSocket client that does nothing by itself, so that a test sees what the server really sends."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._buffer = bytearray()

    @classmethod
    async def connect(cls, stream: trio.abc.Stream, resource: str = RESOURCE) -> Self:
        """Send a handshake and expect it to succeed."""
        client = cls(stream)
        head = await client.handshake(resource)
        assert head.startswith("HTTP/1.1 101"), head
        return client

    async def handshake(self, resource: str = RESOURCE) -> str:
        """Send a handshake; the head of the answer."""
        await self.stream.send_all(request(resource))
        while b"\r\n\r\n" not in self._buffer:
            await self._read()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer[:] = rest
        return head.decode()

    async def send(self, payload: str | bytes, opcode: int = TEXT) -> None:
        """Send one frame, masked with zeros."""
        data = payload.encode() if isinstance(payload, str) else payload
        size = bytes((0x80 | len(data),)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        await self.stream.send_all(bytes((0x80 | opcode,)) + size + bytes(4) + data)

    async def command(self, method: str, *names: str) -> None:
        channels = ",".join(f'"{name}"' for name in names)
        await self.send(f'{{"method":"{method}","channels":[{channels}]}}')

    async def frame(self) -> RawFrame:
        """The next frame; raises `EndOfStreamError` at the end, trio's errors where the stream is broken."""
        first, second = await self._take(2)
        assert not second & 0x80, "a server does not mask"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._take(8))
        return RawFrame(first & 0x0F, bool(first & 0x80), await self._take(size))

    async def events(self, count: int) -> list[Event]:
        """The events of the next frames, exactly `count`."""
        events: list[Event] = []
        while len(events) < count:
            events += (await self.frame()).events
        assert len(events) == count
        return events

    async def rest(self) -> bytes:
        """All bytes up to the end of the stream."""
        try:
            while True:
                await self._read()
        except EndOfStreamError:
            return bytes(self._buffer)

    async def answer_close(self) -> None:
        """Answer the server's close frame and see the stream end."""
        await self.send(struct.pack("!H", 1000), CLOSE)
        assert await self.rest() == b""

    async def silence(self) -> None:
        """Nothing came, and nothing comes as long as nothing else happens."""
        with trio.move_on_after(0.05) as scope:
            await self._read()
        assert scope.cancelled_caught, bytes(self._buffer)
        assert not self._buffer

    async def _read(self) -> None:
        data = await self.stream.receive_some()
        if not data:
            raise EndOfStreamError
        self._buffer += data

    async def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            await self._read()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


class Way(NamedTuple):
    """How a test reaches its simulator: in memory on a mock clock, or over loopback TCP on the real one."""

    name: str
    listen: bool
    run: Callable[[Callable[[], Awaitable[None]]], None]

    async def open(self, simulator: Simulator) -> trio.abc.Stream:
        parts = urlsplit(simulator.url)
        host, port = str(parts.hostname), parts.port or 80
        if self.listen:
            return await trio.open_tcp_stream(host, port)
        return await simulator.dial(Address(host, port, tls=False, resource=RESOURCE))

    async def connect(self, simulator: Simulator, *names: str) -> RawClient:
        """A client whose handshake is done and which has subscribed to these channels."""
        client = await RawClient.connect(await self.open(simulator))
        if names:
            await client.command("subscribe", *names)
            for name in names:
                await simulator.wait_subscribed(name)
        return client


MEMORY = Way("memory", listen=False, run=run_mock)
LOOPBACK = Way("loopback", listen=True, run=run)

both_ways = pytest.mark.parametrize("way", [MEMORY, LOOPBACK], ids=lambda way: way.name)
"""Marks a test that takes a `way`."""


async def send_each(simulator: Simulator, events: Iterable[Event]) -> None:
    """Push events by hand, each in a frame of its own."""
    for event in events:
        await simulator.send(event)


def wire(event: Liquidation) -> bytes:
    """The bytes of its frame when nothing is wrong with it."""
    return frame(encode_frame(LIQUIDATIONS, [event]))


def happened(simulator: Simulator) -> list[tuple[int, Fault]]:
    """The faults that have happened, each with the number of its connection."""
    return [(entry.connection, entry.fault) for entry in simulator.log if isinstance(entry, Happened)]


def with_client(
    test: Callable[[Simulator, RawClient], Awaitable[None]],
    *faults: Fault,
    way: Way = MEMORY,
    generation: Literal[1, 2] = 1,
) -> None:
    """Run `test` with a client subscribed to liquidations, and the faults scripted from the beginning."""

    async def main() -> None:
        async with Simulator(listen=way.listen, faults=faults, generation=generation) as simulator:
            client = await way.connect(simulator, LIQUIDATIONS)
            await test(simulator, client)
            await client.stream.aclose()

    way.run(main)
