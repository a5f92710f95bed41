"""What a stage says of itself, so that a pipeline can explain what it keeps and how long it holds events back."""

from collections.abc import Callable
from typing import Any

import attrs


@attrs.frozen
class About:
    """The cost of a stage. What is left out is not told, as of a user's own stage that does not override `about`."""

    state: str | None = None
    """What it keeps for one subscription, such as "the events held"; "none" of a stage without state."""
    bound: str | None = None
    """What bounds that, such as "100,000 keys"; "none" where nothing does, empty where there is nothing to bound."""
    delay_ms: float | None = None
    """The longest that a result waits behind the event that completes it, on the stream's own clock."""
    delay_note: str = ""
    """What comes on top and is in nobody's hand, such as "the time to the next proof of life"."""
    functions: tuple[Callable[..., Any], ...] = ()
    """The Python functions in it: no compiler can see into them."""


STATELESS = About(state="none", bound="", delay_ms=0)
"""Of a stage that handles each event on its own."""
