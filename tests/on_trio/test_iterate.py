"""stream() and from_async(): nothing is lost between awaits, and every event is accounted for."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import reactivex as rx
import trio
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx_ops
from reactivex.subject import Subject

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from cgrx._trio.overflow import Overflow
from tests.support import run_mock

POLICIES: list[Overflow] = ["error", "drop_oldest", "drop_newest", "latest"]


def event(n: int, symbol: str = "BTCUSDT") -> cgrx.Trade:
    return cgrx.Trade("BTC", "Binance", symbol, cgrx.TradeSide.BUY, 100.0, float(n + 1), n)


def balanced(stats: cgrx.StreamStats) -> bool:
    return stats.received == stats.delivered + stats.dropped + stats.queued


async def collect(events: cgrx.EventIterator[int], into: list[int]) -> None:
    async for each in events:
        into.append(each)  # noqa: PERF401 - what came before an error must be there


def test_it_gives_every_event_and_ends_with_the_observable() -> None:
    async def main() -> list[int]:
        async with cgrx.stream(rx.of(1, 2, 3)) as events:
            return [each async for each in events]

    assert run_mock(main) == [1, 2, 3]


def test_an_error_comes_behind_what_is_queued() -> None:
    async def main() -> list[int]:
        seen: list[int] = []
        async with cgrx.stream(rx.concat(rx.of(1, 2), rx.throw(KeyError("gone")))) as events:
            with pytest.raises(KeyError, match="gone"):
                await collect(events, seen)
            with pytest.raises(KeyError, match="gone"):  # and again, instead of hanging
                await anext(events)
        return seen

    assert run_mock(main) == [1, 2]


def test_batches_take_everything_that_is_queued() -> None:
    async def main() -> None:
        subject: Subject[int] = Subject()
        async with cgrx.stream(subject) as events:
            batches = events.batches()
            for n in range(3):
                subject.on_next(n)
            assert await anext(batches) == [0, 1, 2]
            subject.on_next(3)
            subject.on_completed()
            assert [batch async for batch in batches] == [[3]]
            assert events.stats == cgrx.StreamStats(received=4, delivered=4, dropped=0, queued=0)

    run_mock(main)


def test_a_cancelled_wait_loses_nothing() -> None:
    """What arrives in the moment of the cancellation stays queued."""

    async def main() -> None:
        subject: Subject[int] = Subject()
        async with cgrx.stream(subject) as events:
            with trio.move_on_after(1) as scope:
                async with trio.open_nursery() as nursery:

                    async def push_and_cancel() -> None:
                        subject.on_next(1)
                        scope.cancel()

                    nursery.start_soon(push_and_cancel)
                    await anext(events)
            assert events.stats.queued + events.stats.delivered == 1
            subject.on_next(2)
            got = [await anext(events) for _ in range(events.stats.queued)]
            assert got[-1] == 2
            assert balanced(events.stats)

    run_mock(main)


def test_iteration_gives_other_tasks_their_turn() -> None:
    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with cgrx.stream(rx.from_(range(1000)), buffer=1000) as events, trio.open_nursery() as nursery:
            nursery.start_soon(other)
            assert len([each async for each in events]) == 1000
            assert turns >= 10
            nursery.cancel_scope.cancel()

    run_mock(main)


def test_full_it_ends_with_an_error_by_default() -> None:
    async def main() -> None:
        subject: Subject[int] = Subject()
        async with cgrx.stream(subject, buffer=2) as events:
            for n in range(5):
                subject.on_next(n)
            assert events.stats == cgrx.StreamStats(received=3, delivered=0, dropped=1, queued=2)
            assert not subject.observers  # let go at once
            assert [await anext(events), await anext(events)] == [0, 1]
            with pytest.raises(cgrx.BufferOverflowError, match="buffer of 2 events is full and 1 more came") as caught:
                await anext(events)
            assert (caught.value.buffer, caught.value.dropped) == (2, 1)

    run_mock(main)


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [("drop_oldest", [3, 4]), ("drop_newest", [0, 1])],
)
def test_full_it_drops_by_policy_and_counts(overflow: Overflow, kept: list[int]) -> None:
    async def main() -> None:
        subject: Subject[int] = Subject()
        async with cgrx.stream(subject, buffer=2, overflow=overflow) as events:
            for n in range(5):
                subject.on_next(n)
            assert events.stats == cgrx.StreamStats(received=5, delivered=0, dropped=3, queued=2)
            assert [await anext(events), await anext(events)] == kept

    run_mock(main)


def test_latest_keeps_one_event_for_each_instrument() -> None:
    async def main() -> None:
        subject: Subject[cgrx.Trade] = Subject()
        async with cgrx.stream(subject, buffer=2, overflow="latest") as events:
            for n, symbol in enumerate(["A", "B", "A", "C"]):
                subject.on_next(event(n, symbol))
            assert events.stats == cgrx.StreamStats(received=4, delivered=0, dropped=2, queued=2)
            assert await anext(events.batches()) == [event(1, "B"), event(3, "C")]
            subject.on_next(event(9, "A"))
            assert await anext(events) == event(9, "A")

    run_mock(main)


def test_latest_ends_with_the_error_of_its_key() -> None:
    async def main() -> None:
        subject: Subject[object] = Subject()
        async with cgrx.stream(subject, overflow="latest") as events:  # an int has no exchange
            subject.on_next(1)
            assert balanced(events.stats)
            with pytest.raises(AttributeError, match="exchange"):
                await anext(events)

    run_mock(main)


@given(
    st.sampled_from(POLICIES),
    st.integers(1, 5),
    st.lists(st.one_of(st.integers(0, 3), st.just("take")), max_size=40),
)
def test_every_event_is_accounted_for_at_every_moment(overflow: Overflow, buffer: int, steps: list[int | str]) -> None:
    async def main() -> None:
        subject: Subject[cgrx.Trade] = Subject()
        sent = 0
        async with cgrx.stream(subject, buffer=buffer, overflow=overflow) as events:
            for step in steps:
                if isinstance(step, int):
                    subject.on_next(event(sent, str(step)))
                    sent += 1
                elif events.stats.queued:
                    await anext(events)
                assert balanced(events.stats)
                assert events.stats.queued <= buffer
                if overflow != "error":
                    assert events.stats.received == sent

    run_mock(main)


def test_leaving_lets_go_of_the_observable() -> None:
    async def main() -> None:
        subject: Subject[int] = Subject()
        async with cgrx.stream(subject) as events:
            subject.on_next(1)
        assert not subject.observers
        assert events.stats.queued == 1  # still told

    run_mock(main)


async def _blocking(feed: cgrx.Feed, simulator: Simulator, **options: Any) -> None:
    statuses: list[cgrx.Status] = []
    feed.status.subscribe(statuses.append)
    liquidations = feed.liquidations().pipe(ops.min_volume(0))
    async with cgrx.stream(liquidations, buffer=3, overflow="block", **options) as events:
        await simulator.wait_subscribed("liquidationOrders")
        for n in range(10):
            await simulator.send(cgrx.Liquidation("BTC", "Binance", "BTCUSDT", cgrx.LiquidationSide.LONG, 1.0, 1.0, n))
            await trio.sleep(0.1)
        assert events.stats.queued == 3
        if options:
            await trio.sleep(10)
            assert [(await anext(events)).time_ms for _ in range(3)] == [0, 1, 2]
            with pytest.raises(cgrx.BackpressureError, match="full for 5 s"):
                await anext(events)
        else:
            assert [(await anext(events)).time_ms for _ in range(10)] == list(range(10))
            assert events.stats == cgrx.StreamStats(received=10, delivered=10, dropped=0, queued=0)
    assert [type(status) for status in statuses[1:3]] == [cgrx.Backpressured, cgrx.Resumed]
    await trio.sleep(60)
    assert feed.stats.connections == 1  # neither the stop nor its end cost the connection


@pytest.mark.parametrize("options", [{}, {"block_timeout": 5}], ids=["patient", "stalled"])
def test_block_stops_the_reading_of_the_socket(options: dict[str, Any]) -> None:
    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            cgrx.connect(url=simulator.url, api_key="any-key-will-do", dial=simulator.dial) as feed,
        ):
            await _blocking(feed, simulator, **options)

    run_mock(main)


def test_block_waits_for_ever_when_asked_to_and_takes_batches() -> None:
    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            cgrx.connect(url=simulator.url, api_key="any-key-will-do", dial=simulator.dial) as feed,
            cgrx.stream(feed.liquidations(), buffer=1, overflow="block", block_timeout=math.inf) as events,
        ):
            await simulator.wait_subscribed("liquidationOrders")
            sent = [cgrx.Liquidation("A", "B", "C", cgrx.LiquidationSide.LONG, 1.0, 1.0, n) for n in range(2)]
            for each in sent:
                await simulator.send(each)
                await trio.sleep(3600)
            batches = events.batches()
            got = await anext(batches)
            while len(got) < 2:
                got += await anext(batches)
            assert got == sent

    run_mock(main)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"buffer": 0}, "buffer=0 must be a number of events, at least 1"),
        ({"buffer": math.nan}, "buffer=nan"),
        ({"overflow": "explode"}, "overflow='explode' is none of 'error', 'drop_oldest'"),
        ({"overflow": "block"}, "can only hold up a feed's own stream"),
        ({"block_timeout": "soon"}, "block_timeout='soon' is not a duration"),
        ({"block_timeout": timedelta(seconds=-1)}, "block_timeout="),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], message: str) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=message):
            cgrx.stream(rx.of(1), **options)

    run_mock(main)


def test_outside_trio_it_says_what_to_do() -> None:
    with pytest.raises(cgrx.NotInTrioError, match=r"stream\(\) needs a running trio loop.*cgrx\.sync"):
        cgrx.stream(rx.of(1))


async def _countdown(n: int, left: list[str]) -> AsyncIterator[int]:
    try:
        while n:
            await trio.sleep(1)
            yield n
            n -= 1
    finally:
        left.append("closed")


def test_from_async_gives_what_the_iterable_gives() -> None:
    async def main() -> None:
        left: list[str] = []
        got: list[int | str] = []
        async with cgrx.TrioScheduler() as scheduler:
            source = cgrx.from_async(lambda: _countdown(3, left))
            for _ in range(2):  # each subscription is an iteration of its own
                source.subscribe(got.append, on_completed=lambda: got.append("|"), scheduler=scheduler)
                await trio.sleep(5)
        assert got == [3, 2, 1, "|"] * 2
        assert left == ["closed"] * 2

    run_mock(main)


def test_from_async_is_cancelled_when_disposed() -> None:
    async def main() -> None:
        left: list[str] = []
        got: list[int] = []
        async with cgrx.TrioScheduler() as scheduler:
            cgrx.from_async(_countdown(9, left)).pipe(rx_ops.take(2)).subscribe(got.append, scheduler=scheduler)
            await trio.sleep(2.5)
            assert (got, left) == ([9, 8], ["closed"])

    run_mock(main)


def test_from_async_passes_the_error_of_its_source_on() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise KeyError("source")

    async def main() -> list[object]:
        got: list[object] = []
        async with cgrx.TrioScheduler() as scheduler:
            cgrx.from_async(failing()).subscribe(got.append, lambda error: got.append(repr(error)), scheduler=scheduler)
            await trio.sleep(1)
        return got

    assert run_mock(main) == [1, "KeyError('source')"]


def test_from_async_takes_a_memory_channel() -> None:
    async def main() -> list[int]:
        send, receive = trio.open_memory_channel[int](9)
        got: list[int] = []
        async with cgrx.TrioScheduler() as scheduler, send:
            cgrx.from_async(receive).subscribe(got.append, scheduler=scheduler)
            for n in range(3):
                await send.send(n)
            await trio.sleep(1)
        return got

    assert run_mock(main) == [0, 1, 2]


def test_from_async_needs_an_iterable_and_a_trio_scheduler() -> None:
    async def main() -> None:
        wrong: Any = [1, 2]
        stream: Any = cgrx.merge(rx.of(1))
        with pytest.raises(TypeError, match=r"from_async\(\[1, 2\]\) takes an async iterable"):
            cgrx.from_async(wrong)
        with pytest.raises(TypeError, match=r"from_async\(<.*EventStream.*>\) takes an async iterable"):
            cgrx.from_async(stream)
        errors: list[Exception] = []
        cgrx.from_async(_countdown(1, [])).subscribe(on_error=errors.append)
        assert "runs on a TrioScheduler, not None" in str(errors[0])

    run_mock(main)
