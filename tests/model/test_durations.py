"""Durations as people write them."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgrx
from cgrx._model.times import Duration, to_ms, to_seconds


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        ("250ms", 250),
        ("5s", 5_000),
        ("1m", 60_000),
        ("4h", 14_400_000),
        ("1d", 86_400_000),
        ("1.5s", 1_500),
        (" 2 m ", 120_000),
        ("0s", 0),
        (timedelta(minutes=1, milliseconds=1), 60_001),
        (timedelta(0), 0),
        (5, 5_000),
        (0.25, 250),
        (0, 0),
        (-0.0, 0),
        (0.0004, 0),
        (0.0016, 2),
    ],
    ids=str,
)
def test_accepted_forms(value: Duration, ms: int) -> None:
    """Whole milliseconds, rounded."""
    assert to_ms(value, "size") == ms
    assert to_seconds(value, "size") == pytest.approx(ms / 1e3, abs=0.0005)


@given(st.integers(0, 10**9), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_text_and_a_timedelta_say_the_same(count: int, unit: str) -> None:
    keyword = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[unit]
    assert to_ms(f"{count}{unit}", "x") == to_ms(timedelta(**{keyword: count % 10**8}), "x") + (
        to_ms(f"{count - count % 10**8}{unit}", "x")
    )


@pytest.mark.parametrize(
    "value", ["", "5", "s", "-5s", "5 seconds", "1m30s", "1e3s", ".5s", "5S", "inf", "nan", "5s\n5s"]
)
@pytest.mark.parametrize("read", [to_seconds, to_ms], ids=["seconds", "ms"])
def test_other_texts_are_refused(read: Callable[[Duration, str], float], value: str) -> None:
    """With the argument's name, its value and the accepted forms."""
    with pytest.raises(ValueError, match='is not a duration: give a text such as "250ms"') as caught:
        read(value, "lateness")
    assert str(caught.value).startswith(f"lateness={value!r} ")


@pytest.mark.parametrize("value", [-1, -0.001, math.nan, -math.inf, -(10**400), timedelta(microseconds=-1)], ids=str)
def test_negative_and_nan_are_refused(value: Duration) -> None:
    with pytest.raises(ValueError, match="must not be negative or NaN"):
        to_seconds(value, "idle")


@pytest.mark.parametrize("value", [None, True, False, b"5s", [5], 5j], ids=str)
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"idle=.* is not a duration"):
        to_seconds(value, "idle")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake


@pytest.mark.parametrize("value", [math.inf, 10**400, "9" * 400 + "s"], ids=["inf", "int", "text"])
def test_without_end_where_the_caller_allows_it(value: Duration) -> None:
    """Seconds may be infinite, milliseconds are whole numbers."""
    assert to_seconds(value, "connect_timeout") == math.inf
    with pytest.raises(ValueError, match=r"size=.* must be finite"):
        to_ms(value, "size")


def test_the_public_name_reads_what_windows_do() -> None:
    """For options and settings of a user's own; an error names the argument, or calls it a duration."""
    assert cgrx.to_ms("1m") == 60_000
    with pytest.raises(ValueError, match=r"^duration='1x' is not a duration"):
        cgrx.to_ms("1x")
    with pytest.raises(ValueError, match=r"^--window='1x' is not a duration"):
        cgrx.to_ms("1x", "--window")
