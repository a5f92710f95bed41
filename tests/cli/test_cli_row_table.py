"""The live table of rows: running rows in place, final ones below, incomplete ones marked, whatever the terminal."""

import io
from typing import Any

import attrs
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cgrx import operators as ops
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.market import Market
from cgrx._cli.view.row_board import SORTS, RowBoard
from cgrx._cli.view.row_table import row_picture
from cgrx._cli.view.row_types import keyed
from cgrx._cli.view.windows import Windowing
from cgrx.operators import agg
from tests.cli.rows import BARS, FLOWS, bar, flow, windowing
from tests.cli.test_cli_table import VIEW

ROW_VIEW = attrs.evolve(VIEW, controls=Controls(SORTS))


def board_of(*rows: ops.Row) -> RowBoard:
    board = RowBoard()
    for row in rows:
        board.add(row)
    return board


def drawn(
    board: RowBoard,
    window: Windowing = BARS,
    *,
    width: int = 100,
    height: int = 30,
    messages: tuple[str, ...] = (),
    no_color: bool = False,
    market: Market | None = None,
) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, no_color=no_color)
    with console.capture() as captured:
        console.print(row_picture(board, window, market or Market(), ROW_VIEW, list(messages), width, height))
    return captured.get()


def plain(text: str) -> list[str]:
    return [Text.from_ansi(line).plain.rstrip() for line in text.splitlines()]


def rows_of(text: str) -> list[list[str]]:
    """The cells of the lines below the heading."""
    shown = plain(text)
    rule = next(index for index, line in enumerate(shown) if line.startswith("──"))
    return [line.split() for line in shown[rule + 1 :] if line]


# --- the board ------------------------------------------------------------------------------------------------------


def test_a_running_row_takes_the_place_of_the_one_before_until_the_final_one() -> None:
    board = board_of(bar(volume=1, final=False), bar(volume=2, final=False), bar(exchange="OKX", final=False))
    assert [row["volume"] for row in board.running.values()] == [2, 12_345]
    board.add(bar(volume=3, gap_ms=5, late=1))
    assert list(board.running.values()) == [bar(exchange="OKX", final=False)]
    assert list(board.latest) == [bar(volume=3, gap_ms=5, late=1)]
    board.add(bar(1, late=2))
    assert (board.final, board.incomplete, board.late) == (2, 1, 2)


def test_a_final_row_without_a_running_one_before() -> None:
    assert board_of(bar()).running == {}


def test_running_rows_of_two_windows_stand_together() -> None:
    """The one that has ended waits for the events that are late."""
    board = board_of(bar(0, final=False), bar(1, final=False))
    assert [row.start_ms for row in board.shown(5)] == [bar(1).start_ms, bar(0).start_ms]


def test_a_board_is_bounded() -> None:
    board = RowBoard(latest=10)
    for minute in range(1_000):
        board.add(bar(minute, final=False))
        board.add(bar(minute))
    assert (len(board.latest), len(board.running), board.final) == (10, 0, 1_000)


def test_rows_that_run_have_half_the_room_and_what_is_left() -> None:
    """The largest ones first, and then final ones, the largest first."""
    running = [bar(1, exchange=f"E{number}", volume=100.0 * number, final=False) for number in range(8)]
    final = [bar(0, exchange=f"E{number}", volume=100.0 * number) for number in range(8)]
    shown = [(row.final, row["exchange"]) for row in board_of(*reversed(running), *final).shown(5)]
    assert shown == [(False, "E7"), (False, "E6"), (False, "E5"), (True, "E7"), (True, "E6")]
    assert [row["exchange"] for row in board_of(*running).shown(5)] == ["E7", "E6", "E5", "E4", "E3"]
    assert len(board_of(*running, final[0]).shown(5)) == 5
    assert [row["exchange"] for row in board_of(*final).shown(2)] == ["E7", "E6"]


def test_newer_windows_come_first() -> None:
    board = board_of(bar(0, volume=9), bar(1, volume=1), bar(2, volume=5))
    assert [row["volume"] for row in board.shown(2)] == [5, 1]


@pytest.mark.parametrize(
    ("sort", "names"),
    [("volume", "CBA"), ("delta", "ACB"), ("events", "BCA"), ("name", "ABC")],
)
def test_rows_of_a_window_stand_in_the_order_that_is_asked_for(sort: str, names: str) -> None:
    """By the size of the difference, whichever way; and words choose by the key."""
    values = {"A": (10.0, -10.0, 1), "B": (20.0, 0.0, 5), "C": (30.0, 5.0, 3)}
    board = RowBoard()
    for minute, final in ((0, True), (1, False)):
        for name, (volume, delta, count) in values.items():
            bought = (volume + delta) / 2
            fields = bar(minute, exchange=name, volume=volume, final=final).asdict()
            board.add(BARS.row(**(fields | {"buy_volume": bought, "sell_volume": volume - bought, "count": count})))
    assert "".join(str(row["exchange"]) for row in board.shown(9, sort)) == 2 * names
    assert {row["exchange"] for row in board.shown(9, sort, words=["btc", "b"])} == set("ABC")
    assert {row["exchange"] for row in board.shown(9, sort, words=["c btcusdt"])} == {"C"}


