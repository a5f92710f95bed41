"""Rows as lines and words: fields and their order, and that what is missing is said."""

import csv
import io
import json
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._cli.view.contents import RowContent
from cgrx._cli.view.event_text import FormatName
from cgrx._cli.view.market import Market
from cgrx._cli.view.row_text import missing, row_formats, state, value_text
from cgrx._cli.view.tally import Tally
from tests.cli.rows import BARS, bar, flow

NAMES: tuple[FormatName, ...] = ("table", "jsonl", "csv")


def lines(name: FormatName, row: ops.Row) -> str:
    chosen = row_formats(type(row))[name]
    return chosen.header + chosen.lines([row]).decode()


def test_jsonl() -> None:
    """The documented fields in the documented order."""
    assert lines("jsonl", bar(gap_ms=1_500)) == (
        '{"start_ms":1704110400000,"end_ms":1704110460000,"exchange":"Binance",'
        '"symbol":"BTCUSDT","open":60001.0,"high":60004.0,"low":60000.0,"close":60003.0,"vwap":60002.5,'
        '"volume":12345.0,"count":3,"buy_volume":12345.0,"sell_volume":0.0,"gap_ms":1500,"dropped":0,"late":0,'
        '"final":true,"complete":false}\n'
    )


def test_jsonl_of_a_side_and_of_nothing() -> None:
    """Sides are their names; what is not known is null."""
    read: dict[str, Any] = json.loads(lines("jsonl", flow(None, gap_ms=None)))
    assert (read["side"], read["delta"], read["gap_ms"]) == ("sell", None, None)
    assert read == flow(None, gap_ms=None).asdict()


def test_csv() -> None:
    """A header, then rows; true and false as in JSON, and nothing for what is not known."""
    assert lines("csv", flow(gap_ms=None, late=2)) == (
        "start_ms,end_ms,side,count,volume,buy_volume,sell_volume,delta,gap_ms,dropped,late,final,complete\n"
        "1704110400000,1704110460000,sell,1234,2500000.0,0.0,2500000.0,-5.0,,0,2,true,false\n"
    )


def test_a_withdrawn_row() -> None:
    """It has no line in csv, which could not say so."""
    taken = bar(withdrawn=True, dropped=1)
    assert lines("csv", taken) == lines("csv", bar()).splitlines(keepends=True)[0]
    assert json.loads(lines("jsonl", taken)) == taken.asdict()
    assert json.loads(lines("jsonl", taken))["withdrawn"] is True
    assert lines("table", taken).endswith("  withdrawn\n")


def test_plain_lines() -> None:
    header, line = lines("table", bar(exchange="OKX", symbol="BTC-USDT-SWAP")).splitlines()
    assert header.split() == (
        "start exchange symbol open high low close vwap volume count buy_volume sell_volume state".split()
    )
    assert line == (
        "2024-01-01 12:00:00.000  OKX          BTC-USDT-SWAP        60,001.00     60,004.00     60,000.00     60,003.00"
        "     60,002.50        12,345         3        12,345             0  complete"
    )
    assert header.index(" state") == line.index(" complete")


@pytest.mark.parametrize("name", NAMES)
def test_no_escape_sequence_passes(name: FormatName) -> None:
    """Names are the server's, in rows too; each row is one line."""
    text = lines(name, bar(exchange="Bin\x1b]0;title\x07ance", symbol='a\u202e"\x9b1A\nb\r,'))
    assert text.replace("\n", "").isprintable()
    assert len(text.splitlines()) == (1 if name == "jsonl" else 2)
    if name == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(text))} == {len(type(bar()).fields)}


@pytest.mark.parametrize(
    ("quality", "why", "whole"),
    [
        ({}, "", "complete"),
        ({"late": 4}, "", "complete"),
        ({"gap_ms": 999}, "gap 999 ms", "INCOMPLETE: gap 999 ms"),
        ({"gap_ms": 2_100, "dropped": 3}, "gap 2.1 s, 3 dropped", "INCOMPLETE: gap 2.1 s, 3 dropped"),
        ({"dropped": 3_000, "late": 1}, "3,000 dropped, 1 late so far", "INCOMPLETE: 3,000 dropped, 1 late so far"),
        ({"gap_ms": None}, "gaps unknown", "INCOMPLETE: gaps unknown"),
        ({"final": False}, "", "running"),
        ({"final": False, "gap_ms": 10}, "gap 10 ms", "running: gap 10 ms"),
    ],
)
def test_what_is_missing(quality: dict[str, Any], why: str, whole: str) -> None:
    row = bar(**quality)
    assert (missing(row), state(row)) == (why, whole)


@pytest.mark.parametrize(
    ("value", "field", "text"),
    [
        (None, "vwap", "-"),
        (60_000.0, "open", "60,000.00"),
        (1_234, "count", "1,234"),
        (0.0, "buy_volume", "0"),
        (-1_234.4, "delta", "-1,234"),
        (0.0, "delta", "+0"),
        (12.0, "delta", "+12"),
    ],
)
def test_values(value: float | None, field: str, text: str) -> None:
    assert value_text(value, field) == text


def test_no_more_rows_are_taken_than_were_asked_for() -> None:
    """The rows of one batch may be more than are left of `--count`."""
    content = RowContent(Tally(), Market(), BARS)
    assert content.add([bar(0), bar(1), bar(2)], 2) == [bar(0), bar(1)]
    assert content.count == 2
