"""Cascades and alerts of a board, those of its own rules and those of its user."""

import math
from typing import Any

import pytest
import reactivex

import cgrx
from cgrx import operators as ops
from cgrx._board import bounds
from cgrx._board.happenings import Alerts, Cascades
from cgrx._board.messages import Alert
from cgrx._board.options import board_options
from cgrx.testing import batch, liquidation, play
from tests.board.boards import begun, board, played, proofs, recorded
from tests.replay.replaying import L, Log, at, events
from tests.support import run_mock


def sent(*found: tuple[float, str, float], side: Any = "long") -> Log:
    """A recording of liquidations: when, of what, how much."""
    entries = begun(L, at_ms=at(-10))
    for second, asset, volume in found:
        event = liquidation(side, time=at(second) / 1000, base_asset=asset, volume_usd=volume)
        entries += [events(second, event), *proofs(at(second), L)]
    entries += [entry for second in range(100, 140) for entry in proofs(at(second), L)]
    return Log(entries)


def test_a_volume_of_one_side_in_a_window_is_an_alert_once_in_a_while() -> None:
    """On the very event; of each asset and side apart; silent for a time behind one."""
    first = ((1, "BTC", 600e3), (2, "BTC", 399e3), (3, "ETH", 1.2e9), (4, "BTC", 1e3))
    log = sent(*first, (25, "BTC", 5e6), (80, "BTC", 2e6))
    options: dict[str, Any] = {"alert_volume": 1e6, "cascades": ops.cascades(min_count=100)}
    expected = [
        Alert(1, at(3), "volume", "ETH: long liquidations of 1.2B USD within 10 s"),
        Alert(2, at(4), "volume", "BTC: long liquidations of 1.0M USD within 10 s"),
        Alert(3, at(80), "volume", "BTC: long liquidations of 2.0M USD within 10 s"),
    ]
    assert played(log, **options).alerts == expected
    assert len(played(log, None, **options, alert_silence="5s").alerts) == 4
    assert played(log, None, **options | {"alert_volume": math.inf}).alerts == []
    short = played(sent((1, "BTC", 900.0), side="short"), alert_volume=500, window="5s").alerts
    assert [alert.text for alert in short] == ["BTC: short liquidations of 900 USD within 5 s"]


def test_cascades_are_bands_and_alerts() -> None:
    """One band for each, which grows; withdrawn where two become one."""
    bands = ops.cascades("3s", min_count=2, min_volume=100, emit="crossed", updates="1s")
    log = sent(
        (1, "BTC", 60.0), (2, "BTC", 2e3), (4, "BTC", 2e3), (5, "ETH", 50.0), (5.5, "ETH", 60.0), (30, "BTC", 5.0)
    )
    found = played(log, cascades=bands)
    assert [
        (each.id, each.asset, each.side, each.start, each.end, each.events, each.volume) for each in found.cascades
    ] == [
        (1, "BTC", "long", at(1), at(4) + 1, 3, 4060.0),
        (2, "ETH", "long", at(5), at(5.5) + 1, 2, 110.0),
    ]
    assert {(each.running, each.withdrawn) for each in found.cascades} == {(False, False)}
    assert [alert.text for alert in found.alerts] == [
        "BTC: cascade, 2 longs liquidated, 2.1K USD in 1.0 s",
        "ETH: cascade, 2 longs liquidated, 110 USD in 0.5 s",
    ]
    assert [each.asset for each in played(log, "ETH", cascades=bands).cascades] == ["ETH"]


def test_a_cascade_that_becomes_part_of_another_is_withdrawn() -> None:
    stage = ops.cascades("3s", min_count=2, emit="crossed", updates=0, lateness="20s")
    times = (1.0, 2.0, 6.0, 7.0, 4.0)
    rows = play(stage, [batch(*(liquidation("long", time=at(each) / 1000) for each in times))])
    kept = Cascades()
    for row in rows:
        kept.on_row(row)
    changed = {each.id: each.withdrawn for each in kept.new()}
    assert True in changed.values()
    (left,) = kept.latest(None)
    assert (left.events, left.withdrawn, left.start) == (5, False, at(1))
    assert kept.new() == []


def test_equal_sides_count_as_long_and_say_no_side() -> None:
    log = Log(
        [
            *begun(L),
            events(1, liquidation("long", time=at(1) / 1000), liquidation("short", time=at(1) / 1000)),
            *proofs(at(60), L),
        ]
    )
    found = played(log, cascades=ops.cascades(min_count=2, emit="crossed"))
    assert [each.side for each in found.cascades] == ["long"]
    assert found.alerts[0].text == "BTC: cascade, 2 liquidations, 2.0K USD in 0.0 s"
    short = played(sent((1, "BTC", 5.0), (2, "BTC", 6.0), side="short"), cascades=ops.cascades(min_count=2))
    assert [each.side for each in short.cascades] == ["short"]


