"""What the tests of delivery share: a system in memory that fails as it is told, rows, and the law of the accounts."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs
import trio

from cgrx import EventStream, Status, sinks
from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import delivered
from cgrx._model.signals import Batch
from cgrx.operators._rows.derive import row_type
from cgrx.operators._rows.ready import Flow
from cgrx.operators._rows.row import Row
from tests.streams.streaming import Hot, Notes

FLOW = row_type(Flow, "base_asset", {})


def flow(minute: int, volume: float = 1.0, *, asset: str = "BTC", final: bool = True, withdrawn: bool = False) -> Row:
    """A row of a minute."""
    return FLOW(
        start_ms=60_000 * minute,
        end_ms=60_000 * (minute + 1),
        base_asset=asset,
        count=1,
        volume=volume,
        buy_volume=volume,
        sell_volume=0.0,
        delta=volume,
        final=final and not withdrawn,
        withdrawn=withdrawn,
    )


@attrs.define(eq=False)
class System:
    """A writer that keeps what it is given, and raises what it is told to."""

    name: str = "a system"
    batches: list[list[Any]] = attrs.field(factory=list[list[Any]])
    """What it has acknowledged."""
    failures: list[Exception | None] = attrs.field(factory=list[Exception | None])
    """What the next calls of `write` raise; None: nothing."""
    refuses: Callable[[Any], bool] = attrs.field(default=lambda _: False)
    """Which items it takes for bad data."""
    open_failures: list[Exception | None] = attrs.field(factory=list[Exception | None])
    away: Exception | None = None
    """What every call of `write` raises."""
    answers_after_s: float = 0.0
    opened: int = 0
    closed: int = 0
    types: frozenset[type] = frozenset()
    calls: list[tuple[float, int]] = attrs.field(factory=list[tuple[float, int]])
    """When `write` was called, and with how many items."""

    @property
    def items(self) -> list[Any]:
        return [item for batch in self.batches for item in batch]

    async def open(self, types: frozenset[type]) -> None:
        self.types = types
        failure = self.open_failures.pop(0) if self.open_failures else None
        if failure is not None:
            raise failure
        self.opened += 1

    async def write(self, batch: Sequence[Any], /) -> None:
        self.calls.append((trio.current_time(), len(batch)))
        await trio.sleep(self.answers_after_s)
        failure = self.failures.pop(0) if self.failures else self.away
        if failure is not None:
            raise failure
        if any(map(self.refuses, batch)):
            raise sinks.SinkDataError("it is no good")
        self.batches.append(list(batch))

    async def close(self) -> None:
        self.closed += 1


@attrs.define(eq=False)
class Delivery:
    """A sink on a hot source of a feed's runtime, which takes notes."""

    sink: sinks.Sink
    source: Hot[Any]
    notes: Notes

    def give(self, *items: Any) -> None:
        self.source.say(Batch(None, 0, items))
        require_balance(self.sink.stats)

    @property
    def told(self) -> list[str]:
        return [f"{type(status).__name__}: {status}" for status in self.notes.told]

    @property
    def statuses(self) -> list[Status]:
        return self.notes.told


@asynccontextmanager
async def delivering(system: System, *types: type, waits: bool = False, **options: Any) -> AsyncGenerator[Delivery]:
    """A sink in front of a system; its accounts balance whenever a tenth of a second has passed, and at the end."""
    notes = Notes(waits=waits)
    source: Hot[Any] = Hot(notes, *types)
    rows: EventStream[Any] = source.stream
    async with (
        delivered("deliver()", rows, system, cast(DeliveryOptions, options)) as sink,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(_watch, sink)
        yield Delivery(sink, source, notes)
        nursery.cancel_scope.cancel()
    require_balance(sink.stats)


async def _watch(sink: sinks.Sink) -> None:
    while True:
        require_balance(sink.stats)
        await trio.sleep(0.1)


def require_balance(stats: sinks.SinkStats) -> None:
    """Check the law."""
    found = stats.delivered + stats.superseded + stats.dropped + stats.dead + stats.queued + stats.in_flight
    assert stats.received == found, stats
    assert min(stats.delivered, stats.superseded, stats.dropped, stats.dead, stats.queued, stats.in_flight) >= 0
    assert stats.queued >= stats.spilled >= 0, stats
