"""`plot()`: rows as a chart of altair."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

from cgrx._plot.chosen import MOST, Kind, chosen
from cgrx.operators._rows.row import Row

if TYPE_CHECKING:  # for signatures alone: it is an extra
    import altair as alt

    Chart: TypeAlias = alt.LayerChart | alt.FacetChart


def plot(rows: Iterable[Row], *, kind: Kind | None = None, value: str | None = None, most: float = MOST) -> Chart:
    """Rows as a chart of [altair](https://altair-viz.github.io), which you may go on composing.

        cgrx.plot(bars)                                # candles with their volume
        cgrx.plot(flows, kind="delta").properties(width=1000)

    The time axis is in UTC. Windows with a gap are shaded; windows of which something is missing or unknown, and those
    that are still running, are hatched, and the subtitle counts them. Hollow candles rise, full ones fall; lines differ
    in their dashes too: no colour is needed to read a chart, and the colours are those of Okabe and Ito, which
    colour-blind readers tell apart. Of the rows of one window and key, as `updates=` gives them, the last one counts.
    Needs the extra `plot`.

    Args:
        rows: rows of one class, in any order, at least one; they are read once.
        kind: what to draw. By default what fits the class: candles where it has open, high, low and close, as `Bar`;
            sides where it has the volumes of both, as `Flow`; else lines.

            - `"candles"`: open, high, low and close of each window, its volume beneath; a panel for each instrument.
            - `"sides"`: what was bought upwards, what was sold downwards, over all keys: `buy_volume` against
              `sell_volume`, or the fields `buy` and `sell`, or `short` and `long` (a liquidated short is bought).
            - `"lines"`: one value, a line for each key.
            - `"delta"`: the sum of what was bought minus what was sold so far, a line for each key, from the same
              fields as `"sides"`.
        value: for `"lines"`: the field to draw; by default `volume` where there is one, else the first number.
        most: how many windows are drawn at most, all keys counted; `math.inf` for no bound.

    Returns:
        A `LayerChart`; a `FacetChart` for the candles of several instruments. Of more than seven keys as lines the
        seven largest are drawn, of more than twelve instruments the twelve of most volume; the subtitle says so.

    Raises:
        ValueError: no row, more than `most`, an unknown kind, or the rows have no field that it needs; for `"delta"`
            also windows of one key that overlap, which would count events twice.
        TypeError: something else than rows, or rows of several classes.
        ImportError: altair is not installed.

    Examples:
        >>> rows = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation("long", 5_000.0, time="1s")), alive("65s")],
        ... )
        >>> cgrx.plot(rows).save("volume.svg")
    """
    picture = chosen(rows, kind, value, most)
    if find_spec("altair") is None:
        raise ImportError('plot() needs the package altair: pip install "cgrx[plot]"')
    from cgrx._plot.charts import chart

    return chart(picture)
