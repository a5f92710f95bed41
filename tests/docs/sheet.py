"""A sheet to draw on: SVG for the pages, narrow enough for a telephone, in the colours of a light and of a dark page.

A sheet refuses what nobody could read: a text that covers another one, leaves its box, or leaves the sheet. So a
picture that can be drawn at all has none of these.

One file serves both schemes. `picture.svg#only-dark` is dark, because the fragment makes the group of that id the
target; `picture.svg#only-light`, and the file alone, are light. The theme of the site shows the image of the one or the
other fragment, as the reader's switch stands. What knows no fragments shows the light one on its own ground, which can
be read on a dark page too.
"""

import html
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

import attrs

WIDTH = 440
"""Of a sheet for the column of text. On a screen of 400 pixels the column of text is 0.84 of this: see `SMALLEST`."""
SMALLEST = 12.5
"""The least size of a text, so that it has 10 pixels on such a screen."""
MARGIN = 8

Colour: TypeAlias = Literal["ground", "panel", "ink", "soft", "rule", "event", "other", "proof", "gap", "mark"]

COLOURS: Final[dict[Colour, tuple[str, str]]] = {
    "ground": ("#ffffff", "#1e2129"),
    "panel": ("#eef2f6", "#2b313d"),
    "ink": ("#17212b", "#eef1f5"),
    "soft": ("#475563", "#b7c2cd"),
    "rule": ("#75828f", "#8592a0"),
    "event": ("#0067a3", "#5bb8ec"),
    "other": ("#6a46a8", "#bda6ee"),
    "proof": ("#00735a", "#36c9a0"),
    "gap": ("#a33a72", "#e291bc"),
    "mark": ("#a85200", "#f0a63c"),
}
"""On a light ground, and on a dark one. No two that mean something differ by red and green alone, and whatever a colour
says, a shape or a word says too."""

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'

Look: TypeAlias = Literal["word", "soft", "head", "code", "small"]
_SIZES: Final[dict[Look, float]] = {"word": 13.0, "soft": SMALLEST, "head": 13.5, "code": SMALLEST, "small": 11.0}
"""`small` is for a sheet that no narrow screen shows whole."""
_MONO_EM, _BOLDER = 0.602, 1.135

# The widths of DejaVu Sans in hundredths of an em: the widest of the fonts in common use, so others take less.
_EMS: Final[dict[str, int]] = {
    letter: width
    for width, letters in {
        28: "'ijl",
        32: "IJ ,.·",
        34: "/:;\\|",
        36: "-f",
        40: "()[]t!",
        41: "r",
        50: '"*_`',
        53: "sz?",
        56: "cL",
        59: "Fkvxy",
        62: "PTYaoe",
        64: "ESbdghnpqu$0123456789{}",
        69: "KAVBRXZ",
        75: "CUHN",
        79: "DG&OQ",
        84: "w#+<=>^~→↓",
        99: "MmW%@…",
    }.items()
    for letter in letters
}


def width_of(words: str, look: Look) -> float:
    """The most that a text takes, in whatever font a reader has."""
    size = _SIZES[look]
    if look == "code":
        return len(words) * size * _MONO_EM
    return sum(_EMS[letter] for letter in words) / 100 * size * (_BOLDER if look == "head" else 1)


