"""The live table of events: that its picture fits any terminal, lets nothing through, and leaves no width empty."""

import io
import math

import attrs
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cgrx import Batch, Gap, LiquidationOrders
from cgrx import operators as ops
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.event_table import SORTS, picture
from cgrx._cli.view.market import Market
from cgrx._cli.view.picture import View
from cgrx._cli.view.tally import Tally
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.stats import FeedStats
from cgrx._model.status import State
from tests.choosing import one_in

STATS = FeedStats(
    at_ms=3_400,
    state=State.CONNECTED,
    connections=1,
    attempts=1,
    messages=10,
    received_bytes=1_000,
    events=1_234,
    unclaimed=0,
    malformed=0,
    notices=0,
    pings=1,
    pongs=1,
    round_trip_ms=1.25,
    proven_ms=3_000,
    lag_ms=None,
    clock_skew_ms=0,
    subscribers=1,
    channels={},
    forgotten={},
)
VIEW = View(
    title="cgrx demo",
    where="ws://127.0.0.1:1/ws-api",
    stats=STATS,
    gaps=0,
    rate=41.25,
    now_s=3.4,
    elapsed_s=3.4,
    seconds=20,
    controls=Controls(SORTS),
)


def trade(number: int, volume_usd: float = 12_345.0, exchange: str = "Binance", symbol: str = "BTCUSDT") -> Event:
    return Trade("BTC", exchange, symbol, TradeSide.BUY, 60_000.0 + number, volume_usd, 1_000 * number)


def liquidation(number: int, volume_usd: float = 2_000_000.0, asset: str = "ETH") -> Event:
    return Liquidation(asset, "OKX", f"{asset}-USDT-SWAP", LiquidationSide.LONG, 2_500.0, volume_usd, 1_000 * number)


def market_of(*events: Event, min_volume: float = 0.0) -> Market:
    market = Market(min_volume)
    market.see(Batch(None, 0, events))
    return market


def drawn(
    market: Market,
    view: View = VIEW,
    width: int = 100,
    height: int = 30,
    messages: tuple[str, ...] = (),
    *,
    no_color: bool = False,
) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, no_color=no_color)
    with console.capture() as captured:
        console.print(picture(market, view, messages, width, height))
    return captured.get().splitlines()


def plain(lines: list[str]) -> list[str]:
    return [Text.from_ansi(line).plain.rstrip() for line in lines]


def busy_market() -> Market:
    market = market_of(trade(1), *(liquidation(2, 300_000.0, asset) for asset in ("ETH", "BTC", "SOL", "XRP")))
    market.see(Batch(None, 5_000, tuple(trade(number, exchange=f"Exchange {number % 9}") for number in range(3, 60))))
    cascade = ops.Cascade
    row = next(iter(ops.cascades(by=("base_asset", "side")).event_types(None) or ()))
    assert issubclass(row, cascade)
    market.bursts.add(
        row(
            start_ms=1_000,
            end_ms=4_001,
            base_asset="ETH",
            side=LiquidationSide.LONG,
            dominant_side=LiquidationSide.LONG,
            volume=2_000_000.0,
            count=12,
            exchanges=("OKX",),
            first_price=2_500.0,
            last_price=2_400.0,
            final=False,
        ),
        3.0,
    )
    market.gaps.add(Gap(LiquidationOrders(), 1_000, 3_000, "connection lost"), 3.0)
    return market


def test_a_wide_picture_has_everything() -> None:
    lines = plain(drawn(market_of(trade(1), liquidation(2)), width=120, height=28, messages=("12:00:00 connected",)))
    assert lines[0].split() == "cgrx demo ● connected ws://127.0.0.1:1/ws-api 3 s of 20 s".split()
    assert lines[1] == "41.2 events/s · 1,234 events · round trip 1.2 ms · 0 gaps"
    assert lines[2].split()[:4] == "liquidated ▼ long 2.0M".split()
    assert lines[3].split()[:3] == "traded ▼ sell".split()
    assert lines[5].split() == "UTC Event Exchange Symbol Side Price USD Size Largest Side Asset Exchange".split()
    tape = "00:00:02 ◆ liquidation OKX ETH-USDT-SWAP ▼ long 2,500.00 2.0M █████"
    assert lines[7].split() == f"{tape} ◆ 2.0M ▼ long ETH OKX".split()
    tape = "00:00:01 · trade Binance BTCUSDT ▲ buy 60,001.00 12.3k █████"
    assert lines[8].split() == f"{tape} · 12.3k ▲ buy BTC Binance".split()
    assert any(line.split()[-5:] == "Liq. ▼ Longs ▲ Shorts".split() for line in lines)
    assert any(line.split()[-3:] == "Exchange USD Share".split() for line in lines)
    assert len(lines) == 28
    assert lines[-1] == "12:00:00 connected"


