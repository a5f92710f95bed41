"""Checks of the arguments that windows share, and how such arguments print as code."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from reactivex import abc

from cgrx._model.times import positive_ms as positive_ms
from cgrx._model.times import spelled as spelled
from cgrx._streams.subscriber import is_async

LateEvents: TypeAlias = abc.ObserverBase[Any] | Callable[[Any], object]
"""What receives late events: an observer, such as a `Subject`, whose `on_next` is called; or a function."""

MAX_KEYS = 100_000
"""How many keys a stage keeps, unless told otherwise."""


def whole_number(value: object, name: str) -> int:
    """An integer of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r} takes a whole number, 1 or more")
    if value < 1:
        raise ValueError(f"{name}={value!r} takes a whole number, 1 or more")
    return value


def key_bound(value: object) -> float:
    """How many keys may be open: an integer of 1 or more, or infinity."""
    return math.inf if value == math.inf else whole_number(value, "max_keys")


def max_keys_as_code(bound: float) -> list[str]:
    """`max_keys=` as it stands in a call; nothing where it is the default."""
    return [] if bound == MAX_KEYS else [f"max_keys={'math.inf' if math.isinf(bound) else bound}"]


def dollars(value: object, name: str) -> float:
    """A finite amount above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} takes a number of US dollars above 0")
    if not 0 < value < math.inf:
        raise ValueError(f"{name}={value!r} takes a finite number of US dollars above 0")
    return value


def flag(value: object, name: str) -> bool:
    """True or False, nothing that only counts as one of them."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r} takes True or False")
    return value


def late_receiver(value: LateEvents | None) -> LateEvents | None:
    """An observer, a function, or None."""
    if value is not None:
        function: object = receive(value)
        if not callable(function) or is_async(function):
            raise TypeError(
                f"on_late={value!r} takes an observer (its on_next is called) or a plain function of one event"
            )
    return value


def receive(receiver: LateEvents) -> Callable[[Any], object]:
    """The function to call with a late event."""
    return cast("Callable[[Any], object]", getattr(receiver, "on_next", receiver))
