"""Does the time per event, or the memory, grow with events, keys, open panes, queued events or subscribers?

Each measurement is a new process. Events are made batch by batch while the clock stands still, so the memory measured
is the pipeline's own: `grown_mib` is the peak during the run minus what was in use before the first event. Events that
are queued, for a consumer that is slow, are decoded from frames first, as each then has texts of its own. Along an
axis everything else stays the same, such as rows per event and events per pane. The fitted slope is the exponent b of
`time per event ~ size ** b`, from the fastest point on: 0 is flat; 1 is linear, as a fan-out to subscribers must be.
"""

import math
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
from trio.lowlevel import ParkingLot

from benchmarks._harness.data import CHANNEL as TRADES
from benchmarks._harness.data import START_MS
from benchmarks._harness.scenario import Case, Contest, Point, Results, Rival, Sample, Scenario
from benchmarks.rivals.by_cgrx import BY, CHANNEL, Source
from benchmarks.rivals.states import Counter
from cgrx import operators as ops
from cgrx._model.events import Trade, TradeSide
from cgrx._model.signals import Batch, Signal
from cgrx._streams.stream import EventStream
from cgrx._trio.buffers import Inbox
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.messages import Frame
from cgrx.operators import agg

Axis: TypeAlias = Literal["events", "keys", "open panes", "queued events", "subscribers"]

BATCH = 100
EVENTS_A_PANE = 100
_WARM_UP = 2_000
"""Events, so that the shortest run is not the one in which everything happens for the first time."""
_MIB = 2**20


class Sink:
    """Counts what comes out, and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    def on_signal(self, signal: Signal[Any]) -> None:
        """Count the results."""
        if isinstance(signal, Batch):
            self.count += len(signal.events)

    def on_error(self, error: Exception) -> None:
        """No pipeline here may fail."""
        raise error

    def on_completed(self) -> None:
        """Nothing to do."""


@attrs.frozen
class Size:
    """How far along which axis."""

    axis: Axis
    size: int
    events: int

    @property
    def keys(self) -> int:
        """How many symbols there are."""
        return self.size if self.axis == "keys" else 4

    def batches(self) -> Iterator[Batch[Trade]]:
        """All events, made as they are asked for; prices and sides vary, times are in order."""
        symbols = [f"S{number}USDT" for number in range(self.keys)]
        sides = (TradeSide.SELL, TradeSide.BUY)
        for start in range(0, self.events, BATCH):
            numbers = range(start, min(start + BATCH, self.events))
            events = tuple(
                Trade(
                    "BTC",
                    "Binance",
                    symbols[n % self.keys],
                    sides[n & 1],
                    100.0 + n % 97,
                    10.0 + n % 9973,
                    START_MS + n,
                )
                for n in numbers
            )
            if self.axis == "queued events":
                events = _as_received(events)
            yield Batch(CHANNEL, events[-1].time_ms, events)

    def subscribe(self, stream: EventStream[Trade]) -> Callable[[], int]:
        """Put the pipeline behind the source; what comes back tells how many results there were."""
        if self.axis == "subscribers":
            shared, counters = stream.share(), [Counter() for _ in range(self.size)]
            for counter in counters:
                shared.subscribe(counter.on_event)
            return lambda: sum(counter.buys for counter in counters)
        if self.axis == "queued events":
            inbox: Inbox[Trade] = Inbox(ParkingLot(), math.inf)
            stream.subscribe_signals(inbox)
            return lambda: inbox.queued
        sink = Sink()
        self._pipeline(stream).subscribe_signals(sink)
        return lambda: sink.count

    def _pipeline(self, stream: EventStream[Trade]) -> EventStream[Any]:
        if self.axis == "events":
            return stream.pipe(ops.min_volume(20), ops.tumbling("1s", ops.Bar, by=BY))
        if self.axis == "keys":
            # Ten events for each key and window, whatever the number of keys: the same rows for each event.
            window_s = 10 * self.size / 1000
            return stream.pipe(ops.tumbling(window_s, by="symbol", lateness=0, max_keys=math.inf, n=agg.count()))
        pane_s = EVENTS_A_PANE / 1000
        return stream.pipe(ops.sliding(pane_s * self.size, pane_s, lateness=0, n=agg.count()))


@attrs.frozen
class Growing:
    """One size, in a process of its own."""

    size: Size

    def results(self) -> Results:
        """None: there is nobody to compare with."""
        return None

    def measure(self) -> Sample:
        """See `Contest`."""
        self._push(attrs.evolve(self.size, events=_WARM_UP))
        before = _resident_bytes()
        spent_ns, results = self._push(self.size)
        assert results, "a pipeline without results does no work"
        also = {
            "grown_mib": max(0, _peak_bytes() - before) / _MIB,
            "peak_mib": _peak_bytes() / _MIB,
            "results_per_event": results / self.size.events,
        }
        return Sample(spent_ns / self.size.events, also)

    def _push(self, size: Size) -> tuple[int, int]:
        """Processor time in the pipeline alone, nanoseconds, and how many results there were."""
        source = Source()
        count = size.subscribe(source.stream)
        push = source.pushed.on_signal
        spent_ns = 0
        for batch in size.batches():
            started_ns = time.process_time_ns()
            push(batch)
            spent_ns += time.process_time_ns() - started_ns
        return spent_ns, count()


def _as_received(events: tuple[Trade, ...]) -> tuple[Any, ...]:
    frame = decode(encode_frame(TRADES, events))
    assert isinstance(frame, Frame), "what was encoded is a frame"
    return frame.events


def _status(field: str) -> int | None:
    """A line of the kernel's, bytes. Unlike `ru_maxrss` it does not begin with what the parent had."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def _resident_bytes() -> int:
    return _status("VmRSS") or _peak_bytes()


def _peak_bytes() -> int:
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _prepare(size: Size, _: None) -> Contest:
    return Growing(size)


def _cases(quick: bool) -> list[Case[Size]]:
    if quick:
        sizes = [
            *(Size("events", count, count) for count in (10_000, 30_000)),
            *(Size("keys", count, 5_000 + 25 * count) for count in (1, 100)),
            *(Size("open panes", count, 5_000 + 2 * EVENTS_A_PANE * count) for count in (1, 20)),
            *(Size("queued events", count, count) for count in (10_000, 30_000)),
            *(Size("subscribers", count, 4_000 // count) for count in (1, 10)),
        ]
    else:
        sizes = [
            *(Size("events", 10**power, 10**power) for power in (4, 5, 6, 7)),
            *(Size("keys", 10**power, max(200_000, 25 * 10**power)) for power in range(6)),
            *(Size("open panes", count, 100_000 + 2 * EVENTS_A_PANE * count) for count in (1, 10, 100, 1000)),
            *(Size("queued events", 10**power, 10**power) for power in (4, 5, 6)),
            *(Size("subscribers", count, 500_000 // count) for count in (1, 3, 10, 30, 100)),
        ]
    return [Case(f"{each.axis}: {each.size:,}", each, _point(each)) for each in sizes]


def _point(size: Size) -> Point:
    return Point(size.axis, size.size, expected=1.0 if size.axis == "subscribers" else 0.0)


SCENARIO = Scenario(
    name="growth",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    rivals=(Rival("cgrx", _prepare, "ours"),),
    share=0.4,
    fresh=True,
    within_s=300.0,
)
