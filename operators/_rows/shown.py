"""How a row is shown: its quality in words, and its values as HTML.

The functions take what they need of a row, so that `row` can use them.
"""

from collections.abc import Mapping
from typing import Protocol

from cgrx._model import html


class Judged(Protocol):
    """What a row says about itself."""

    @property
    def start_ms(self) -> int: ...
    @property
    def end_ms(self) -> int: ...
    @property
    def gap_ms(self) -> int | None: ...
    @property
    def dropped(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def final(self) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def withdrawn(self) -> bool: ...


WINDOW = ("start_ms", "end_ms")
QUALITY = ("gap_ms", "dropped", "late", "final", "complete")


def quality(row: Judged) -> str:
    """`complete`, `INCOMPLETE: gap 2.1 s, 3 dropped`, `running`, `running: gap 2.1 s`, or `withdrawn`."""
    if row.complete:
        return "complete"
    if row.withdrawn:
        return "withdrawn"
    word, why = "INCOMPLETE" if row.final else "running", missing(row)
    return f"{word}: {why}" if why else word


def missing(row: Judged) -> str:
    """What may be missing of the window, such as `gap 2.1 s, 3 dropped`; empty where nothing is.

    Late events belonged to earlier windows, so they alone are no reason.
    """
    why: list[str] = []
    if row.gap_ms is None:
        why.append("gaps unknown")
    elif row.gap_ms:
        why.append(f"gap {row.gap_ms / 1e3:,.1f} s" if row.gap_ms >= 1000 else f"gap {row.gap_ms} ms")
    if row.dropped:
        why.append(f"{row.dropped:,} dropped")
    if why and row.late:
        why.append(f"{row.late:,} late so far")
    return ", ".join(why)


def sign(row: Judged) -> str:
    """The quality behind a shape that is seen from afar: a hatched square; an open circle or a cross if not final."""
    shape = "" if row.complete else "▨ " if row.final else "✕ " if row.withdrawn else "◌ "
    return f"{shape}{quality(row)}"


def in_cell(name: str, row: Judged, values: Mapping[str, object]) -> str:
    """One row as HTML: a line for each field."""
    start, end = html.moment(row.start_ms), html.moment(row.end_ms)
    own = {field: value for field, value in values.items() if field not in (*WINDOW, *QUALITY, "withdrawn")}
    pairs = {"from": f"{start} UTC", "to": f"{end} UTC", **own, "quality": sign(row)}
    return html.page(html.titled(name), html.facts(pairs, () if row.complete else ["quality"]))
