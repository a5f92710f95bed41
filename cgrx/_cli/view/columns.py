"""Tables for a terminal that choose their columns by its width."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import attrs
from rich import box
from rich.table import Table
from rich.text import Text

T = TypeVar("T")

HEADING = 2
"""The lines above the rows of a table."""
MEDIUM = 62
"""From this width on there is room for prices and whole names of exchanges."""
FULL = 80
"""From this width on there is room for whole words."""
WIDE = 98
"""From this width on there is room for more than the essential."""


@attrs.frozen
class Column(Generic[T]):
    """One column of a table of items."""

    heading: str
    cell: Callable[[T], Text]
    width: int | None
    """In characters; None takes a share of the width that is left."""
    is_number: bool = False
    from_width: int = 0
    """Shown only in a table of at least this width, and narrower than `below_width`."""
    below_width: int = 10_000


def blank_table() -> Table:
    """A table in the common style, one blank between its columns, without columns yet."""
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, header_style="bold dim")


def filled_table(columns: Iterable[Column[T]], items: Iterable[T], width: int) -> Table:
    """A table with one row for each item, and those of the columns that are shown at this width."""
    chosen = [column for column in columns if column.from_width <= width < column.below_width]
    table = blank_table()
    table.expand = True
    for column in chosen:
        table.add_column(
            column.heading,
            no_wrap=True,
            width=column.width,
            ratio=1 if column.width is None else None,
            justify="right" if column.is_number else "left",
        )
    for item in items:
        table.add_row(*(column.cell(item) for column in chosen))
    return table
