"""The pictures of the concepts: up to date, on their pages, and readable by everybody."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cgrx import Signal, Trade
from cgrx.testing import alive, batch, gap, trade
from tests.docs import pages, pictures, sheet
from tests.docs.pictures import rows
from tests.docs.sheet import COLOURS, Box, Sheet, contrast
from tests.house import plan

CONCEPTS = pages.DOCS / "concepts"
TEXTS = ("ink", "soft", "proof", "gap", "mark", "event", "other")


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_is_up_to_date(name: str) -> None:
    """It is drawn from what the real pipeline gives now, and could not be drawn if texts overlapped."""
    assert pictures.path_of(name).read_text(encoding="utf-8") == pictures.drawn(name).svg(), (
        "run `python -m tests.docs.pages`"
    )


def test_each_page_of_the_concepts_has_a_picture() -> None:
    """One each; the tutorial has the others."""
    asked = {
        page: [what for kind, what in pages.asked_for(page.read_text()) if kind == "picture"]
        for folder in (CONCEPTS, pages.DOCS / "tutorial")
        for page in folder.glob("*.md")
    }
    assert sorted(name for names in asked.values() for name in names) == sorted(pictures.PICTURES)
    assert all(len(names) == 1 for page, names in asked.items() if page.parent == CONCEPTS)


@pytest.mark.parametrize("page", sorted(CONCEPTS.glob("*.md")), ids=lambda page: page.stem)
def test_a_claim_names_a_test_that_is_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    assert len(named) >= 3
    for path, function in named:
        assert (plan.ROOT / path).is_file(), path
        assert not function or f"\ndef {function}(" in (plan.ROOT / path).read_text(encoding="utf-8"), function


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_tells_those_who_do_not_see_it(name: str) -> None:
    drawn = ElementTree.fromstring(pictures.drawn(name).svg())
    title, description = (drawn.findtext("{*}" + tag) or "" for tag in ("title", "desc"))
    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-labelledby"] == "title description"
    assert len(title) > 40
    assert len(description) > 80
    assert pictures.images(name).count(f"![{title}.](") == 2


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_no_text_covers_another_or_leaves_the_sheet(name: str) -> None:
    drawn = pictures.drawn(name)
    assert all(drawn.whole.holds(box) for box, _ in drawn.texts)
    assert not [(one, other) for (box, one), (taken, other) in combinations(drawn.texts, 2) if box.meets(taken)]


def test_what_nobody_could_read_is_refused() -> None:
    paper = Sheet("a title", "more", 100)
    paper.text(10, 20, "a text")
    with pytest.raises(ValueError, match="covers"):
        paper.text(14, 24, "another one")
    with pytest.raises(ValueError, match="leaves"):
        paper.text(400, 60, "too far to the right")
    with pytest.raises(ValueError, match="leaves"):
        paper.text(10, 60, "wider than its box", within=Box(8, 40, 60, 30))
    paper.text(430, 60, "up to the edge", at="end", within=Box(8, 40, 424, 30))


def test_every_letter_has_a_width() -> None:
    letters = "".join(map(chr, range(32, 127)))
    assert sheet.width_of(letters, "word") > sheet.width_of(letters, "soft") > 0


def test_lines_are_broken_where_they_are_too_wide() -> None:
    assert sheet.broken("one two three", sheet.width_of("one two", "word")) == ["one two", "three"]
    assert sheet.broken("one", 1) == ["one"]


@pytest.mark.parametrize("number", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "panel"])
def test_the_colours_are_far_enough_from_their_grounds(number: int, ground: sheet.Colour) -> None:
    """4.5 to 1 for texts, 3 to 1 for shapes: https://www.w3.org/TR/WCAG21/#contrast-minimum."""
    behind = COLOURS[ground][number]
    for name, colours in COLOURS.items():
        if name in TEXTS:
            assert contrast(colours[number], behind) >= 4.5, name
    assert contrast(COLOURS["rule"][number], behind) >= 3
    assert contrast("#000000", "#ffffff") == 21


def test_the_fragment_of_the_file_says_which_colours() -> None:
    text = Sheet("a title", "more", 100).svg()
    light, dark = COLOURS["ink"]
    assert f"    .f-ink {{ fill: {light}; }}" in text
    assert f"    #only-dark:target .f-ink {{ fill: {dark}; }}" in text
    assert '<g id="only-light"><g id="only-dark">' in text


def test_the_watermark_is_that_of_the_pipeline() -> None:
    """The highest event time without `lateness`; in proven silence it follows the proofs; a gap moves nothing."""
    signals: list[Signal[Trade]] = [batch(trade(time="5s")), batch(trade(time="12s")), gap("13s", "14s"), alive("20s")]
    assert rows.watermarks(signals, "2s", "2s") == [None, 10_000, 10_000, 18_000]


def test_a_picture_is_asked_for_by_a_known_name(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- picture: none-such -->\n<!-- end -->\n")
    with pytest.raises(KeyError):
        pages.filled_in(page.read_text())
