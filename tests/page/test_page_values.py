"""What stands on the page is what the recording holds; the sums here are made from its events, without the board."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import cgrx
from cgrx import Liquidation, Trade
from tests.board.boards import market
from tests.page.browsing import Running, Visit, visit
from tests.page.conftest import EVENTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WINDOW_MS = 10_000

WHERE = "#prints tbody td:nth-child(3)"


def exact(value: float) -> str:
    """As tables show it: cents, without zeros behind."""
    return f"{round(value, 2) + 0.0:,.2f}".rstrip("0").rstrip(".")


def short(value: float) -> str:
    """As all else shows it."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.{1 if abs(value) / unit < 99.95 else 0}f}{name}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def time_of(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%H:%M:%S")


def opened(visited: Visit) -> None:
    """At the end of the recording, with BTC."""
    page = visited.open()
    page.wait_for_selector("#play:disabled", timeout=20_000)
    page.select_option("#range", "0")
    page.select_option("#asset", "BTC")
    visited.until("document.title.startsWith('BTC')")


def test_every_number_is_that_of_the_events(browser: "Browser", replayed: Running[cgrx.Board]) -> None:
    """Windows, totals, shares and tape, against sums of our own."""
    events = [event for event in market(EVENTS) if event.base_asset == "BTC"]
    long: dict[int, float] = defaultdict(float)
    short_: dict[int, float] = defaultdict(float)
    buy: dict[int, float] = defaultdict(float)
    sell: dict[int, float] = defaultdict(float)
    count: dict[int, int] = defaultdict(int)
    for event in events:
        start = event.time_ms // WINDOW_MS * WINDOW_MS
        if isinstance(event, Liquidation):
            (long if event.side.word == "long" else short_)[start] += event.volume_usd
            count[start] += 1
        else:
            (buy if event.side.word == "buy" else sell)[start] += event.volume_usd
    with visit(browser, replayed.value.url) as visited:
        opened(visited)
        page = visited.page
        page.click("#chart-flow summary")
        page.click("#chart-delta summary")
        page.wait_for_selector("#chart-delta tbody tr")
        flow, delta = visited.rows("#chart-flow details"), visited.rows("#chart-delta details")
        starts = [
            int(start)
            for start in page.eval_on_selector_all(
                "#chart-flow tbody tr", "(rows) => rows.map((row) => row.dataset.start)"
            )
        ]
        assert len(starts) >= 25
        assert [row[:4] for row in flow] == [
            [time_of(at), exact(long[at]), exact(short_[at]), str(count[at])] for at in starts
        ]
        assert [row[:4] for row in delta] == [
            [time_of(at), exact(buy[at]), exact(sell[at]), exact(buy[at] - sell[at])] for at in starts
        ]
        sums = [sum(buy[at] - sell[at] for at in starts if at <= last) for last in starts]
        assert [row[4] for row in delta] == [exact(each) for each in sums]

        (session,) = (row for row in visited.rows("#totals") if row[0] == "session")
        assert session[1] == short(sum(long.values()))
        assert session[3] == short(sum(short_.values()))

        newest = events[-1]
        assert visited.rows("#prints")[0][0] == time_of(newest.time_ms)
        assert visited.rows("#prints")[0][4] == short(newest.volume_usd)

        shares: dict[str, float] = defaultdict(float)
        for event in events:
            if isinstance(event, Liquidation):
                shares[event.exchange] += event.volume_usd
        largest = sorted(shares, key=lambda name: -shares[name])
        names = page.eval_on_selector_all("#exchanges bdi", "(names) => names.map((name) => name.textContent)")
        assert names == largest[:8]
        volumes = page.eval_on_selector_all("#exchanges .volume", "(all) => all.map((each) => each.textContent)")
        assert volumes == [short(shares[name]) for name in largest[:8]]


def test_the_strip_says_in_words_how_well_each_window_was_watched(
    browser: "Browser", replayed: Running[cgrx.Board]
) -> None:
    """By keyboard: the first window of a recording has a gap, those behind it are complete."""
    with visit(browser, replayed.value.url) as visited:
        opened(visited)
        page = visited.page
        strip = page.locator("#chart-flow .strip")
        strip.focus()
        page.keyboard.press("Home")
        assert "gap: no reception" in (page.text_content("#chart-flow .words") or "")
        assert "gap, no reception" in (strip.get_attribute("aria-valuetext") or "")
        page.keyboard.press("ArrowRight")
        assert page.text_content("#chart-flow .words") == "complete"
        assert page.text_content("#chart-price .words") == "complete"  # all charts point at the same window
        # The strip lies under the area of the picture, to the pixel.
        area, under = page.locator("#chart-flow .u-over").bounding_box(), strip.bounding_box()
        assert area is not None
        assert under is not None
        assert abs(area["x"] - under["x"]) < 1
        assert abs(area["width"] - under["width"]) < 1


@pytest.mark.thorough  # a browser takes seconds
def test_filters_and_thresholds_of_the_tape(browser: "Browser", replayed: Running[cgrx.Board]) -> None:
    """Side, exchange, symbol and least volumes, each by itself and kept over a reload."""
    liquidations = [event for event in market(EVENTS) if isinstance(event, Liquidation)]
    trades = [event for event in market(EVENTS) if isinstance(event, Trade)]
    assert liquidations
    assert trades
    with visit(browser, replayed.value.url) as visited:
        opened(visited)
        page = visited.page
        page.select_option("#side-filter", "long")
        visited.until("![...document.querySelectorAll('#prints tbody tr')].some((r) => !r.matches('.long'))")
        page.select_option("#side-filter", "")
        page.select_option("#exchange-filter", "Binance")
        visited.until_each_has(WHERE, "Binance")
        page.select_option("#exchange-filter", "")
        page.fill("#symbol-filter", "swap")
        visited.until_each_has(WHERE, "SWAP")
        page.fill("#symbol-filter", "")
        page.fill("#at-least-trade", "1B")
        page.fill("#at-least-liquidation", "2k")
        visited.until("!document.querySelector('#prints .trade')")
        volumes = "[...document.querySelectorAll('#prints .heat')].map((c) => parseFloat(c.title.replaceAll(',', '')))"
        visited.until(f"{volumes}.length && Math.min(...{volumes}) >= 2000")
        page.fill("#at-least-trade", "lots")
        assert page.get_attribute("#at-least-trade", "aria-invalid") == "true"
        page.reload()
        page.wait_for_selector("#board[data-ready]")
        assert page.input_value("#at-least-liquidation") == "2.0k"
        assert page.input_value("#asset") == "BTC"  # so does what was picked
        visited.until("document.title.startsWith('BTC') && !document.querySelector('#prints .trade')")


@pytest.mark.thorough  # a browser takes seconds
def test_the_picker_by_keyboard_and_by_the_list_of_assets(browser: "Browser", replayed: Running[cgrx.Board]) -> None:
    """`/` goes to it, and one pick drives all views."""
    with visit(browser, replayed.value.url) as visited:
        page = visited.open()
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "asset"
        page.keyboard.type("ETH")
        visited.until("document.title.startsWith('ETH')")
        visited.until_each_has(WHERE, "ETH")
        assert page.text_content("#chart-price-name") == "Price and liquidations"
        page.click("#leaders button:has-text('SOL')")
        visited.until("document.title.startsWith('SOL')")
        page.wait_for_selector("#leaders button[aria-pressed=true]:has-text('SOL')")
        assert "No trades of it" in (page.text_content("#chart-delta .note") or "")
