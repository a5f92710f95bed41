"""What a stage keeps and how long it holds events back, as a value: `cgrx.explain` shows it."""

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen
class About:
    """What a stage costs. None means not known, as with a user's own stage that does not override `about`.

    Examples:
        >>> about = ops.cascades("3s").about
        >>> about.state, about.bound, about.beyond
        ('a partial result for each open cascade', 100000, 'TooManyKeysError')
    """

    state: str | None = None
    """What it keeps for one subscription, such as "the events held"; "none" of a stage without state."""
    bound: float | None = None
    """The most keys for which it keeps that at once.

    A key is whatever the stage keeps apart: the key fields of a window, an event that it remembers, a name that it has
    seen. 0 of a stage without state, 1 where all events share one state, `math.inf` where nothing limits the keys.
    """
    beyond: str = ""
    """What happens at one key more, such as "TooManyKeysError"; empty where there cannot be one more."""
    delay_ms: float | None = None
    """The longest that a result waits behind the event that completes it, on the stream's own clock."""
    delay_note: str = ""
    """What comes on top of that and has no bound, such as "the time to the next proof of life"."""
    functions: tuple[Callable[..., Any], ...] = ()
    """The user's Python functions in it, which no compiler can see into."""
    keys: tuple[str, ...] = ()
    """The fields by which a window tells its rows apart, such as `("exchange", "symbol")`."""


STATELESS = About(state="none", bound=0, delay_ms=0)
"""For a stage that handles each event on its own."""
