"""What a filter asks of an event, as source code: a row of filters then is one loop, with no call for each event.

    Predicate("e.volume_usd >= {0}", (1000,))     `e` is the event, `{0}`, `{1}` ... stand for the values

Of `side("long"), min_volume(1000), exchange("OKX")` this is written, with `v0`, `v1` ... for the values of all of them:

    lambda events: [e for e in events if (e.side is v0 or e.side is not v1 and v2(e))
                                     and (e.volume_usd >= v3)
                                     and (v4[e.exchange])]

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


def compiled(predicates: Sequence[Predicate]) -> tuple[Keep, Test]:
    """Whether all of them hold, in order: for a row of events, and for one, where a list would cost more than it."""
    keep_source, test_source, values = written(predicates)
    keep: Keep = eval(_code(keep_source), values)
    test: Test = eval(_code(test_source), values)
    return keep, test


def written(predicates: Sequence[Predicate]) -> tuple[str, str, dict[str, object]]:
    """The source code of both, and the values in it by name."""
    values: dict[str, object] = {}
    sources: list[str] = []
    for predicate in predicates:
        own = {f"v{len(values) + index}": value for index, value in enumerate(predicate.values)}
        sources.append(f"({predicate.source.format(*own)})")
        values |= own
    condition = " and ".join(sources)
    return f"lambda events: [e for e in events if {condition}]", f"lambda e: {condition}", values


@lru_cache(maxsize=256)
def _code(source: str) -> CodeType:
    return compile(source, "<cgrx filters>", "eval")
