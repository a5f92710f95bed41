"""What the tests of the feed share: a feed on a simulator, and observers that write down what they get."""

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs
import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._model.status import Status
from cgrx._simulator.simulator import Simulator

T = TypeVar("T")
S = TypeVar("S")
E = TypeVar("E", bound=BaseException)

WALL_S = 1_700_000_000.0
"""The wall time at which a feed of these tests begins; on a MockClock trio's clock is at 0 then."""
START_MS = 1_700_000_000_000
KEY = "0123456789abcdef0123456789abcdef"

INF = float("inf")


class Sequence(random.Random):
    """Jitter without chance: every delay is its upper bound."""

    def uniform(self, a: float, b: float) -> float:
        return b


@asynccontextmanager
async def feed_on(simulator: Simulator, **options: Any) -> AsyncGenerator[cgrx.Feed, None]:
    """A feed on a simulator in memory; delays between attempts are 0.5, 1, 2, ... seconds."""
    async with cgrx.connect(**(in_memory(simulator) | options)) as feed:
        yield feed


def in_memory(simulator: Simulator) -> dict[str, Any]:
    """The arguments of `connect` for a simulator in memory, with a wall clock that goes with trio's."""
    begun_at = trio.current_time()
    return {
        "url": simulator.url,
        "api_key": KEY,
        "dial": simulator.dial,
        "wall_clock": lambda: WALL_S + trio.current_time() - begun_at,
        "rng": Sequence(),
    }


def ms_after(seconds: float) -> int:
    """The wall time so many seconds after the start, in milliseconds."""
    return START_MS + round(seconds * 1000)


class Record:
    """An observer of signals that writes them down; `end` is "completed" or the error, None while there is none."""

    def __init__(self) -> None:
        self.signals: list[Signal[Any]] = []
        self.end: object = None

    def on_signal(self, signal: Signal[Any]) -> None:
        assert self.end is None, "a signal behind the end"
        self.signals.append(signal)

    def on_error(self, error: Exception) -> None:
        assert self.end is None, "a second end"
        self.end = error

    def on_completed(self) -> None:
        assert self.end is None, "a second end"
        self.end = "completed"

    def of(self, kind: type[S]) -> list[S]:
        return [signal for signal in self.signals if isinstance(signal, kind)]

    @property
    def events(self) -> list[Any]:
        return [event for batch in self.batches for event in batch.events]

    @property
    def batches(self) -> list[Batch[Any]]:
        return [signal for signal in self.signals if isinstance(signal, Batch)]

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """The gaps in seconds since the start; one from the beginning of time starts at minus infinity."""
        return [
            ((gap.start_ms - START_MS) / 1e3 if gap.start_ms else -INF, (gap.end_ms - START_MS) / 1e3)
            for gap in self.of(Gap)
        ]

    @property
    def alive(self) -> list[float]:
        """The proofs in seconds since the start."""
        return [(mark.at_ms - START_MS) / 1e3 for mark in self.of(Alive)]

    @property
    def dropped(self) -> int:
        return sum(mark.count for mark in self.of(Dropped))


def record(stream: cgrx.EventStream[Any]) -> Record:
    """Subscribe a new record to a stream."""
    observer = Record()
    stream.subscribe_signals(observer)
    return observer


class Statuses:
    """The status events of a feed, with the time of each in virtual seconds since the start."""

    def __init__(self, feed: cgrx.Feed | None = None) -> None:
        self.all: list[Status] = []
        self.completed = False
        if feed is not None:
            self.watch(feed)

    def watch(self, feed: cgrx.Feed) -> None:
        self.feed = feed
        feed.status.subscribe(self.all.append, on_completed=self._on_completed)

    def of(self, kind: type[S]) -> list[S]:
        return [status for status in self.all if isinstance(status, kind)]

    def times(self, kind: type[Status]) -> list[float]:
        return [(status.at_ms - START_MS) / 1e3 for status in self.of(kind)]

    def _on_completed(self) -> None:
        self.completed = True


def raises(kind: type[E], match: str | None = None) -> pytest.RaisesExc[E]:
    """As `pytest.raises`, for a whole body: which of its lines the exception comes at is not the question."""
    return pytest.raises(kind, match=match)


async def connected_times(simulator: Simulator, times: int) -> None:
    """Wait until clients have connected so many times."""
    await simulator.wait_for(lambda stats: stats.connections_total == times)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, in virtual or real time; the test's own limit ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - a condition of any kind: there is no event for it
        await trio.sleep(0.001)


def subscribe_text(*names: str) -> str:
    quoted = ",".join(f'"{name}"' for name in names)
    return f'{{"method":"subscribe","channels":[{quoted}]}}'


def unsubscribe_text(*names: str) -> str:
    return subscribe_text(*names).replace('"subscribe"', '"unsubscribe"')


class _Counting(ops.Running[Any, int]):
    def __init__(self) -> None:
        self.count = 0

    def on_batch(self, batch: Batch[Any]) -> tuple[int, ...]:
        self.count += len(batch.events)
        return ()

    def on_end(self) -> tuple[int, ...]:
        return (self.count,)


@attrs.frozen
class Count(ops.Stage[Any, int]):
    """A stage whose only result comes at the end."""

    def start(self) -> _Counting:
        return _Counting()
