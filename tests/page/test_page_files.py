"""What is shipped for browsers: types that follow the messages, a chart library that nobody edited, and few bytes."""

import gzip
import hashlib
import re
from pathlib import Path

import cgrx
from tests.page.declarations import PATH, declarations

PAGE = Path(cgrx.__file__).parent / "_board" / "page"

UPLOT = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""Of uPlot 1.6.32 as it is published, SHA-256 by file."""


def test_the_page_knows_the_messages_that_the_server_says() -> None:
    """Else: `python -m tests.page.declarations`."""
    assert PATH.read_text() == declarations()


def test_the_chart_library_is_as_it_was_published_and_its_licence_is_beside_it() -> None:
    hashes = {name: hashlib.sha256((PAGE / "uplot" / name).read_bytes()).hexdigest() for name in UPLOT}
    assert hashes == UPLOT
    assert b"uPlot (v1.6.32)" in (PAGE / "uplot" / "uPlot.iife.min.js").read_bytes()[:100]
    assert "MIT License" in (PAGE / "uplot" / "LICENSE").read_text()


def test_the_page_is_small() -> None:
    """All that a browser loads, before compression and as it is sent."""
    files = [path for path in PAGE.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"}]
    assert sum(path.stat().st_size for path in files) < 138_000
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 55_000


def test_nothing_of_the_page_is_loaded_from_elsewhere_or_written_as_markup() -> None:
    """Its own files alone: no address but that of a namespace, no style or script in the document, no `innerHTML`."""
    for path in PAGE.glob("*.*"):
        text = path.read_text()
        assert not re.findall(r"https?://(?!www\.w3\.org/)", text), path
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), path
    document = (PAGE / "index.html").read_text()
    assert not re.findall(r"<style|\bstyle=|\bon[a-z]+=|<script(?![^>]*\bsrc=)", document)
