"""The same pictures as SVG, drawn here: light enough to be drawn anew twice a second, with nothing to load.

    records ──► panels, one above the other: quality beneath, then what the kind draws, then the axes

Text and lines have the colour of the page, so a picture is read on white and on black.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TypeAlias

import attrs

from cgrx._model import html
from cgrx._plot.chosen import Kind, Picture, Record
from cgrx._plot.colours import COLOURS, DASHES, DOWN, GREY, UP

WIDTH, HEIGHT, PANEL_HEIGHT = 760, 280, 200
LEFT, RIGHT, TOP, BOTTOM = 74, 28, 24, 26
"""The margins of a panel: labels to the left and beneath, its title or legend above."""
LINE = 18
"""The height of a line of text above the panels."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
_STEPS_MS = (
    *(_SECOND * each for each in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * each for each in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * each for each in (1, 2, 3, 6, 12, 24, 48, 168, 720)),
)
"""Between the labels of the time axis."""


@attrs.frozen
class _Panel:
    """Where things are in one panel."""

    top: float
    height: float
    start: float
    end: float
    low: float
    high: float

    def x(self, time_ms: float) -> float:
        return LEFT + (time_ms - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.top + self.height - (value - self.low) / (self.high - self.low) * self.height


def svg(picture: Picture, *notes: str) -> str:
    """The picture, with its title and these lines of text above it."""
    start: float = min(record["start"] for record in picture.records)
    end = max(start + 1.0, *(record["end"] for record in picture.records))
    panels = [
        (title, list(records)) for title, records in groupby(picture.records, key=lambda each: each.get("panel", ""))
    ]
    lines = [note for note in (picture.subtitle, *notes) if note]
    body = [
        _text(LEFT, LINE, picture.title, "bold"),
        _text(WIDTH - RIGHT, LINE, "times in UTC", anchor="end"),
        *(_text(LEFT, LINE * (2 + i), line) for i, line in enumerate(lines)),
    ]
    top: float = LINE * (1 + len(lines)) + TOP
    for title, records in panels:
        low, high = _wider(records, picture.kind)
        panel = _Panel(top, HEIGHT if len(panels) == 1 else PANEL_HEIGHT, start, end, low, high)
        if len(panels) > 1:
            body.append(_text(LEFT, top - 7, title))
        body += [*_grid(panel, picture.kind), *_quality(panel, records), *_DRAW[picture.kind](panel, picture, records)]
        top += panel.height + BOTTOM + TOP
    height = round(top - TOP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH}" height="{height}" fill="currentColor"'
        f' viewBox="0 0 {WIDTH} {height}" style="max-width:100%;height:auto" font-family="system-ui,sans-serif"'
        f' font-size="12"><defs><pattern id="cgrx-hatch" width="7" height="7" patternUnits="userSpaceOnUse">'
        f'<path d="M-1 8L8 -1" stroke="{GREY}" stroke-width="1"/></pattern></defs>{"".join(body)}</svg>'
    )


def _wider(records: Sequence[Record], kind: Kind) -> tuple[float, float]:
    """The ends of the value axis: some room around what is drawn; zero where the picture stands on it."""
    low, high = records[0]["floor"], records[0]["ceiling"]
    if kind == "delta":
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low or abs(high) or 1.0) * 0.05
    return low - room, high + room


