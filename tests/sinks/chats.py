"""What the tests of the chats share."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable

from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.sinks import Sink, SinkStats, discord, slack, telegram
from tests.sinks.receivers import Answering, Asked, Receiver, Reply, always, played, receiving
from tests.sinks.webhooks import balanced
from tests.support import run_mock

NONE: Observable[str] = rx.empty()
TOKEN = "123456:s3cr3t-ABC-token"
JOINER = "\u2060"


class Flow(ops.Row):
    """A row of all that comes."""

    volume = agg.volume()


def flow(**quality: object) -> Flow:
    return Flow(start_ms=0, end_ms=60_000, volume=5.0, **quality)


TELEGRAM_OK = Reply(body={"ok": True, "result": {}})
telegram_answer = always(TELEGRAM_OK)


To = Callable[..., AbstractAsyncContextManager[Sink]]


def to_telegram(url: str, items: Any, **options: Any) -> AbstractAsyncContextManager[Sink]:
    return telegram(TOKEN, items, chat=options.pop("chat", 42), base_url=f"{url}/api", **options)


def to_slack(url: str, items: Any, **options: Any) -> AbstractAsyncContextManager[Sink]:
    return slack(f"{url}/services/T0/s3cr3t-slack", items, **options)


def to_discord(url: str, items: Any, **options: Any) -> AbstractAsyncContextManager[Sink]:
    return discord(f"{url}/api/webhooks/1/s3cr3t-discord?thread_id=7", items, **options)


SERVICES: list[tuple[To, Answering]] = [
    (to_slack, always(Reply())),
    (to_discord, lambda asked: Reply(200, {"X-RateLimit-Remaining": "4"}, {"id": "1"})),
    (to_telegram, telegram_answer),
]
of_each = pytest.mark.parametrize(("to", "usual"), SERVICES, ids=["slack", "discord", "telegram"])


async def deliver_all(
    to: To, items: list[Any], *script: Reply, usual: Answering, server: Any = receiving, **options: Any
) -> tuple[list[Asked], SinkStats]:
    """The messages that were posted, and the accounts."""
    async with server(*script, usual=usual) as (receiver, url), to(url, rx.from_iterable(items), **options) as sink:
        await sink.flush()
        return posts(receiver), balanced(sink.stats)


def play(to: To, items: list[Any], *script: Reply, usual: Answering, **options: Any) -> tuple[list[Asked], SinkStats]:
    """The same on the mock clock."""
    return run_mock(partial(deliver_all, to, items, *script, usual=usual, server=played, **options))


def posts(receiver: Receiver) -> list[Asked]:
    return [asked for asked in receiver.asked if asked.method == "POST"]


def text(asked: Asked) -> str:
    found: str = asked.json["content" if "content" in asked.json else "text"]
    return found
