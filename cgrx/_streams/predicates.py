"""What a filter asks of an event, as source code: a row of filters then is one loop, with no call for each event.

    Predicate("e.volume_usd >= {0}", (1000,))     `e` is the event, `{0}`, `{1}` ... stand for the values

Of `side("long"), min_volume(1000), exchange("OKX")` this is written, with `v0`, `v1` ... for the values of all of them:

    lambda events: [e for e in events if (e.side is v0 or e.side is not v1 and v2(e))
                                     and (e.volume_usd >= v3)
                                     and (v4[e.exchange])]

A batch of one is the usual case where many channels interleave, and there every call counts. So the same condition is
written once more into a `Sieve`, which stands where signals come in and costs one call for an event that does not pass.

`attrs` and `dataclasses` write classes the same way. Nothing of it comes from outside: the sources are constants of the
filters, what users give are values.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, Literal, TypeAlias, cast

import attrs

from cgrx._model.signals import Batch, Signal

Keep: TypeAlias = Callable[[Sequence[Any]], list[Any]]
"""The events of a row that pass, in order."""

Test: TypeAlias = Callable[[Any], bool]
"""Whether one event passes."""

Push: TypeAlias = Callable[[Signal[Any]], None]
"""What takes signals."""

Sieve: TypeAlias = Callable[[Push, Push], tuple[Push, Callable[[], None]]]
"""Of what takes a batch of one that passes, and what takes any other signal, makes what takes all.

A batch of one that does not pass goes nowhere, and one at which the condition raises counts as any other signal. Made
beside it is what closes it: nothing passes then, so whatever takes what passes need not ask whether it still should.
"""

_SIEVE = """
def sieve(passed, other):
    def on_signal(signal):
        if type(signal) is Batch and len(events := signal.events) == 1:
            e = events[0]
            try:
                if not ({condition}):
                    return
            except Exception:
                other(signal)
            else:
                passed(signal)
        else:
            other(signal)
    def close():
        nonlocal passed
        passed = ignore
    return on_signal, close
"""


@attrs.frozen(eq=False)
class Predicate:
    """An expression without effects: it may be asked again."""

    source: str
    values: tuple[object, ...] = ()


def compiled(predicates: Sequence[Predicate]) -> tuple[Keep, Test, Sieve]:
    """Whether all of them hold, in order: for a row of events, for one, and in front of whatever takes signals."""
    keep, test, sieve, values = written(predicates)
    values |= {"Batch": Batch, "ignore": ignore}
    exec(_code(sieve, "exec"), values)
    return eval(_code(keep, "eval"), values), eval(_code(test, "eval"), values), cast("Sieve", values["sieve"])


def written(predicates: Sequence[Predicate]) -> tuple[str, str, str, dict[str, object]]:
    """The source code of these, and the values in it by name."""
    values: dict[str, object] = {}
    sources: list[str] = []
    for predicate in predicates:
        own = {f"v{len(values) + index}": value for index, value in enumerate(predicate.values)}
        sources.append(f"({predicate.source.format(*own)})")
        values |= own
    condition = " and ".join(sources)
    keep, test = f"lambda events: [e for e in events if {condition}]", f"lambda e: {condition}"
    return keep, test, _SIEVE.format(condition=condition), values


def ignore(_: Signal[Any]) -> None:
    """Take a signal, and do nothing."""


@lru_cache(maxsize=256)
def _code(source: str, mode: Literal["eval", "exec"]) -> CodeType:
    return compile(source, "<cgrx filters>", mode)
