"""The web server: hypercorn's protocol for each connection that trio accepts, with all its bounds."""

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from cgrx._board.audience import Audience
from cgrx._board.bounds import CONNECTION_S, CONNECTIONS, LEAVE_S, MESSAGE_BYTES, REQUEST_BYTES, REQUEST_S
from cgrx._board.guard import App, Receive, Scope, Send
from cgrx._board.line import Line
from cgrx._feed.log import logger


def _config() -> Config:
    config = Config()
    config.errorlog = logger  # what an application raises; requests are not logged
    config.include_server_header = config.include_date_header = False
    config.h11_max_incomplete_size = REQUEST_BYTES
    config.keep_alive_max_requests = 0  # `Line` looks at the first request of a connection, and there is no other
    config.websocket_max_message_size = MESSAGE_BYTES
    config.max_app_queue_size = 4
    return config


class Server(TCPServer):
    """hypercorn's side of one connection."""

    async def _idle_timeout(self) -> None:
        """Cut an idle connection off. hypercorn would close it in a scope that nothing cancels, and may wait there."""
        with trio.move_on_after(REQUEST_S):
            await self.context.terminated.wait()
        cast(Any, self.stream).cut()


class Listening:
    """All connections of one board."""

    def __init__(self, app: App) -> None:
        self._config = _config()
        self._app = app
        self._context = WorkerContext(None)
        self._lines: set[Line] = set()
        self._last_left = trio.Event()

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection, unless there are too many.

        It ends in time also where hypercorn would wait for ever: behind the answer to a handshake that is none, and for
        somebody to take the rest of a body, or of what a browser has said, behind the end of the answer.
        """
        if len(self._lines) >= CONNECTIONS:
            await trio.aclose_forcefully(stream)
            return
        line = Line(stream)
        self._lines.add(line)
        limit = trio.move_on_after(CONNECTION_S)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "websocket":
                limit.deadline = math.inf  # until the conversation is over
            try:
                await self._app(scope, receive, send)
            finally:
                limit.deadline = min(limit.deadline, trio.current_time() + CONNECTION_S)

        state = ConnectionState({"line": line})
        try:
            with limit:
                await Server(ASGIWrapper(cast(Any, app)), self._config, self._context, state, cast(Any, line)).run()
        except Exception:  # noqa: BLE001 - of one browser's connection: the others and the feed go on
            logger.exception("a connection of the board has failed")
        finally:
            self._lines.discard(line)
            line.cut()
            if not self._lines:
                self._last_left.set()

    async def end(self) -> None:
        """Let idle connections go, and the others end by themselves; those that have not in time are cut off."""
        await self._context.terminated.set()
        with trio.move_on_after(LEAVE_S):
            while self._lines:
                self._last_left = trio.Event()
                await self._last_left.wait()
        for line in tuple(self._lines):
            line.cut()


@asynccontextmanager
async def listening(app: App, listeners: list[trio.SocketListener], audience: Audience) -> AsyncGenerator[None, None]:
    """Answer with this application, and serve the audience, as long as the body runs; then both end in bounded time."""
    served = Listening(app)
    failure: Exception | None = None  # the body's, kept out of the nursery, which would put it in a group
    async with trio.open_nursery() as nursery:
        accepting = trio.CancelScope()

        async def accept() -> None:
            with accepting:
                await trio.serve_listeners(served.serve, listeners, handler_nursery=nursery)

        nursery.start_soon(accept)
        nursery.start_soon(audience.serve)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
        finally:
            accepting.cancel()
            audience.end()
            with trio.CancelScope(shield=True):
                await served.end()
            nursery.cancel_scope.cancel()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # its traceback leads to this frame
