"""The page on a live feed: losses, foreign text, foreign names, a board that goes away, alerts, and a hidden tab."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pytest

import cgrx
from cgrx import Liquidation, Trade
from cgrx.testing import Simulator, liquidation, trade
from tests.feed.feeding import KEY
from tests.page.browsing import FOREIGN, Running, Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKEN = "a-token-of-a-test-0123"


@attrs.frozen
class Shown:
    """A board on a feed of a simulator."""

    simulator: Simulator
    feed: cgrx.Feed
    board: cgrx.Board


@asynccontextmanager
async def showing(**options: Any) -> AsyncGenerator[Shown, None]:
    async with (
        Simulator() as simulator,
        cgrx.connect(api_key=KEY, url=simulator.url) as feed,
        cgrx.board(feed, window="1s", keep="10m", trades=[("Binance", "BTCUSDT", 0)], **options) as board,
    ):
        await simulator.wait_subscribed("liquidationOrders")
        yield Shown(simulator, feed, board)


@pytest.fixture(scope="module")
def live() -> Iterator[Running[Shown]]:
    with Running(showing) as running:
        yield running


def send(live: Running[Shown], visited: Visit, *events: Liquidation | Trade) -> None:
    """As of now by the clock of the browser, which is that of the machine."""
    now = int(visited.page.evaluate("Date.now()"))
    live.do(live.value.simulator.send, [msgspec.structs.replace(event, time_ms=now) for event in events])


def test_a_disconnection_is_a_gap_on_the_page_within_two_seconds(browser: "Browser", live: Running[Shown]) -> None:
    with visit(browser, live.value.board.url) as visited:
        page = visited.open()
        visited.until("document.querySelector('#state').textContent === 'connected'")
        page.evaluate("document.querySelector('#chart-flow details').open = true")
        rows = "[...document.querySelectorAll('#chart-flow tbody tr')]"
        gaps = f"{rows}.filter((row) => /gap|unknown/.test(row.textContent)).length"
        page.wait_for_timeout(300)
        before = page.evaluate(gaps)
        live.do_sync(live.value.simulator.drop_all)
        visited.until(f"{gaps} > {before}", 2_000)
        visited.until("document.querySelector('[data-name=Lost]').textContent.includes('no reception')")
        visited.until("document.querySelector('[data-name=Reconnects]').textContent !== '0'")
        visited.until("document.querySelector('#state').textContent === 'connected'")


HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.thorough  # a browser takes seconds
@pytest.mark.parametrize(
    "name", [HOSTILE, "\u202ecba\u202d\u2067USDT", "W" * 10_000], ids=["markup", "direction", "length"]
)
def test_a_hostile_name_is_text_and_moves_nothing(browser: "Browser", live: Running[Shown], name: str) -> None:
    with visit(browser, live.value.board.url) as visited:
        page = visited.open()
        before = [page.locator(each).bounding_box() for each in ("#side", "#chart-price", "#more", "header")]
        event = liquidation("long", 5_000_000, exchange=name, symbol=name, base_asset=name)
        send(live, visited, event)
        shown = json.dumps(name[:50])
        visited.until(f"document.querySelector('#prints bdi')?.textContent.startsWith({shown})")
        visited.until(f"[...document.querySelectorAll('#leaders bdi')].some((e) => e.textContent.startsWith({shown}))")
        assert page.evaluate("document.images.length") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        after = [page.locator(each).bounding_box() for each in ("#side", "#chart-price", "#more", "header")]
        assert [(box["x"], box["width"]) for box in after if box] == [(box["x"], box["width"]) for box in before if box]
        assert page.locator("#prints tbody tr").first.bounding_box()["height"] < 30  # type: ignore[index]  # it has a box, for it is seen


def test_a_foreign_name_for_this_machine_is_refused(browser: "Browser", live: Running[Shown]) -> None:
    """DNS rebinding: neither the page nor its data are given to it."""
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://{FOREIGN}:{live.value.board.port}/")
    assert answer is not None
    assert answer.status == 421
    script = f"""() => new Promise((done) => {{
        const socket = new WebSocket('ws://127.0.0.1:{live.value.board.port}/live');
        socket.onopen = () => done('open');
        socket.onerror = () => done('refused');
    }})"""
    page.goto("about:blank")
    assert page.evaluate(script) == "refused"
    context.close()


@pytest.mark.thorough  # a browser takes seconds
def test_alerts_of_the_viewers_own_threshold_are_told_and_listed(browser: "Browser", live: Running[Shown]) -> None:
    with visit(browser, live.value.board.url) as visited:
        page = visited.open()
        page.fill("#tell", "1.5M")
        send(live, visited, trade("buy", 1_400_000), trade("buy", 1_600_000))
        visited.until("document.querySelector('#spoken').textContent.includes('buy of 1.6M USD')")
        visited.until("document.querySelector('#alerts').textContent.includes('BTCUSDT: buy of 1.6M USD')")
        assert "1.4M" not in (page.text_content("#alerts") or "")
        assert page.get_attribute("#spoken", "aria-live") == "polite"


@pytest.mark.thorough  # a browser takes seconds
def test_what_is_held_stays_and_a_hidden_tab_draws_nothing(browser: "Browser", live: Running[Shown]) -> None:
    with visit(browser, live.value.board.url) as visited:
        page = visited.open()
        page.evaluate("document.body.focus()")
        page.keyboard.press("Space")
        assert page.get_attribute("#hold", "aria-pressed") == "true"
        send(live, visited, liquidation("short", 777_777))
        send(live, visited, liquidation("long", 10, base_asset="NEW", symbol="NEWUSDT"))  # another asset to pick
        page.wait_for_timeout(600)
        assert "778k" not in (page.text_content("#prints") or "")
        page.keyboard.press("Space")
        visited.until("document.querySelector('#prints').textContent.includes('778k')")
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
        page.evaluate("""() => {
            window.frames_ = 0;
            const ask = window.requestAnimationFrame;
            window.requestAnimationFrame = (draw) => (window.frames_++, ask(draw));
        }""")
        send(live, visited, liquidation("short", 888_888))
        page.wait_for_timeout(600)
        assert page.evaluate("window.frames_") == 0
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
        visited.until("document.querySelector('#prints').textContent.includes('889k')")


@pytest.mark.thorough  # a browser takes seconds
def test_a_board_that_goes_away_and_returns(browser: "Browser") -> None:
    """The page says since when, tries again, and takes what the new one shows."""
    with Running(lambda: showing(token=TOKEN)) as first:
        port = first.value.board.port
        context = visit(browser, first.value.board.url)
        visited = context.__enter__()
        page = visited.open()
        assert page.evaluate("location.hash") == ""
    visited.until("document.querySelector('#lost').textContent.includes('Not connected to the board since')")
    with Running(lambda: showing(port=port, token=TOKEN, title="the second")) as second:
        visited.until("document.querySelector('#title').textContent === 'the second'", 10_000)
        assert page.is_hidden("#lost")
        send(second, visited, liquidation("long", 123_456))
        visited.until("document.querySelector('#prints').textContent.includes('123k')")
        page.reload()
        page.wait_for_selector("#board[data-ready]")  # the token is kept in this tab
        visited.until("document.querySelector('#prints').textContent.includes('123k')")
        visited.wrong.clear()  # the browser says of each attempt that nobody answered
        context.__exit__(None, None, None)
        with visit(browser, f"http://127.0.0.1:{port}/#token=wrong") as stranger:
            stranger.page.goto(stranger.url)
            stranger.until("document.querySelector('#lost').textContent.includes('the token is wrong')")
            assert stranger.rows("#prints") == []
