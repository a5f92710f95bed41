"""Several recordings in one order, as if one feed had given it all.

order      by time of receipt; entries of the same millisecond in the order of the recordings
channels   one may be in several recordings, but not in two at the same time: its events would come twice
marks      as `seams` joins them
"""

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx._replay.cursors import ChunkCursor, Cursor, EntryCursor, Log, Passed, Said, Wanted
from cgrx._replay.playlist import Playlist
from cgrx._replay.seams import Charges, Lane, continued


@attrs.frozen(eq=False)
class _Track:
    """A walk through one recording, and the lane of its proofs."""

    cursor: Cursor
    lane: Lane


class Joint:
    """Walks through the recordings of a playlist: `peek`, then `take` what was peeked, in turns."""

    def __init__(self, playlist: Playlist) -> None:
        self.playlist = playlist
        self.wanted = Wanted()
        numbers = playlist.lanes
        lanes = {number: Lane() for number in numbers}
        self._tracks = [
            _Track(self._cursor(log), lanes[number]) for log, number in zip(playlist.logs, numbers, strict=True)
        ]
        self._next: _Track | None = None
        """The track of the entry that was peeked last."""
        self._heard_ms: dict[Channel, int] = dict.fromkeys(playlist.running_at_start, playlist.start_ms)
        """When each channel was last heard: by a batch, wanted or not, a proof or a gap."""
        self._charges = Charges[Channel]()

    def _cursor(self, log: Log) -> Cursor:
        selection = self.playlist.selection
        chosen: dict[str, Any] = {
            "channels": selection.channels,
            "start": selection.start_ms,
            "end": selection.end_ms,
        }
        batches: Callable[..., Iterable[Any]] | None = getattr(log, "batches", None)
        if batches is None:
            return EntryCursor(log.entries(**chosen), self.playlist.start_ms)
        from cgrx._replay.columns import Columns  # needs the extra `recording`, as a log of columns does

        return ChunkCursor(map(Columns, batches(**chosen)), self.wanted)

    def peek(self, now_ms: int) -> Said | None:
        """The next entry of all recordings, None at the end."""
        if len(self._tracks) == 1:
            self._next = self._tracks[0]
            return self._next.cursor.peek(now_ms)
        first: Said | None = None
        for track in self._tracks:
            said = track.cursor.peek(now_ms)
            if said is not None and (first is None or said.time_ms < first.time_ms):
                first, self._next = said, track
        return first

    def take(self, said: Said) -> Said:
        """Step over the entry that `peek` gave, and return it with its mark as the seams make it."""
        track = self._next
        assert track is not None  # it was peeked
        track.cursor.take()
        channel, what = said.channel, said.said
        if channel is None:
            if isinstance(what, Passed):
                self._pass(what)
            return said
        match what:
            case Batch():
                self._heard_ms[channel] = said.time_ms
                return said
            case Alive():
                joined: Alive | Gap = track.lane.joined(what)
            case Gap():
                joined = continued(what, self._heard_ms.get(channel))
            case Dropped(channel=None):
                return said._replace(said=self._charges.same(channel, what))
            case _:
                return said
        self._heard_ms[channel] = said.time_ms
        return said if joined is what else said._replace(said=joined)

    def _pass(self, passed: Passed) -> None:
        for channel, (_, received_ms) in passed.events.items():
            self._heard_ms[channel] = max(received_ms, self._heard_ms.get(channel, 0))
