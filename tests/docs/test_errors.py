"""The index of errors: every fault is in it, and its docstring says what a reader needs."""

import inspect
from typing import get_args

import pytest

import cgrx
from cgrx import sinks
from tests.docs import errors, pages

SHOWN = [kind for group in errors.GROUPS.values() for kind in group]


def test_every_public_error_and_every_status_of_a_fault_is_in_the_index() -> None:
    public = {
        each
        for module in (cgrx, sinks)
        for each in vars(module).values()
        if inspect.isclass(each) and issubclass(each, cgrx.CgrxError | Warning)
    }
    told = {each for each in get_args(cgrx.Status) if each.__name__ not in errors.NO_FAULT}
    assert len(SHOWN) == len(set(SHOWN))
    assert set(SHOWN) == public | told


def test_the_page_shows_every_group() -> None:
    page = (pages.DOCS / "errors.md").read_text(encoding="utf-8")
    asked = {what for kind, what in pages.asked_for(page) if kind == "errors"}
    assert asked == {*errors.GROUPS, "index"}


@pytest.mark.parametrize("kind", SHOWN)
def test_each_says_its_cause_and_its_remedy_and_shows_itself(kind: type) -> None:
    told = errors.entry(kind)
    assert told.meaning
    assert told.sections["Cause"]
    assert told.sections["Remedy"]
    assert told.examples


@pytest.mark.parametrize("kind", SHOWN)
def test_each_attribute_is_described(kind: type) -> None:
    told = errors.entry(kind)
    beside = {"retryable"} if kind is cgrx.CgrxError else set[str]()
    assert set(told.attributes) - beside == errors.carried(kind)
    assert all(told.attributes.values())


@pytest.mark.parametrize("kind", errors.GROUPS["statuses"])
def test_each_status_says_whether_cgrx_tries_again(kind: type) -> None:
    """A status has no `retryable`, so its docstring says it."""
    assert errors.entry(kind).sections["Tried again"]


def test_what_a_class_without_a_docstring_says() -> None:
    """Nothing, so that the tests above can fail."""

    class SilentError(cgrx.CgrxError):
        def __init__(self) -> None:
            self.code = 3

    told = errors.entry(SilentError)
    assert (told.meaning, told.sections, told.attributes, told.examples) == ("", {}, {}, "")
    assert errors.carried(SilentError) == {"code"}
