"""What `where` and `map` do with a user's function: one call for each event; an error keeps what came before."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from cgrx._streams.running import Interrupted, Step, noted
from cgrx._streams.subscriber import is_async


def where_step(stage: object, predicate: Callable[[Any], bool]) -> Step:
    """The events for which `predicate` is true."""

    def keep(events: Sequence[Any]) -> list[Any]:
        kept: list[Any] = []
        for event in events:
            try:
                if predicate(event):
                    kept.append(event)
            except Exception as error:
                raise Interrupted(kept, noted(error, stage, event)) from error
        return kept

    return Step(stage, keep, predicate)


def map_step(stage: object, mapper: Callable[[Any], Any]) -> Step:
    """What `mapper` makes of each event."""

    def apply(events: Sequence[Any]) -> list[Any]:
        mapped: list[Any] = []
        for event in events:
            try:
                mapped.append(mapper(event))
            except Exception as error:
                raise Interrupted(mapped, noted(error, stage, event)) from error
        return mapped

    return Step(stage, apply)


def check_function(_: object, attribute: "attrs.Attribute[Any]", function: Any) -> None:
    """Refuse what is no plain function of one event."""
    if not callable(function) or is_async(function):
        raise TypeError(f"{attribute.name}={function!r} must be a function of one event, and not an async one")


def check_type(_: object, __: object, of: Any) -> None:
    """Refuse what is no type of event."""
    if of is not None and not isinstance(of, type):
        raise TypeError(f"of={of!r} must be a type of event")


def code_of(name: str, function: Callable[..., object], of: type | None) -> str:
    """A stage that holds a function, as the code that made it."""
    called = getattr(function, "__qualname__", repr(function))
    return f"{name}({called}, of={of.__name__})" if of else f"{name}({called})"
