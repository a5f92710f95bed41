"""What waits for a sink: in memory, bounded, and beyond that in the spill folder, where there is one.

put ──► memory ──► take
          │ more than half full         ▲
          └──────────► files ───────────┘   files are older than memory, so they are taken first
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import trio

from cgrx._delivery.accounts import Accounts
from cgrx._delivery.spill import Spill
from cgrx._delivery.waiting import NOTHING, Waiting
from cgrx._streams.runtime import Runtime

T = TypeVar("T")

_AGAIN_S = 1.0
"""After this time a disk that failed is tried again."""


class Backlog:
    """The items that wait, counted.

    Args:
        buffer: how many may wait in memory, or twice as many while they are written to the spill folder.
        final_only: see `Waiting`.
        spill: the folder for more; None: there is no room for more.
        on_loss: called with a number of items that were given up, and with the reason.
        runtime: that of the feed which gives the items; where it would rather wait, as a replay at full speed, it is
            held while the memory is full, and nothing is given up.
    """

    def __init__(
        self,
        buffer: int,
        final_only: bool,
        spill: Spill | None,
        accounts: Accounts,
        on_loss: Callable[[int, str], object],
        runtime: Runtime | None = None,
    ) -> None:
        self.accounts = accounts
        self._buffer = buffer
        self._most = buffer if spill is None else 2 * buffer
        self._spill = spill
        self._on_loss = on_loss
        self._runtime = runtime
        self._holding = False
        self._waiting = Waiting(accounts, final_only)
        self._moving = 0  # on their way from memory to a file
        self._loaded: deque[Any] | None = None  # what is left of the oldest file, which has been read
        self._taken = 0  # of that file
        self._disk = trio.Lock()
        self._filling = trio.Event()
        self._trouble = ""

    # Counting

    def __len__(self) -> int:
        return len(self._waiting) + self._moving + self.spilled

    @property
    def spilled(self) -> int:
        """How many wait in files."""
        return 0 if self._spill is None else self._spill.count - self._taken

    @property
    def number(self) -> int:
        """The number of the latest item."""
        return self._waiting.number

    @property
    def oldest(self) -> int:
        """The number of the first item, or one before it; `NOTHING` where none waits."""
        moving = 0 if self._moving else NOTHING
        return min(self._waiting.oldest, moving, self._first_in_files)

    # Coming and going

    def put(self, items: Sequence[Any]) -> int:
        """Queue items. Where there is no room, running rows are given up, and then the oldest items.

        Returns:
            How many wait in memory now.
        """
        in_memory = self._waiting.put(items)
        if 2 * in_memory >= self._buffer:
            return self._make_room(in_memory)
        return in_memory

    def _make_room(self, in_memory: int) -> int:
        """The memory is half full, or more."""
        if self._runtime is not None and self._runtime.waits:
            self._hold_or_release(self._runtime)
            return in_memory
        self._filling.set()
        more = in_memory - self._most
        if more <= 0:
            return in_memory
        for _ in range(more):
            self._waiting.drop_first()
        self.accounts.dropped += more
        self._on_loss(more, f"{self._most:,} wait already{self._trouble}")
        return self._most

    async def take(self, most: int) -> tuple[int, list[Any]]:
        """The first items, at most so many, to be followed by `settle` or `put_back`; and the number of the first."""
        if self._spill is None:
            return self._take_waiting(most)
        async with self._disk:
            while self._loaded is None and self._spill.files:
                await self._load(self._spill)
        if self._loaded is None:
            return self._take_waiting(most)
        found = [self._loaded.popleft() for _ in range(min(most, len(self._loaded)))]
        self._taken += len(found)
        return self._first_in_files, found

    async def _load(self, spill: Spill) -> None:
        file = spill.files[0]
        items = await _in_thread(lambda: spill.read(file))
        if items:
            self._loaded = deque(items)
        else:
            spill.files.popleft()
            self.accounts.dead += file.count
            self._on_loss(file.count, f"{file.path} cannot be read, and was put aside")

    @property
    def _first_in_files(self) -> int:
        return NOTHING if self._spill is None or not self._spill.files else self._spill.files[0].first

    def _take_waiting(self, most: int) -> tuple[int, list[Any]]:
        taken = self._waiting.take(most)
        if self._runtime is not None:
            self._hold_or_release(self._runtime)
        return taken

    def _hold_or_release(self, runtime: Runtime) -> None:
        full = len(self._waiting) >= self._buffer and runtime.waits
        if full != self._holding:
            self._holding = full
            (runtime.hold if full else runtime.release)()

    async def settle(self) -> None:
        """What was taken has found its place: a file of which nothing is left goes."""
        if self._spill is not None and self._loaded is not None and not self._loaded:
            spill, self._loaded, self._taken = self._spill, None, 0
            file = spill.files.popleft()
            async with self._disk:
                await _in_thread(lambda: spill.delete(file))

    def put_back(self, first: int, items: list[Any]) -> None:
        """Nobody has taken these first items in the end."""
        if self._loaded is None:
            self._waiting.put_back(first, items)
        else:
            self._loaded.extendleft(reversed(items))
            self._taken -= len(items)

    # The disk

    async def open(self) -> None:
        """See `Spill.open`: what is found there has been received."""
        if self._spill is not None:
            await _in_thread(self._spill.open)
            self.accounts.received += self._spill.count

    async def spill(self) -> None:
        """Move the older half of the memory to a file, whenever that is full."""
        while self._spill is not None:
            await self._filling.wait()
            self._filling = trio.Event()
            # The disk first: what is on its way to a file must neither be overtaken nor be lost to a cancellation.
            async with self._disk:
                first, items = self._waiting.take_lasting(max(1, self._buffer // 2))
                kept = not items or await self._write(self._spill, first, items)
                if not kept:
                    self._waiting.put_back(first, items)
            if not kept:
                await trio.sleep(_AGAIN_S)

    async def close(self, reason: str) -> None:
        """Keep what is left in files, or give it up for this reason."""
        first, items = self._take_waiting(len(self._waiting))
        kept = self._spill is not None and (not items or await self._write(self._spill, first, items))
        if items and not kept:
            self.accounts.dropped += len(items)
            self._on_loss(len(items), f"{reason}{self._trouble}")
        if self._spill is not None:
            await _in_thread(self._spill.close)

    async def _write(self, spill: Spill, first: int, items: list[Any]) -> bool:
        """Write items to a file. Returns whether that succeeded."""
        self._moving, self._trouble = len(items), ""
        try:
            spill.files.append(await _in_thread(lambda: spill.write(first, items)))
        except Exception as error:  # noqa: BLE001 - a full disk, or items that cannot be pickled: they stay
            self._trouble = f", and they cannot be spilled: {type(error).__name__}: {error}"
        self._moving = 0
        return not self._trouble


async def _in_thread(work: Callable[[], T]) -> T:
    """Work with the disk, to its end."""
    done: T | None = None
    with trio.CancelScope(shield=True):
        done = await trio.to_thread.run_sync(work)
    return cast(T, done)  # a shielded scope swallows nothing, which type checkers cannot know
