"""What a subscription has gathered, put away as a value and taken up again by one that was made anew.

    state       what a running form holds, less what a fresh one has anyway: its stage, functions, classes, constants
    take_up     a fresh one goes on from there
    keep        whatever holds state for a subscription calls it when it is made; while `keeping` notes them, what does
                so is noted in order. The same pipeline, built anew, is subscribed to in the same order

It costs one look-up a subscription, and nothing for an event.
"""

from collections.abc import Collection, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Protocol, cast


class Kept(Protocol):
    """A part of a subscription that holds state."""

    def state(self) -> object:
        """What it holds, as values that pickle. It goes on with the same objects: pickle or copy them at once."""
        ...

    def take_up(self, state: object, /) -> None:
        """Go on from what another one of the same pipeline held. Called before any signal comes."""
        ...


_noted: ContextVar[list[Kept] | None] = ContextVar("cgrx_kept", default=None)


def keep(part: Kept) -> None:
    """Note a part that holds state, if somebody asks for them."""
    parts = _noted.get()
    if parts is not None:
        parts.append(part)


@contextmanager
def keeping() -> Generator[list[Kept]]:
    """While it is entered, each part that is made adds itself to the list."""
    parts: list[Kept] = []
    token = _noted.set(parts)
    try:
        yield parts
    finally:
        _noted.reset(token)


def gathered(part: object, without: Collection[str] = ()) -> dict[str, object]:
    """The attributes of an object by name, but for those left out, and those that can be called.

    Functions, classes and stages can be called: they belong to the pipeline, and a fresh object has them.
    """
    found = dict(getattr(part, "__dict__", {}))
    kind: Any = type(part)
    for name in _slots(kind):
        if hasattr(part, name):
            found[name] = getattr(part, name)
    return {name: value for name, value in found.items() if name not in without and not callable(value)}


def put_back(part: object, state: object) -> None:
    """Give an object the attributes that `gathered` found.

    Raises:
        TypeError: that is no state of this kind.
    """
    if not isinstance(state, dict):
        raise TypeError(f"{state!r} is no state of {type(part).__qualname__}: give what its state() gave")
    for name, value in cast("dict[str, Any]", state).items():
        object.__setattr__(part, name, value)


@lru_cache(maxsize=1024)  # with a bound, since the classes of users come here too
def _slots(kind: type[Any]) -> tuple[str, ...]:
    found: list[str] = []
    for each in kind.__mro__:
        said: Any = vars(each).get("__slots__", ())
        names = (said,) if isinstance(said, str) else said
        found += (f"_{each.__name__.lstrip('_')}{name}" if _is_mangled(name) else name for name in names)
    return tuple(found)


def _is_mangled(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")
