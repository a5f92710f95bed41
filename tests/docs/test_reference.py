"""The reference: every public name has an example in its docstring, which runs and prints what it says."""

import doctest
from pathlib import Path

import pytest

from tests.docs import blocks, pages, reference
from tests.docs.reference import Docstring, Entry

ENTRIES = reference.entries()


def docstring(text: str) -> Docstring:
    return Docstring(Path("page.py"), 10, text)


def test_every_public_name_has_an_example() -> None:
    assert [str(entry) for entry in ENTRIES if not entry.shown] == []


@pytest.mark.parametrize("entry", [each for each in ENTRIES if each.shown], ids=str)
def test_examples_run(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They print what they say, in an empty folder and without a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COINGLASS_API_KEY", raising=False)
    in_asyncio = str(entry).startswith("cgrx.aio")
    found = [fault for each in entry.docstrings for fault in reference.faults(each, in_asyncio=in_asyncio)]
    assert not found, "\n".join(found)


def test_every_example_runs_somewhere() -> None:
    """One that is skipped in the whole shows nothing; some of its lines may be."""
    unseen = [str(each) for each in ENTRIES if each.shown and not any(_runs(text) for text in each.docstrings)]
    assert not unseen


def _runs(text: Docstring) -> bool:
    skip = doctest.SKIP
    return any(not example.options.get(skip) for example in text.examples)


def test_names_are_found_where_they_are_defined() -> None:
    """Through the facades; of functions that have overloads, the one with the docstring."""
    found = {str(each): each.docstrings[0] for each in ENTRIES if each.docstrings}
    assert found["cgrx.operators.tumbling"].path.name == "tumbling.py"
    assert found["cgrx.operators.tumbling"].text.startswith("One row for each window")
    assert found["cgrx.aio"].text.startswith("cgrx for asyncio")
    assert found["cgrx.API_KEY_VARIABLE"].path.name == "connect.py"
    assert "cgrx.sync.sinks" in found


def test_an_example_that_prints_something_else() -> None:
    """Told with the line of the file."""
    wrong = docstring("Sum.\n\nExamples:\n    >>> 1 + 1\n    2\n    >>> 1 + 2\n    4\n")
    (fault,) = reference.faults(wrong, in_asyncio=False)
    assert fault == "page.py:15: 1 + 2\nexpected:\n4\ngot:\n3\n"


def test_an_example_that_raises() -> None:
    told = docstring(">>> ops.side('none')\nTraceback (most recent call last):\n    ...\nValueError: side=... is ...\n")
    assert not [*reference.faults(told, in_asyncio=False)]
    (fault,) = reference.faults(docstring(">>> ops.side('none')\n"), in_asyncio=False)
    assert "got:\nValueError: side='none'" in fault


@pytest.mark.parametrize(("in_asyncio", "library"), [(False, "trio"), (True, "asyncio")])
def test_an_example_that_awaits(in_asyncio: bool, library: str) -> None:
    awaits = docstring(
        ">>> from sniffio import current_async_library\n"
        ">>> async def name() -> str:\n...     return current_async_library()\n"
        f">>> await name()\n'{library}'\n"
    )
    assert not [*reference.faults(awaits, in_asyncio=in_asyncio)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sum.\n\nExamples:\n    >>> 1\n    1", True),
        ("Sum.\n\nExamples:\n    Of two:\n\n    >>> 1\n    1", True),
        ("Sum.\n\nExamples:\n    None.", False),
        ("Sum.\n\n>>> 1\n1", False),
    ],
)
def test_what_counts_as_shown(text: str, shown: bool) -> None:
    assert Entry("cgrx", "x", (docstring(text),)).shown is shown


@pytest.mark.parametrize("page", sorted((pages.DOCS / "reference").glob("*/*.md")), ids=blocks.name_of)
def test_pages_of_families(page: Path) -> None:
    """They ask for names that there are, one by one."""
    assert reference.shown_on(page)
    assert set(reference.shown_on(page)) <= {str(each) for each in ENTRIES}


@pytest.mark.parametrize("facade", reference.FACADES)
def test_every_public_name_is_on_a_page(facade: str) -> None:
    """By itself, so that a page may put it into a family; and on one page only."""
    found = [name for page in (pages.DOCS / "reference").glob("**/*.md") for name in reference.shown_on(page)]
    assert len(found) == len(set(found))
    assert {f"{facade}.{name}" for name in reference.names(facade)} <= set(found)


@pytest.mark.parametrize("facade", reference.FACADES)
def test_a_page_shows_examples_whole(facade: str) -> None:
    """At a width of 1400 pixels there is room for 80 columns."""
    wide = [
        line
        for entry in ENTRIES
        if entry.facade == facade
        for text in entry.docstrings
        for line in text.text.splitlines()
        if line.strip().startswith((">>> ", "... ")) and len(line.strip()) > 80
    ]
    assert not wide
