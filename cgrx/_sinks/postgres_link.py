"""A connection that is used in threads, one piece of work at a time, and can be broken while one waits.

A thread that waits for a server cannot be cancelled. Its socket can be shut, which ends the wait: libpq then finds the
connection closed. The connection is closed by whoever uses it last: it must not be while a thread is in it.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import psycopg
import trio

T = TypeVar("T")

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"


class Link:
    """One connection, from its beginning to its end."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._wire: socket.socket | None = None
        """The socket of the connection once more, which is ours to shut."""
        self._limiter = trio.CapacityLimiter(1)
        self._lock = threading.Lock()
        self._busy = False
        self._ended = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a thread, connected. Once cancelled, the connection is of no use any more."""
        try:
            return await trio.to_thread.run_sync(self._work, work, abandon_on_cancel=True, limiter=self._limiter)
        except trio.Cancelled:
            self.end()
            raise

    def end(self) -> None:
        """Close the connection; whoever waits for an answer gets an error."""
        with self._lock:
            self._ended = True
            if not self._busy:
                self._close()
            elif self._wire is not None:
                self._shut(self._wire)

    def _work(self, work: Callable[[Connection], T]) -> T:
        with self._lock:
            self._busy = True
        try:
            return work(self._connected())
        finally:
            with self._lock:
                self._busy = False
                if self._ended:
                    self._close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._connect()
            with self._lock:
                self._wire = socket.fromfd(self._connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
                if self._ended:  # while it was being made
                    self._shut(self._wire)
        return self._connection

    def _close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        if self._connection is not None:
            self._connection.close()

    @staticmethod
    def _shut(wire: socket.socket) -> None:
        with suppress(OSError):  # the other side was quicker
            wire.shutdown(socket.SHUT_RDWR)