def test_columns_give_way() -> None:
    """First the bar, then the price and the exchange; what happened is always told."""
    market = market_of(liquidation(2))
    for width, cells in (
        (100, "00:00:02.000 ◆ liquidation OKX ETH-USDT-SWAP ▼ long 2,500.00 2,000,000 ██████████"),
        (80, "00:00:02 ◆ liquidation OKX ETH-USDT-SWAP ▼ long 2,500.00 2.0M █████"),
        (70, "00:00:02 ◆ liq. OKX ETH-USDT-SWAP ▼ long 2,500.00 2.0M"),
        (50, "00:00:02 ◆ liq. ETH-USDT-SWAP ▼ long 2.0M"),
    ):
        (line,) = [line for line in plain(drawn(market, width=width, height=20)) if line.startswith("00:00:02")]
        assert line.split() == cells.split()


@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 14, 20, 30, 100])
@pytest.mark.parametrize("width", one_in(3, [10, 20, 40, 60, 62, 80, 84, 98, 120, 160, 200]))
def test_it_fits(width: int, height: int) -> None:
    """No line is wider than the terminal. What is too high for it, the screen cuts off at the bottom."""
    for market in (busy_market(), Market()):
        lines = plain(drawn(market, width=width, height=height, messages=tuple(f"message {n}" for n in range(9))))
        assert max(map(cell_len, lines)) <= width
        assert lines[0].startswith("cgrx demo"[: width - 1])
        if width >= 40 and height >= 14:
            assert len(lines) <= height


def test_messages_need_height() -> None:
    messages = tuple(f"message {number}" for number in range(9))
    assert "message 8" in plain(drawn(busy_market(), height=14, messages=messages))
    assert "message 8" not in plain(drawn(busy_market(), height=13, messages=messages))


def test_a_small_terminal_has_the_largest_and_the_assets_on_a_line() -> None:
    lines = plain(drawn(busy_market(), width=80, height=24))
    assert any(line.startswith("largest    ▼ long 300k") for line in lines)
    assert any(line.startswith("liquidated ETH ▼300k ▲0") for line in lines)
    lines = plain(drawn(market_of(trade(1)), width=80, height=24))
    assert any(line.startswith("largest    ▲ buy 12.3k BTC") for line in lines)
    assert sum(line.startswith("liquidated") for line in lines) == 0


def test_cascade_and_gap_have_a_line_of_their_own_and_go_away() -> None:
    market = busy_market()
    lines = drawn(market, width=100)
    (cascade,) = [line for line in lines if "CASCADE" in line]
    (gap,) = [line for line in lines if "GAP" in line]
    assert "2.0M USD of longs in 12 liquidations over 3.0 s: ETH 2.0M" in cascade
    assert "2.0 s without a connection, 00:00:01 to 00:00:03" in gap
    assert cell_len(Text.from_ansi(cascade).plain) == cell_len(Text.from_ansi(gap).plain) == 100
    (over,) = [line for line in plain(drawn(market, attrs.evolve(VIEW, now_s=8.0))) if "cascade over" in line]
    assert over.endswith("5 s ago")
    assert not any("cascade" in line or "GAP" in line for line in plain(drawn(market, attrs.evolve(VIEW, now_s=30.0))))


def test_what_is_wrong_is_counted() -> None:
    stats = attrs.evolve(
        STATS,
        state=State.RECONNECTING,
        connections=3,
        malformed=2,
        round_trip_ms=None,
    )
    view = attrs.evolve(VIEW, stats=stats, gaps=3, seconds=math.inf, least="shown from 10,000 USD on")
    lines = plain(drawn(Market(10_000), view))
    assert "○ reconnecting" in lines[0]
    assert lines[0].endswith("  3 s")
    assert " · ".join(lines[1:3]).startswith("41.2 events/s · 1,234 events · round trip - · 3 gaps · 2 malformed")
    assert "2 reconnects" in " ".join(lines[1:3])
    assert "shown from 10,000 USD on" in " ".join(lines[1:3])


