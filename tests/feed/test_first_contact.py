"""What a beginner writes first, and gets wrong: the error, or the log, says what to write instead."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on, in_memory
from tests.replay.replaying import Log, gap, number
from tests.simulator.simulating import liquidation
from tests.support import run_mock

# Entering


async def awaited(opening: Any) -> None:
    await opening


async def entered_by_with(opening: Any) -> None:
    await trio.lowlevel.checkpoint()
    with opening:
        raise AssertionError("it was entered")


async def iterated(opening: Any) -> None:
    await trio.lowlevel.checkpoint()
    async for _ in opening:
        raise AssertionError("it gave something")


async def used(opening: Any) -> None:
    await trio.lowlevel.checkpoint()
    opening.liquidations()


@pytest.mark.parametrize(
    ("misuse", "kind", "message"),
    [
        (awaited, TypeError, r"cgrx\.connect\(\) cannot be awaited"),
        (entered_by_with, TypeError, r"cgrx\.connect\(\) needs `async with`, not `with`"),
        (iterated, TypeError, r"cgrx\.connect\(\) cannot be iterated over"),
        (used, AttributeError, r"cgrx\.connect\(\) has no 'liquidations' before it is entered"),
    ],
)
def test_a_feed_that_is_not_entered(
    misuse: Callable[[Any], Awaitable[None]], kind: type[Exception], message: str
) -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            opening = cgrx.connect(**in_memory(simulator))
            with pytest.raises(kind, match=message + r".*: `async with cgrx\.connect\(\.\.\.\) as feed: \.\.\.`"):
                await misuse(opening)
            async with opening as feed:  # that it was misused has changed nothing
                assert feed.state is cgrx.State.CONNECTED

    run_mock(main)


def test_others_that_are_not_entered(tmp_path: Path) -> None:
    """A replay, a recorder and a stream say the same of themselves."""

    async def main() -> None:
        with pytest.raises(TypeError, match=r"`async with cgrx\.replay\(\.\.\.\) as feed: \.\.\.`"):
            await awaited(cgrx.replay(Log([gap(0)])))
        async with Simulator() as simulator, feed_on(simulator) as feed:
            with pytest.raises(TypeError, match=r"`async with cgrx\.record\(\.\.\.\) as recorder: \.\.\.`"):
                await awaited(cgrx.record(feed, tmp_path, channels=["liquidationOrders"]))
            with pytest.raises(TypeError, match=r"`async with cgrx\.stream\(\.\.\.\) as events: \.\.\.`"):
                await iterated(cgrx.stream(feed.liquidations()))
            with pytest.raises(TypeError, match="has no channel, status"):
                cgrx.record(cgrx.connect(**in_memory(simulator)), tmp_path, channels=["liquidationOrders"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is tested

    run_mock(main)


# Names and arguments


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("trades", r"did you mean feed\.futures_trades\(exchange, symbol, min_volume=\.\.\.\)\?"),
        ("liquidation_orders", r"did you mean feed\.liquidations\(\)\?"),
        ("subscribe", r"did you mean feed\.liquidations\(\)\.subscribe\(\.\.\.\)\?"),
        ("stream", r"did you mean cgrx\.stream\(feed\.liquidations\(\)\)\?"),
        ("close", r"did you mean await feed\.aclose\(\)\?"),
        ("candles", "a feed has no attribute 'candles'$"),
    ],
)
def test_a_name_that_a_feed_does_not_have(name: str, meant: str) -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            with pytest.raises(AttributeError, match=meant):
                getattr(feed, name)
        async with cgrx.replay(Log([gap(0)])) as replay:
            with pytest.raises(AttributeError, match=meant):
                getattr(replay, name)

    run_mock(main)


def test_a_minimum_volume_that_is_missing() -> None:
    """Python's own error, under the public name of the method."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as checked:
            feed: Any = checked
            with pytest.raises(TypeError, match=r"^Feed\.futures_trades\(\) missing .* 'min_volume'$"):
                feed.futures_trades("Binance", "BTCUSDT")
            with pytest.raises(TypeError, match=r"^Feed\.futures_trades_across\(\) missing .* 'min_volume'$"):
                feed.futures_trades_across([("Binance", "BTCUSDT")])

    run_mock(main)


def test_a_minimum_volume_that_is_a_text() -> None:
    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as checked:
            feed: Any = checked
            with pytest.raises(TypeError, match=r"min_volume='10k' takes a number of US dollars, .* such as 10_000"):
                feed.futures_trades("Binance", "BTCUSDT", min_volume="10k")

    run_mock(main)


# Nothing waits for the feed


def said_at_close(caplog: pytest.LogCaptureFixture, main: Callable[[], Awaitable[None]]) -> list[str]:
    with caplog.at_level(logging.INFO, logger="cgrx"):
        run_mock(main)
    return [record.getMessage() for record in caplog.records if "await feed.run()" in record.getMessage()]


def test_a_body_that_ends_before_anything_came_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Once, with the channels that were subscribed to."""

    async def main() -> None:
        async with Simulator() as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(print)
            feed.liquidations().subscribe(print)
            feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(print)

    (line,) = said_at_close(caplog, main)
    assert "liquidationOrders, futures_trades@Binance_BTCUSDT@0" in line
    assert [record.levelname for record in caplog.records if record.getMessage() == line] == ["INFO"]


def test_a_replay_that_never_began_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with cgrx.replay(Log([gap(0), number(1)])) as feed:
            feed.liquidations().subscribe(print)

    assert len(said_at_close(caplog, main)) == 1


async def nobody_subscribed(simulator: Simulator, feed: cgrx.Feed) -> None:
    await trio.sleep(1)


async def something_came(simulator: Simulator, feed: cgrx.Feed) -> None:
    feed.liquidations().subscribe()
    feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe()
    await trio.sleep(1)
    await simulator.send(liquidation())
    await trio.sleep(1)


async def run_waited(simulator: Simulator, feed: cgrx.Feed) -> None:
    feed.liquidations().subscribe()
    with trio.move_on_after(60):
        await feed.run()


async def an_iteration_waited(simulator: Simulator, feed: cgrx.Feed) -> None:
    async with cgrx.stream(feed.liquidations()) as events:
        with trio.move_on_after(60):
            await anext(events)
        await feed.aclose()


async def it_was_cancelled(simulator: Simulator, feed: cgrx.Feed) -> None:
    feed.liquidations().subscribe()
    await trio.sleep_forever()


@pytest.mark.parametrize("body", [nobody_subscribed, something_came, run_waited, an_iteration_waited, it_was_cancelled])
def test_otherwise_nothing_is_told(
    caplog: pytest.LogCaptureFixture, body: Callable[[Simulator, cgrx.Feed], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with Simulator() as simulator:
            with trio.move_on_after(100):
                async with feed_on(simulator) as feed:
                    await body(simulator, feed)

    assert said_at_close(caplog, main) == []
