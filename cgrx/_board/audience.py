"""All browsers that look at a board: each has a seat with a bounded queue, and all seats are served by one loop.

Four times a second at most the views are asked what has changed, once for all, and each picked asset is encoded once,
as a frame of the WebSocket: a server's frames have no mask, so the same bytes go to all. Where nobody looks, nothing is
asked. A browser that takes nothing in is left behind: its seat is closed, and it gets a snapshot when it comes again.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

import msgspec
import trio
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from cgrx._board.bounds import AT_ONCE, BEHIND, HEARTBEAT_S, SEATS, SPREAD_S, TICK_S
from cgrx._board.messages import Play, Refused, Snapshot, Update
from cgrx._feed.log import logger


class Shown(Protocol):
    """What the audience needs of the views."""

    generation: int

    def snapshot(self, asset: str | None) -> Snapshot:
        """All, of one asset."""
        ...

    def changes(self, assets: Collection[str | None]) -> Mapping[str | None, Update]:
        """What has changed, of each of them."""
        ...

    async def play(self, play: Play) -> None:
        """Change a replay."""
        ...


class Seat:
    """One browser. The frames that wait for it are in `queue`, which ends when it is too far behind.

    Args:
        asset: what it has picked.
        send_now: sends a frame at once, or says that some of it is left, which goes out with the next of the queue.
    """

    def __init__(self, asset: str | None, send_now: Callable[[bytes], bool]) -> None:
        self.asset = asset
        self._send_now = send_now
        self.shown_in = 0
        """In which tick it was given its latest snapshot."""
        self._send, self.queue = trio.open_memory_channel[bytes](BEHIND)

    def offer(self, frame: bytes) -> bool:
        """Send a frame, or put it behind those that wait; False where there is no room, and the queue has ended."""
        if self._send.statistics().tasks_waiting_receive:  # so none is being sent
            if self._send_now(frame):
                return True
            frame = b""
        try:
            self._send.send_nowait(frame)
        except (trio.WouldBlock, trio.ClosedResourceError):
            self.end()
            return False
        return True

    def end(self) -> None:
        """Nothing more comes."""
        self._send.close()


class Audience:
    """The browsers of one board. State: a seat and up to `BEHIND` messages for each; a snapshot of each asset."""

    def __init__(self, views: Shown) -> None:
        self._views = views
        self._seats: set[Seat] = set()
        self._come = trio.Event()
        self._generation = views.generation
        self._ticks = 0
        self._snapshots: dict[str | None, bytes] = {}
        """Those since the last tick, encoded: what the next one tells is new for all who have been shown them."""
        self._beat_at = -HEARTBEAT_S
        self.has_ended = False
        """Whether the board has."""

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def is_full(self) -> bool:
        """Whether there is no seat left."""
        return len(self._seats) >= SEATS

    def sit(self, asset: str | None, send_now: Callable[[bytes], bool]) -> Seat:
        """A seat, with a snapshot in its queue."""
        seat = Seat(asset, send_now)
        if not self._seats:
            self._changes()  # what came while nobody looked is in the snapshot
        self._seats.add(seat)
        self._come.set()
        self._show_all(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        """It is free again."""
        self._seats.discard(seat)
        seat.end()

    def end(self) -> None:
        """The board ends: each browser is told so."""
        self.has_ended = True
        for seat in tuple(self._seats):
            self.leave(seat)

    def pick(self, seat: Seat, asset: str | None) -> None:
        """Another asset for one browser."""
        seat.asset = asset
        self._show_all(seat)

    async def play(self, seat: Seat, play: Play) -> None:
        """Change the replay, for all; where that is not possible, this browser is told why."""
        try:
            await self._views.play(play)
        except ValueError as error:
            self._offer(seat, _encoded(Refused(str(error))))

    async def serve(self) -> None:
        """Serve the seats, for ever: what goes wrong with the board is logged, and does not end the feed beside it."""
        told_at = trio.current_time()
        while True:
            if not self._seats:
                self._come = trio.Event()
                await self._come.wait()
                told_at = trio.current_time()  # by a snapshot
            await trio.sleep_until(told_at + TICK_S)
            told_at = trio.current_time()
            try:
                await self._tick()
            except Exception:  # noqa: BLE001 - a fault of ours, of one tick
                logger.exception("the board could not be brought up to date")

    async def _tick(self) -> None:
        updates = self._changes()
        if self._views.generation != self._generation:
            self._generation = self._views.generation
            await self._for_each(self._show_all)
            return
        beats = trio.current_time() >= self._beat_at + HEARTBEAT_S
        if beats:
            self._beat_at = trio.current_time()
        told = {asset: _encoded(update) for asset, update in updates.items() if beats or _says_more(update)}

        def tell(seat: Seat) -> None:
            if seat.asset in told:
                self._offer(seat, told[seat.asset])

        await self._for_each(tell)

    async def _for_each(self, give: Callable[[Seat], None]) -> None:
        """Give each seat something but those that have had a snapshot meanwhile, which is newer.

        A few at a time: between them the feed reads what has come, and browsers on this machine what they were told.
        """
        seats = tuple(self._seats)
        for number, seat in enumerate(seats, start=1):
            if seat.shown_in != self._ticks:
                give(seat)
            if number % AT_ONCE == 0:
                await trio.sleep(SPREAD_S * AT_ONCE / len(seats))

    def _changes(self) -> Mapping[str | None, Update]:
        self._ticks += 1
        self._snapshots.clear()
        return self._views.changes({seat.asset for seat in self._seats})

    def _show_all(self, seat: Seat) -> None:
        asset, seat.shown_in = seat.asset, self._ticks
        if asset not in self._snapshots:
            self._snapshots[asset] = _encoded(self._views.snapshot(asset))
        self._offer(seat, self._snapshots[asset])

    def _offer(self, seat: Seat, frame: bytes) -> None:
        if not seat.offer(frame):
            self._seats.discard(seat)


def _encoded(message: Snapshot | Update | Refused) -> bytes:
    """The message as a frame of its own."""
    return Connection(ConnectionType.SERVER).send(TextMessage(msgspec.json.encode(message).decode()))


def _says_more(update: Update) -> bool:
    """Whether there is more in it than counters that go on."""
    return bool(update.tape or update.windows or update.cascades or update.alerts)
