"""Pictures in altair. One set of data serves all layers of a chart; each layer takes what concerns it."""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import altair as alt

from cgrx._plot.chosen import Picture, Record
from cgrx._plot.colours import COLOURS, DASHES, DOWN, GREY, UP

_CLOCK = {
    "milliseconds": ":%S.%L",
    "seconds": "%H:%M:%S",
    "minutes": "%H:%M",
    "hours": "%H:%M",
    "date": "%b %d",
    "day": "%b %d",
    "week": "%b %d",
    "month": "%b %Y",
    "quarter": "%b %Y",
    "year": "%Y",
}
"""How the axis writes a time, by the largest unit that begins there: 24 hours, where the default has AM and PM."""

STRIPES = 14
"""How many lines hatch a window."""

WIDTH, HEIGHT, PANEL_HEIGHT = 720, 320, 220


Layer: TypeAlias = alt.Chart
"""Part of a chart. It has no data of its own but that of the whole."""


def chart(picture: Picture) -> alt.LayerChart | alt.FacetChart:
    """The chart of a picture."""
    draw = {"candles": _candles, "sides": _sides, "lines": _lines, "delta": _delta}[picture.kind]
    layers = alt.layer(*_quality(), *draw(picture))
    title = alt.TitleParams(picture.title, subtitle=picture.subtitle or alt.Undefined, anchor="start")
    made = layers.properties(width=WIDTH, height=HEIGHT, title=title)
    if len(picture.panels) > 1:
        panels: Any = layers.properties(width=WIDTH, height=PANEL_HEIGHT)
        made = panels.facet(row=_row(picture.panels), data=_records([])).resolve_scale(y="independent")
        made = made.properties(title=title)
    made.data = _records(picture.records)
    return made


def _records(records: Sequence[Record]) -> alt.InlineData:
    """The data of a chart. altair looks through all that it is given whenever a chart is changed, so they come last."""
    data = alt.InlineData(values=[])
    data.values = list(records)
    return data


def _row(panels: Sequence[str]) -> alt.Row:
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top")
    return alt.Row("panel:N", title=None, sort=list(panels), header=header)


def _x(field: str) -> alt.X:
    return alt.X(f"{field}:T", title="time, UTC", scale=alt.Scale(type="utc"), axis=alt.Axis(format=_CLOCK))


def _tip(*fields: tuple[str, str, str]) -> list[alt.Tooltip]:
    """What is shown of what is pointed at: the fields, each with its title and its format."""
    values = [alt.Tooltip(f"{name}:Q", title=title, format=form) for name, title, form in fields]
    texts = [alt.Tooltip(f"{name}:N", title=name) for name in ("window", "key")]
    return [*texts, *values, alt.Tooltip("quality:N", title="quality")]


def _quality() -> Sequence[Layer]:
    """What lies beneath all charts: shaded gaps, and hatching where a window is not complete."""
    shade = (
        alt.Chart()
        .transform_filter("datum.gap")
        .mark_rect(color=GREY, opacity=0.22, ariaRoleDescription="gap")
        .encode(x=_x("start"), x2="end:T", tooltip=_tip())
    )
    step = "(datum.ceiling - datum.floor) / " + str(STRIPES)
    stripes = (
        alt.Chart()
        .transform_filter("datum.hatched")
        .transform_calculate(stripe=f"sequence({STRIPES})")
        .transform_flatten(["stripe"])
        .transform_calculate(
            from_=f"datum.floor + datum.stripe * {step}", to=f"datum.floor + (datum.stripe + 1) * {step}"
        )
        .mark_rule(color=GREY, opacity=0.55, strokeWidth=0.8, ariaRoleDescription="hatch")
        .encode(x=_x("start"), x2="end:T", y=alt.Y("from_:Q"), y2="to:Q", tooltip=_tip())
    )
    return shade, stripes


