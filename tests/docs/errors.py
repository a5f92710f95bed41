"""The index of errors: what the docstrings of the error classes and of the status events say, as entries of a page.

Each has sections `Cause:` and `Remedy:`, one `Tried again:` where the attribute `retryable` does not say it, and its
attributes, in `Attributes:` or below the fields. `test_errors.py` demands them.
"""

import ast
import doctest
import inspect
import re
import textwrap
from typing import get_args

import attrs

from cgrx import CgrxError, SpellingWarning, Status, UnreadableFileError
from cgrx._model import data_errors, errors, use_errors

_SECTION = re.compile(r"^(?P<title>[A-Z][A-Za-z ]+):\n(?P<body>(?:    .*\n|\n)+)", re.MULTILINE)
_AT_MS = "when it was, in milliseconds since the epoch"
NO_FAULT = {"Connecting", "Connected", "Resumed", "DeliveryResumed"}
"""The status events that tell of no fault."""


def _defined_in(module: object) -> list[type]:
    name = getattr(module, "__name__", "")
    return [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == name]


GROUPS: dict[str, list[type]] = {
    "connection": _defined_in(errors),
    "use": [*_defined_in(use_errors), SpellingWarning],
    "data": [*_defined_in(data_errors), UnreadableFileError],
    "statuses": [each for each in get_args(Status) if each.__name__ not in NO_FAULT],
}
"""What the page asks for, by name."""


@attrs.frozen
class Entry:
    """What the docstring of a class says of a fault."""

    kind: type
    meaning: str
    sections: dict[str, str]
    """By title, each on one line."""
    attributes: dict[str, str]

    @property
    def again(self) -> str:
        """Whether cgrx tries again by itself."""
        if told := self.sections.get("Tried again"):
            return told
        if issubclass(self.kind, CgrxError) and self.kind.retryable:
            return "yes: the feed makes a new connection, with growing pauses"
        return "no"

    @property
    def examples(self) -> str:
        """What one can type to meet it, with what that prints."""
        text = _section_text(self.kind, "Examples")
        return text if doctest.DocTestParser().get_examples(text) else ""


def entry(kind: type) -> Entry:
    """What a class says."""
    text = inspect.cleandoc(kind.__doc__ or "") + "\n"
    first = _SECTION.search(text)
    sections = {found["title"]: " ".join(found["body"].split()) for found in _SECTION.finditer(text)}
    return Entry(kind, text[: first.start() if first else None].strip(), sections, _attributes(kind))


def _section_text(kind: type, title: str) -> str:
    for found in _SECTION.finditer(inspect.cleandoc(kind.__doc__ or "") + "\n"):
        if found["title"] == title:
            return inspect.cleandoc(found["body"])
    return ""


def _attributes(kind: type) -> dict[str, str]:
    """What is said of each: in a section, or below each field of a value."""
    if not attrs.has(kind):
        said = re.sub(r"\n +", " ", _section_text(kind, "Attributes"))
        said = re.sub(r"^(\w+) \([^)]*\):", r"\1:", said, flags=re.MULTILINE)  # the reference shows types
        return {name: what.rstrip(".") for name, _, what in (line.partition(": ") for line in said.splitlines())}
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for node, behind in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            match behind:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[node.target.id] = " ".join(text.split()).rstrip(".")
                case _:
                    found[node.target.id] = _AT_MS if node.target.id == "at_ms" else ""
    return found


def carried(kind: type) -> set[str]:
    """The attributes that an error of this class has: what its constructor sets."""
    if attrs.has(kind):
        return {each.name for each in attrs.fields(kind)}
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }


def index(_: None = None) -> str:
    """All errors in one table: name, meaning, and whether cgrx tries again."""
    lines = ["| error | what it means |", "| --- | --- |"]
    for kind in (each for group in ("connection", "use", "data") for each in GROUPS[group]):
        sentence = " ".join(entry(kind).meaning.split()).partition(". ")[0].rstrip(".")
        lines.append(f"| [`{kind.__name__}`](#{kind.__name__.lower()}) | {sentence} |")
    return "\n".join(lines)


def entries(group: str) -> str:
    """The entries of a group, one below the other: a table of so much text is not readable on a narrow screen."""
    return index() if group == "index" else "\n\n".join(_shown(entry(kind)) for kind in GROUPS[group])


def _shown(told: Entry) -> str:
    lines = [f"### {told.kind.__name__}", "", " ".join(told.meaning.split()), ""]
    for title, text in (
        ("Cause", told.sections.get("Cause", "")),
        ("Remedy", told.sections.get("Remedy", "")),
        ("Tried again", f"{told.again[0].upper()}{told.again[1:]}."),
    ):
        lines.append(f"- **{title}**: {text}")
    if told.attributes:
        said = "; ".join(f"`{name}`: {what[:1].lower()}{what[1:]}" for name, what in told.attributes.items())
        lines.append(f"- **Attributes**: {said}.")
    return "\n".join([*lines, "", f"```pycon\n{told.examples}\n```"])
