"""Keeps a feed connected: makes a connection, runs it, and makes another one after trouble that may pass.

    retryable trouble         retried after a delay: exponential with full jitter, and not before `Retry-After` allows
    a refused key, no such address
                              raised: a new attempt would meet the same
    closed before any pong or event, several times in a row
                              raised as `RejectedError`: most likely the key is not valid

Whatever else a session raises is a bug, and final too.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import attrs
import trio

from cgrx._feed.backoff import delays
from cgrx._feed.session import Session
from cgrx._feed.subscriptions import Hub
from cgrx._model.errors import (
    CgrxError,
    DisconnectedError,
    HandshakeError,
    HeartbeatError,
    RejectedError,
    TransportError,
)
from cgrx._model.limits import Limits
from cgrx._model.status import Connected, Connecting, Disconnected, State, Status
from cgrx._trio.clock import WallClock
from cgrx._wire.transport import Transport

Open: TypeAlias = Callable[[], AbstractAsyncContextManager[Transport]]


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
    last_error: CgrxError | None = None
    first_handshake: trio.Event = attrs.field(factory=trio.Event)
    session: Session | None = None
    _stopping: bool = attrs.field(default=False, init=False)
    _interruptible: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _tries: int = attrs.field(default=0, init=False)
    """Attempts since the last connection."""
    _delays: Iterator[float] = attrs.field(init=False)
    _pause_s: float = attrs.field(default=0.0, init=False)
    _rejections: int = attrs.field(default=0, init=False)
    _last_notice: str | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._reset_delays()

    async def run(self) -> None:
        """Run until stopped; raises the error that is final."""
        while not self._stopping:
            await self._attempt()
            with self._until_stopped():
                await trio.sleep(self._pause_s)

    def stop(self) -> None:
        """End soon: the connection is closed in good order, an attempt or a pause is cut short."""
        if self._stopping:
            return  # the closing handshake may be under way
        self._stopping = True
        if self.session is not None:
            self.session.stop()
        else:
            self._interruptible.cancel()

    def _until_stopped(self) -> trio.CancelScope:
        self._interruptible = trio.CancelScope()
        if self._stopping:
            self._interruptible.cancel()
        return self._interruptible

    async def _attempt(self) -> None:
        """One connection from beginning to end."""
        self.attempts += 1
        self._tries += 1
        if self.clock.catch_up():
            self.hub.clock_moved()
        self.report(Connecting(self.clock.now_ms(), self._tries))
        with self._until_stopped() as attempt:
            try:
                async with self.open_connection() as transport:
                    await self._run_session(transport, attempt)
            except CgrxError as error:
                if not error.retryable:
                    raise
                self._retry_after(error)

    async def _run_session(self, transport: Transport, attempt: trio.CancelScope) -> None:
        connected_at = trio.current_time()
        self.connections += 1
        self._tries = 0
        self.state = State.CONNECTED
        session = self.session = self.start_session(transport)
        self.first_handshake.set()
        self.report(Connected(self.clock.now_ms()))
        try:
            await session.run()
            self.drain()
        except TransportError as error:
            if trio.current_time() - connected_at >= self.limits.healthy_after_s:
                self._reset_delays()
            self._on_disconnected(session, error)
            self._retry_after(error)
            if isinstance(error, HeartbeatError):
                attempt.cancel()  # nobody is there to answer a closing handshake
        finally:
            self.session = None

    def _on_disconnected(self, session: Session, error: TransportError) -> None:
        self.state = State.RECONNECTING
        if session.proven_until_ms is not None:
            self._rejections, self._last_notice = 0, None
            self.hub.disconnected(session.proven_until_ms, str(error))
            return
        self._last_notice = session.last_notice or self._last_notice
        if isinstance(error, DisconnectedError):
            self._rejections += 1
            if self._rejections >= self.limits.rejections:
                raise RejectedError(self._rejections, error.code, self._last_notice) from error

    def _reset_delays(self) -> None:
        self._delays = delays(self.limits.backoff_first_s, self.limits.backoff_most_s, self.rng)

    def _retry_after(self, error: CgrxError) -> None:
        asked_s = (error.retry_after_s if isinstance(error, HandshakeError) else None) or 0.0
        self._pause_s = max(next(self._delays), min(asked_s, self.limits.retry_after_most_s))
        self.last_error = error
        _drop_frames(error)
        self.report(Disconnected(self.clock.now_ms(), error, self._pause_s))


def _drop_frames(error: BaseException | None) -> None:
    """Drop the frames of its traceback: a status that is kept would keep the whole connection alive by them."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
