"""`table()`, and the same for every list of rows that IPython shows.

A list of Python's cannot say how it is shown. So where cgrx is imported inside IPython, it tells IPython how: lists and
tuples that begin and end with rows or events become tables; all others are shown as before.
"""

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from cgrx._model.events import Event
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.table import MOST, Table, ends


def table(items: Iterable[Row | Event], *, most: float = MOST) -> Table:
    """Rows or events as a table: what a notebook shows of a list of them, also elsewhere, and as long as you like.

        cgrx.table(bars, most=100)
        print(cgrx.table(bars))

    Times are in UTC. A row that is not complete says why, and is hatched. Withdrawn rows and the running rows that they
    take back are not shown. Of many the first and the last are shown, and how many were left out. Where the class
    changes, a new table begins.

    Args:
        items: rows or events; they are read once.
        most: how many to show, at least 1; `math.inf` for all.

    Raises:
        ValueError: `most` below 1.
        TypeError: something else than a row or an event is among them.

    Examples:
        >>> rows = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.table(rows)
        from (UTC)           to        quality   count  volume    buy_volume  sell_volume  delta
        1970-01-01 00:00:00  00:01:00  complete  1      5,000.00  0.00        5,000.00     -5,000.00
    """
    if math.isnan(most) or most < 1:
        raise ValueError(f"most={most!r} must be a number of rows, at least 1 (math.inf: all)")
    found = list(items)
    for item in found:
        if not isinstance(item, Row | Event):
            raise TypeError(f"table() takes rows and events, not {item!r}")
    return ends(found, most)


def _shown(items: Sequence[object]) -> str | None:
    """What IPython shows of a list or tuple; None: as it does without cgrx."""
    if not items:
        return None
    found = ends(items)
    if not all(isinstance(item, Row | Event) for item in found.items):
        return None
    return found._repr_html_()  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for


def _show_lists() -> None:
    """Tell IPython, where it runs and nobody else has told it how lists are shown."""
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython and ipython.get_ipython()
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    for kind in (list, tuple):
        if kind not in formatter.type_printers:
            formatter.for_type(kind, _shown)


_show_lists()
