"""The pictures that a live plot shows: the same as those of altair, drawn here."""

import math
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

import pytest

from cgrx import operators as ops
from cgrx._plot.chosen import Kind, chosen
from cgrx._plot.svg import svg
from tests.plot.drawing import START_MS, Mean, candle, on_one_scale, sides, window

ROUNDED = 0.11
"""How far places may be off, which have one decimal."""


def picture(rows: Iterable[ops.Row], kind: Kind | None = None, *notes: str) -> ElementTree.Element:
    drawn = ElementTree.fromstring(svg(chosen(rows, kind, None, math.inf), *notes))
    assert not re.search(r"\b(nan|inf)\b", ElementTree.tostring(drawn, encoding="unicode"))
    return drawn


def boxes(drawn: ElementTree.Element, **attributes: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the rectangles with these attributes."""
    found: list[tuple[float, float, float, float]] = []
    for each in drawn.findall("{*}rect"):
        if all(each.get(name.replace("_", "-")) == value for name, value in attributes.items()):
            x, y, width, height = (float(each.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def texts(drawn: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in drawn.findall("{*}text")]


def test_candles() -> None:
    rows = [candle(0, 100.0, 110.0), candle(1, 110.0, 104.0, gap_ms=5), candle(2, None, None, final=False)]
    drawn = picture(rows, None, "live")
    (rises,) = boxes(drawn, stroke="#0072B2")
    (falls,) = boxes(drawn, stroke="#D55E00")
    assert on_one_scale([rises[3], rises[1], falls[3], falls[1]], [100, 110, 104, 110], off=ROUNDED)
    assert [each.get("fill-opacity") for each in drawn.findall("{*}rect") if each.get("stroke")] == ["0.1", "1.0"]
    assert len(boxes(drawn, fill="#808080", fill_opacity="0.2")) == 1
    assert len(boxes(drawn, fill="url(#cgrx-hatch)")) == 2
    assert len(boxes(drawn, fill="#808080", fill_opacity="0.5")) == 3
    assert texts(drawn)[:4] == [
        "Binance BTCUSDT, volume up to 2,000.00 USD",
        "times in UTC",
        "2 of 3 windows incomplete: hatched, and shaded where they have a gap",
        "live",
    ]
    told = [each.text or "" for each in drawn.iter() if each.tag.endswith("}title")]
    prices = "open 100.00, high 112.00, low 97, close 110.00"
    assert any(f"complete\n{prices}\nvolume 1,000.00 USD" in each for each in told)
    assert any("INCOMPLETE: gap 5 ms" in each for each in told)


def test_the_axes_tell_the_scales() -> None:
    """Each label stands where its value is drawn."""
    drawn = picture([candle(minute, 100.0 + minute, 101.0 + minute) for minute in range(60)])
    labels = [(each.text or "", float(each.attrib["x"]), float(each.attrib["y"])) for each in drawn.findall("{*}text")]
    values = [(float(text), y - 4) for text, _, y in labels if re.fullmatch(r"\d+", text)]
    candles = sorted(boxes(drawn, stroke="#0072B2"))
    assert 3 <= len(values) <= 7
    drawn_at = [(100.0 + minute, box[3]) for minute, box in enumerate(candles)]
    assert on_one_scale([y for _, y in values + drawn_at], [value for value, _ in values + drawn_at], off=ROUNDED)
    times = [(int(text[3:]), x) for text, x, _ in labels if re.fullmatch(r"06:\d\d", text)]
    assert [minute for minute, _ in times] == [0, 10, 20, 30, 40, 50]
    middles = [(minute + 0.5, (box[0] + box[2]) / 2) for minute, box in enumerate(candles)]
    assert on_one_scale([-x for _, x in times + middles], [minute for minute, _ in times + middles], off=ROUNDED)


def test_instruments_have_panels() -> None:
    drawn = picture([candle(0, symbol=symbol) for symbol in ("BTCUSDT", "ETHUSDT")])
    assert "Binance ETHUSDT, volume up to 1,000.00 USD" in texts(drawn)
    first, second = boxes(drawn, stroke="#0072B2")
    assert second[1] - first[1] == pytest.approx(250, abs=1)
    assert float(drawn.attrib["height"]) >= second[3]


def test_sides() -> None:
    drawn = picture([sides(0, 100, 50), sides(1, 0, 200)])
    above, below = boxes(drawn, fill="#0072B2"), boxes(drawn, fill="#D55E00")
    zero = above[0][3]
    assert [box[3] for box in above] + [box[1] for box in below] == [pytest.approx(zero, abs=ROUNDED)] * 4
    assert on_one_scale([above[0][1], zero, below[0][3], below[1][3]], [100, 0, -50, -200], off=ROUNDED)
    assert "bought, or shorts liquidated" in texts(drawn)


@pytest.mark.parametrize("kind", ["lines", "delta"])
def test_lines(kind: Any) -> None:
    rows = [sides(minute, 10.0 * minute + 1, 5.0, name) for minute in range(3) for name in ("Binance", "OKX")]
    drawn = picture(rows, kind)
    lines = drawn.findall("{*}polyline")
    assert [len(each.attrib["points"].split()) for each in lines] == [3, 3]
    for told_apart_by in ("stroke", "stroke-dasharray"):
        assert len({each.attrib[told_apart_by] for each in lines}) == 2
    values = [6.0, 16.0, 26.0] if kind == "lines" else [-4.0, 2.0, 18.0]
    assert on_one_scale(
        [float(point.split(",")[1]) for point in lines[0].attrib["points"].split()], values, off=ROUNDED
    )
    assert {"Binance", "OKX"} <= set(texts(drawn))


def test_a_missing_value_is_left_out() -> None:
    drawn = picture(
        [Mean(**window(minute), exchange="OKX", price=price) for minute, price in enumerate([1.0, None, 3.0])]
    )
    (line,) = drawn.findall("{*}polyline")
    assert len(line.attrib["points"].split()) == 2
    assert picture([Mean(**window(0), exchange="OKX", price=None)]) is not None


@pytest.mark.parametrize(
    ("length_ms", "label"),
    [(1_000, "06:00:00"), (3_600_000, "06:00"), (86_400_000 * 30, "2024-08-"), (86_400_000 * 10**5, "2284-")],
)
def test_times_of_every_length(length_ms: int, label: str) -> None:
    rows = [sides(0, 1, 1, start_ms=START_MS, end_ms=START_MS + length_ms)]
    assert any(text.startswith(label) for text in texts(picture(rows)))


@pytest.mark.parametrize("value", [1e-8, 0.5, 3.0, 1234.5, 5e6, 7e9, 0.0])
def test_values_of_every_size(value: float) -> None:
    drawn = picture([sides(0, value, value), sides(1, 0, value)])
    assert 3 <= len([each for each in drawn.findall("{*}text") if each.get("text-anchor") == "end"]) - 1 <= 8


def test_names_stay_text() -> None:
    drawn = picture([sides(0, 1, 1, '<script>"')], "lines")
    assert "script" not in {each.tag.rpartition("}")[2] for each in drawn.iter()}
    assert '<script>"' in texts(drawn)
