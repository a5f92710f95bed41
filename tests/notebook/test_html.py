"""What values look like in a notebook: everything is said, nothing becomes markup, nothing is without a bound."""

import math
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import attrs
import pytest

import cgrx
from cgrx import LiquidationSide, State
from cgrx import operators as ops
from cgrx._model import html
from cgrx._model.picture import Step, picture
from cgrx.operators import agg
from cgrx.testing import batch, gap, liquidation, play, trade

EVIL = '<script>alert("1")</script>'


class Read(HTMLParser):
    """The tags and the text of a piece of HTML; a style sheet is no text."""

    def __init__(self, given: object) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(given if isinstance(given, str) else shown(given))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1] != "style" or not data.startswith("."):
            self.texts.append(data)


def shown(value: Any) -> str:
    """As a notebook asks."""
    found = value._repr_html_()
    assert isinstance(found, str)
    return found


def text(value: object) -> str:
    return " | ".join(Read(value).texts)


def bar(second: int, **others: object) -> ops.Bar:
    values: dict[str, object] = {"start_ms": second * 1000, "end_ms": second * 1000 + 1000}
    values |= {"exchange": "Binance", "symbol": "BTCUSDT", "volume": 1e6, "count": 3}
    values |= {"buy_volume": 4e5, "sell_volume": 6e5}
    values |= dict.fromkeys(("open", "high", "low", "close", "vwap"), 60_000.5)
    return BTC(**values | others)


class BTC(ops.Bar):
    """Bars with their key."""

    exchange: str
    symbol: str


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "\N{EN DASH}"),
        (True, "True"),
        ("OKX", "OKX"),
        (1_234_567, "1,234,567"),
        (1_234_567.89, "1,234,568"),
        (60_123.456, "60,123.46"),
        (0.0, "0.00"),
        (0.0000123456, "1.2346e-05"),
        (1.5, "1.5"),
        (LiquidationSide.LONG, "long"),
        (("OKX", "Bybit"), "OKX, Bybit"),
        ((), "\N{EN DASH}"),
        (MappingProxyType({"OKX": 0.25}), "OKX: 0.25"),
        (MappingProxyType[str, float]({}), "\N{EN DASH}"),
        (math.nan, "nan"),
        (agg.count(), "agg.count()"),
    ],
)
def test_values_as_people_read_them(value: object, said: str) -> None:
    assert html.text_of(value) == said


@pytest.mark.parametrize(
    ("time_ms", "said"),
    [
        (0, "1970-01-01 00:00:00"),
        (1_722_837_600_250, "2024-08-05 06:00:00.250"),
        (1_722_837_600_005, "2024-08-05 06:00:00.005"),
        (2**63, "9223372036854775808 ms"),
    ],
)
def test_times_in_utc(time_ms: int, said: str) -> None:
    assert html.moment(time_ms) == said


def test_a_long_text_is_cut() -> None:
    assert len(html.escape("x" * 10_000)) == html.LONGEST_TEXT


def test_a_complete_row() -> None:
    row = bar(1)
    assert text(row).startswith(
        "BTC | from | 1970-01-01 00:00:01 UTC | to | 1970-01-01 00:00:02 UTC | exchange | Binance"
    )
    assert text(row).endswith("quality | complete")
    assert 'tr class="cgrx-h"' not in shown(row)


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        ({"gap_ms": 2100}, "▨ INCOMPLETE: gap 2.1 s"),
        ({"gap_ms": 200, "dropped": 3, "late": 2}, "▨ INCOMPLETE: gap 200 ms, 3 dropped, 2 late so far"),
        ({"gap_ms": None, "final": False}, "◌ running: gaps unknown"),
        ({"final": False, "late": 2}, "◌ running"),
    ],
)
def test_an_incomplete_row_says_so_in_words_and_is_hatched(quality: dict[str, object], said: str) -> None:
    row = bar(1, **quality)
    assert text(row).endswith(f"quality | {said}")
    assert 'tr class="cgrx-h"' in shown(row)
    assert said in text(cgrx.table([row]))
    assert shown(cgrx.table([row, bar(2)])).count('tr class="cgrx-h"') == 1