def test_rules_of_the_user() -> None:
    """A pipeline over the liquidations, or a function of the feed; any item is an alert, and an end is told."""

    def counted(feed: cgrx.Feed) -> reactivex.Observable[str]:
        return feed.liquidations().map(lambda event: f"{event.volume_usd:.0f} <b>")

    def broken(feed: cgrx.Feed) -> reactivex.Observable[float]:
        return feed.liquidations().map(lambda event: 1 / (event.volume_usd - 7))

    def numbers(feed: cgrx.Feed) -> reactivex.Observable[int]:
        return feed.liquidations().map(lambda event: 5)

    rules: Any = {
        "large": ops.pipeline(ops.side("long"), ops.min_volume(50)),
        "each": counted,
        "broken": broken,
        "numbers": numbers,
    }
    found = played(sent((1, "BTC", 60.0), (2, "BTC", 7.0)), alerts=rules).alerts
    assert [(each.rule, each.time) for each in found if each.rule == "large"] == [("large", at(1))]
    assert next(each.text for each in found if each.rule == "large").startswith("BTC: long liquidated 60 USD at ")
    assert [each.text for each in found if each.rule == "each"] == ["60 <b>", "7 <b>"]
    assert [each.text for each in found if each.rule == "broken"][1] == "this rule has ended: ZeroDivisionError"
    assert [each.text for each in found if each.rule == "numbers"] == ["5", "5"]


def test_a_stream_of_the_same_feed_is_a_rule() -> None:
    async def main() -> None:
        async with cgrx.replay(sent((1, "BTC", 60.0))) as feed:
            rule = feed.liquidations().map(lambda event: event.symbol * 100)
            async with board(feed, alerts={"symbols": rule}) as views:
                await feed.run()
                (alert,) = views.snapshot(None).alerts
                assert (alert.rule, len(alert.text), alert.text[-1]) == ("symbols", bounds.SENTENCE, "…")

    run_mock(main)


def test_a_pipeline_that_does_not_fit_is_refused_at_once() -> None:
    """And nothing stays subscribed."""

    async def main() -> None:
        async with cgrx.replay(recorded(100)) as feed:
            with pytest.raises(ValueError, match="takes events of type Trade"):
                async with board(feed, alerts={"wrong": ops.crosses("price", above=1, of=cgrx.Trade)}):
                    pass
            assert feed.stats.subscribers == 0

    run_mock(main)


def test_only_the_latest_are_kept() -> None:
    alerts, kept = Alerts(), Cascades()
    for number in range(bounds.ALERTS + 10):
        alerts.add(number, "rule", "text")
        kept.on_row(ops_cascade(number))
    assert [each.id for each in alerts.latest()] == list(range(11, bounds.ALERTS + 11))
    assert len(alerts.new()) == bounds.ALERTS
    assert alerts.new() == []
    assert [each.id for each in kept.latest(None)] == list(range(11, bounds.CASCADES + 11))
    assert len(kept.new()) == bounds.CASCADES


def ops_cascade(number: int) -> Any:
    """A row of a cascade."""
    stage = ops.cascades(min_count=1)
    (row,) = play(stage, [batch(liquidation("long", time=float(number)))])
    return row


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"window": "1s"}, r"window='1s' and keep='1h' give more than 1,440 windows"),
        ({"window": "2h"}, r"keep='1h' is shorter than window='2h'"),
        ({"cascades": ops.cascades(by="exchange")}, "takes an ops.cascades"),
        ({"cascades": ops.side("long")}, "takes an ops.cascades"),
        ({"speed": 0}, "speed=0 takes a number above 0"),
        ({"speed": "fast"}, "speed='fast' takes a number"),
        ({"alert_volume": -1}, "alert_volume=-1 takes a number of US dollars, 0 or more"),
        ({"large_trade": True}, "large_trade=True takes a number"),
        ({"trades": ["Binance"]}, r"trades: 'Binance' takes \(exchange, symbol, min_volume\)"),
        ({"trades": [("Binance", "BTCUSDT", -1)]}, "min_volume=-1"),
        ({"trades": [("A", f"S{number}", 0) for number in range(51)]}, "51 instruments are more than 50"),
        ({"alerts": {"": ops.side("long")}}, "the name '' takes 1 to 60 characters"),
        ({"alerts": {"a": 5}}, "'a' is 5, and takes a pipeline"),
        ({"alerts": {str(number): ops.side("long") for number in range(51)}}, "51 rules are more than 50"),
        ({"start": "yesterday"}, "start='yesterday' is no moment"),
    ],
)
def test_options_that_cannot_be_are_named(options: Any, match: str) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        board_options(**options)
