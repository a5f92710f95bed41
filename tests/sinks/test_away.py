"""Sinks whose systems are away from the first moment to the last: they are left at once, with their accounts."""

import socket
from collections.abc import Generator
from typing import Any

import pytest
import trio

from cgrx import DeliveryHeld, sinks
from cgrx._model.signals import Batch
from tests.delivery.systems import FLOW, flow
from tests.sinks.writing import Opened, until, writing_to
from tests.support import run


@pytest.fixture
def nowhere() -> Generator[str]:
    """An address where nobody listens, nor will while this goes on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("sink", "where", "options"),
    [
        (sinks.kafka, "{}", {"topic": "bars"}),
        (sinks.postgres, "postgresql://user@{}/bars", {"table": "bars"}),
        (sinks.redis, "redis://{}", {"stream": "bars"}),
        (sinks.webhook, "http://{}/bars", {}),
    ],
    ids=["kafka", "postgres", "redis", "webhook"],
)
def test_a_sink_can_be_left_while_its_system_is_away(
    sink: Opened, where: str, options: dict[str, Any], nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgrx._sinks.kafka.KAFKA_CONNECT_S", 0.3)

    async def main() -> None:
        begun = trio.current_time()
        async with writing_to(sink, where.format(nowhere), FLOW, drain="0s", **options) as (opened, source, notes):
            source.say(Batch(None, 0, (flow(0),)))
            await until(lambda: opened.stats.retries > 0)
            assert isinstance(notes.told[0], DeliveryHeld)
        assert trio.current_time() - begun < 5
        assert (opened.stats.delivered, opened.stats.dropped) == (0, 1)

    run(main)
