"""What the footer of a finished part says of its rows, so that they need not be read for it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from cgrx._recording.schema import SCHEMA

TEXTS = ("base_asset", "exchange", "symbol")
"""The texts of an event."""


@attrs.frozen
class Known:
    """What is known of rows without reading them."""

    texts: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """The columns of `TEXTS` that have one value in all events, with that."""


def known_of(footer: Any) -> Known:
    """What a footer, a `pyarrow.parquet.FileMetaData`, tells by its statistics."""
    texts: dict[str, str] = {}
    for name in TEXTS:
        least, *others = {*_ends(footer, name)} or {None}
        if least is not None and not others:
            texts[name] = least
    return Known(texts)


def _ends(footer: Any, name: str) -> Iterator[str | None]:
    """The least and the greatest value of each row group that has some; None where it does not tell."""
    place = SCHEMA.get_field_index(name)
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        statistics = group.column(place).statistics
        if statistics.null_count == group.num_rows:
            continue
        yield from (statistics.min, statistics.max) if statistics.has_min_max else (None,)


def common(known: Sequence[Known]) -> Known:
    """What is known of all these rows together."""
    first, *others = known
    shared = {name: text for name, text in first.texts.items() if all(each.texts.get(name) == text for each in others)}
    return Known(shared)
