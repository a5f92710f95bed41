"""What a sweep gives, as values: how far it has come, each combination of parameters, and all of them as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from cgrx._backtest.combinations import Parameters
from cgrx._backtest.run import Backtest
from cgrx._extras import require_extra

if TYPE_CHECKING:  # for signatures alone: it is an extra
    import polars as pl

T = TypeVar("T")

ERROR = "error"
"""The column that says why a combination failed."""


@attrs.frozen
class SweepProgress:
    """How far a sweep has come.

    Examples:
        >>> progress = cgrx.SweepProgress(done=3, total=12, fraction=0.25)
        >>> f"{progress.fraction:.0%}"
        '25%'
    """

    done: int
    """Combinations that are measured, or have failed."""
    total: int
    """All combinations."""
    fraction: float
    """The part of the work that is done, 0 to 1; combinations that run together advance together."""


@attrs.frozen(eq=False)
class Combination(Generic[T]):
    """One combination of parameters, and what it gave.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> def large(feed, least):
        ...     return feed.liquidations().pipe(ops.min_volume(least))
        >>> swept = cgrx.sweep(large, "day", {"least": [100, 1_000]})
        >>> first = swept.combinations[0]
        >>> dict(first.parameters), len(first.rows), first.error
        ({'least': 100}, 2, None)
    """

    parameters: Parameters
    """The value of each parameter."""
    measured: Mapping[str, object]
    """What `measure` returned; empty where the combination failed."""
    error: Exception | None
    """What it failed with: the pipeline, or `build` or `measure`. None where it did not."""
    backtest: Backtest[T] | None
    """What `cgrx.backtest` gives for it; None where it failed or `keep` is False."""

    @property
    def rows(self) -> tuple[T, ...]:
        """All that came out, in order.

        Raises:
            ValueError: `keep=False`, so its rows are gone.
            Exception: what the combination failed with.
        """
        if self.error is not None:
            raise self.error
        if self.backtest is None:
            raise ValueError(f"the rows of {dict(self.parameters)} were not kept: give sweep() keep=True")
        return self.backtest.rows


@attrs.frozen(eq=False, repr=False)
class Sweep(Generic[T]):
    """What a pipeline gave with each combination of parameters.

    Examples:
        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 5_000.0, time="1s"),
        ...     liquidation("short", 300.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> def large(feed, least):
        ...     return feed.liquidations().pipe(ops.min_volume(least))
        >>> swept = cgrx.sweep(large, "day", {"least": [100, 1_000]})
        >>> swept
        Sweep(2 combinations)
        >>> swept.to_polars().rows()
        [(100, 2, None), (1000, 1, None)]
    """

    combinations: tuple[Combination[T], ...]
    """In the order of the grid."""

    def to_polars(self) -> pl.DataFrame:
        """A row for each combination: its parameters, what was measured, and `error`, null where it did not fail.

        A parameter is a column of its values where those are numbers, texts, times or truths, and of their texts
        otherwise. What a combination lacks is null.

        Raises:
            ImportError: polars is not installed.
        """
        require_extra("Sweep.to_polars()", "frames")
        import polars as pl

        parameters = [each.parameters for each in self.combinations]
        measured = [each.measured for each in self.combinations]
        errors = [None if each.error is None else told(each.error) for each in self.combinations]
        series = [pl.Series(name, _plain(values), strict=False) for name, values in _columns(parameters)]
        series += [pl.Series(name, values, strict=False) for name, values in _columns(measured)]
        return pl.DataFrame([*series, pl.Series(ERROR, errors, pl.String)])

    def __repr__(self) -> str:
        failed = sum(each.error is not None for each in self.combinations)
        return f"Sweep({len(self.combinations)} combinations{f', {failed} failed' if failed else ''})"

    def _repr_html_(self) -> str:
        return self.to_polars()._repr_html_()  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for


def _columns(rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, list[object]]]:
    """The columns of a table whose rows are mappings."""
    for name in dict.fromkeys(name for row in rows for name in row):
        yield name, [row.get(name) for row in rows]


_PLAIN: tuple[tuple[type, ...], ...] = ((bool,), (int, float), (str,), (datetime,), (date,), (timedelta,))
"""Types whose values make one column."""


def _plain(values: list[object]) -> list[object]:
    types = {type(value) for value in values if value is not None}
    if any(types.issubset(each) for each in _PLAIN):
        return values
    return [None if value is None else str(value) for value in values]


def told(error: Exception) -> str:
    """An error as the text of one cell."""
    return f"{type(error).__name__}: {error}"