def _grid(panel: _Panel, kind: Kind) -> Iterable[str]:
    """The axes, with their labels."""
    for value in _ticks(panel.low, panel.high):
        y = panel.y(value)
        yield _rule(LEFT, y, WIDTH - RIGHT, y, "currentColor", 0.15)
        yield _text(LEFT - 8, y + 4, _short(abs(value) if kind == "sides" else value), anchor="end")
    for time_ms, label in _times(panel.start, panel.end):
        x = panel.x(time_ms)
        yield _rule(x, panel.top, x, panel.top + panel.height, "currentColor", 0.15)
        yield _text(x, panel.top + panel.height + 16, label, anchor="middle")


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, at most six or seven."""
    least = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= least)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]


def _short(value: float) -> str:
    """A number for an axis: `1.5M`, `60,200`."""
    for factor, letter in ((1e9, "B"), (1e6, "M")):
        if abs(value) >= factor:
            return f"{value / factor:g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _times(start: float, end: float) -> list[tuple[float, str]]:
    """The labels of the time axis, in UTC, at most eight."""
    years = 8760 * _HOUR * math.ceil((end - start) / 8 / (8760 * _HOUR))
    step = next((each for each in _STEPS_MS if (end - start) / each <= 8), years)
    form = "%H:%M:%S" if step < _MINUTE else "%H:%M" if step < 24 * _HOUR else "%Y-%m-%d"
    first = math.ceil(start / step) * step
    times = [float(first + step * index) for index in range(9) if first + step * index <= end]
    return [(each, (_EPOCH + timedelta(milliseconds=each)).strftime(form)) for each in times]


def _quality(panel: _Panel, records: Iterable[Record]) -> Iterable[str]:
    for record in records:
        for field, fill, opacity in (("gap", GREY, 0.2), ("hatched", "url(#cgrx-hatch)", 0.8)):
            if record[field]:
                yield _box(panel, record["start"], record["end"], panel.low, panel.high, fill, opacity, _told(record))


def _candles(panel: _Panel, picture: Picture, records: Iterable[Record]) -> Iterable[str]:
    for record in records:
        yield _box(panel, record["left"], record["right"], record["floor"], record["volume_top"], GREY, 0.5)
        if record["known"]:
            colour = UP if record["rises"] else DOWN
            x = panel.x(record["middle"])
            for low, high in (("low", "bottom"), ("top", "high")):
                yield _rule(x, panel.y(record[low]), x, panel.y(record[high]), colour)
            prices = ", ".join(f"{name} {html.number(record[name])}" for name in ("open", "high", "low", "close"))
            told = f"{_told(record)}\n{prices}\nvolume {html.number(record['volume'])} USD"
            inside = 0.1 if record["rises"] else 1.0
            yield _box(
                panel, record["left"], record["right"], record["bottom"], record["top"], colour, inside, told, colour
            )


def _sides(panel: _Panel, picture: Picture, records: Iterable[Record]) -> Iterable[str]:
    yield from _legend(panel, picture.labels, [UP, DOWN], ["", ""])
    above, below = picture.labels
    for record in records:
        told = (
            f"{_told(record)}\n{above} {html.number(record['bought'])} USD\n{below} {html.number(record['sold'])} USD"
        )
        yield _box(panel, record["left"], record["right"], 0.0, record["bought"], UP, 1.0, told)
        yield _box(panel, record["left"], record["right"], record["down"], 0.0, DOWN, 1.0, told)


def _lines(panel: _Panel, picture: Picture, records: Iterable[Record]) -> Iterable[str]:
    lines: dict[str, list[Record]] = {}
    for record in records:
        lines.setdefault(record["key"], []).append(record)
    yield from _legend(panel, list(lines), COLOURS, [" ".join(map(str, each)) for each in DASHES])
    for points, colour, dash in zip(lines.values(), COLOURS, DASHES, strict=False):
        known = [each for each in points if each["value"] is not None]
        places = [(panel.x(each["middle"]), panel.y(each["value"]), each) for each in known]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        dashes = " ".join(map(str, dash))
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        for x, y, each in places:
            told = html.escape(f"{_told(each)}\n{picture.value} {html.number(each['value'])}")
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"><title>{told}</title></circle>'


_Draw: TypeAlias = Callable[[_Panel, Picture, list[Record]], Iterable[str]]
_DRAW: dict[Kind, _Draw] = {"candles": _candles, "sides": _sides, "lines": _lines, "delta": _lines}


def _legend(panel: _Panel, names: Sequence[str], colours: Sequence[str], dashes: Sequence[str]) -> Iterable[str]:
    x, y = float(LEFT), panel.top - 10
    for name, colour, dash in zip(names, colours, dashes, strict=False):
        yield (
            f'<path d="M{x} {y}h26" stroke="{colour}" stroke-width="{2 if dash else 9}" stroke-dasharray="{dash}"/>'
            f"{_text(x + 32, y + 4, name)}"
        )
        x += 56 + 6.6 * len(name)


def _told(record: Record) -> str:
    return f"{record['key']}\n{record['window']}\n{record['quality']}"


def _box(
    panel: _Panel,
    left: float,
    right: float,
    low: float,
    high: float,
    fill: str,
    opacity: float,
    told: str = "",
    stroke: str = "",
) -> str:
    x, y = panel.x(left), panel.y(high)
    border = f' stroke="{stroke}" stroke-width="1.2"' if stroke else ""
    title = f"<title>{html.escape(told)}</title>" if told else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{panel.x(right) - x:.1f}" height="{panel.y(low) - y:.1f}"'
        f' fill="{fill}" fill-opacity="{opacity}"{border}>{title}</rect>'
    )


def _rule(x: float, y: float, to_x: float, to_y: float, colour: str, opacity: float = 1.0) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" stroke="{colour}" stroke-opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}">{html.escape(text)}</text>'
