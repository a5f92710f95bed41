"""Any sink on a hot source of a feed's runtime, whose accounts balance all the while."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import trio

from cgrx import sinks
from cgrx._model.signals import Batch
from tests.delivery.systems import require_balance
from tests.streams.streaming import Hot, Notes
from tests.support import run

Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[sinks.Sink]]
"""A function of `cgrx.sinks`."""


@asynccontextmanager
async def writing_to(
    sink: Opened, where: object, *types: type, **options: Any
) -> AsyncGenerator[tuple[sinks.Sink, Hot[Any], Notes]]:
    """A sink, what it delivers, and what the feed is told. No item waits for others."""
    notes = Notes()
    source: Hot[Any] = Hot(notes, *types)
    async with sink(where, source.stream, **({"every": "0s"} | options)) as opened, trio.open_nursery() as nursery:
        nursery.start_soon(_watch, opened)
        yield opened, source, notes
        nursery.cancel_scope.cancel()
    require_balance(opened.stats)


async def _watch(sink: sinks.Sink) -> None:
    while True:
        require_balance(sink.stats)
        await trio.sleep(0.01)


def write_to(sink: Opened, where: object, *batches: Sequence[Any], **options: Any) -> sinks.SinkStats:
    """Deliver batches, one after another."""

    async def main() -> sinks.SinkStats:
        async with writing_to(sink, where, **options) as (opened, source, _):
            for batch in batches:
                source.say(Batch(None, 0, tuple(batch)))
                await opened.flush()
        return opened.stats

    return run(main)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds, for a bounded time."""
    with trio.fail_after(15):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)
