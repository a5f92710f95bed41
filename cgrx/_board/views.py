"""What the pages of a board are shown: a snapshot of all, and what has changed since."""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

import attrs

from cgrx._board.memory import Memory
from cgrx._board.messages import VERSION, Connection, Play, Replayed, Snapshot, Update
from cgrx._board.options import BoardOptions
from cgrx._feed.face import Feed
from cgrx._model.status import State
from cgrx._replay.replay import Replay

Mode: TypeAlias = Literal["live", "replay", "demo"]


@attrs.frozen(eq=False)
class Scene:
    """What is shown: a feed, and what is remembered of it."""

    feed: Feed
    memory: Memory
    stands: tuple[int, Connection] | None = None
    """The time, and how the feed did, when it was left: until another one is ready."""

    @property
    def now_ms(self) -> int:
        """The feed's time, behind its end that of the end."""
        if self.stands is not None:
            return self.stands[0]
        ended_ms = self.memory.link.ended_ms
        return self.feed.now_ms if ended_ms is None else ended_ms

    @property
    def connection(self) -> Connection:
        """How the feed does."""
        if self.stands is not None:
            return self.stands[1]
        return self.memory.link.now(self.feed, self.memory.lost, self.memory.late)

    @property
    def standing(self) -> "Scene":
        """The same, as it is now for good."""
        return attrs.evolve(self, stands=(self.now_ms, self.connection))


class Views(ABC):
    """What pages are shown. `watching` makes one, and keeps it up to date."""

    def __init__(self, options: BoardOptions, mode: Mode) -> None:
        self._options = options
        self._mode: Mode = mode
        self._shown: Scene
        self.generation = 0
        """Another number when all that was shown before is to be replaced by a snapshot, as after a jump."""

    def snapshot(self, asset: str | None) -> Snapshot:
        """All that a page shows that has picked this asset; None: all assets."""
        scene, memory = self._shown, self._shown.memory
        memory.move(scene.now_ms)
        leaders, names = memory.assets()
        return Snapshot(
            version=VERSION,
            title=self._options.title,
            mode=self._mode,
            at=scene.now_ms,
            asset=asset,
            assets=names,
            window_ms=self._options.window_ms,
            tape=memory.tape.latest(asset),
            bubbles=memory.bubbles.largest(asset),
            windows=memory.windows(asset),
            totals=memory.totals(asset),
            exchanges=memory.exchanges(asset),
            leaders=leaders,
            cascades=memory.cascades.latest(asset),
            alerts=memory.alerts.latest(),
            connection=scene.connection,
            replay=self.replayed,
        )

    def changes(self, assets: Collection[str | None]) -> Mapping[str | None, Update]:
        """What has changed since the last call, for each of these assets: call it at each tick, for all pages at once.

        What has changed before a snapshot may be told again behind it: windows and cascades replace themselves, and
        prints and alerts have numbers.
        """
        scene, memory = self._shown, self._shown.memory
        memory.move(scene.now_ms)
        prints = memory.tape.new(assets)
        cascades, alerts = memory.cascades.new(), memory.alerts.new()
        leaders, names = memory.assets()
        at_ms, connection, replayed = scene.now_ms, scene.connection, self.replayed
        found = {
            asset: Update(
                at=at_ms,
                tape=prints[asset][0],
                skipped=prints[asset][1],
                windows=memory.changed(asset),
                totals=memory.totals(asset),
                exchanges=memory.exchanges(asset),
                leaders=leaders,
                assets=names,
                cascades=[each for each in cascades if asset in (None, each.asset)],
                alerts=alerts,
                connection=connection,
                replay=replayed,
            )
            for asset in assets
        }
        memory.told()
        return found

    @property
    @abstractmethod
    def replayed(self) -> Replayed | None:
        """Where a replay stands; None of a live feed."""

    @abstractmethod
    async def play(self, play: Play) -> None:
        """Change a replay; returns when that is done, of a jump when its time is reached or a later jump has begun.

        Raises:
            ValueError: in words for people, where it is not possible.
        """


def replayed(feed: Replay, start_ms: int, end_ms: int, speed: float, *, paused: bool) -> Replayed:
    """Where a replay between these times stands, which is to go on at this speed."""
    return Replayed(
        start=start_ms,
        end=end_ms,
        now=min(feed.now_ms, end_ms),
        speed=None if speed == math.inf else speed,
        paused=paused,
        over=feed.state in (State.CLOSED, State.FAILED),
    )
