"""Whether some event is behind those before it, asked of many events at a time.

Windows end behind their events. So their ends are asked for in blocks alone where some event is behind.
"""

import polars as pl

_BLOCK = 32
"""So many events are looked at as one."""


def some_behind(events: pl.DataFrame, until_ms: pl.Expr, moved_ms: pl.Series, lateness_ms: int) -> bool:
    """Whether for some event all times up to `until_ms` had been reached when it came.

    Args:
        events: at least one, in order of arrival, with `time_ms` and what `until_ms` is made of.
        until_ms: of each event; behind its own time.
        moved_ms: to what time each event, or what came right in front of it, moves time.
        lateness_ms: how far what is reached is behind that.
    """
    highest_ms = _extremes(moved_ms, most=True).cum_max()
    doubtful = (_extremes(events["time_ms"], most=False) < highest_ms - lateness_ms).arg_true().cast(pl.Int64)
    if not len(doubtful):
        return False
    places = pl.select(pl.int_ranges(doubtful * _BLOCK, (doubtful + 1) * _BLOCK).explode()).to_series()
    places = places.filter(places < len(events))
    # What the blocks in front have reached; before the first one nothing but what its own events reach.
    before_ms = highest_ms.shift(fill_value=moved_ms[0])[places // _BLOCK]
    reached_ms = latest(before_ms, moved_ms[places].cum_max()) - lateness_ms
    return bool(events.select(until_ms.meta.root_names())[places].select((until_ms <= reached_ms).any()).item())


def latest(one_ms: pl.Series, other_ms: pl.Series) -> pl.Series:
    """The later of two times, for each place."""
    return one_ms.zip_with(one_ms > other_ms, other_ms)


def _extremes(values: pl.Series, *, most: bool) -> pl.Series:
    """The least or the greatest value of each block, the last of which may be shorter."""
    whole = len(values) // _BLOCK * _BLOCK
    blocks, rest = values.head(whole).reshape((-1, _BLOCK)).arr, values[whole:]
    found, last = (blocks.max(), rest.max()) if most else (blocks.min(), rest.min())
    return found if last is None else found.append(pl.Series([last]))
