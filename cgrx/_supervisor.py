"""Keeping a connection: try, run, and try again after whatever may pass.

    transport trouble         retried after a delay: exponential with full jitter, or what `Retry-After` asks for
    a refused key, no such address
                              raised: a new attempt would meet the same
    closed before any pong or event, several times in a row
                              raised as `RejectedError`: most likely the key is not valid
"""

import random
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import attrs
import trio

from cgrx._backoff import delays
from cgrx._clock import WallClock
from cgrx._errors import DisconnectedError, HandshakeError, RejectedError, TransportError
from cgrx._hub import Hub
from cgrx._limits import Limits
from cgrx._session import Session
from cgrx._status import Connected, Connecting, Disconnected, State, Status
from cgrx._transport import Transport

Open = Callable[[], AbstractAsyncContextManager[Transport]]


@attrs.define(eq=False, kw_only=True)
class Supervisor:
    """Runs one connection after the other until it is stopped or an error is final."""

    open_connection: Open
    start_session: Callable[[Transport], Session]
    drain: Callable[[], None]
    """Called when stopped, while the connection is still there."""
    report: Callable[[Status], None]
    hub: Hub
    clock: WallClock
    limits: Limits
    rng: random.Random

    state: State = State.CONNECTING
    connections: int = 0
    attempts: int = 0
    last_error: TransportError | None = None
    first_handshake: trio.Event = attrs.field(factory=trio.Event)
    session: Session | None = None
    _stopping: trio.Event = attrs.field(factory=trio.Event)
    _interruptible: trio.CancelScope | None = None
    _rejections: int = 0
    _last_notice: str | None = None

    async def run(self) -> None:
        """Run until stopped; raises the error that is final."""
        attempt = 0
        pauses = self._pauses()
        while not self._stopping.is_set():
            attempt += 1
            connected_for_s = await self._attempt(attempt)
            if self._stopping.is_set() or self.last_error is None:
                return
            if connected_for_s is not None:
                attempt = 0
                if connected_for_s >= self.limits.healthy_after_s:
                    pauses = self._pauses()
            pause_s = self._pause_s(self.last_error, pauses)
            self.report(Disconnected(self.clock.now_ms(), self.last_error, pause_s))
            with self._until_stopped():
                await trio.sleep(pause_s)

    def stop(self) -> None:
        """End soon: the connection is closed in good order, an attempt or a pause is cut short."""
        self._stopping.set()
        if self._interruptible is not None:
            self._interruptible.cancel()

    @contextmanager
    def _until_stopped(self) -> Generator[None]:
        with trio.CancelScope() as scope:
            before, self._interruptible = self._interruptible, scope
            if self._stopping.is_set():
                scope.cancel()
            try:
                yield
            finally:
                self._interruptible = before

    async def _attempt(self, attempt: int) -> float | None:
        """One connection from beginning to end; for how many seconds there was one, None where there was none."""
        self.attempts += 1
        self.clock.catch_up()
        self.report(Connecting(self.clock.now_ms(), attempt))
        connected_at: float | None = None
        try:
            with self._until_stopped():
                async with self.open_connection() as transport:
                    connected_at = trio.current_time()
                    with self._until_stopped():  # so that a stop leaves the closing handshake uncut
                        await self._run_session(transport)
                    self.drain()
        except TransportError as error:
            self.last_error = error
            if connected_at is not None:
                self._on_disconnected(error)
        finally:
            self.session = None
        return None if connected_at is None else trio.current_time() - connected_at

    async def _run_session(self, transport: Transport) -> None:
        self.connections += 1
        self.state = State.CONNECTED
        self.session = self.start_session(transport)
        self.first_handshake.set()
        self.report(Connected(self.clock.now_ms()))
        await self.session.run()

    def _on_disconnected(self, error: TransportError) -> None:
        self.state = State.RECONNECTING
        session = self.session
        assert session is not None  # it is made as soon as there is a connection
        if session.proven_until_ms is not None:
            self._rejections = 0
            self.hub.disconnected(session.proven_until_ms, str(error))
            return
        self._last_notice = session.last_notice or self._last_notice
        if isinstance(error, DisconnectedError):
            self._rejections += 1
            if self._rejections >= self.limits.rejections:
                raise RejectedError(self._rejections, error.code, self._last_notice) from error

    def _pauses(self) -> Iterator[float]:
        return delays(self.limits.backoff_first_s, self.limits.backoff_most_s, self.rng)

    def _pause_s(self, error: TransportError, pauses: Iterator[float]) -> float:
        asked_s = error.retry_after_s if isinstance(error, HandshakeError) else None
        return next(pauses) if asked_s is None else min(asked_s, self.limits.retry_after_most_s)
