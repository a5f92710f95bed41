"""The search of the site finds tasks by the words that people type, and not only by the names of functions."""

from typing import TYPE_CHECKING

import pytest

from tests.page.browsing import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.site

ASKED = {
    "asyncio": "hosts/",
    "jupyter": "notebooks/",
    "telegram": "cookbook/alert/",
    "gap": "concepts/gaps/",
    "memory": "concepts/bounds/",
    "backpressure": "feed/",
    "vwap": "cookbook/vwap/",
    "docker": "cookbook/service/",
    "duplicates": "faq/",
    "proxy": "cookbook/proxy/",
    "connection refused": "errors/",
    "certificate": "errors/",
    "history": "limits/",
    "upgrade": "versions/",
}
"""What a reader types into the search box, and the page that comes first."""

RESULTS = "links => links.map((link) => new URL(link.href).pathname.slice(1))"


@pytest.mark.parametrize("words", ASKED)
def test_the_right_page_comes_first(browser: "Browser", site: str, words: str) -> None:
    with visit(browser, site, width=1400) as visited:
        page = visited.page
        page.goto(site)
        page.click(".md-search__input")
        page.keyboard.type(words)
        visited.until("/\\d/.test(document.querySelector('.md-search-result__meta').textContent)", within_ms=60_000)
        page.wait_for_selector(".md-search-result__item > a")
        found = page.eval_on_selector_all(".md-search-result__item > a", RESULTS)
        assert found[0] == ASKED[words], found[:5]
