"""Every page of the documentation as a browser shows it: whole at two widths, readable to all, and from here alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.house import plan
from tests.page.browsing import Visit, visit
from tests.page.test_page_access import AXE
from tests.site.conftest import BUILT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.site

WIDE, NARROW = 1400, 400
COLUMNS = 120
"""What the code on a page may be wide, and a reader with a wide window sees whole."""


def address(page: Path) -> str:
    """Where mkdocs puts a page."""
    inside = page.relative_to(plan.ROOT / "docs").with_suffix("").as_posix()
    return inside.removesuffix("index") if inside == "index" or inside.endswith("/index") else f"{inside}/"


PAGES = [address(page) for page in sorted((plan.ROOT / "docs").glob("**/*.md"))]

DARK = ["", "tutorial/why-a-window-waits/", "cookbook/cvd/", "concepts/gaps/", "cli/watch/", "house/", "errors/"]
"""A page of each kind: all take their colours from one style."""

OVERFLOW = """() => {
    const wide = document.documentElement.clientWidth;
    const scrolls = (each) => each !== document.body && each.parentElement !== null &&
        (['auto', 'scroll'].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
    return [...document.querySelectorAll('.md-content *, .md-footer *')]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !scrolls(each))
        .filter((each) => each.getBoundingClientRect().right > wide + 1)
        .map((each) => `${each.tagName}.${each.className}: ${each.textContent.trim().slice(0, 60)}`);
}"""
"""What ends beyond the window, and is in nothing that scrolls."""

CUT_OFF = """([blocks, columns]) => [...document.querySelectorAll(blocks)]
    .filter((each) => each.scrollWidth > each.clientWidth + 1)
    .filter((each) => Math.max(...each.innerText.split('\\n').map((line) => [...line].length)) <= columns)
    .map((each) => each.innerText.slice(0, 60))"""
"""Blocks of code that scroll sideways, though they are no wider than that."""

CODE = ".md-content pre > code"
BROKEN = ":is(.language-python, .language-pycon, .language-console, .language-sh) pre > code"
"""Lines of these are broken where the window is narrow. Drawings and tables of text are not."""

UNREADABLE = """async (rules) => {
    const { violations } = await axe.run({ exclude: '.md-code__nav' }, rules);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target + node.failureSummary)}`);
}"""
"""What axe-core finds, but for the buttons by which code is copied: the theme gives each a landmark without a name."""

AT_ONCE = "*, ::before, ::after { transition: none !important; animation: none !important }"
"""The theme fades what a width shows and hides, and axe-core would measure the contrast of a colour on its way."""

NO_AXE = "axe-core is not installed: `npm ci` in tests/page, as `nox -s page` does"

TAGS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
WRONG_ALONE = {"resultTypes": ["violations"]}
"""Every rule runs, but no selector is made for each element that keeps to one."""


def wider_than_the_window(page: "Page", width: int) -> list[str]:
    """What a reader would have to scroll the whole page for."""
    page.set_viewport_size({"width": width, "height": 900})
    found: list[str] = page.evaluate(OVERFLOW)
    all_of_it: int = page.evaluate("document.documentElement.scrollWidth")
    return found or ([f"the page is {all_of_it} wide"] if all_of_it > width else [])


def opened(page: "Page", url: str) -> "Page":
    """The page, on which every change of style is there at once."""
    answer = page.goto(url)
    assert answer is not None
    assert answer.ok
    page.add_style_tag(content=AT_ONCE)
    return page


def unreadable(page: "Page", rules: Mapping[str, object]) -> list[str]:
    """What axe-core says of the page that is open."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(UNREADABLE, {**rules, **WRONG_ALONE})
    return found


@pytest.fixture(scope="module")
def reader(browser: "Browser", site: str) -> "Iterator[Visit]":
    """Goes from page to page in one tab, in which the browser has all that pages share."""
    with visit(browser, site) as visited:
        yield visited


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_readable(reader: Visit, site: str, name: str) -> None:
    """No line is cut off, and axe-core finds nothing: headings, names, contrast, what a keyboard reaches.

    Also: no page asks anything of another host, and no script of one fails.
    """
    reader.page.set_viewport_size({"width": WIDE, "height": 900})
    page = opened(reader.page, f"{site}{name}")
    assert wider_than_the_window(page, WIDE) == []
    assert page.evaluate(CUT_OFF, [CODE, COLUMNS]) == []
    assert wider_than_the_window(page, NARROW) == []
    assert page.evaluate(CUT_OFF, [BROKEN, 1_000]) == []
    wrong, reader.wrong = reader.wrong, []
    assert wrong == []
    if not AXE.exists():
        pytest.skip(NO_AXE)
    page.set_viewport_size({"width": WIDE, "height": 900})
    assert unreadable(page, TAGS) == []


@pytest.mark.skipif(not AXE.exists(), reason=NO_AXE)
@pytest.mark.parametrize("name", DARK)
def test_every_kind_of_page_is_readable_in_dark(browser: "Browser", site: str, name: str) -> None:
    """The contrast, again."""
    with visit(browser, site, width=WIDE, color_scheme="dark") as visited:
        assert unreadable(opened(visited.page, f"{site}{name}"), CONTRAST) == []


def test_every_page_is_built() -> None:
    if not BUILT.exists():
        pytest.skip("no site: `nox -s docs` builds it, and runs these tests")
    assert [name for name in PAGES if not (BUILT / name / "index.html").exists()] == []
