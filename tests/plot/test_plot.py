"""`cgrx.plot`: what is drawn is what the rows say, and what is missing is seen."""

import json
import math
import sys
from itertools import pairwise
from typing import Any

import altair as alt
import pytest

import cgrx
from cgrx import operators as ops
from cgrx._plot.chosen import chosen
from cgrx.testing import batch, play, trade
from tests.plot.drawing import (
    START_MS,
    Candle,
    Forced,
    Mean,
    Named,
    candle,
    drawn,
    on_one_scale,
    sides,
    svg,
    texts,
    window,
)


def records(chart: Any) -> list[dict[str, Any]]:
    """The data of a chart."""
    found: list[dict[str, Any]] = chart.data.values
    return found


def test_candles_stand_where_their_prices_are() -> None:
    """All on one scale, with their volume beneath; full where they fall, hollow where they rise."""
    rows = [candle(0, 100, 110), candle(1, 110, 104), candle(2, 104, 104), candle(3, None, None)]
    marks = drawn(cgrx.plot(rows))
    bodies, above, below = marks["candle"], marks["wick above"], marks["wick below"]
    pixels = [each for mark in bodies for each in (mark.bottom, mark.top)]
    assert on_one_scale(
        pixels + [mark.top for mark in above] + [mark.bottom for mark in below],
        [100, 110, 104, 110, 104, 104, 112, 112, 106, 97, 101, 101],
    )
    assert [mark.style.get("fill-opacity", "1") for mark in bodies] == ["0.1", "1", "0.1"]
    assert bodies[0].style["fill"] != bodies[1].style["fill"]
    assert [above[0].bottom, below[1].top] == [bodies[0].top, bodies[1].bottom]
    gaps = [right.left - left.right for left, right in pairwise(bodies)]
    assert [round(0.7 / 0.3 * gap) for gap in gaps] == [round(mark.right - mark.left) for mark in bodies[1:]]
    assert "open: 100; high: 112" in bodies[0].label
    assert "volume, USD: 1,000; events: 3; quality: complete" in bodies[0].label
    assert "2024-08-05 06:00:00 to 06:01:00 UTC" in bodies[0].label
    heights = [mark.bottom - mark.top for mark in marks["volume"]]
    assert [round(height / heights[0], 3) for height in heights] == [1, 2, 3, 0]
    assert max(mark.bottom for mark in below) < min(mark.top for mark in marks["volume"])
    assert "gap" not in marks
    assert "hatch" not in marks


def test_gaps_are_shaded_and_incomplete_windows_hatched() -> None:
    """Not by colour alone: by hatching, and in words."""
    rows = [
        candle(0, gap_ms=2000),
        candle(1),
        candle(2, dropped=3),
        candle(3, gap_ms=None),
        candle(4, final=False),
    ]
    marks = drawn(cgrx.plot(rows))
    assert [(mark.left, mark.right, mark.top, mark.bottom) for mark in marks["gap"]] == [(0, 144, 0, 320)]
    width = 720 / 5
    assert {round(mark.left / width) for mark in marks["hatch"]} == {0, 2, 3, 4}
    assert all(mark.right - mark.left == pytest.approx(width) for mark in marks["hatch"])
    assert len(marks["hatch"]) == 4 * 14
    labels = [mark.label.rpartition("quality: ")[2] for mark in marks["hatch"][::14]]
    assert labels == ["INCOMPLETE: gap 2.0 s", "INCOMPLETE: 3 dropped", "INCOMPLETE: gaps unknown", "running"]
    assert "4 of 5 windows incomplete: hatched, and shaded where they have a gap" in texts(marks)


def test_several_instruments_have_a_panel_each() -> None:
    prices = {"BTCUSDT": 60_000.0, "ETHUSDT": 2_500.0}
    rows = [
        candle(minute, price, price + minute, symbol=symbol) for symbol, price in prices.items() for minute in (0, 1)
    ]
    chart = cgrx.plot(rows)
    assert isinstance(chart, alt.FacetChart)
    marks = drawn(chart)
    said = texts(marks)
    assert said.count("time, UTC") == 1
    assert "2 instruments" in said
    assert "Binance BTCUSDT, volume up to 2,000.00 USD" in said
    assert [mark.label.count("ETHUSDT") for mark in marks["candle"]] == [0, 0, 1, 1]


