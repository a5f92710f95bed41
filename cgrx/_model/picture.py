"""A pipeline drawn as boxes in order, from above to below: steps in, SVG out.

The lines and the text have the colour of the page around them, so the picture is read on white and on black. A step
that holds Python functions has a dashed border, and says so in words.
"""

import textwrap
from collections.abc import Sequence

import attrs

from cgrx._model.html import escape

_WIDTH = 700
_MARGIN = 14
_CODE_HEIGHT = 18
_NOTE_HEIGHT = 17
_PADDING = 10
_ARROW = 24
_CODE_CHARACTERS = 82
"""In a box, at 13 pixels of a monospaced font, of which none is wider than 0.62 of its height."""
_NOTE_CHARACTERS = 100


@attrs.frozen
class Step:
    """One box."""

    code: str
    """What it is, as code."""
    notes: tuple[str, ...] = ()
    """What else is known of it, a line each."""
    functions: tuple[str, ...] = ()
    """The names of the Python functions and classes in it that are not of cgrx."""


def picture(steps: Sequence[Step], foot: str = "") -> str:
    """An SVG of the steps with an arrow from each to the next, and a line of text beneath."""
    parts: list[str] = []
    top = 1
    for index, step in enumerate(steps):
        if index:
            parts.append(_arrow(top))
            top += _ARROW
        box, height = _box(step, top)
        parts.append(box)
        top += height
    if foot:
        top += 2 * _PADDING
        lines = textwrap.wrap(foot, _NOTE_CHARACTERS)
        parts += [_text(line, top + index * _NOTE_HEIGHT, "b") for index, line in enumerate(lines)]
        top += (len(lines) - 1) * _NOTE_HEIGHT + _PADDING
    height = top + 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cgrx-picture" role="img" width="{_WIDTH}" height="{height}"'
        f' viewBox="0 0 {_WIDTH} {height}" style="max-width:100%;height:auto" fill="currentColor">'
        f"<title>{len(steps)} step{'s' if len(steps) != 1 else ''} in order</title>{''.join(parts)}</svg>"
    )


def _box(step: Step, top: int) -> tuple[str, int]:
    code = [
        line
        for each in step.code.splitlines()
        for line in textwrap.wrap(each, _CODE_CHARACTERS, subsequent_indent="    ", break_on_hyphens=False)
    ]
    told = [*step.notes, *(f"Python: {name}" for name in step.functions)]
    notes = [line for each in told for line in textwrap.wrap(each, _NOTE_CHARACTERS, subsequent_indent="  ")]
    height = 2 * _PADDING + len(code) * _CODE_HEIGHT + len(notes) * _NOTE_HEIGHT - 3
    dashes = ' stroke-dasharray="7 4"' if step.functions else ""
    border = (
        f'<rect x="1" y="{top}" width="{_WIDTH - 2}" height="{height}" rx="6" fill="rgb(128,128,128)"'
        f' fill-opacity=".1" stroke="currentColor" stroke-opacity=".6" stroke-width="1.5"{dashes}/>'
    )
    parts = [border]
    line_top = top + _PADDING
    for line in code:
        parts.append(_text(line, line_top + 13, "c"))
        line_top += _CODE_HEIGHT
    for line in notes:
        parts.append(_text(line, line_top + 12, "n"))
        line_top += _NOTE_HEIGHT
    return "".join(parts), height


_FONTS = {
    "c": 'font-family="ui-monospace,Menlo,Consolas,monospace" font-size="13" xml:space="preserve"',
    "n": 'font-family="system-ui,sans-serif" font-size="12" fill-opacity=".8"',
    "b": 'font-family="system-ui,sans-serif" font-size="12" font-weight="bold"',
}


def _text(text: str, baseline: int, font: str) -> str:
    return f'<text x="{_MARGIN}" y="{baseline}" {_FONTS[font]}>{escape(text)}</text>'


def _arrow(top: int) -> str:
    middle, end = _WIDTH // 2, top + _ARROW - 2
    return (
        f'<path d="M{middle} {top + 2}V{end - 7}" stroke="currentColor" stroke-width="1.5"/>'
        f'<path d="M{middle - 5} {end - 8}h10l-5 8z"/>'
    )