def _candles(picture: Picture) -> Sequence[Layer]:
    tip = _tip(
        *((name, name, ",.6~g") for name in ("open", "high", "low", "close")),
        ("volume", "volume, USD", ",.0f"),
        ("count", "events", ",d"),
    )
    price = alt.Scale(zero=False)
    colour = alt.condition("datum.rises", alt.value(UP), alt.value(DOWN))
    known = alt.Chart().transform_filter("datum.known")

    def wick(name: str, low: str, high: str) -> Layer:
        drawn: Layer = known.mark_rule(ariaRoleDescription=name).encode(
            x=_x("middle"), y=alt.Y(f"{low}:Q", scale=price), y2=f"{high}:Q", color=colour, tooltip=tip
        )
        return drawn

    volume = (
        alt.Chart()
        .mark_rect(opacity=0.5, color=GREY, ariaRoleDescription="volume")
        .encode(
            x=_x("left"),
            x2="right:T",
            y=alt.Y("floor:Q", scale=price, title="price; volume beneath"),
            y2="volume_top:Q",
            tooltip=tip,
        )
    )
    body = known.mark_rect(strokeWidth=1.2, ariaRoleDescription="candle").encode(
        x=_x("left"),
        x2="right:T",
        y=alt.Y("bottom:Q", scale=price),
        y2="top:Q",
        fill=colour,
        stroke=colour,
        fillOpacity=alt.condition("datum.rises", alt.value(0.1), alt.value(1)),
        tooltip=tip,
    )
    return volume, wick("wick below", "low", "bottom"), wick("wick above", "top", "high"), body


def _sides(picture: Picture) -> Sequence[Layer]:
    above, below = picture.labels
    tip = _tip(("bought", above, ",.0f"), ("sold", below, ",.0f"), ("delta", "difference", ",.0f"))
    colours = alt.Scale(domain=[above, below], range=[UP, DOWN])

    def bars(name: str, field: str, label: str) -> Layer:
        drawn: Layer = (
            alt.Chart()
            .transform_calculate(side=json.dumps(label))
            .mark_rect(ariaRoleDescription=name)
            .encode(
                x=_x("left"),
                x2="right:T",
                y=alt.Y(f"{field}:Q", title="US dollars", axis=alt.Axis(labelExpr="format(abs(datum.value), '~s')")),
                y2=alt.datum(0),
                color=alt.Color("side:N", scale=colours, legend=alt.Legend(title=None, orient="top")),
                tooltip=tip,
            )
        )
        return drawn

    return bars("above", "bought", above), bars("below", "down", below), _zero()


def _zero() -> Layer:
    """A line at zero. One, so it has data of its own."""
    once = alt.Chart(alt.InlineData(values=[{}]))
    drawn: Layer = once.mark_rule(color=GREY, ariaRoleDescription="zero").encode(y=alt.datum(0))
    return drawn


def _lines(picture: Picture, x: str = "middle", interpolate: Any = "linear") -> Sequence[Layer]:
    keys = list(dict.fromkeys(record["key"] for record in picture.records))
    legend = (
        None if len(keys) == 1 else alt.Legend(title=None, orient="top", symbolSize=400, symbolType="stroke", columns=4)
    )
    line = (
        alt.Chart()
        .mark_line(interpolate=interpolate, point=alt.OverlayMarkDef(size=14), ariaRoleDescription="line")
        .encode(
            x=_x(x),
            y=alt.Y("value:Q", title=picture.value, axis=alt.Axis(format="~s")),
            color=alt.Color(
                "key:N", legend=legend, sort=keys, scale=alt.Scale(domain=keys, range=list(COLOURS[: len(keys)]))
            ),
            strokeDash=alt.StrokeDash(
                "key:N",
                legend=legend,
                sort=keys,
                scale=alt.Scale(domain=keys, range=[list(each) for each in DASHES[: len(keys)]]),
            ),
            tooltip=_tip(("value", picture.value, ",.6~g")),
        )
    )
    return (line,)


def _delta(picture: Picture) -> Sequence[Layer]:
    return *_lines(picture, "end", "step-after"), _zero()
