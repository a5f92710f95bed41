"""Misspelt names of channels: told on the status as soon as their channel is subscribed to."""

import logging

import pytest
import trio

import cgrx
from cgrx._feed import live
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Statuses, feed_on, ms_after, record, subscribe_text
from tests.support import run_mock

MISSPELT = cgrx.FuturesTrades("Binnance", "BTCUSDT", 0)


def test_a_misspelt_exchange_is_told_at_once_and_subscribed_to(caplog: pytest.LogCaptureFixture) -> None:
    """It may exist: nobody knows all that the server lists. The log has it as a warning."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            stream = feed.futures_trades("Binnance", "BTCUSDT", min_volume=0)
            assert statuses.of(cgrx.Misspelt) == [], "asked for is not subscribed to"
            await trio.sleep(5)
            record(stream)
            assert statuses.of(cgrx.Misspelt) == [cgrx.Misspelt(ms_after(5), MISSPELT, "Binnance", ("Binance",))]
            await trio.sleep(1)
            assert simulator.said() == (subscribe_text(MISSPELT.name),)

    with caplog.at_level(logging.WARNING, "cgrx"):
        run_mock(main)
    told = [each for each in caplog.records if isinstance(getattr(each, "status", None), cgrx.Misspelt)]
    assert [(each.name, each.levelname, each.getMessage()) for each in told] == [
        ("cgrx", "WARNING", f"'Binnance': did you mean Binance? (channel {MISSPELT.name})")
    ]


def test_each_name_is_told_once() -> None:
    """However often it is subscribed to, and in how many channels; exchange and symbol are names of their own."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            for _ in range(2):
                subscription = feed.futures_trades("Binnance", "BTCUSDT", min_volume=0).subscribe(print)
                subscription.dispose()
            record(feed.futures_trades("Binnance", "ETHUSDT", min_volume=0))
            record(feed.channel("futures_trades@Binnance_BTC-USDT@7"))
            record(feed.futures_trades("OKX", "ETHUSDT", min_volume=0))
            await simulator.close_all()
            await trio.sleep(5)
            assert [(each.name, each.nearest) for each in statuses.of(cgrx.Misspelt)] == [
                ("Binnance", ("Binance",)),
                ("BTC-USDT", ("BTCUSDT",)),
                ("ETHUSDT", ("ETH-USDT-SWAP",)),
            ]

    run_mock(main)


@pytest.mark.parametrize(
    ("exchange", "symbol"), [("Binance", "BTCUSDT"), ("BINANCE", "BTCUSDT"), ("gateio", "BTC_USDT"), ("Nowhere", "X")]
)
def test_nothing_is_told_about_known_spellings_and_unknown_names(exchange: str, symbol: str) -> None:
    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            record(feed.futures_trades(exchange, symbol, min_volume=0))
            record(feed.liquidations())
            await trio.sleep(1)
            assert statuses.of(cgrx.Misspelt) == []

    run_mock(main)


def test_the_number_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names may come from strangers."""
    monkeypatch.setattr(live, "_ASKED", 2)

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses = Statuses(feed)
            for asset in ("A", "B", "C"):
                record(feed.futures_trades("OKX", f"{asset}USDT", min_volume=0))
            assert [each.name for each in statuses.of(cgrx.Misspelt)] == ["AUSDT", "BUSDT"]

    run_mock(main)


def test_a_status_subscriber_may_subscribe_to_what_was_meant() -> None:
    """It is told within the subscription, and what it does then waits for its turn."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:

            def follow(status: cgrx.Status) -> None:
                if isinstance(status, cgrx.Misspelt):
                    record(feed.futures_trades(status.nearest[0], "BTCUSDT", min_volume=0))

            feed.status.subscribe(follow)
            wrong = feed.futures_trades("Binnance", "BTCUSDT", min_volume=0).subscribe(print)
            await trio.sleep(1)
            wrong.dispose()
            await trio.sleep(1)
            assert [channel.name for channel, each in feed.stats.channels.items() if each.subscribers] == [
                "futures_trades@Binance_BTCUSDT@0"
            ]

    run_mock(main)