def broken(words: str, width: float, look: Look = "word") -> list[str]:
    """Lines of these words, none wider than that."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, look) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@attrs.frozen
class Box:
    """A rectangle on the sheet, in its units."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Of its width."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def holds(self, other: "Box") -> bool:
        """Whether the other one lies within it."""
        right = other.x + other.width <= self.x + self.width + 0.01
        return self.x <= other.x + 0.01 and self.y <= other.y + 0.01 and right and other.bottom <= self.bottom + 0.01

    def meets(self, other: "Box") -> bool:
        """Whether they share any place."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.bottom
            and other.y < self.bottom
        )


class Sheet:
    """What is drawn, in the order in which it was.

    Args:
        title: what it shows, a sentence: the page has it as the text for those who see no picture.
        description: the same in more words, read out by screen readers on demand.
        height: of the sheet.
        width: of the sheet, where it is for wide screens alone.
    """

    def __init__(self, title: str, description: str, height: float, width: float = WIDTH) -> None:
        self.title, self.description = title, description
        self.whole = Box(0, 0, width, height)
        self.texts: list[tuple[Box, str]] = []
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        look: Look = "word",
        *,
        at: Literal["start", "middle", "end"] = "start",
        within: Box | None = None,
        colour: Colour | None = None,
    ) -> Box:
        """A line of text whose letters stand on `y`; nothing else is written where it is.

        Raises:
            ValueError: it covers another text, or leaves the sheet or the box that it is to stand in.
        """
        size, width = _SIZES[look], width_of(words, look)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[at]
        box = Box(left, y - 0.8 * size, width, 1.05 * size)
        if not (within or self.whole).holds(box):
            raise ValueError(f"{words!r} leaves {within or self.whole}: it takes {box}")
        covered = [other for taken, other in self.texts if taken.meets(box)]
        if covered:
            raise ValueError(f"{words!r} covers {covered}")
        self.texts.append((box, words))
        anchor = "" if at == "start" else f' text-anchor="{at}"'
        paint = f"{look} {_fill(colour or ('soft' if look in ('soft', 'small') else 'ink'))}"
        escaped = html.escape(words, quote=False)
        self._parts.append(f'<text class="{paint}" x="{x:g}" y="{y:g}"{anchor}>{escaped}</text>')
        return box

    def lines(self, x: float, y: float, words: Iterable[str], look: Look = "word", within: Box | None = None) -> float:
        """Lines below each other; returns where the next one would stand."""
        for line in words:
            self.text(x, y, line, look, within=within)
            y += 17
        return y

    def box(
        self, box: Box, fill: Colour = "panel", edge: Colour | None = "rule", *, round_by: float = 5, thick: float = 1
    ) -> Box:
        """A rectangle, for texts to stand in."""
        width = "" if thick == 1 else f' stroke-width="{thick:g}"'
        self._parts.append(f'<rect class="{_paint(fill, edge)}" {_place(box)} rx="{round_by:g}"{width}/>')
        return box

    def hatched(self, box: Box) -> None:
        """A time of which nothing is known."""
        self._parts.append(f'<rect class="{_stroke("gap")}" fill="url(#hatch)" {_place(box)}/>')

    def line(
        self, points: Iterable[tuple[float, float]], colour: Colour, *, width: float = 1, dashed: bool = False
    ) -> None:
        """A line through these points."""
        self.path("M" + "L".join(f"{x:g} {y:g}" for x, y in points), colour, width=width, dashed=dashed)

    def path(self, shape: str, colour: Colour, *, width: float = 1, dashed: bool = False) -> None:
        """A line of any shape, as SVG writes it."""
        look = f'stroke-width="{width:g}"' + (' stroke-dasharray="4 3"' if dashed else "")
        self._parts.append(f'<path class="{_stroke(colour)}" fill="none" {look} d="{shape}"/>')

    def head(self, shape: str, colour: Colour = "rule") -> None:
        """A filled shape, such as the head of an arrow."""
        self._parts.append(f'<path class="{_fill(colour)}" d="{shape}"/>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float, colour: Colour = "rule") -> None:
        """An arrow straight down or straight to the right."""
        down = to_x == x
        self.line([(x, y), (x, to_y - 5) if down else (to_x - 5, to_y)], colour, width=1.5)
        self.head(f"M{to_x:g} {to_y:g}" + ("l-4.5 -8h9z" if down else "l-8 -4.5v9z"), colour)

    def dot(self, x: float, y: float, colour: Colour = "event") -> None:
        """An event."""
        self._parts.append(f'<circle class="{_fill(colour)}" cx="{x:g}" cy="{y:g}" r="5"/>')

    def square(self, x: float, y: float, colour: Colour = "other") -> None:
        """An event of another exchange or channel."""
        self._parts.append(f'<rect class="{_fill(colour)}" x="{x - 4.5:g}" y="{y - 4.5:g}" width="9" height="9"/>')

    def triangle(self, x: float, y: float, colour: Colour = "proof") -> None:
        """A proof of life."""
        self._parts.append(f'<path class="{_fill(colour)}" d="M{x:g} {y - 6:g}l6 10.5h-12z"/>')

    def cross(self, x: float, y: float, colour: Colour = "gap") -> None:
        """An event that is lost."""
        shape = f"M{x - 4.5:g} {y - 4.5:g}l9 9m0 -9l-9 9"
        self._parts.append(f'<path class="{_stroke(colour)}" stroke-width="2.5" d="{shape}"/>')

    def svg(self) -> str:
        """The file."""
        body = "\n    ".join(self._parts)
        size = f"{self.whole.width:g}", f"{self.whole.height:g}"
        return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" \
viewBox="0 0 {size[0]} {size[1]}" role="img" aria-labelledby="title description">
  <title id="title">{html.escape(self.title, quote=False)}</title>
  <desc id="description">{html.escape(self.description, quote=False)}</desc>
  <style>
{_style()}  </style>
  <g id="only-light"><g id="only-dark">
    <pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="{_fill("panel")}" width="7" height="7"/><path class="{_stroke("gap")}" stroke-width="2" d="M0 0V7"/>
    </pattern>
    <rect class="{_fill("ground")}" width="{size[0]}" height="{size[1]}"/>
    {body}
  </g></g>
</svg>
"""


def contrast(one: str, other: str) -> float:
    """How far two colours are apart, 1 to 21. Source: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _style() -> str:
    fonts = [
        f"    text {{ font-family: {SANS}; }}",
        f"    .code {{ font-family: {MONO}; }}",
        "    .head { font-weight: 700; }",
    ]
    sizes = [f"    .{look} {{ font-size: {size:g}px; }}" for look, size in _SIZES.items()]
    paints = [
        f"    {scheme}.{kind}-{name} {{ {what}: {colours[number]}; }}"
        for number, scheme in enumerate(("", "#only-dark:target "))
        for name, colours in COLOURS.items()
        for kind, what in (("f", "fill"), ("s", "stroke"))
    ]
    return "\n".join([*fonts, *sizes, *paints]) + "\n"


def _fill(colour: Colour) -> str:
    return f"f-{colour}"


def _stroke(colour: Colour) -> str:
    return f"s-{colour}"


def _paint(fill: Colour, edge: Colour | None) -> str:
    return _fill(fill) if edge is None else f"{_fill(fill)} {_stroke(edge)}"


def _place(box: Box) -> str:
    return f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