def test_names_never_become_markup() -> None:
    """Of an exchange, a symbol, a channel, a notice, a function."""

    def evil(event: cgrx.Trade) -> bool:
        return True

    evil.__qualname__ = EVIL
    row = bar(1, exchange=EVIL)
    values: list[object] = [
        row,
        cgrx.table([row]),
        cgrx.table([trade(exchange=EVIL)]),
        cgrx.NoticeReceived(0, EVIL),
        ops.exchange(EVIL),
        ops.pipeline(ops.exchange(EVIL), ops.where(evil)),
        cgrx.explain(ops.where(evil)),
        STATS,
    ]
    for value in values:
        read = Read(value)
        assert "script" not in read.tags
        assert "alert" in "".join(read.texts)


def test_of_many_rows_the_first_and_the_last_are_shown() -> None:
    rows = [bar(second) for second in range(1000)]
    said = text(cgrx.table(rows, most=5))
    assert "… 995 left out …" in said
    assert [second for second in (0, 2, 3, 997, 998, 999) if html.moment(second * 1000) in said] == [0, 2, 998, 999]
    assert "left out" not in text(cgrx.table(rows[:5], most=5))
    assert Read(cgrx.table(rows)).tags.count("tr") == 22
    assert Read(cgrx.table(rows, most=math.inf)).tags.count("tr") == 1001
    assert text(cgrx.table(rows, most=1)).endswith("… 999 left out …")


def test_a_table_in_a_terminal() -> None:
    events = [trade("sell"), trade(time=3), trade(time="90000s")]
    rows = play(ops.tumbling("1s", by="side", n=agg.count()), [batch(*events)])
    assert str(cgrx.table(rows, most=2)).splitlines() == [
        "from (UTC)           to        quality                     side  n",
        "1970-01-01 00:00:00  00:00:01  ▨ INCOMPLETE: gaps unknown  sell  1",
        "… 1 left out …",
        "1970-01-02 01:00:00  01:00:01  ◌ running: gaps unknown     buy   1",
    ]
    assert str(cgrx.table([])) == repr(cgrx.table([])) == "no rows"


def test_a_window_that_ends_on_another_day() -> None:
    assert "1970-01-01 23:59:59 | 1970-01-02 00:00:00 | complete" in text(cgrx.table([bar(86_399)]))


def test_events_and_rows_of_several_classes_are_tables_of_their_own() -> None:
    found = cgrx.table([trade(time="1s"), trade(), liquidation(), bar(1)])
    assert Read(found).tags.count("table") == 3
    assert "1970-01-01 00:00:01 | BTC | Binance | BTCUSDT | buy | 60,000.00 | 1,000.00" in text(found)


@pytest.mark.parametrize("most", [0, -1, math.nan])
def test_how_many(most: float) -> None:
    with pytest.raises(ValueError, match=r"most=.* must be a number of rows, at least 1"):
        cgrx.table([], most=most)


