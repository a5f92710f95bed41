"""What the tests of charts share: rows to draw, and the marks of a chart that the engine of notebooks has drawn."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy
import vl_convert

from cgrx import operators as ops
from cgrx.operators import agg

START_MS = 1_722_837_600_000
"""2024-08-05 06:00:00 UTC."""
MINUTE_MS = 60_000


class Candle(ops.Bar):
    """Bars with their key."""

    exchange: str
    symbol: str


class Sides(ops.Flow):
    """Flows with their key."""

    exchange: str


class Forced(ops.Row):
    """What was liquidated."""

    exchange: str
    long = agg.volume(side="long")
    short = agg.volume(side="short")


class Named(ops.Row):
    """No number."""

    exchange: str
    exchanges = agg.exchanges()


class Mean(ops.Row):
    """A number that may be missing."""

    exchange: str
    price = agg.mean()


def window(minute: int) -> dict[str, object]:
    return {"start_ms": START_MS + minute * MINUTE_MS, "end_ms": START_MS + (minute + 1) * MINUTE_MS}


def candle(minute: int, open: float | None = 100.0, close: float | None = 101.0, **others: object) -> Candle:  # noqa: A002 - as the field
    prices = [] if open is None or close is None else [open, close]
    values: dict[str, object] = {
        "exchange": "Binance",
        "symbol": "BTCUSDT",
        "open": open,
        "high": max(prices) + 2 if prices else None,
        "low": min(prices) - 3 if prices else None,
        "close": close,
        "vwap": open,
        "volume": 1000.0 * (minute + 1) if prices else 0.0,
        "count": 3 if prices else 0,
        "buy_volume": 400.0,
        "sell_volume": 600.0,
    }
    return Candle(**window(minute) | values | others)


def sides(minute: int, bought: float, sold: float, exchange: str = "Binance", **others: object) -> Sides:
    volumes = {"volume": bought + sold, "buy_volume": bought, "sell_volume": sold, "delta": bought - sold, "count": 2}
    return Sides(**window(minute) | {"exchange": exchange} | volumes | others)


class Drawn(NamedTuple):
    """A mark of a chart, in pixels from the upper left of its panel."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    style: dict[str, str]


def drawn(chart: Any) -> dict[str, list[Drawn]]:
    """The marks by kind, in the order in which they are drawn; and under `texts`, as labels, all that is written."""
    found: dict[str, list[Drawn]] = {"texts": []}
    for mark in ElementTree.fromstring(svg(chart)).iter():
        kind = mark.get("aria-roledescription")
        if kind in ("gap", "hatch", "candle", "wick below", "wick above", "volume", "above", "below", "line", "limit"):
            x, y = _corners(mark)
            label = mark.get("aria-label", "")
            found.setdefault(kind, []).append(Drawn(min(x), min(y), max(x), max(y), label, dict(mark.attrib)))
        elif mark.tag.endswith("}text"):
            found["texts"].append(Drawn(0, 0, 0, 0, mark.text or "", {}))
    return found


def svg(chart: Any) -> str:
    text: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return text


def texts(marks: dict[str, list[Drawn]]) -> list[str]:
    """All that is written."""
    return [mark.label for mark in marks["texts"]]


_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def _corners(mark: ElementTree.Element) -> tuple[list[float], list[float]]:
    """The x and the y of a rectangle, of a rule, or of the points of a line."""
    path = mark.get("d")
    if path is None:
        left, top = map(float, re.findall(_NUMBER, mark.attrib["transform"]))
        return [left, left + float(mark.attrib["x2"])], [top, top + float(mark.attrib["y2"])]
    x: list[float] = []
    y: list[float] = []
    for step in re.finditer(rf"([MLhv])({_NUMBER})(?:,({_NUMBER}))?", path):
        number = float(step[2])
        x.append(number if step[1] in "ML" else x[-1] + number * (step[1] == "h"))
        y.append(float(step[3]) if step[1] in "ML" else y[-1] + number * (step[1] == "v"))
    return x, y


def on_one_scale(pixels: Sequence[float], values: Sequence[float], off: float = 0.01) -> bool:
    """Whether the pixels stand for the values: all on one straight line, upwards."""
    slope, offset = numpy.polyfit(values, pixels, 1)
    return bool(slope < 0 and numpy.allclose(numpy.multiply(values, slope) + offset, pixels, atol=off))
