"""Text from a server is harmless on a terminal; numbers and times are as people read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._cli.terminal.text import clock, counted, date, dollars, iso, one_line, price, second, short_dollars, visible


@given(st.text(st.characters()))
def test_nothing_unprintable_is_left(text: str) -> None:
    """Whatever Unicode calls a control, a format, a surrogate, unassigned or a line break is gone."""
    assert visible(text).isprintable()
    assert one_line(text).isprintable()
    assert len(one_line(text, 20)) <= 20


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_what_is_printable_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BTC\x1b[31mUSDT", r"BTC\x1b[31mUSDT"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("abc\u202edcba", r"abc\u202edcba"),
        ("a\u2028b\u200b", r"a\u2028b\u200b"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("[red]BTC[/red]", "[red]BTC[/red]"),
        ("比特币-USDT é", "比特币-USDT é"),
    ],
)
def test_escapes_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_is_one_line() -> None:
    """White space is joined, a long text cut, and a huge one costs nothing."""
    assert one_line(" a\n\n b\tc ") == "a b c"
    assert one_line("x" * 2_000_000, 5) == "xxxx…"


def test_times() -> None:
    assert clock(1_704_110_400_007) == "12:00:00.007"
    assert second(1_704_110_400_999) == "12:00:00"
    assert iso(datetime(2024, 1, 1, 12, tzinfo=UTC)) == "2024-01-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("value", "shown"), [(60_123.4, "60,123.40"), (12.34567, "12.3457"), (0.1123456, "0.112346"), (1e-9, "1e-09")]
)
def test_prices(value: float, shown: str) -> None:
    assert price(value) == shown


@pytest.mark.parametrize(
    ("value", "whole", "short"),
    [
        (0.0, "0", "0"),
        (0.25, "0.25", "0.25"),
        (999.4, "999", "999"),
        (12_345, "12,345", "12.3k"),
        (123_456, "123,456", "123k"),
        (1_234_567, "1,234,567", "1.2M"),
        (2e9, "2,000,000,000", "2.0G"),
        (3e12, "3,000,000,000,000", "3.0T"),
    ],
)
def test_dollars(value: float, whole: str, short: str) -> None:
    assert dollars(value) == whole
    assert short_dollars(value) == short


def test_days() -> None:
    assert date(1_704_110_400_007) == "2024-01-01"


def test_counts() -> None:
    assert [counted(n, "gap") for n in (0, 1, 1_234)] == ["0 gaps", "1 gap", "1,234 gaps"]
