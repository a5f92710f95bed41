"""A sender whose connections die again and again: the far end of `recovery`.

Events are numbered by a clock that never stops, one a millisecond, whether a client is connected or not. Events that
are due while no client is connected are lost, as on the real feed. After `_LIFE_S` seconds of events a connection dies,
in one of four ways by turns: reset; ended without a close frame; ended within a frame; closed in order (code 1001). The
price of the next connection's first event is the time of that death, on the clock that all processes share.
"""

import itertools
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection

from benchmarks._senders.schedule import now_us, stamped
from benchmarks._senders.server import Peer, frame, serve_each

_LIFE_S = 0.01
EVENT_US = 1000
_GOING_AWAY = frame((1001).to_bytes(2, "big"), opcode=8)


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _end(_: socket.socket) -> None:
    """Closed by the caller."""


def _end_within_frame(sock: socket.socket) -> None:
    sock.sendall(stamped(1, 1)[:40])


def _close(sock: socket.socket) -> None:
    sock.sendall(_GOING_AWAY)


DEATHS: tuple[Callable[[socket.socket], None], ...] = (_reset, _end, _end_within_frame, _close)


class Mortal:
    """The sender's state from one connection to the next."""

    def __init__(self) -> None:
        self._started_us = now_us()
        self._died_us = self._started_us
        self._deaths: Iterator[Callable[[socket.socket], None]] = itertools.cycle(DEATHS)

    def answer(self, peer: Peer) -> None:
        """Serve one connection until it dies."""
        _, answer = peer.request()
        peer.send(answer)
        messages = peer.messages()
        next(messages)
        # The first event carries the time of the last death; the price of the others is 1.
        peer.send(stamped(self._number(), self._died_us))
        ends_s = time.monotonic() + _LIFE_S
        number = self._number()
        while time.monotonic() < ends_s:
            while number < self._number():
                number += 1
                peer.send(stamped(number, 1))
            select.select([], [], [], EVENT_US / 1e6 / 2)
        death = next(self._deaths)
        self._died_us = now_us()
        with suppress(OSError):
            death(peer.sock)

    def _number(self) -> int:
        return 1 + (now_us() - self._started_us) // EVENT_US


def serve(pipe: Connection) -> None:
    """Run in the sender's process."""
    serve_each(pipe, None, Mortal().answer)
