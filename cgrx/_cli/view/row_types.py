"""The classes of rows that options ask for. A window makes each, so that pickle knows how to make it again."""

from collections.abc import Sequence
from typing import Any, cast

from cgrx import operators as ops
from cgrx._cli.view import market_bar


def row_type(keys: Sequence[str]) -> type[ops.Row]:
    """`ops.Bar` with these key fields where they fix the instrument, else `ops.Flow` with them."""
    return keyed(ops.Bar if {"exchange", "symbol"} <= set(keys) else ops.Flow, keys)


def market_row(row: type[ops.Row]) -> type[ops.Row]:
    """The class to use where trades and liquidations come together: for `ops.Bar` a `market_bar.Bar` with its keys."""
    return keyed(market_bar.Bar, row.key_fields) if issubclass(row, ops.Bar) else row


def keyed(row: type[ops.Row], keys: Sequence[str]) -> type[ops.Row]:
    """A class of rows with these key fields."""
    return _made(ops.tumbling("1s", row, by=tuple(keys)))


def with_values(row: type[ops.Row], **values: Any) -> type[ops.Row]:
    """A class of rows with these aggregates behind its own."""
    return _made(ops.tumbling("1s", row, **values))


def _made(window: ops.Stage[Any, Any]) -> type[ops.Row]:
    """The class of the rows of a window, which pickle knows how to make again."""
    kinds = cast("frozenset[type[ops.Row]]", window.event_types(None))
    return next(iter(kinds))
