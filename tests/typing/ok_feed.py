"""What must type-check of a feed: live, replayed, or one's own. Read by mypy and pyright, never run."""

import warnings
from typing import assert_type

from cgrx import (
    Event,
    EventStream,
    Feed,
    Liquidation,
    LiquidationOrders,
    Misspelt,
    OrderedStream,
    Recorder,
    Replay,
    ReplayProgress,
    SpellingWarning,
    Status,
    Trade,
    aio,
    connect,
    on_drain,
    record,
    replay,
    run,
)


async def opened() -> None:
    async with connect() as feed:
        assert_type(feed, Feed)
    async with replay("folder") as again:
        assert_type(again, Replay)
        async with record(again, "other", channels=[LiquidationOrders()]) as recorder:
            assert_type(recorder, Recorder)


async def main_of(symbol: str, count: int) -> list[Trade]:
    with on_drain(list[Trade]().clear):
        return []


async def serves() -> None:
    async with aio.connect() as feed, aio.closing_on_signals(feed):
        assert_type(feed, Feed)


def runs() -> None:
    assert_type(run(main_of, "BTCUSDT", 5), list[Trade])
    assert_type(run(main_of, "BTCUSDT", 5, drain="1m", on_signal=print), list[Trade])


def streams(feed: Feed, replayed: Replay) -> None:
    assert_type(feed.liquidations(), EventStream[Liquidation])
    assert_type(feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000), EventStream[Trade])
    assert_type(feed.futures_trades_across([("Binance", "BTCUSDT")], min_volume=0), OrderedStream[Trade])
    assert_type(feed.channel("liquidationOrders"), EventStream[Event])
    assert_type(feed.now_ms, int)
    assert_type(replayed.liquidations(), EventStream[Liquidation])
    assert_type(replayed.channel(LiquidationOrders()), EventStream[Event])
    assert_type(replayed.progress, ReplayProgress)


def misspelt(status: Status) -> None:
    if isinstance(status, Misspelt):
        assert_type(status.nearest, tuple[str, ...])
        warnings.simplefilter("ignore", SpellingWarning)


def a_replay_is_a_feed(replayed: Replay) -> Feed:
    return replayed
