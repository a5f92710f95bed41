"""The arguments of an ordered merge, checked."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias, TypedDict

import attrs

from cgrx._model.times import Duration, to_seconds
from cgrx._streams.subscriber import is_async

Until: TypeAlias = Literal["all", "any"]
OnSourceError: TypeAlias = Literal["raise"] | Callable[[Exception], object]

MAX_HELD = 100_000
"""How many events a merge holds at most, unless told otherwise."""


class OrderTerms(TypedDict, total=False):
    """The keyword arguments of `merge_exchanges`."""

    max_delay: Duration
    until: Until
    on_source_error: OnSourceError
    max_held: float


def _check_until(_: object, __: object, value: object) -> None:
    if value not in ("all", "any"):
        raise ValueError(f'until={value!r} is none of "all" (sources have completed) and "any"')


def _check_on_source_error(_: object, __: object, value: object) -> None:
    if value != "raise" and (not callable(value) or is_async(value)):
        raise TypeError(f'on_source_error={value!r} is neither "raise" nor a plain function of one error')


def _check_max_held(_: object, __: object, value: float) -> None:
    if value == math.inf:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_held={value!r} takes a whole number of events, 1 or more, or math.inf")
    if value < 1:
        raise ValueError(f"max_held={value!r} takes a whole number of events, 1 or more, or math.inf")


@attrs.frozen
class Terms:
    """The arguments of `merge_exchanges`."""

    max_delay_ms: float
    until: Until = attrs.field(validator=_check_until)
    on_source_error: OnSourceError = attrs.field(validator=_check_on_source_error)
    max_held: float = attrs.field(validator=_check_max_held)

    @classmethod
    def of(cls, max_delay: Duration, until: Until, on_source_error: OnSourceError, max_held: float) -> "Terms":
        """From what the user gave."""
        delay_ms = to_seconds(max_delay, "max_delay") * 1e3
        return cls(delay_ms if math.isinf(delay_ms) else round(delay_ms), until, on_source_error, max_held)
