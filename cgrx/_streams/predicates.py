"""What a filter asks of an event, as source code: a row of filters then is one loop, with no call for each event.

    Predicate("e.volume_usd >= {0}", (1000,))     `e` is the event, `{0}`, `{1}` ... stand for the values

`attrs` and `dataclasses` write classes the same way. Nothing of it comes from outside: the sources are constants of the
filters, what users give are values.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, TypeAlias

import attrs

Keep: TypeAlias = Callable[[Sequence[Any]], list[Any]]
"""The events of a row that pass, in order."""

Test: TypeAlias = Callable[[Any], bool]
"""Whether one event passes."""


@attrs.frozen(eq=False)
class Predicate:
    """An expression without effects: it may be asked again."""

    source: str
    values: tuple[object, ...] = ()
    careful: Test | None = None
    """The same as a function that says more of what does not fit. It is asked where the expression has raised."""


def compiled(predicates: Sequence[Predicate]) -> tuple[Keep, Test]:
    """Whether all of them hold, in order: for a row of events, and for one, where a list would cost more than it."""
    names: dict[str, object] = {}
    sources: list[str] = []
    for predicate in predicates:
        own = {f"v{len(names) + index}": value for index, value in enumerate(predicate.values)}
        sources.append(f"({predicate.source.format(*own)})")
        names |= own
    condition = " and ".join(sources)
    keep: Keep = eval(_code(f"lambda events: [e for e in events if {condition}]"), names)
    test: Test = eval(_code(f"lambda e: {condition}"), names)
    return keep, test


@lru_cache(maxsize=256)
def _code(source: str) -> CodeType:
    return compile(source, "<cgrx filters>", "eval")