def test_rows_that_know_no_difference_have_none_to_sort_by() -> None:
    board = RowBoard()
    for asset in ("B", "A"):
        values = {"dominant_side": None, "volume": 1.0, "count": 2, "exchanges": (), "first_price": 1.0}
        board.add(keyed(ops.Cascade, ("base_asset",))(start_ms=0, end_ms=1, base_asset=asset, last_price=1.0, **values))
    assert [row["base_asset"] for row in board.shown(5, "delta")] == ["A", "B"]


def test_cascades_that_run_stand_by_volume_wherever_they_end() -> None:
    board = RowBoard(on_grid=False)
    for end, (asset, volume) in enumerate((("A", 1.0), ("B", 3.0), ("C", 2.0)), 1):
        values = {"dominant_side": None, "volume": volume, "count": 2, "exchanges": (), "first_price": 1.0}
        row = keyed(ops.Cascade, ("base_asset",))
        board.add(row(start_ms=0, end_ms=end, base_asset=asset, last_price=1.0, final=False, **values))
    assert [row["base_asset"] for row in board.shown(5)] == ["B", "C", "A"]


def test_running_rows_hold_their_order_for_two_seconds() -> None:
    board = board_of(bar(exchange="A", volume=2, final=False), bar(exchange="B", volume=1, final=False))
    assert [row["exchange"] for row in board.shown(5, now_s=0.0)] == ["A", "B"]
    board.add(bar(exchange="B", volume=3, final=False))
    assert [row["exchange"] for row in board.shown(5, now_s=1.0)] == ["A", "B"]
    assert [row["exchange"] for row in board.shown(5, now_s=2.5)] == ["B", "A"]
    board.add(bar(exchange="A", volume=9, final=False))
    assert [row["exchange"] for row in board.shown(5, "events", now_s=2.6)] == ["A", "B"]  # at once


# --- the picture ----------------------------------------------------------------------------------------------------


def test_each_state_has_its_sign_and_its_words() -> None:
    board = board_of(
        bar(0, exchange="Gate"),
        bar(0, exchange="OKX", volume=1, gap_ms=2_100, dropped=3, late=1),
        bar(1, final=False),
        bar(1, exchange="Bybit", final=False, gap_ms=40, late=1),
    )
    text = drawn(board, width=180, messages=("12:01:02 connected",))
    assert "1m by exchange, symbol · 2 rows · 1 incomplete · 1 late · 2 running" in " · ".join(plain(text)[1:3])
    volumes = "12.3k 12.3k 0 +12.3k".split()
    prices = "60,001.00 60,004.00 60,000.00 60,003.00 60,002.50".split()
    assert rows_of(text) == [
        ["…", "12:01:00", "Binance", "BTCUSDT", *prices, *volumes, "3", "running"],
        ["…", "12:01:00", "Bybit", "BTCUSDT", *prices, *volumes, "3", *"gap 40 ms, 1 late so far".split()],
        ["✓", "12:00:00", "Gate", "BTCUSDT", *prices, *volumes, "3", "final"],
        [
            "!",
            "12:00:00",
            "OKX",
            "BTCUSDT",
            *prices,
            *"1 1 0 +1 3 gap 2.1 s, 3 dropped, 1 late so far".split(),
        ],
        "12:01:02 connected".split(),
    ]
    assert len(plain(text)) == 30


def test_without_colour_the_signs_and_words_remain() -> None:
    text = drawn(board_of(bar(gap_ms=60_000), bar(1), bar(2, final=False)), no_color=True)
    assert "\x1b[3" not in text  # colours are 30 to 37
    assert [(row[0], row[-1]) for row in rows_of(text)] == [("…", "running"), ("✓", "final"), ("!", "s")]


def test_what_is_incomplete_is_loud() -> None:
    """Bold yellow, the counter yellow."""
    text = drawn(board_of(bar(gap_ms=60_000)))
    assert "\x1b[1;33m!" in text
    assert "\x1b[1;33mgap 60.0 s" in text
    assert "\x1b[33m1 incomplete" in text