def test_what_is_no_row() -> None:
    with pytest.raises(TypeError, match=r"table\(\) takes rows and events, not 'x'"):
        cgrx.table([bar(1), "x"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]  # what is tested


CHANNEL = cgrx.FuturesTrades(EVIL.replace("_", ""), "BTCUSDT", 0)
STATS = cgrx.FeedStats(
    at_ms=1_722_837_601_000,
    state=State.CONNECTED,
    connections=2,
    attempts=3,
    messages=None,
    received_bytes=None,
    events=1234,
    unclaimed=0,
    malformed=0,
    notices=0,
    pings=7,
    pongs=7,
    round_trip_ms=12.5,
    proven_ms=1_722_837_600_000,
    lag_ms=None,
    clock_skew_ms=0,
    subscribers=1,
    channels={CHANNEL: cgrx.ChannelStats(1, True, 1234, 0, 1, 900, 1_722_837_600_250, None)},
    forgotten={},
)


def test_the_counters_of_a_feed() -> None:
    said = text(STATS)
    assert said.startswith("Feed: connected | at_ms\N{NO-BREAK SPACE} | 2024-08-05 06:00:01 |  · connections")
    assert "events\N{NO-BREAK SPACE} | 1,234 | " in said
    assert "received_bytes" not in said
    assert "1 | True | 1,234 | 0 | 1 | 900 | 2024-08-05 06:00:00.250 | \N{EN DASH}" in said
    (counted,) = STATS.channels.values()
    many: dict[cgrx.Channel, cgrx.ChannelStats] = {
        cgrx.FuturesTrades("OKX", f"X{index}", 0): counted for index in range(1000)
    }
    assert "… 950 left out …" in text(attrs.evolve(STATS, channels=many))
    assert text(attrs.evolve(STATS, channels={})).endswith("no channel yet")


def test_a_status() -> None:
    assert text(cgrx.Connecting(1_722_837_600_250, 3)) == (
        "Connecting |  2024-08-05 06:00:00.250 UTC: connecting, attempt 3"
    )


def drawn(value: object) -> ElementTree.Element:
    """The picture in what a notebook shows."""
    whole = shown(value)
    return ElementTree.fromstring(whole[whole.index("<svg") : whole.index("</svg>") + len("</svg>")])


def is_large(event: cgrx.Trade) -> bool:
    return event.volume_usd > 1e6


def test_a_pipeline_is_a_picture() -> None:
    """A box for each stage in order; what holds Python has a dashed border, and says so."""
    windows = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
    pipeline = ops.pipeline(ops.side("buy"), ops.where(is_large), windows)
    for value in (pipeline, cgrx.explain(pipeline)):
        picture = drawn(value)
        boxes = picture.findall("{*}rect")
        assert [each.get("stroke-dasharray") is not None for each in boxes] == [False, True, False]
        tops = [float(each.attrib["y"]) for each in boxes]
        assert tops == sorted(tops)
        said = [each.text or "" for each in picture.findall("{*}text")]
        assert said[:3] == ['side("buy")', "where(is_large)", f"Python: {__name__}.is_large"]
        assert "apart by exchange, symbol" in said
        assert "delay: 4 s, plus the time to the next proof of life" in said
        bottoms = [top + float(each.attrib["height"]) for top, each in zip(tops, boxes, strict=True)]
        assert all(bottom < top for bottom, top in zip(bottoms, tops[1:], strict=False))
        assert bottoms[-1] <= float(picture.attrib["height"])
    assert text(pipeline).startswith('pipeline(\n    side("buy"),\n    where(is_large),\n    tumbling(')
    assert said[-1] == "worst delay: 4 s, plus the time to the next proof of life"


def test_a_stage_alone_and_none() -> None:
    assert "pre" not in Read(ops.side("long")).tags
    assert len(drawn(ops.side("long")).findall("{*}rect")) == 1
    assert picture([]).startswith("<svg")


def test_long_code_is_broken_and_stays_within_its_box() -> None:
    (box, *_) = drawn(ops.symbol(*(f"SYMBOL{index}USDT" for index in range(40)))).findall("{*}rect")
    assert float(box.attrib["height"]) > 100
    long = ElementTree.fromstring(picture([Step("x" * 1000, ("y " * 300,))]))
    assert max(len(each.text or "") for each in long.findall("{*}text")) <= 100


def test_a_gap_is_told_by_the_row_that_it_touches() -> None:
    rows = play(
        ops.tumbling("1s"), [gap("0s", "0s"), batch(trade(time="100ms")), gap("200ms", "700ms"), batch(trade(time=9))]
    )
    assert "INCOMPLETE: gap" in text(rows[0])
