"""A sender of liquidations and trades that keeps to a schedule, with the times of now: the far end of `board`.

The address is `/mixed?events=3000&per_s=1000`. The sender begins when the channel of `GO` is subscribed to, so that all
else can be ready before. All frames are made before the first is due. `schedule.py` says what a schedule is.
"""

import random
import time
from multiprocessing.connection import Connection
from urllib.parse import parse_qsl, urlsplit

import attrs

from benchmarks._senders.schedule import LEAD_S, keep, now_us
from benchmarks._senders.server import Peer, frame, serve_each

MARKET = ("Binance", "BTCUSDT")
"""Whose trades are sent."""
GO = ("Bybit", "SOLUSDT")
"""Whose trades are subscribed to last."""

_EXCHANGES = ("Binance", "OKX", "Bybit", "Bitget", "Gate", "HTX")
_ASSETS = 50
_MAKING_S = 1e-5
"""How long a frame takes to make, at most."""


@attrs.frozen
class Mixed:
    """A number of events, one a message, at equal distances; every second one is a liquidation."""

    events: int
    per_s: int

    @property
    def resource(self) -> str:
        """The address that asks for it."""
        return f"/mixed?events={self.events}&per_s={self.per_s}"

    @classmethod
    def of(cls, resource: str) -> "Mixed":
        """Read an address."""
        asked = dict(parse_qsl(urlsplit(resource).query))
        return cls(int(asked["events"]), int(asked["per_s"]))

    def frames(self, start_us: int) -> tuple[list[int], list[bytes]]:
        """When the frames are due, microseconds of the clock that all processes share, and the frames.

        `price` is that time; `time` is the same by the clock of the wall, in milliseconds.
        """
        chance = random.Random(7)
        to_wall_us = time.time_ns() // 1000 - now_us()
        due = [start_us + number * 1_000_000 // self.per_s for number in range(self.events)]
        return due, [_stamped(number, at_us, (at_us + to_wall_us) // 1000, chance) for number, at_us in enumerate(due)]


def _stamped(number: int, at_us: int, time_ms: int, chance: random.Random) -> bytes:
    volume, side = round(chance.lognormvariate(8, 2), 2), chance.choice((1, 2))
    channel, exchange, asset = "futures_trades@{}_{}@0".format(*MARKET), MARKET[0], "BTC"
    if number % 2:
        channel, exchange = "liquidationOrders", chance.choice(_EXCHANGES)
        asset = f"A{int(_ASSETS * chance.random() ** 2)}"
    text = (
        f'{{"channel":"{channel}","data":[{{"baseAsset":"{asset}","exName":"{exchange}","symbol":"{asset}USDT",'
        f'"side":{side},"price":{at_us},"volUsd":{volume},"time":{time_ms}}}]}}'
    )
    return frame(text.encode())


def _answer(peer: Peer) -> None:
    resource, answer = peer.request()
    mixed = Mixed.of(resource)
    peer.send(answer)
    messages = peer.messages()
    go = "_".join(GO).encode()
    while go not in next(messages)[1]:
        pass
    due, frames = mixed.frames(now_us() + int((mixed.events * _MAKING_S + LEAD_S) * 1e6))
    keep(peer.sock, due, frames)
    peer.finish(messages)


def serve(pipe: Connection) -> None:
    """Run in the sender's process."""
    serve_each(pipe, None, _answer)
