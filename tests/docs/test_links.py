"""Links: those into the tree lead somewhere, also in files that mkdocs does not read; others have a sound form."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs import blocks, pages
from tests.docs.commands import FENCED
from tests.house import plan

LINK = re.compile(
    r"\]\((?P<inline>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)|<(?P<bare>https?:[^>\s]+)>|^\[[^\]]+\]: (?P<apart>\S+)"
)
CODE = re.compile(r"`[^`\n]+`")
HEADING = re.compile(r"^#+ (.+?)(?: \{ *#(\S+) *\})?$", re.MULTILINE)
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")

MADE = ("reference/",)
"""Pages whose anchors mkdocstrings makes: mkdocs checks those."""

SCHEMES = ("only-light", "only-dark")
"""Behind the address of a picture they say when the theme shows it."""

FILES = [*pages.markdown(), plan.ROOT / "CONTRIBUTING.md", plan.ROOT / "CHANGELOG.md"]


def links(text: str) -> list[str]:
    """The targets of a page, without what stands in code."""
    prose = CODE.sub("", FENCED.sub("", text))
    return [next(filter(None, found.groups())) for found in LINK.finditer(prose)]


def anchors(page: Path) -> set[str]:
    """What can stand behind a `#`: of headings it is made as mkdocs makes it."""
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    found = {given or _slug(title) for title, given in HEADING.findall(prose)}
    return found | set(re.findall(r'id="([^"]+)"', prose)) | set(re.findall(r"\{ *#(\S+)", prose))


def _slug(title: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def fault(page: Path, link: str) -> str:
    """What is wrong with a link, or nothing. The network is not asked."""
    parts = urlsplit(link)
    if parts.scheme:
        sound = parts.scheme in ("https", "mailto") and (parts.scheme == "mailto" or HOST.fullmatch(parts.netloc))
        return "" if sound else "not the address of a page, with https"
    target = page if not parts.path else (page.parent / parts.path).resolve()
    if not target.exists():
        return "no such file"
    if not parts.fragment or any(part in target.as_posix() for part in MADE):
        return ""
    if target.suffix == ".png":
        return "" if parts.fragment in SCHEMES else "no scheme of the theme"
    return "" if target.suffix in (".md", ".svg") and parts.fragment in anchors(target) else "no such heading"


@pytest.mark.parametrize("page", FILES, ids=blocks.name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {link: why for link in links(text) if (why := fault(page, link))} == {}


def test_no_link_leaves_the_pages_for_the_tree() -> None:
    """On the site a link to a file that is no page leads nowhere."""
    docs = plan.ROOT / "docs"
    out = [
        f"{blocks.name_of(page)}: {link}"
        for page in pages.markdown()
        if page.is_relative_to(docs)
        for link in links(page.read_text(encoding="utf-8"))
        if not urlsplit(link).scheme and not (page.parent / urlsplit(link).path).resolve().is_relative_to(docs)
    ]
    assert out == []


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("other.md", ""),
        ("other.md#a-heading-with-code", ""),
        ("#here", ""),
        ("https://example.com/a#b", ""),
        ("none.md", "no such file"),
        ("other.md#none", "no such heading"),
        ("http://example.com/", "not the address of a page, with https"),
        ("https://localhost:1/", "not the address of a page, with https"),
        ("https://example.com.", "not the address of a page, with https"),
    ],
)
def test_faults_of_links(tmp_path: Path, link: str, why: str) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# Other\n\n## A heading with `code`\n")
    page.write_text(f"# Here\n\nSee [it]({link}), not `[this](x)`.\n\n```text\n[nor](that)\n```\n")
    assert links(page.read_text()) == [link]
    assert fault(page, link) == why
