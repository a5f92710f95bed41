"""axe-core finds nothing on the page, light and dark, on a telephone and on a wall; and it is used without a mouse."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import cgrx
from tests.page.browsing import Running, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

RUN = """async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target + node.failureSummary)}`);
}"""

SEEN: list[tuple[Literal["light", "dark"], int]] = [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 2500)]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `npm ci` in tests/page, as `nox -s page` does")
def test_axe_finds_nothing(browser: "Browser", replayed: Running[cgrx.Board]) -> None:
    """With a table and the help open as well. Nothing is wider than the window."""
    with visit(browser, replayed.value.url) as visited:
        page = visited.open()
        page.wait_for_selector("#play:disabled", timeout=20_000)
        page.select_option("#asset", "BTC")
        visited.until("document.title.startsWith('BTC')")
        page.fill("#at-least-liquidation", "20k")  # some rows of the tape stand for all
        page.fill("#at-least-trade", "20k")
        page.click("#chart-flow summary")
        page.evaluate(AXE.read_text())
        for scheme, width in SEEN:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(RUN) == [], (scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.wait_for_selector("#help[open]")
        assert page.evaluate(RUN) == []
        page.keyboard.press("Escape")
        assert not page.is_visible("#help")