def test_what_was_bought_stands_against_what_was_sold() -> None:
    """Over all keys; upwards and downwards."""
    rows = [sides(0, 100, 50), sides(0, 20, 30, "OKX", gap_ms=500), sides(1, 0, 200), sides(2, 10, 0, "OKX")]
    marks = drawn(cgrx.plot(rows))
    zero = marks["above"][0].bottom
    assert on_one_scale([mark.top for mark in marks["above"]], [120, 0, 10])
    assert on_one_scale([-mark.bottom for mark in marks["below"]], [80, 200, 0])
    assert all(mark.bottom == zero for mark in marks["above"])
    assert all(mark.top == zero for mark in marks["below"])
    assert len(marks["gap"]) == 1
    said = texts(marks)
    assert "Binance and OKX" in said
    assert "bought, or shorts liquidated" in said
    assert "1 of 3 windows incomplete: hatched, and shaded where they have a gap" in said
    assert "2 keys" in marks["above"][0].label


def test_many_keys_are_told_together() -> None:
    chart: Any = cgrx.plot([sides(0, 1, 1, f"X{index}") for index in range(5)])
    assert chart.title.text == "all keys together"


def test_liquidations_name_their_sides() -> None:
    """By fields of these names; a liquidated short is bought."""
    chart: Any = cgrx.plot([Forced(**window(0), exchange="OKX", long=30.0, short=20.0)])
    (record,) = records(chart)
    assert (record["bought"], record["sold"]) == (20.0, 30.0)
    scale = '{"domain": ["shorts liquidated", "longs liquidated"], "range": ["#0072B2", "#D55E00"]}'
    assert scale in json.dumps(chart.to_dict())


def test_a_line_for_each_key() -> None:
    rows = [sides(minute, 10.0 * minute, 5.0, name) for minute in range(3) for name in ("Binance", "OKX")]
    marks = drawn(cgrx.plot(rows, kind="lines"))
    assert len(marks["line"]) == 2
    dashes = {mark.style.get("stroke-dasharray") for mark in marks["line"]}
    assert len(dashes) == len({mark.style["stroke"] for mark in marks["line"]}) == 2
    chart: Any = cgrx.plot(rows, kind="lines", value="buy_volume")
    assert [record["value"] for record in records(chart)] == [0, 0, 10, 10, 20, 20]


def test_of_many_keys_the_largest_are_drawn() -> None:
    rows = [sides(0, float(index), 0, f"X{index}") for index in range(20)]
    chart: Any = cgrx.plot(rows, kind="lines")
    assert [record["key"] for record in records(chart)] == [f"X{index}" for index in range(13, 20)]
    assert chart.title.subtitle == "the 7 of 20 keys that reach furthest"


def test_of_many_instruments_those_of_most_volume_are_drawn() -> None:
    chart: Any = cgrx.plot([candle(0, symbol=f"X{index:02}", volume=float(index), gap_ms=1) for index in range(20)])
    assert {record["key"] for record in records(chart)} == {f"Binance X{index:02}" for index in range(8, 20)}
    assert chart.title.subtitle == (
        "1 of 1 windows incomplete: hatched, and shaded where they have a gap;"
        " the 12 of 20 instruments with the most volume"
    )


def test_the_delta_adds_up() -> None:
    rows = [sides(minute, bought, 10, name) for minute, bought in enumerate([5, 25, 10]) for name in ("Binance", "OKX")]
    chart: Any = cgrx.plot(rows, kind="delta")
    sums = [record["value"] for record in records(chart) if record["key"] == "OKX"]
    assert sums == [-5, 10, 10]


def test_windows_that_overlap_have_no_sum() -> None:
    rows = [sides(0, 1, 1), sides(1, 1, 1, start_ms=START_MS + 30_000)]
    with pytest.raises(ValueError, match="these overlap: events would count more than once"):
        cgrx.plot(rows, kind="delta")


def test_a_window_is_shaded_once_whatever_number_of_keys_it_has() -> None:
    rows = [sides(0, 1, 1, name, gap_ms=5) for name in ("Binance", "OKX")]
    assert [record["gap"] for record in records(cgrx.plot(rows, kind="lines"))] == [True, False]


def test_what_was_withdrawn_is_not_drawn() -> None:
    """Nor are two rows of one session."""
    stage = ops.session("4s", by="exchange", updates="1s", lateness="20s")
    times = (20, 21, 18, 22)
    rows = play(stage, [batch(trade(time=time)) for time in times])
    assert [row.withdrawn for row in rows] == [False, True, False, False]
    (drawn,) = chosen(rows, None, None, 10).records
    assert (drawn["start"], drawn["end"]) == (18_000, 22_001)
    with pytest.raises(ValueError, match="nothing to draw"):
        cgrx.plot(rows[1:2])


