"""What does recording cost, per event: on the reader's path, and in all?

Frames of trades are decoded and handed to one subscriber with `side("buy")` and `min_volume(1000)`, 1, 10 or 100 events
in each; generated trades, and the recorded ones where they are there. What counts is processor time of the whole
process, the thread that writes included.

- cgrx: a recorder hears every batch; its thread makes columns of them and files, every 10,000 events, which is a second
  at ten thousand events a second; the last part is finished. What was written is read back and compared first.
- heard alone: the same, with a writer that forgets what it is given: what is done on the reader's path.
- not recorded: without a recorder.
"""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import attrs
import trio

from benchmarks._data import CHANNEL, generated_trades, has_recordings, recorded_trades
from benchmarks._harness import AbsentError, Case, Contest, Rival, Role, Sample, Scenario, Timed
from cgrx import Batch, Feed, Recording, Trade
from cgrx._channels import parse_channel
from cgrx._codec import Frame, decode, encode_frame
from cgrx._hub import Hub
from cgrx._recorder import BUFFER, PART_BYTES, Recorder
from cgrx._recording_writer import RecordingWriter
from cgrx._streams import EventStream
from cgrx.operators._filters import min_volume, side

_OF = parse_channel(CHANNEL)
_NOW_MS = 2**52
_FLUSH_EVENTS = 10_000


@attrs.frozen
class Frames:
    """What comes in."""

    count: int
    size: int
    recorded: bool = False

    def trades(self) -> list[Trade]:
        """The events."""
        if not self.recorded:
            return generated_trades(self.count)
        if not has_recordings():
            raise AbsentError("the recordings are not there")
        return list(recorded_trades()[: self.count])

    def make(self, trades: list[Trade]) -> list[list[bytes]]:
        """The frames, as many at once as there are between two flushes."""
        frames = [encode_frame(CHANNEL, trades[at : at + self.size]) for at in range(0, len(trades), self.size)]
        each = max(1, _FLUSH_EVENTS // self.size)
        return [frames[at : at + each] for at in range(0, len(frames), each)]


@attrs.frozen
class _Host:
    """What a recorder tells its feed."""

    def report(self, status: object) -> None:
        raise AssertionError(status)

    def now_ms(self) -> int:
        return 0


@attrs.frozen
class _Forgetful:
    """Writes nothing."""

    folder: Path
    parts: tuple[()] = ()
    bytes: int = 0

    def write(self, heard: object, /) -> None: ...

    def close(self) -> None: ...

    def abandon(self) -> None: ...


@attrs.frozen
class _Ear:
    recorder: Recorder

    def on_signal(self, signal: Any) -> None:
        self.recorder.hear(_OF, signal)

    def on_error(self, error: Exception) -> None:
        raise error

    def on_completed(self) -> None: ...


def _feed() -> tuple[Hub, list[int]]:
    """A hub with one subscriber, which counts."""
    passed = [0]

    def nothing() -> None: ...

    def fail(error: Exception) -> None:
        raise error

    def count(_: Trade) -> None:
        passed[0] += 1

    hub = Hub("benchmark", lambda: 0, nothing, fail)
    stream: EventStream[Trade] = EventStream(
        lambda observer, _: hub.subscribe(_OF, observer), event_types=frozenset({Trade})
    )
    stream.pipe(side("buy"), min_volume(1000)).subscribe(count)
    hub.proven([_OF], 0)
    return hub, passed


async def _read(frames: list[list[bytes]], recorder: Recorder | None) -> int:
    hub, passed = _feed()
    if recorder is not None:
        hub.subscribe(_OF, _Ear(recorder))
    for number, some in enumerate(frames):
        for frame in some:
            message = decode(frame, _NOW_MS)
            assert isinstance(message, Frame)
            hub.batch(_OF, 1_700_000_000_000 + number, message.events)
        if recorder is not None:
            await recorder.flush()
    if recorder is not None:
        await recorder.close()
    return passed[0]


async def _recorded(frames: list[list[bytes]], folder: Path) -> int:
    writer = RecordingWriter(folder, part_bytes=PART_BYTES)
    return await _read(frames, Recorder(cast(Feed, _Host()), writer, 1.0, BUFFER))


async def _heard(frames: list[list[bytes]], folder: Path) -> int:
    return await _read(frames, Recorder(cast(Feed, _Host()), _Forgetful(folder), 1.0, BUFFER))


async def _unrecorded(frames: list[list[bytes]], _: Path) -> int:
    return await _read(frames, None)


@attrs.frozen
class _Run:
    """One rival; ours tells too how many bytes an event takes in its files."""

    timed: Timed
    bytes_each: float | None

    def results(self) -> list[int]:
        return list(self.timed.results() or ())

    def measure(self) -> Sample:
        sample = self.timed.measure()
        if self.bytes_each is None:
            return sample
        return attrs.evolve(sample, also={**sample.also, "file_bytes": self.bytes_each})


def _rival(name: str, read: Callable[[list[list[bytes]], Path], Awaitable[int]], role: Role) -> Rival[Frames]:
    def prepare(wanted: Frames, _: Any) -> Contest:
        trades = wanted.trades()
        frames = wanted.make(trades)

        def run() -> int:
            with tempfile.TemporaryDirectory() as folder:
                return trio.run(read, frames, Path(folder))

        bytes_each = _proven(frames, trades) if role == "ours" else None
        return _Run(Timed(run, len(trades), lambda passed: [passed]), bytes_each)

    return Rival(name, prepare, role)


def _proven(frames: list[list[bytes]], trades: list[Trade]) -> float:
    """Bytes for each event, after all of them have come back."""
    with tempfile.TemporaryDirectory() as name:
        trio.run(_recorded, frames, Path(name))
        recording = Recording(name)
        batches = [entry.said for entry in recording.entries() if isinstance(entry.said, Batch)]
        assert [event for batch in batches for event in batch.events] == trades
        return sum(part.bytes for part in recording.parts) / len(trades)


def _cases(quick: bool) -> list[Case[Frames]]:
    count = 2_000 if quick else 40_000
    return [
        *(Case(f"frames of {size}", Frames(count, size)) for size in (1, 10, 100)),
        Case("recorded trades, frames of 10", Frames(count, 10, recorded=True)),
    ]


SCENARIO = Scenario(
    name="recording",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    rivals=(
        _rival("cgrx", _recorded, "ours"),
        _rival("heard alone", _heard, "limit"),
        _rival("not recorded", _unrecorded, "limit"),
    ),
)
