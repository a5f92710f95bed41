"""What the tests of `cgrx.sinks.webhook` share."""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import reactivex as rx
import trio
from reactivex import Observable

from cgrx import Trade
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.sinks import Sink, SinkStats, webhook
from cgrx.testing import trade
from tests.sinks.receivers import Receiver, Reply, receiving

TOKEN = "T0K3N-s3cr3t-of-the-path"
KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
NOW_S = 1_700_000_000
RATE = 20.0
"""How much faster than real the clock goes in tests of time-outs over sockets."""


class Flow(ops.Row):
    """Rows with a key."""

    base_asset: str
    n = agg.count()


def flow(n: int, **quality: object) -> Flow:
    return Flow(base_asset="BTC", start_ms=0, end_ms=60_000, n=n, **quality)


NONE: Observable[Trade] = rx.empty()
EVENTS = [trade(volume_usd=float(size)) for size in (1, 2, 3, 4)]


def balanced(stats: SinkStats) -> SinkStats:
    found = stats.delivered + stats.superseded + stats.dropped + stats.dead + stats.queued + stats.in_flight
    assert stats.received == found
    return stats


@asynccontextmanager
async def sent(url: str, items: list[Any], **options: Any) -> AsyncGenerator[Sink, None]:
    """All of them delivered."""
    rows: Observable[Any] = rx.from_iterable(items)
    async with webhook(url, rows, every="1ms", **options) as sink:
        await sink.flush()
        yield sink


async def deliver_all(*script: Reply, **options: Any) -> tuple[Receiver, SinkStats]:
    """What a server that answers so, and then well, has got of four trades, and the accounts."""
    async with receiving(*script) as (receiver, url), sent(f"{url}/hook", EVENTS, **options) as sink:
        return receiver, balanced(sink.stats)


def volumes(receiver: Receiver) -> list[list[float]]:
    return [[each["volume_usd"] for each in asked.json] for asked in receiver.asked]


async def held(url: str, **options: Any) -> str:
    """Why nothing is delivered."""
    async with webhook(url, rx.from_iterable(EVENTS), every="1ms", drain="1ms", **options) as sink:
        while (error := sink.stats.error) is None:  # noqa: ASYNC110 - the accounts are no event of trio
            await trio.sleep(0.005)
        assert balanced(sink.stats).delivered == 0
        return f"{type(error).__name__}: {error}"