def test_the_last_row_of_a_window_counts() -> None:
    rows = [sides(1, 1, 0, final=False), sides(0, 7, 0), sides(1, 2, 0, final=False), sides(1, 3, 0)]
    chart: Any = cgrx.plot(rows)
    assert [(record["bought"], record["quality"]) for record in records(chart)] == [(7, "complete"), (3, "complete")]


def test_missing_values_leave_a_hole() -> None:
    rows = [Mean(**window(minute), exchange="OKX", price=price) for minute, price in enumerate([1.0, None, 3.0])]
    chart: Any = cgrx.plot(rows)
    assert [record["value"] for record in records(chart)] == [1.0, None, 3.0]
    assert drawn(chart)["line"][0].style["d"].count("M") == 2
    assert cgrx.plot([Mean(**window(0), exchange="OKX", price=None)]).to_dict()
    assert cgrx.plot([candle(0, None, None)]).to_dict()


def test_what_fits_the_rows_is_chosen() -> None:
    session = ops.tumbling("1m", by="side")
    assert records(cgrx.plot([candle(0)]))[0]["top"] == 101
    assert records(cgrx.plot([sides(0, 1, 1)]))[0]["bought"] == 1
    assert records(cgrx.plot([candle(0)], kind="sides"))[0]["sold"] == 600.0
    assert records(cgrx.plot([candle(0)], kind="lines"))[0]["value"] == 1000.0
    rows = play(session, [batch(trade())])
    assert records(cgrx.plot(rows, kind="lines"))[0]["key"] == "buy"
    keyless = play(ops.tumbling("1m"), [batch(trade())])
    assert records(cgrx.plot(keyless))[0]["key"] == "all"


def test_a_chart_may_be_composed() -> None:
    """The prices of what is laid over a chart are on its scale, and charts stand beside one another."""
    chart: Any = cgrx.plot([candle(0, 100, 110), candle(1, 110, 104)])
    limit = alt.Chart(alt.InlineData(values=[{"y": 110}])).mark_rule(ariaRoleDescription="limit").encode(y="y:Q")
    marks = drawn(chart + limit)
    assert marks["limit"][0].top == pytest.approx(marks["candle"][0].top)
    assert (chart.properties(width=300) | cgrx.plot([sides(0, 1, 1)])).to_dict()


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], {}, "nothing to draw: there is no row"),
        ([candle(0), candle(1)], {"most": 1}, r"at most 1 windows, not 2: give it a part, such as rows\[-1:\]"),
        ([candle(0)], {"kind": "pie"}, "kind='pie' is none of 'candles', 'sides', 'lines', 'delta'"),
        ([sides(0, 1, 1)], {"kind": "candles"}, "kind='candles' needs the field 'open'; Sides has count, volume"),
        (
            [Named(**window(0), exchange="A", exchanges=())],
            {},
            'kind="lines" needs a field that is a number; Named has exc',
        ),
        ([Named(**window(0), exchange="A", exchanges=())], {"kind": "delta"}, "needs the fields 'buy_volume' and"),
        ([candle(0)], {"value": "volume"}, "value='volume' is for kind=\"lines\", not for kind='candles'"),
        (
            [candle(0)],
            {"kind": "lines", "value": "symbol"},
            "value='symbol' is no number of Candle; those are open, high",
        ),
    ],
)
def test_what_cannot_be_drawn(rows: list[ops.Row], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cgrx.plot(rows, **options)


def test_what_is_no_row() -> None:
    with pytest.raises(TypeError, match=r"plot\(\) takes rows, not 'x'"):
        cgrx.plot(["x"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # what is tested
    with pytest.raises(TypeError, match="rows of one class, not of Candle and Sides"):
        cgrx.plot([candle(0), sides(0, 1, 1)])


def test_no_bound_but_on_request() -> None:
    """altair's own bound of 5,000 rows is not met by surprise."""
    rows = [sides(minute, 1, 1) for minute in range(5_001)]
    with pytest.raises(ValueError, match="at most 5,000 windows, not 5,001"):
        cgrx.plot(rows)
    assert cgrx.plot(rows, most=math.inf).to_dict()


def test_without_altair(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none(name: str) -> None:
        return None

    monkeypatch.setattr("cgrx._plot.plot.find_spec", find_none)
    with pytest.raises(ImportError, match=r'plot\(\) needs the package altair: pip install "cgrx\[plot\]"'):
        cgrx.plot([Candle.from_values(candle(0).values)])
    assert "cgrx._plot.charts" in sys.modules


def test_names_stay_text() -> None:
    """Also where a chart shows them: as the text of a title, a legend or a tooltip."""
    evil = "<script>alert(1)</script>"
    shown = svg(cgrx.plot([sides(minute, 1, 1, name) for minute in (0, 1) for name in (evil, "OKX")], kind="lines"))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
