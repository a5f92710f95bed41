"""What does recording cost, per event: on the reader's path, and in all; and how small are the files?

Frames of the trade channel, of 100 and of 1 trade each, are decoded and handed to one subscriber, with `side("buy")`
and `min_volume(1000)`, as a feed does. With a recorder attached, the same batches go to the recorder too, and it
flushes after every 10,000 events, which is once a second at ten thousand events a second. Every rival that records ends
with finished files, which are read back and compared. The rival writes each batch as JSON Lines where it receives it;
the limit records nothing, and what cgrx takes above the limit is the cost of a recorder.

The figure is the processor time of the reader's thread. `threads_ns` is that of all other threads per event: there a
recorder makes its columns and files. `file_bytes` is the size of the finished files per event.
"""

import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import attrs
import msgspec
import trio

from benchmarks._harness.data import CHANNEL, START_MS, any_trades, origin
from benchmarks._harness.scenario import Case, Contest, Results, Rival, Role, Sample, Scenario
from cgrx import Batch, Trade, parse_channel
from cgrx import operators as ops
from cgrx._feed.subscriptions import Hub
from cgrx._streams.stream import EventStream
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.messages import Frame

FLUSH_EVENTS = 10_000
FLUSH_S = 1.0
"""A time of receipt that no recorded trade is after."""
FOLLOWED = parse_channel(CHANNEL)

Flushes: TypeAlias = Sequence[Sequence[bytes]]
"""Frames, parted where something is written."""


@attrs.frozen
class Traffic:
    """What is read."""

    events: int
    batch: int

    def flushes(self) -> Flushes:
        """The frames, the same in every process."""
        trades, size = any_trades(self.events), self.batch
        frames = [encode_frame(CHANNEL, trades[at : at + size]) for at in range(0, len(trades), size)]
        each = FLUSH_EVENTS // size
        return [frames[at : at + each] for at in range(0, len(frames), each)]


class Following:
    """A feed's hub, with the subscriber that everybody has."""

    def __init__(self) -> None:
        self.passed = 0
        self.hub = Hub("benchmark", lambda: 0, lambda _: None, self._fail)
        stream: EventStream[Trade] = EventStream(
            lambda observer, _: self.hub.subscribe(FOLLOWED, observer), event_types=frozenset({Trade})
        )
        stream.pipe(ops.side("buy"), ops.min_volume(1000)).subscribe(self._count)
        self.hub.proven([FOLLOWED], 0)

    def read(self, frames: Iterable[bytes], received_ms: int) -> None:
        """Decode frames and hand their events over."""
        for frame in frames:
            message = decode(frame)
            assert isinstance(message, Frame)
            self.hub.batch(FOLLOWED, received_ms, message.events)

    def _count(self, _: Trade) -> None:
        self.passed += 1

    def _fail(self, error: Exception) -> None:
        raise error


@attrs.frozen
class Ear:
    """A subscriber that takes whole signals."""

    hear: Callable[[Any], object]

    def on_signal(self, signal: Any) -> None:
        """Hand it on."""
        self.hear(signal)

    def on_error(self, error: Exception) -> None:
        """Nothing may go wrong here."""
        raise error

    def on_completed(self) -> None:
        """Nothing to do."""


def _no_trouble(error: Exception) -> None:
    raise error


async def _without(flushes: Flushes, _: Path) -> None:
    following = Following()
    for number, frames in enumerate(flushes):
        following.read(frames, START_MS + number)


async def _with_recorder(flushes: Flushes, folder: Path) -> None:
    from cgrx._feed.intake import Intake
    from cgrx._feed.recorder import BUFFER
    from cgrx._recording.writer import RecordingWriter

    following, intake = Following(), Intake(RecordingWriter(folder), FLUSH_S, BUFFER, _no_trouble)
    following.hub.subscribe(FOLLOWED, Ear(partial(intake.take, FOLLOWED)))
    for number, frames in enumerate(flushes):
        following.read(frames, START_MS + number)
        await intake.flush()
    await intake.close()
    assert intake.stats.recorded == intake.stats.events


def _recorded(folder: Path) -> Iterable[Trade]:
    from cgrx import Recording

    for entry in Recording(folder).entries():
        if isinstance(entry.said, Batch):
            yield from cast("Batch[Trade]", entry.said).events


async def _with_lines(flushes: Flushes, folder: Path) -> None:
    following, encode = Following(), msgspec.json.Encoder().encode_lines
    with _lines(folder).open("wb") as file:
        following.hub.subscribe(FOLLOWED, Ear(partial(_write, file, encode)))
        for number, frames in enumerate(flushes):
            following.read(frames, START_MS + number)
            file.flush()


def _write(file: BinaryIO, encode: Callable[[Any], bytes], signal: Any) -> None:
    if isinstance(signal, Batch):
        file.write(encode(cast("Batch[Trade]", signal).events))


def _lines(folder: Path) -> Path:
    return folder / "trades.jsonl"


def _read_lines(folder: Path) -> Iterable[Trade]:
    return msgspec.json.Decoder(Trade).decode_lines(_lines(folder).read_bytes())


def _nothing(_: Path) -> None:
    return None


@attrs.frozen
class Recording:
    """One way to record, on one kind of traffic."""

    keep: Callable[[Flushes, Path], Awaitable[None]]
    read_back: Callable[[Path], Iterable[Trade] | None]
    flushes: Flushes
    events: int

    def results(self) -> Results:
        """The events that the files hold."""
        with tempfile.TemporaryDirectory() as folder:
            trio.run(self.keep, self.flushes, Path(folder))
            events = self.read_back(Path(folder))
            return None if events is None else [msgspec.structs.astuple(event) for event in events]

    def measure(self) -> Sample:
        """See `Contest`."""
        with tempfile.TemporaryDirectory() as folder:
            gc.collect()
            all_s, reader_s = time.process_time(), time.thread_time()
            trio.run(self.keep, self.flushes, Path(folder))
            all_s, reader_s = time.process_time() - all_s, time.thread_time() - reader_s
            size = sum(file.stat().st_size for file in Path(folder).iterdir())
        also = {"threads_ns": max(0.0, all_s - reader_s) / self.events * 1e9, "file_bytes": size / self.events}
        return Sample(reader_s / self.events * 1e9, also)


def _rival(
    name: str,
    keep: Callable[[Flushes, Path], Awaitable[None]],
    read_back: Callable[[Path], Iterable[Trade] | None],
    role: Role = "rival",
) -> Rival[Traffic]:
    def prepare(traffic: Traffic, _: None) -> Contest:
        return Recording(keep, read_back, traffic.flushes(), traffic.events)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[Traffic]]:
    events = 2_000 if quick else 44_000
    return [Case(f"{origin()} trades, batches of {size}", Traffic(events, size)) for size in (100, 1)]


SCENARIO = Scenario(
    name="recording",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    rivals=(
        _rival("cgrx", _with_recorder, _recorded, "ours"),
        _rival("JSON Lines by msgspec", _with_lines, _read_lines),
        _rival("no recorder", _without, _nothing, "limit"),
    ),
)
