"""The live table: what it counts, and that its picture fits any terminal and lets nothing through."""

import io
import math

import attrs
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cgrx._cli.view.event_board import OTHERS, Board
from cgrx._cli.view.event_table import picture
from cgrx._cli.view.picture import View
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.stats import FeedStats
from cgrx._model.status import State

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
    title="cgrx demo", where="ws://127.0.0.1:1/ws-api", stats=STATS, gaps=0, rate=41.25, elapsed_s=3.4, seconds=20
)


def trade(number: int, volume_usd: float = 12_345.0, exchange: str = "Binance", symbol: str = "BTCUSDT") -> Event:
    return Trade("BTC", exchange, symbol, TradeSide.BUY, 60_000.0 + number, volume_usd, 1_000 * number)


def liquidation(number: int, volume_usd: float = 2_000_000.0) -> Event:
    return Liquidation("ETH", "OKX", "ETH-USDT-SWAP", LiquidationSide.LONG, 2_500.0, volume_usd, 1_000 * number)


def drawn(board: Board, view: View = VIEW, width: int = 100, height: int = 30) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    with console.capture() as captured:
        console.print(picture(board, view, width, height))
    return [Text.from_ansi(line).plain.rstrip() for line in captured.get().splitlines()]


def busy_board() -> Board:
    board = Board()
    board.add([trade(1), liquidation(2)])
    board.add(trade(number, exchange=f"Exchange {number % 9}") for number in range(3, 60))
    board.messages.extend(f"message {number}" for number in range(9))
    return board


# --- the board ------------------------------------------------------------------------------------------------------


def test_a_board_counts_all_and_keeps_the_latest_big_ones() -> None:
    board = Board(min_volume=100, latest=2)
    board.add([trade(1, 500), trade(2, 99), trade(3, 100), liquidation(4, 300)])
    assert list(board.latest) == [liquidation(4, 300), trade(3, 100)]
    assert (board.total.events, board.total.volume_usd) == (4, 999)
    assert board.largest == trade(1, 500)
    assert [(name, count.events) for name, count in board.busiest(5)] == [("Binance", 3), ("OKX", 1)]
    assert len(board.busiest(1)) == 1


def test_a_board_is_bounded() -> None:
    """However many exchanges a server makes up."""
    board = Board()
    board.add(trade(1, exchange=f"fake {number}") for number in range(5_000))
    assert len(board.exchanges) <= 201
    assert board.exchanges[OTHERS].events == 4_800


def test_the_rate_is_that_of_the_last_seconds() -> None:
    board = Board()
    assert board.rate(0.0) == 0.0
    board.add(trade(number) for number in range(10))
    assert board.rate(1.0) == 10.0
    assert board.rate(1.0) == 10.0
    for second in range(2, 20):
        board.add([trade(1)])
        board.rate(float(second))
    assert board.rate(19.0) == pytest.approx(1.0)


# --- the picture ----------------------------------------------------------------------------------------------------


def test_a_wide_picture_has_everything() -> None:
    board = Board()
    board.add([trade(1), liquidation(2)])
    board.messages.append("12:00:00 connected")
    lines = drawn(board, width=118, height=16)
    assert lines[0].split() == "cgrx demo ● connected ws://127.0.0.1:1/ws-api 3 s of 20 s".split()
    assert lines[1] == ("41.2 events/s · 1,234 events · round trip 1.2 ms · 0 gaps · 0 malformed · 0 reconnects")
    assert lines[3].split() == "UTC Event Exchange Symbol Side Price USD Exchange Events USD".split()
    assert (
        lines[5].split() == "00:00:02.000 liquidation OKX ETH-USDT-SWAP long 2,500.00 2,000,000 Binance 1 12.3k".split()
    )
    assert lines[6].split() == "00:00:01.000 trade Binance BTCUSDT buy 60,001.00 12,345 OKX 1 2.0M".split()
    assert len(lines) == 16
    assert lines[-1] == "12:00:00 connected"


def test_columns_give_way() -> None:
    """First the exchanges and the type of event, then the price."""
    board = Board()
    board.add([liquidation(2)])
    assert drawn(board, width=70)[6].split() == "00:00:02 OKX ETH-USDT-SWAP long 2,500.00 2,000,000".split()
    assert drawn(board, width=50)[6].split() == "00:00:02 OKX ETH-USDT-SWAP long 2.0M".split()


@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 14, 30, 100])
@pytest.mark.parametrize("width", [10, 20, 40, 60, 62, 80, 84, 98, 200])
def test_it_fits(width: int, height: int) -> None:
    """No line is wider than the terminal. What is too high for it, the screen cuts off at the bottom."""
    lines = drawn(busy_board(), width=width, height=height)
    assert max(map(cell_len, lines)) <= width
    assert lines[0].startswith("cgrx demo"[: width - 1])
    if width >= 40 and height >= 5:
        assert len(lines) <= height


def test_messages_need_height() -> None:
    assert "message 8" in drawn(busy_board(), height=14)
    assert "message 8" not in drawn(busy_board(), height=13)


def test_what_is_wrong_is_counted() -> None:
    stats = attrs.evolve(
        STATS,
        state=State.RECONNECTING,
        connections=3,
        malformed=2,
        round_trip_ms=None,
    )
    lines = drawn(Board(10_000), attrs.evolve(VIEW, stats=stats, gaps=3, seconds=math.inf))
    assert "○ reconnecting" in lines[0]
    assert lines[0].endswith("  3 s")
    assert " · ".join(lines[1:3]).startswith("41.2 events/s · 1,234 events · round trip - · 3 gaps · 2 malformed")
    assert "2 reconnects" in " ".join(lines[1:3])
    assert "shown from 10,000 USD" in " ".join(lines[1:3])


def test_text_of_the_server_does_nothing() -> None:
    """Neither escape sequences nor markup, wherever it stands."""
    board = Board()
    board.add([trade(1, exchange="[b]\x1b[2J", symbol="\u202eX\n[/b]")])
    board.messages.append("the server says: \x1b]0;gotcha\x07 [red]")
    console = Console(file=io.StringIO(), width=140, height=20, force_terminal=True, no_color=True)
    with console.capture() as captured:
        console.print(picture(board, VIEW, 140, 20))
    text = captured.get()
    assert "\x1b[2J" not in text
    assert "\x1b]" not in text
    assert "\u202e" not in text
    assert r"[b]\x1b[2J" in text
    assert r"\u202eX [/b]" in text
    assert r"\x1b]0;gotcha\x07 [red]" in text


def test_without_colour_the_words_remain() -> None:
    board = Board()
    board.add([liquidation(2)])
    console = Console(file=io.StringIO(), width=80, height=20, force_terminal=True, no_color=True)
    with console.capture() as captured:
        console.print(picture(board, VIEW, 80, 20))
    assert "long" in captured.get()
    assert "\x1b[3" not in captured.get()  # colours are 30 to 37
