"""The key of an event: windows give a row for each."""

from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, TypeAlias

Key: TypeAlias = Hashable
"""The value of the one key field, or a tuple of the values of several."""

_USUAL: dict[tuple[str, ...], Callable[[Any], Key]] = {
    (): lambda _: (),
    ("exchange",): lambda event: event.exchange,
    ("symbol",): lambda event: event.symbol,
    ("base_asset",): lambda event: event.base_asset,
    ("side",): lambda event: event.side,
    ("exchange", "symbol"): lambda event: (event.exchange, event.symbol),
    ("exchange", "base_asset"): lambda event: (event.exchange, event.base_asset),
}
"""Functions for the usual key fields. `attrgetter`, which serves for all others, takes three times as long."""


def key_of_events(by: tuple[str, ...]) -> Callable[[Any], Key]:
    """The function that reads the key of an event from these fields."""
    return _USUAL[by] if by in _USUAL else attrgetter(*by)
