"""What does recording cost, per event: on the reader's path, and in all; and how small are the files?

    python -m benchmarks.recording [--quick] [--rounds 9] [--json FILE]

The trades of `../shared/data/futures_trades.jsonl.gz`, or generated ones where that file is absent, are decoded from
the bytes of frames, as a feed does, with 1, 10 and 100 events in each. Rivals, which take turns; processor time of the
whole process counts (the thread that writes too), and of the rounds the median:

- reading: each frame is decoded and handed to one subscriber with `side("buy")` and `min_volume(1000)`;
- hearing: the same, and a recorder hears every batch, whose writer forgets it: what is done on the reader's path;
- recording: the same, and the recorder's thread makes columns of what was heard and writes files, every 10,000 events
  (a second at ten thousand events a second), the last part finished.

`x` is a ratio to reading, `us more` what is added to it in microseconds for each event. What was written is read back
and compared.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import attrs
import trio

from benchmarks.pipelines import load
from cgrx import Batch, Feed, FuturesTrades, Recording, Trade
from cgrx._codec import Frame, decode, encode_frame
from cgrx._hub import Hub
from cgrx._recorder import BUFFER, PART_BYTES, Recorder
from cgrx._recording_writer import RecordingWriter
from cgrx._streams import EventStream
from cgrx.operators._filters import min_volume, side

CHANNEL = FuturesTrades("Binance", "BTCUSDT", 0)
FLUSH_EVENTS = 10_000
SIZES = (1, 10, 100)


@attrs.frozen
class Host:
    """What a recorder tells its feed."""

    def report(self, status: object) -> None:
        """Nothing may go wrong here."""
        raise AssertionError(status)

    def now_ms(self) -> int:
        """The present does not matter."""
        return 0


@attrs.frozen
class Ear:
    """A subscriber that is a recorder's."""

    recorder: Recorder

    def on_signal(self, signal: Any) -> None:
        """Hear it."""
        self.recorder.hear(CHANNEL, signal)

    def on_error(self, error: Exception) -> None:
        """Nothing may go wrong here."""
        raise error

    def on_completed(self) -> None:
        """The end of a round."""


@attrs.frozen
class Forgetful:
    """Writes nothing."""

    folder: Path
    parts: tuple[()] = ()
    bytes: int = 0

    def write(self, heard: object, /) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing is open."""

    def abandon(self) -> None:
        """Nothing is open."""


def feed() -> tuple[Hub, list[int]]:
    """A hub with one subscriber that counts what passes its filters."""

    def nothing() -> None:
        pass

    def fail(error: Exception) -> None:
        raise error

    hub = Hub("benchmark", lambda: 0, nothing, fail)
    stream: EventStream[Trade] = EventStream(
        lambda observer, _: hub.subscribe(CHANNEL, observer), event_types=frozenset({Trade})
    )
    passed = [0]

    def count(_: Trade) -> None:
        passed[0] += 1

    stream.pipe(side("buy"), min_volume(1000)).subscribe(count)
    hub.proven([CHANNEL], 0)
    return hub, passed


def read(hub: Hub, frames: list[bytes], received_ms: int) -> None:
    """Decode frames and hand their events over."""
    for frame in frames:
        message = decode(frame, 2**52)
        assert isinstance(message, Frame)
        hub.batch(CHANNEL, received_ms, message.events)


async def reading(frames: list[list[bytes]], folder: Path) -> None:
    """Without a recorder."""
    hub, _ = feed()
    for number, some in enumerate(frames):
        read(hub, some, 1_700_000_000_000 + number)


async def hearing(frames: list[list[bytes]], folder: Path) -> None:
    """With one that forgets what it heard."""
    await record(frames, Recorder(cast(Feed, Host()), Forgetful(folder), 1.0, BUFFER))


async def recording(frames: list[list[bytes]], folder: Path) -> None:
    """With one that writes."""
    await record(frames, Recorder(cast(Feed, Host()), RecordingWriter(folder, part_bytes=PART_BYTES), 1.0, BUFFER))


async def record(frames: list[list[bytes]], recorder: Recorder) -> None:
    """Read what a recorder hears too."""
    hub, _ = feed()
    hub.subscribe(CHANNEL, Ear(recorder))
    for number, some in enumerate(frames):
        read(hub, some, 1_700_000_000_000 + number)
        await recorder.flush()
    await recorder.close()


RIVALS: dict[str, Callable[[list[list[bytes]], Path], Awaitable[None]]] = {
    "reading": reading,
    "hearing": hearing,
    "recording": recording,
}


@attrs.frozen
class Case:
    """Figures for one size of frames: nanoseconds for each event, and bytes of the finished files."""

    size: int
    ns: dict[str, float]
    bytes_each: float

    def __str__(self) -> str:
        base = self.ns["reading"]
        more = [
            f"{self.ns[name]:9.0f} {self.ns[name] / base:6.2f} {(self.ns[name] - base) / 1e3:7.2f}"
            for name in ("hearing", "recording")
        ]
        return f"frames of {self.size:<5}{base:9.0f}  {'  '.join(more)}{self.bytes_each:11.2f}"


def measure(trades: list[Trade], size: int, rounds: int) -> Case:
    """Let the rivals take turns."""
    frames = [encode_frame(CHANNEL.name, trades[start : start + size]) for start in range(0, len(trades), size)]
    each = max(1, FLUSH_EVENTS // size)
    grouped = [frames[start : start + each] for start in range(0, len(frames), each)]
    taken: dict[str, list[float]] = {name: [] for name in RIVALS}
    bytes_each = 0.0
    for _ in range(rounds):
        for name, rival in RIVALS.items():
            with tempfile.TemporaryDirectory() as folder:
                gc.collect()
                began = time.process_time()
                trio.run(rival, grouped, Path(folder))
                taken[name].append((time.process_time() - began) / len(trades) * 1e9)
                if name == "recording":
                    found = Recording(folder)
                    bytes_each = sum(part.bytes for part in found.parts) / len(trades)
                    assert [e for b in found.entries() if isinstance(b.said, Batch) for e in b.said.events] == trades
    return Case(size, {name: statistics.median(times) for name, times in taken.items()}, bytes_each)


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="a feed with and without a recorder")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds: it runs, the figures are rough")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    trades, origin = load(8000 if options.quick else None)
    rounds = 2 if options.quick else options.rounds
    print(f"{len(trades):,} trades ({origin}); nanoseconds for each event; medians of {rounds} rounds")
    print(f"{'':15}  reading    hearing      x us more  recording      x us more  bytes each")
    cases: list[Case] = []
    for size in SIZES:
        cases.append(measure(trades, size, rounds))
        print(cases[-1], flush=True)
    if options.json is not None:
        figures = [attrs.asdict(case) for case in cases]
        options.json.write_text(
            json.dumps({"events": len(trades), "origin": origin, "cases": figures}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