def test_columns_give_way() -> None:
    """First the open and the average, then high, low and events, then the sides: never the sign or the state."""
    board = board_of(bar())
    head = "✓ 12:00:00 Binance BTCUSDT".split()
    prices = "60,004.00 60,000.00 60,003.00".split()
    assert rows_of(drawn(board, width=120)) == [[*head, *prices, *"12.3k 12.3k 0 +12.3k 3 final".split()]]
    assert rows_of(drawn(board, width=100)) == [[*head, *"60,003.00 12.3k 12.3k 0 +12.3k final".split()]]
    assert rows_of(drawn(board, width=80)) == [[*head, *"60,003.00 12.3k +12.3k final".split()]]
    assert rows_of(drawn(board, width=60)) == [[*head, *"60,003.00 12.3k final".split()]]


def test_flows() -> None:
    """By side, with what was bought and sold; nothing divided by nothing is a dash."""
    row = rows_of(drawn(board_of(flow()), FLOWS))[0]
    assert row == "✓ 12:00:00 sell 2.5M 0 2.5M -5 1,234 final".split()
    assert "\x1b[33m     -5" in drawn(board_of(flow()), FLOWS)
    assert "\x1b[36m     +5" in drawn(board_of(flow(5.0)), FLOWS)
    row = rows_of(drawn(board_of(flow(None)), FLOWS, width=60))[0]
    assert row == "✓ 12:00:00 sell 2.5M - 1,234 final".split()


@pytest.mark.parametrize(
    ("window", "every", "start"),
    [("1d", None, "2024-01-01"), ("1d", "1h", "12:00:00"), ("1s", None, "12:00:00"), ("1s", "250ms", "12:00:00.000")],
)
def test_starts_are_as_precise_as_the_windows(window: str, every: str | None, start: str) -> None:
    asked = windowing(window, every=every, by=("side",))
    assert rows_of(drawn(board_of(flow()), asked))[0][1] == start


@pytest.mark.parametrize("height", [1, 3, 6, 14, 40])
@pytest.mark.parametrize("width", [10, 40, 60, 62, 80, 98, 130, 200])
@pytest.mark.parametrize("window", [BARS, FLOWS])
def test_it_fits(window: Windowing, width: int, height: int) -> None:
    """No line is wider than the terminal. What is too high for it, the screen cuts off at the bottom."""
    many = [bar(minute, final=minute > 40, gap_ms=minute % 3) for minute in range(80)]
    board = board_of(*(many if window is BARS else [flow(), flow(final=False)]))
    lines = plain(drawn(board, window, width=width, height=height, messages=("one", "two" * 80)))
    assert max(map(cell_len, lines)) <= width
    if width >= 40 and height >= 6:
        assert len(lines) <= height


@pytest.mark.parametrize("width", [60, 80, 100, 130])
def test_the_reason_is_seen_on_usual_terminals(width: int) -> None:
    row = bar(exchange="Hyperliquid", symbol="1000000BABYDOGEUSDT_UMCBL", gap_ms=12_300)
    assert "gap 12.3 s" in drawn(board_of(row), width=width)


def test_text_of_the_server_does_nothing() -> None:
    text = drawn(board_of(bar(exchange="[b]\x1b[2J", symbol="\u202eX\n[/b]")), width=140)
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert r"[b]\x1b[2J" in text
    assert r"\u202eX [/b]" in text


def test_days_are_those_of_the_zone() -> None:
    """A day of New York that begins in the evening is that of its first hour."""
    window = windowing(window="1d", zone="America/New_York", start="17:00")
    late = ops.Flow.from_values((1_723_150_800_000, 1_723_237_200_000, *flow().values[2:]))
    (cells,) = rows_of(drawn(board_of(late), window))
    assert cells[1] == "2024-08-08"
    (cells,) = rows_of(drawn(board_of(late), windowing(window="1d", zone="Asia/Tokyo")))
    assert cells[1] == "2024-08-09"


class Burst(ops.Row):
    """A row of a session, whose end moves on while it runs."""

    volume = agg.volume()


def burst(start: int, end: int, volume: float, **quality: Any) -> Burst:
    return Burst(start_ms=start, end_ms=end, volume=volume, **quality)


def test_a_withdrawn_row_leaves_the_board() -> None:
    """What takes its place stands alone. It counts as no row."""
    board = board_of(burst(20, 21, 1, final=False), burst(20, 25, 2, final=False))
    assert [row["volume"] for row in board.running.values()] == [2]
    board.add(burst(20, 25, 2, withdrawn=True))
    board.add(burst(18, 25, 3, final=False))
    assert [row["volume"] for row in board.open_rows()] == [3]
    board.add(burst(18, 26, 4, late=3))
    board.add(burst(50, 51, 1, late=2, withdrawn=True))
    assert (board.running, board.final, board.late) == ({}, 1, 3)
