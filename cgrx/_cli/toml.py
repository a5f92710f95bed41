"""A TOML file of names and values, and the line on which each name stands, which `tomllib` does not tell."""

import re
import tomllib
from pathlib import Path
from typing import Any

import attrs

from cgrx._cli.terminal.exits import CommandError, Exit

LIMIT_BYTES = 65_536
"""The largest file that is read."""

_TOKEN = re.compile(
    r'''(?P<skipped>\#[^\n]* | """(?:[^\\]|\\.)*?"{3,5} | \'\'\'.*?'{3,5} | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')'''
    r"| [\n=\[\]{}]",
    re.VERBOSE | re.DOTALL,
)
"""Comments and texts, whose signs mean nothing, and the signs that tell where a name and its value end."""

_LINE = re.compile(r"[^\n]*")

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
"""How `tomllib` ends its messages."""


@attrs.frozen
class Entry:
    """A name of a file, with its value."""

    name: str
    value: Any
    place: str
    """`FILE:LINE`."""


def read_toml(path: Path) -> list[Entry]:
    """The names and values of a file, in its order. A table is the value of the first part of its name.

    Raises:
        CommandError: it cannot be read, is too large, or is no TOML; where that is known, with the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise CommandError(Exit.USAGE, f"cannot read {path}: {error.strerror}") from error
    if len(data) > LIMIT_BYTES:
        raise CommandError(Exit.USAGE, f"{path} has more than {LIMIT_BYTES:,} bytes: it is no file of options")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CommandError(Exit.USAGE, f"{path}:{line}: this is no TOML: a byte that is not UTF-8") from error
    try:
        values = tomllib.loads(text)
    except RecursionError as error:
        raise CommandError(
            Exit.USAGE, f"{path}: this is no file of options: too many brackets in one another"
        ) from error
    except ValueError as error:
        raise CommandError(Exit.USAGE, _no_toml(path, text, str(error))) from error
    lines = lines_of(text)
    return [Entry(name, value, f"{path}:{lines[name]}") for name, value in values.items()]


def _no_toml(path: Path, text: str, why: str) -> str:
    found = _PLACE.search(why)
    if found is None:  # such as an integer of thousands of digits
        return f"{path}: this is no TOML: {why}"
    line, column = found.groups()
    place = f"{path}:{line or text.count(chr(10)) + 1}"
    return f"{place}: this is no TOML: {why[: found.start()]}" + (f" at column {column}" if column else " at the end")


def lines_of(text: str) -> dict[str, int]:
    """The line of the first part of each name at the top of a valid document; one pass over the text."""
    lines: dict[str, int] = {}
    line, begin, depth, is_in_table, is_before_value = 1, 0, 0, False, True
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if token["skipped"] is not None:
            line += sign.count("\n")
        elif sign == "\n":
            line += 1
            if not depth:
                begin, is_before_value = token.end(), True
        elif sign == "=":
            if is_before_value and not is_in_table:
                lines.setdefault(_first(f"{text[begin : token.start()]}= 0"), line)
            is_before_value = False
        else:
            if is_before_value:  # [table] or [[table]]
                header = _LINE.match(text, begin)
                assert header is not None  # an empty line matches too
                lines.setdefault(_first(header[0]), line)
                is_in_table, is_before_value = True, False
            depth += 1 if sign in "[{" else -1
    return lines


def _first(line: str) -> str:
    """The first part of the name that a line of TOML gives."""
    return next(iter(tomllib.loads(line)))
