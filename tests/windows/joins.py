"""What the tests of joins share: two streams that are told what to say, and what comes of them."""

from collections.abc import Iterable
from typing import Any

from cgrx import Batch, Liquidation, Signal, Trade
from cgrx import operators as ops
from cgrx.testing import batch, gap, liquidation, trade
from tests.feed.feeding import Record
from tests.streams.streaming import Hot

BEGUN = gap(0, 0)
"""A subscription has begun."""

TERMS: dict[str, Any] = {"by": "base_asset", "max_age": "5s"}


def of(*times: float, **fields: Any) -> Batch[Liquidation]:
    """Liquidations of these times, seconds."""
    return batch(*(liquidation(time=time, **fields) for time in times))


def by(*times: float, **fields: Any) -> Batch[Trade]:
    """Trades of these times, seconds."""
    return batch(*(trade(time=time, **fields) for time in times))


class Two:
    """A stream and another, and the results of their join."""

    def __init__(self, before: ops.Stage[Any, Any] | None = None, of: ops.Stage[Any, Any] | None = None, **terms: Any):
        self.left: Hot[Any] = Hot()
        self.other: Hot[Any] = Hot()
        self.record = Record()
        left = self.left.stream if before is None else self.left.stream.pipe(before)
        other = self.other.stream if of is None else self.other.stream.pipe(of)
        self.subscription = left.pipe(ops.latest_of(other, **(TERMS | terms))).subscribe_signals(self.record)

    def say(self, *signals: Signal[Any]) -> None:
        """The same on both."""
        self.left.say(*signals)
        self.other.say(*signals)

    def complete(self) -> None:
        self.left.complete()
        self.other.complete()

    @property
    def results(self) -> list[Any]:
        return self.record.events


def told(results: Iterable[ops.Joined[Any, Any]]) -> list[tuple[float, float | None, str]]:
    """Of each result the second of the item, that of its latest, and the quality."""
    return [
        (each.item.time_ms / 1000, None if each.latest is None else each.latest.time_ms / 1000, each.quality)
        for each in results
    ]


def one_each(signals: Iterable[tuple[int, Signal[Any]]]) -> list[tuple[int, Signal[Any]]]:
    """The same in batches of one."""
    return [
        (which, part)
        for which, signal in signals
        for part in (
            [Batch(signal.channel, signal.received_ms, (event,)) for event in signal.events]
            if isinstance(signal, Batch)
            else [signal]
        )
    ]
