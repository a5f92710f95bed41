"""The grid of a sweep: which values its parameters take, checked before anything is read."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import product
from typing import Any, TypeAlias, cast

Parameters: TypeAlias = Mapping[str, Any]
"""A value for each parameter."""

Grid: TypeAlias = Mapping[str, object] | Iterable[Mapping[str, object]]
"""Several values for each parameter, for all their combinations; or the combinations themselves.

No `Iterable` for the values: type checkers give a mapping to lists of numbers and of texts no better type than this.
"""

_FORMS = (
    'several values for each parameter, such as {"threshold": [1e5, 1e6], "size": ["1m", "5m"]},'
    ' or the combinations, such as [{"threshold": 1e5, "size": "1m"}]'
)


def combinations(grid: object) -> tuple[Parameters, ...]:
    """The combinations that a grid asks for; of a mapping all of them, the last name changing fastest.

    Raises:
        ValueError: there is none.
        TypeError: it is something else than a grid.
    """
    if isinstance(grid, Mapping):
        values = dict(_values(name, several) for name, several in cast("Mapping[object, object]", grid).items())
        if not values:
            raise ValueError(f"grid={{}} names no parameter: it takes {_FORMS}")
        return tuple(dict(zip(values, each, strict=True)) for each in product(*values.values()))
    if not isinstance(grid, Iterable) or isinstance(grid, str | bytes):
        raise TypeError(f"grid={grid!r} takes {_FORMS}")
    found = tuple(_combination(at, each) for at, each in enumerate(cast("Iterable[object]", grid)))
    if not found:
        raise ValueError(f"grid holds no combination: it takes {_FORMS}")
    return found


def _values(name: object, several: object) -> tuple[str, tuple[object, ...]]:
    """A name and its values."""
    text = _name(name, "grid")
    if not isinstance(several, Iterable) or isinstance(several, str | bytes | Mapping):
        raise TypeError(f'grid["{name}"]={several!r} takes several values: for one alone write [{several!r}]')
    values = tuple(cast("Iterable[object]", several))
    if not values:
        raise ValueError(f'grid["{name}"]={several!r} holds no value: a parameter takes at least one, such as [1e6]')
    return text, values


def _combination(at: int, each: object) -> Parameters:
    if not isinstance(each, Mapping):
        raise TypeError(f"grid[{at}]={each!r} is no mapping of parameters to values: a grid takes {_FORMS}")
    if not each:
        raise ValueError(f"grid[{at}]={{}} names no parameter: a grid takes {_FORMS}")
    return {_name(name, f"grid[{at}]"): value for name, value in cast("Mapping[object, object]", each).items()}


def _name(name: object, where: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f'{where} names a parameter {name!r}: a name is a text, such as "threshold"')
    return name


def require_free(found: Sequence[Parameters], columns: Iterable[str]) -> None:
    """Check that no parameter is called like another column of the result.

    Raises:
        ValueError: one is.
    """
    for taken in columns:
        if any(taken in parameters for parameters in found):
            raise ValueError(f'grid names a parameter "{taken}", which is a column of the result: call it otherwise')


def require_taken(build: Callable[..., object], found: Iterable[Parameters]) -> None:
    """Check that `build` takes a feed and these parameters.

    Raises:
        TypeError: it does not, or there is no value for one that it needs.
    """
    if not callable(build):
        raise TypeError(f"build={build!r} is no function: it takes a feed and the parameters of the grid")
    try:
        every = list(inspect.signature(build).parameters.values())
    except (TypeError, ValueError):  # of some callables nothing is known before the call
        return
    kind = inspect.Parameter
    if not every or every[0].kind in (kind.KEYWORD_ONLY, kind.VAR_KEYWORD):
        raise TypeError(
            f"{_code(build, every)} takes no feed: its first parameter is the feed, such as build(feed, *, x)"
        )
    # The feed goes into the first parameter, which `*args` does not use up.
    others = every if every[0].kind is kind.VAR_POSITIONAL else every[1:]
    named = {each.name: each for each in others if each.kind in (kind.POSITIONAL_OR_KEYWORD, kind.KEYWORD_ONLY)}
    takes_any = any(each.kind is kind.VAR_KEYWORD for each in others)
    needed = [each.name for each in named.values() if each.default is kind.empty]
    for parameters in found:
        for name in parameters:
            if name not in named and not takes_any:
                raise TypeError(f'grid names "{name}", which {_code(build, every)} does not take{_meant(name, named)}')
        for name in needed:
            if name not in parameters:
                raise TypeError(f'grid has no value for "{name}", which {_code(build, every)} needs')


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f": did you mean {near[0]}?" if near else ""


def _code(build: Callable[..., object], parameters: Iterable[inspect.Parameter]) -> str:
    return f"{getattr(build, '__name__', repr(build))}({', '.join(each.name for each in parameters)})"
