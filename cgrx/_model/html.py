"""Values as HTML, for the cells of a notebook: text in, markup out.

All that is shown goes through `escape`, so the name of an exchange can never become markup. Nothing depends on the
colours of the page: text has the page's own colour, lines and hatching a grey that is seen on white and on black. What
matters is said in words too, for readers to whom the styles are not shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from html import escape as _escape
from typing import TypeAlias, cast

import attrs

LONGEST_TEXT = 200
"""How many characters of one value are shown."""

NOTHING = "\u2013"
"""What is shown where there is no value: a dash."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STYLE = (
    "<style>"
    ".cgrx.cgrx{line-height:1.5}"
    ".cgrx.cgrx table{border-collapse:collapse;border:0;margin:.3em 0;font-variant-numeric:tabular-nums}"
    ".cgrx.cgrx th,.cgrx.cgrx td{padding:.15em .8em;border:0;border-bottom:1px solid rgba(128,128,128,.35);"
    "text-align:left;vertical-align:top;max-width:40em;overflow-wrap:anywhere}"
    ".cgrx.cgrx td.cgrx-n,.cgrx.cgrx th.cgrx-n{text-align:right;white-space:nowrap}"
    ".cgrx.cgrx td.cgrx-w,.cgrx.cgrx th{white-space:nowrap}"
    ".cgrx.cgrx tr.cgrx-h td:nth-child(-n+3){background:repeating-linear-gradient(135deg,rgba(128,128,128,.38) 0 1.5px,"
    "transparent 1.5px 7px)}"
    ".cgrx.cgrx td.cgrx-o{text-align:center;opacity:.75}"
    ".cgrx.cgrx pre,.cgrx.cgrx code{background:none;color:inherit;white-space:pre-wrap}"
    "</style>"
)


def escape(value: object) -> str:
    """The value's text, with everything that HTML would read as markup made harmless, cut after `LONGEST_TEXT`."""
    text = str(value)
    return _escape(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…")


def moment(time_ms: float) -> str:
    """A time in milliseconds since the epoch as `2024-08-05 06:00:00` in UTC, with milliseconds where it has some."""
    try:
        when = _EPOCH + timedelta(milliseconds=time_ms)
    except OverflowError:  # no calendar has it
        return f"{time_ms} ms"
    text = when.strftime("%Y-%m-%d %H:%M:%S")
    return text if not when.microsecond else f"{text}.{when.microsecond // 1000:03}"


def number(value: float) -> str:
    """A number as people read it: `1,234,567`, `60,123.45`, `0.0000123`."""
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 100_000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 100 or not value else f"{value:.5g}"


def text_of(value: object) -> str:
    """A value as text: numbers as people read them, sides by their names, nothing as a dash."""
    match value:
        case None:
            return NOTHING
        case Enum():
            return value.name.lower()
        case bool() | str():
            return str(value)
        case int() | float():
            return number(value)
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return ", ".join(f"{text_of(name)}: {text_of(each)}" for name, each in items) or NOTHING
        case tuple() | list():
            return ", ".join(map(text_of, cast("Sequence[object]", value))) or NOTHING
        case _:
            return str(value)


@attrs.frozen
class Line:
    """A line of a table."""

    cells: tuple[object, ...]
    """Values, shown by `text_of`."""
    hatched: bool = False
    """Whether to hatch it at its beginning. One of its cells must say why in words."""


LeftOut: TypeAlias = int
"""How many lines were left out at this place."""


def bounded(items: Sequence[Line], most: int) -> list[Line | LeftOut]:
    """The first and the last of many, and between them how many were left out."""
    if len(items) <= most:
        return list(items)
    first = (most + 1) // 2
    last = most - first
    return [*items[:first], len(items) - most, *items[len(items) - last :]]


def table(heads: Sequence[str], lines: Iterable[Line | LeftOut]) -> str:
    """A table. Numbers stand to the right."""
    shown = list(lines)
    numeric = [
        all(_is_number(line.cells[index]) for line in shown if isinstance(line, Line)) and bool(shown)
        for index in range(len(heads))
    ]
    head = "".join(f"<th{_right(is_n)}>{escape(each)}</th>" for each, is_n in zip(heads, numeric, strict=True))
    body = "".join(
        f'<tr><td class="cgrx-o" colspan="{len(heads)}">… {line:,} left out …</td></tr>'
        if isinstance(line, int)
        else _row(line, numeric)
        for line in shown
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def facts(pairs: Mapping[str, object], hatched: Iterable[str] = ()) -> str:
    """A table of names and values, one a line."""
    marked = set(hatched)
    body = "".join(
        f"<tr{_hatch(name in marked)}><th>{escape(name)}</th><td>{escape(text_of(value))}</td></tr>"
        for name, value in pairs.items()
    )
    return f"<table><tbody>{body}</tbody></table>"


def counters(pairs: Mapping[str, object]) -> str:
    """Many short values one after the other, as many in a line as there is room for."""
    each = (f"{escape(name)}&nbsp;<b>{escape(text_of(value))}</b>" for name, value in pairs.items())
    return f"<div>{' · '.join(each)}</div>"


def titled(title: str, text: object = "") -> str:
    """A line that begins with a title in bold."""
    return f"<div><b>{escape(title)}</b>{f' {escape(text)}' if text != '' else ''}</div>"


def code(text: str) -> str:
    """Code, whole."""
    return f"<pre>{_escape(text)}</pre>"


def page(*parts: str) -> str:
    """The parts as what one cell shows."""
    return f'<div class="cgrx">{_STYLE}{"".join(parts)}</div>'


def _row(line: Line, numeric: Sequence[bool]) -> str:
    cells = "".join(
        f"<td{_right(is_n) or _whole(cell)}>{escape(text_of(cell))}</td>"
        for cell, is_n in zip(line.cells, numeric, strict=True)
    )
    return f"<tr{_hatch(line.hatched)}>{cells}</tr>"


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool | Enum))


def _right(is_number: bool) -> str:
    return ' class="cgrx-n"' if is_number else ""


def _whole(cell: object) -> str:
    """Short texts are not broken: a time in two lines is hard to read."""
    return ' class="cgrx-w"' if len(text_of(cell)) <= 40 else ""


def _hatch(hatched: bool) -> str:
    return ' class="cgrx-h"' if hatched else ""
