"""What the tests of windows over rows share: short windows, long ones, and rows made by hand."""

from typing import Any

from cgrx import Batch, Gap
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Timeline, batch, liquidation, play
from tests.windows.windowing import CHANNEL

BEGUN = Gap(CHANNEL, -10_000, -10_000, "subscribed")
"""The beginning of a subscription that missed nothing of what follows."""

EXACT: dict[str, Any] = {"lateness": "1s", "idle": "1s"}


class Short(ops.Row):
    """What the long window is made of; also the long window of events itself."""

    exchange: str
    open = agg.open()
    high = agg.high()
    low = agg.low()
    close = agg.close()
    volume = agg.volume()
    delta = agg.delta()
    n = agg.count()


class Long(ops.Row):
    """The same, of the rows of short windows."""

    exchange: str
    open = agg.first("open")
    high = agg.max("high")
    low = agg.min("low")
    close = agg.last("close")
    volume = agg.sum("volume")
    delta = agg.sum("delta")
    n = agg.sum("n")


def tall(size: str, **options: Any) -> ops.Stage[Any, Any]:
    return ops.tumbling(size, Long, **options)


def same(item: Any) -> Any:
    return item


def heard(stage: ops.Stage[Any, Any], said: list[Any]) -> list[Any]:
    return list(play(stage, said))


class One(ops.Row):
    """A row of a window, made by hand."""

    n = agg.count()


def row(start_ms: int, size_ms: int = 1000, **fields: Any) -> One:
    """With one event, unless said otherwise."""
    return One(**({"start_ms": start_ms, "end_ms": start_ms + size_ms, "n": 1} | fields))


def events_of(played: Timeline[Any]) -> list[Any]:
    return [event for signal in played.signals if isinstance(signal, Batch) for event in signal.events]


def at(*times: float, received: float | None = None, **fields: Any) -> Batch[Any]:
    return batch(*(liquidation(time=each, **fields) for each in times), received=received)
