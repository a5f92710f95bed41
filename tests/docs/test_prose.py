"""How the pages are written: British spelling, nothing that sells, and headings that go down one step at a time."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs import blocks, pages
from tests.docs.commands import FENCED
from tests.docs.test_links import CODE
from tests.house import plan

PROSE = [*pages.markdown(), plan.ROOT / "CONTRIBUTING.md", plan.ROOT / "CHANGELOG.md"]
INSTEAD = {
    # American spelling
    r"(?:behavi|col|fav|lab|neighb)or(?:s|ed|ing|able|ite)?": "-our",
    r"\w*(?:organ|normal|serial|optim|initial|real|recogn|synchron|visual)iz(?:e|es|ed|ing|ation)": "-ise",
    r"analyz(?:e|es|ed|ing)": "analyse",
    r"cancel(?:ed|ing)": "cancelled, cancelling",
    r"(?:center|meter|fiber)s?": "-re",
    r"catalogs?": "catalogue",
    r"(?:defense|offense)s?": "-ence",
    r"(?:label|model|signal|travel)(?:ed|ing)": "-lled, -lling",
    r"gray": "grey",
    # what sells, or soothes, and says nothing
    r"blazing(?:ly)?|lightning-fast|powerful|world-class|cutting-edge": "a figure",
    r"seamless(?:ly)?|effortless(?:ly)?": "nothing",
    r"simply|obviously|of course|basically": "nothing",
    r"leverage[sd]?|utili[sz]e[sd]?": "use",
    r"please": "nothing",
    # persons who are not there
    r"we|(?<!\d )us(?! \()|let's": "who acts: cgrx, the feed, a stage",
}
"""Words that do not stand on a page, and what stands there instead."""


def prose(page: Path) -> str:
    """The page without code, comments and addresses, its lines as they were."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    text = page.read_text(encoding="utf-8")
    for left_out in (
        FENCED,
        re.compile(r"<!--.*?-->", re.DOTALL),
        CODE,
        re.compile(r"\]\([^)]*\)|<[^>\s]+>|\"[^\"\n]*\""),
    ):
        text = left_out.sub(blank, text)
    return text


def faults(text: str) -> list[str]:
    """Each word with its line, and what to write in its place."""
    return [
        f"line {number}: {found[0]!r}, rather {instead}"
        for number, line in enumerate(text.splitlines(), 1)
        for words, instead in INSTEAD.items()
        for found in re.finditer(rf"\b(?:{words})\b", line, re.IGNORECASE)
        if found[0] != "US"
    ]


@pytest.mark.parametrize("page", PROSE, ids=blocks.name_of)
def test_the_words_of_a_page(page: Path) -> None:
    assert faults(prose(page)) == []


@pytest.mark.parametrize("page", PROSE, ids=blocks.name_of)
def test_a_page_has_one_title_and_no_heading_below_a_missing_one(page: Path) -> None:
    levels = [len(found[1]) for found in re.finditer(r"^(#+) ", prose(page), re.MULTILINE)]
    assert levels[:1] == [1]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("page", PROSE, ids=blocks.name_of)
def test_every_table_says_what_its_columns_are(page: Path) -> None:
    """The corner of a table with names at its side may be empty."""
    headers = re.findall(r"^(\|.*\|)\n\| *:?-{3}", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [header for header in headers if header.replace(" ", "").endswith("||")] == []


def test_faults_of_prose() -> None:
    text = "The colors that we show of US dollars.\nIt is simply canceled: the *behaviour* of a parameter."
    assert [each.partition(",")[0] for each in faults(text)] == [
        "line 1: 'colors'",
        "line 1: 'we'",
        "line 2: 'canceled'",
        "line 2: 'simply'",
    ]