def test_text_of_the_server_does_nothing() -> None:
    """Neither escape sequences nor markup, wherever it stands."""
    market = market_of(
        trade(1, exchange="[b]\x1b[2J", symbol="\u202eX\n[/b]"), liquidation(2, asset="\x1b[2J\u202e" * 20)
    )
    said = "the server says: \x1b]0;gotcha\x07 [red]"
    for width, height in ((140, 20), (100, 30), (80, 24)):
        text = "\n".join(drawn(market, width=width, height=height, messages=(said,), no_color=True))
        assert "\x1b[2J" not in text
        assert "\x1b]" not in text
        assert "\u202e" not in text
        assert r"[b]\x1b[2J" in text
        assert r"\u202eX [/b]" in text
        assert r"\x1b]0;gotcha\x07 [red]" in text


def test_without_colour_signs_and_words_remain() -> None:
    market = busy_market()
    market.see(Batch(None, 6_000, (liquidation(70),)))
    text = "\n".join(drawn(market, width=120, no_color=True))
    for told in ("◆ liquidation", "· trade", "▼ long", "▲ buy", "CASCADE"):
        assert told in text
    assert "\x1b[3" not in text  # colours are 30 to 37


def test_red_never_stands_against_green() -> None:
    """The sides have the colours of the charts: blue and vermilion."""
    text = "\n".join(drawn(busy_market(), width=160))
    assert not any(code in text for code in ("\x1b[31m", "\x1b[32m", "\x1b[91m", "\x1b[92m"))


# --- what is seen of the market --------------------------------------------------------------------------------------


def test_a_market_keeps_the_latest_big_ones_and_counts_all() -> None:
    market = Market(100, latest=2)
    market.see(Batch(None, 0, (trade(1, 500), trade(2, 99), trade(3, 100), liquidation(4, 300))))
    assert list(market.latest) == [liquidation(4, 300), trade(3, 100)]
    assert market.tape(5, largest_first=True) == [liquidation(4, 300), trade(3, 100)]
    assert market.tape(1, largest_first=False) == [liquidation(4, 300)]
    assert [event.volume_usd for event in market.largest] == [500, 300, 100, 99]
    assert market.kinds["trade"].sides.bought == 699
    assert market.kinds["liquidation"].sides.sold == market.assets["ETH"].volume == 300
    assert [(name, sides.events) for name, sides in market.exchanges.items()] == [("Binance", 3), ("OKX", 1)]


def test_a_market_is_bounded() -> None:
    """However many exchanges, assets and large events a server makes up."""
    market = market_of(*(trade(1, 10.0 * number, exchange=f"fake {number}") for number in range(1, 5_000)))
    market.see(Batch(None, 0, tuple(liquidation(1, 1.0, f"fake {number}") for number in range(5_000))))
    assert len(market.exchanges) == len(market.assets) == 201
    assert market.assets["others"].events == 4_800
    assert len(market.largest) == 20
    assert market.largest[0].volume_usd == 49_990


def test_words_find_events_that_came_and_that_come() -> None:
    market = market_of(trade(1), liquidation(2), liquidation(3, asset="BTC"))
    market.look_for(["BTC", "long"])
    assert market.tape(5, largest_first=False) == [liquidation(3, asset="BTC")]
    market.see(Batch(None, 0, (liquidation(4, asset="BTC"), trade(5))))
    market.look_for(["btc", "LONG"])
    assert market.tape(5, largest_first=False) == [liquidation(4, asset="BTC"), liquidation(3, asset="BTC")]
    market.look_for([])
    assert len(market.tape(9, largest_first=False)) == 5


def test_the_rate_is_that_of_the_last_seconds() -> None:
    tally = Tally()
    assert tally.rate(0.0) == 0.0
    tally.events += 10
    assert tally.rate(1.0) == 10.0
    assert tally.rate(1.0) == 10.0
    for second in range(2, 20):
        tally.events += 1
        tally.rate(float(second))
    assert tally.rate(19.0) == pytest.approx(1.0)
