"""The time-outs and bounds of a feed."""

import math
from typing import Any

import attrs
import pytest

import cgrx
from cgrx._model.limits import Limits

SECONDS = [field.name for field in attrs.fields(Limits) if field.name.endswith("_s")]
COUNTS = [field.name for field in attrs.fields(Limits) if not field.name.endswith("_s")]


def test_the_defaults_are_the_documented_ones() -> None:
    """The numbers of the design."""
    limits = Limits()
    assert (limits.ping_every_s, limits.pong_within_s) == (20, 10)
    assert (limits.alive_every_s, limits.silent_after_s) == (1, 60)
    assert (limits.backoff_first_s, limits.backoff_most_s, limits.healthy_after_s) == (0.5, 30, 60)
    assert (limits.retry_after_most_s, limits.rejections) == (300, 3)
    assert limits.message_bytes == 1024 * 1024


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [0, -1, math.nan, "1", True, None])
def test_a_time_that_cannot_be_is_refused(name: str, value: object) -> None:
    """The message names the field, the value and what is accepted."""
    with pytest.raises(ValueError, match=rf"{name}={value!r} must be a number above 0"):
        Limits(**{name: value})  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "1"])
def test_a_count_that_cannot_be_is_refused(name: str, value: object) -> None:
    """Counts and bytes are whole numbers, at least 1."""
    with pytest.raises(ValueError, match=rf"{name}={value!r} must be a whole number, at least 1"):
        Limits(**{name: value})  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("name", SECONDS)
def test_infinity_opts_out_of_a_time_out(name: str) -> None:
    """In the open, by `math.inf`."""
    arguments: dict[str, Any] = {name: math.inf}
    assert getattr(Limits(**arguments), name) == math.inf


def test_limits_are_a_value() -> None:
    """Frozen, equal by fields, and public."""
    assert cgrx.Limits(close_s=1) == Limits(close_s=1.0) != Limits()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Limits().close_s = 1  # type: ignore[misc]  # that is the test
