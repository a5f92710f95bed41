"""What mkdocs does to the pages besides: sections of files outside of docs/, and names that the theme leaves out."""

import re
import runpy
from collections.abc import Callable
from typing import Any

import pytest

from tests.house import plan

HOOKS: dict[str, Any] = runpy.run_path(str(plan.ROOT / "docs" / "hooks.py"))
SECTION: Callable[[str, str | None], str] = HOOKS["section"]


def test_a_section_is_that_of_the_readme_with_links_that_hold_on_the_site() -> None:
    text = SECTION("README.md", "what-it-promises")
    assert text.startswith("- **A window says what it did not see.**")
    assert "](promises.md#time)" in text
    assert "docs/" not in text
    assert "## " not in text


def test_comments_that_ask_for_code_are_left_out() -> None:
    """So the page that shows the section does not seem to ask for it too."""
    text = SECTION("README.md", "without-a-key")
    assert "```python" in text
    assert "<!--" not in text


def test_all_of_a_file_is_taken_without_its_title() -> None:
    text = SECTION("CHANGELOG.md", None)
    assert "\n## Unreleased\n" in f"\n{text}"
    assert not text.startswith("# ")


def test_a_section_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"README\.md has no section 'none-such'"):
        SECTION("README.md", "none-such")


def test_every_page_gets_what_it_asks_for() -> None:
    asking = [path for path in (plan.ROOT / "docs").glob("**/*.md") if "<!-- section " in path.read_text()]
    assert {path.name for path in asking} >= {"index.md", "changelog.md"}
    for path in asking:
        filled: str = HOOKS["on_page_markdown"](path.read_text(), page=None, config=None, files=None)
        assert "<!-- section " not in filled, path
        assert not re.search(r"\]\((?!https:|#|[\w/.-]+\.(?:md|png|svg)(?:#|\)))", filled), path


def test_what_the_theme_leaves_out() -> None:
    page = '<div role="dialog"></div><th></th><th style="x"></th><th>a</th>'
    assert (
        HOOKS["on_post_page"](page)
        == '<div role="dialog" aria-label="Search"></div><td></td><td style="x"></td><th>a</th>'
    )


def test_a_long_name_may_be_broken_between_its_words() -> None:
    """Not within a word, nor before `py`, nor where it is short or a program."""
    name = "<td><code>tests/a_room/test_it.py::test_that__it_is</code></td>"
    broken = "<td><code>tests/<wbr>a_<wbr>room/<wbr>test_<wbr>it.py::<wbr>test_<wbr>that__<wbr>it_<wbr>is</code></td>"
    assert HOOKS["on_post_page"](name) == broken
    for whole in ("<code>a/short_name</code>", "<pre><span></span><code>a/long_name_of_a_file/in.a.shell</code></pre>"):
        assert HOOKS["on_post_page"](whole) == whole
