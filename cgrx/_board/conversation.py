"""What is said with one browser over its WebSocket: `Hello` and its token, then what its seat is given and it asks."""

import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar, cast

import msgspec
import trio
from starlette.websockets import WebSocket, WebSocketDisconnect

from cgrx._board.audience import Audience, Seat
from cgrx._board.bounds import HELLO_S, MESSAGES_A_SECOND, SEND_S, SILENCE_S
from cgrx._board.line import Line
from cgrx._board.messages import VERSION, Hello, Pick, Play, Seen

Asked: TypeAlias = Pick | Play | Seen
T = TypeVar("T")

GOING_AWAY, POLICY, TRY_AGAIN_LATER = 1001, 1008, 1013
"""Codes of RFC 6455, 7.4.1, and of its registry at IANA."""


class RefusedError(Exception):
    """The conversation is over: with which code, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Conversation:
    """One browser's. State: when its latest messages came, within the last second."""

    def __init__(self, socket: WebSocket, line: Line, audience: Audience, token: str | None) -> None:
        self._socket = socket
        self._line = line
        self._audience = audience
        self._token = token
        self._latest: deque[float] = deque(maxlen=MESSAGES_A_SECOND)

    async def hold(self) -> None:
        """From the handshake to the close."""
        await self._socket.accept()
        try:
            await self._talk()
        except RefusedError as refusal:
            with trio.move_on_after(SEND_S):  # hypercorn may wait here for messages to be taken that nobody takes
                await self._socket.close(refusal.code, refusal.reason)
        except (WebSocketDisconnect, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it has left

    async def _talk(self) -> None:
        hello = await self._hear(msgspec.json.Decoder(Hello).decode, HELLO_S, "Hello")
        if hello.version != VERSION:
            raise RefusedError(POLICY, f"this board speaks version {VERSION}: load the page anew")
        if not _is_token(hello.token, self._token):
            raise RefusedError(POLICY, "the token is wrong: open the address that was shown when the board started")
        if self._audience.is_full:
            raise RefusedError(TRY_AGAIN_LATER, "as many browsers as may look at once: try again later")
        seat = self._audience.sit(hello.asset, self._line.send_now)
        try:
            await self._serve(seat)
        finally:
            self._audience.leave(seat)

    async def _serve(self, seat: Seat) -> None:
        """Listen and tell at once, until one of both has an end."""
        ends: list[Exception] = []

        async def until_the_end(task: Callable[[Seat, trio.Nursery], Awaitable[None]]) -> None:
            try:
                await task(seat, nursery)
            except (RefusedError, WebSocketDisconnect, trio.BrokenResourceError, trio.ClosedResourceError) as end:
                ends.append(end)
                nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_the_end, self._tell)
            nursery.start_soon(until_the_end, self._listen)
        raise ends[0]

    async def _tell(self, seat: Seat, _: trio.Nursery) -> None:
        async for frame in seat.queue:
            await self._line.send_frame(frame)
        if self._audience.has_ended:
            raise RefusedError(GOING_AWAY, "the board has ended")
        raise RefusedError(TRY_AGAIN_LATER, "too slow: what was missed is in the snapshot that follows")

    async def _listen(self, seat: Seat, nursery: trio.Nursery) -> None:
        decode = msgspec.json.Decoder(Asked).decode
        while True:
            asked = await self._hear(decode, SILENCE_S, "Seen")
            match asked:
                case Pick():
                    self._audience.pick(seat, asked.asset)
                case Play():
                    nursery.start_soon(self._audience.play, seat, asked)  # a jump takes its time; the next ends it
                case _:
                    pass  # `Seen`: it is there

    async def _hear(self, decode: Callable[[str], T], within_s: float, awaited: str) -> T:
        """The next message.

        Raises:
            RefusedError: none came in time, too many came, or it is none of those that a page sends.
        """
        with trio.move_on_after(within_s):
            text = cast("str | None", await self._socket.receive_text())
            now = trio.current_time()
            if len(self._latest) == MESSAGES_A_SECOND and now - self._latest[0] < 1:
                raise RefusedError(POLICY, f"more than {MESSAGES_A_SECOND} messages in a second")
            self._latest.append(now)
            try:
                return decode(text or "")  # bytes are no message of ours
            except msgspec.MsgspecError as error:
                raise RefusedError(POLICY, f"no message of this protocol: {error}"[:120]) from error
        raise RefusedError(TRY_AGAIN_LATER, f"no {awaited} within {within_s:g} s")


def _is_token(given: str | None, wanted: str | None) -> bool:
    """Whether it is the one that is wanted; how long that takes says nothing about it."""
    return wanted is None or hmac.compare_digest((given or "").encode(), wanted.encode())
