"""`cgrx.sync.sinks`: the same delivery without a loop, by plain functions, in threads."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

import cgrx.sync
from cgrx import InTrioError, sinks
from tests.hosts.sync_running import served
from tests.support import run


def test_batches_are_written_by_a_plain_function_in_a_thread() -> None:
    got: list[float] = []
    failed: list[bool] = []
    arrived = threading.Event()

    def write(batch: Sequence[Any]) -> None:
        assert threading.current_thread() is not threading.main_thread()
        failed.append(True)
        if len(failed) == 1:
            raise OSError("no route")
        got.extend(event.volume_usd for event in batch)
        arrived.set()

    with (
        served() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.sinks.deliver(write, feed.liquidations(), name="mine", every="0s") as sink,
    ):
        server.send(1.0, 2.0)
        assert arrived.wait(20)
        sink.flush()
        assert got == [1.0, 2.0]
        assert sink.name == "mine"
    assert (sink.stats.delivered, sink.stats.retries) == (2, 1)


def test_flush_has_a_bound() -> None:
    tried = threading.Event()
    refusing = threading.Event()

    def write(_: Sequence[Any]) -> None:
        tried.set()
        raise sinks.SinkDataError("no good") if refusing.is_set() else OSError("no route")

    with (
        served() as server,
        cgrx.sync.connect(**server.access) as feed,
        cgrx.sync.sinks.deliver(write, feed.liquidations(), every="0s") as sink,
    ):
        server.send(1.0)
        assert tried.wait(20)
        with pytest.raises(TimeoutError):
            sink.flush(timeout=0.05)
        refusing.set()
    assert (sink.stats.dead, sink.stats.dropped) == (1, 0)


def test_misuses() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match="write=None is no function"), cgrx.sync.sinks.deliver(nothing, nothing):
        pytest.fail("it was entered")

    async def main() -> None:
        with pytest.raises(InTrioError, match=r"cgrx.sync.sinks.deliver\(\)"):
            cgrx.sync.sinks.deliver(nothing, nothing)

    run(main)
