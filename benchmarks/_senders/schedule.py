"""A sender that keeps to a schedule, whatever the receiver does: the far end of `latency`.

Every message holds the time at which it was due, on the clock that all processes of a machine share. A message that
leaves late, or waits in a socket that the receiver does not empty, counts with its full latency: a slow receiver cannot
slow the sender down, so there is no coordinated omission.

The address is `/schedule?events=2000&per_s=1000&channels=1`. All frames are made before the first is due. With more
channels than one they take turns, an event each.
"""

import itertools
import select
import socket
import time
from multiprocessing.connection import Connection
from urllib.parse import parse_qsl, urlsplit

import attrs

from benchmarks._senders.server import Peer, frame, serve_each

LEAD_S = 0.05
"""Pause between making the last frame and sending the first."""


@attrs.frozen
class Schedule:
    """A number of events, one a message, at equal distances."""

    events: int
    per_s: int
    channels: int = 1

    @property
    def names(self) -> list[str]:
        """The channels."""
        return [f"futures_trades@Binance_{symbol}@0" for symbol in self._symbols]

    @property
    def _symbols(self) -> list[str]:
        return ["BTCUSDT", *(f"COIN{number}XUSDT" for number in range(1, self.channels))]

    @property
    def resource(self) -> str:
        """The address that asks for it."""
        return f"/schedule?events={self.events}&per_s={self.per_s}&channels={self.channels}"

    @classmethod
    def of(cls, resource: str) -> "Schedule":
        """Read an address."""
        asked = dict(parse_qsl(urlsplit(resource).query))
        return cls(int(asked["events"]), int(asked["per_s"]), int(asked["channels"]))

    def frames(self, start_us: int) -> tuple[list[int], list[bytes]]:
        """When the frames are due, microseconds, and the frames: `price` is that time, `volUsd` the number from 1."""
        due = [start_us + number * 1_000_000 // self.per_s for number in range(self.events)]
        turns = itertools.cycle([symbol.encode() for symbol in self._symbols])
        numbered = zip(due, turns, itertools.count(1), strict=False)
        return due, [stamped(number, due_us, symbol) for due_us, symbol, number in numbered]


def stamped(number: int, at_us: int, symbol: bytes = b"BTCUSDT") -> bytes:
    """A trade as a frame, with its number and a time in microseconds in place of volume and price."""
    return frame(
        b'{"channel":"futures_trades@Binance_%b@0","data":[{"baseAsset":"BTC","exName":"Binance","symbol":"%b",'
        b'"side":2,"price":%d,"volUsd":%d,"time":1725416318379}]}' % (symbol, symbol, at_us, number)
    )


def now_us() -> int:
    """The clock that all processes share, microseconds."""
    return time.monotonic_ns() // 1000


def keep(sock: socket.socket, due: list[int], frames: list[bytes]) -> None:
    """Send each frame when it is due, and those that are late in one piece."""
    sent = 0
    while sent < len(frames):
        now = now_us()
        until = sent
        while until < len(frames) and due[until] <= now:
            until += 1
        if until > sent:
            sock.sendall(b"".join(frames[sent:until]))
            sent = until
        elif due[sent] - now > 200:
            select.select([], [], [], (due[sent] - now - 100) / 1e6)


def _answer(peer: Peer) -> None:
    resource, answer = peer.request()
    schedule = Schedule.of(resource)
    peer.send(answer)
    messages = peer.messages()
    peer.wait_asked(messages)
    making_s = schedule.events * 2e-6
    due, frames = schedule.frames(now_us() + int((making_s + LEAD_S) * 1e6))
    keep(peer.sock, due, frames)
    peer.finish(messages)


def serve(pipe: Connection) -> None:
    """Run in the sender's process."""
    serve_each(pipe, None, _answer)
