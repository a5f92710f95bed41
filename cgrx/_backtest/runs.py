"""Several streams that are parts of one: each has those of its events that certain filters let pass."""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

import attrs
import polars as pl

from cgrx._backtest.expressions import accepting
from cgrx._streams.conditions import Condition

Values = TypeVar("Values", pl.DataFrame, pl.Series)

TOGETHER = 60
"""How many go together: each has a bit of an integer."""

MOST_REPEATED = 2_000_000
"""About so many events the runs have together that one query groups: some 100 MB."""

RUN = "number of run"
"""The column with the number of a run. No aggregate is called like that."""

HOLDERS = "holders"
"""The column that says which runs have an event."""


@attrs.frozen(eq=False, slots=False)
class Runs:
    """The events, and which of them each run has."""

    events: pl.DataFrame
    """Those that some run has, and perhaps others."""
    masks: tuple[pl.Series, ...] = ()
    """Of each run, which of the events it has; none where there is one run, which has them all."""

    @classmethod
    def of(cls, events: pl.DataFrame, filters: Sequence[Sequence[Condition]]) -> "Runs":
        """The runs behind these filters; only the first ones where all together have too many events."""
        if len(filters) == 1:
            return cls(events)
        tests = [pl.all_horizontal(pl.repeat(True, pl.len()), *map(accepting, conditions)) for conditions in filters]
        masks = events.select(test.alias(str(run)) for run, test in enumerate(tests)).get_columns()
        fitting = sum(count <= MOST_REPEATED for count in accumulate(map(_count, masks)))
        if fitting <= 1:
            return cls(events.filter(masks[0]).rechunk())
        return cls(events, tuple(masks[:fitting]))

    def __len__(self) -> int:
        return len(self.masks) or 1

    @property
    def counts(self) -> list[int]:
        """How many events each run has."""
        return list(map(_count, self.masks)) if self.masks else [len(self.events)]

    def of_run(self, run: int, values: Values) -> Values:
        """Those of these values, one for each of the events, that belong to the events of a run."""
        return values.filter(self.masks[run]) if self.masks else values

    def arrived(self, columns: Sequence[str], in_order: bool) -> "Runs":
        """These columns of the events, in order of arrival and in one piece; `seq` is among them.

        Args:
            columns: their names.
            in_order: whether they are in order of arrival.
        """
        if in_order:
            # Column by column: all at once would wait for polars' threads, which group the same events.
            return Runs(pl.DataFrame([self.events[name].rechunk() for name in columns]), self.masks)
        found = self.events.select(columns).hstack(list(self.masks)).sort("seq", maintain_order=True)
        return Runs(found.select(columns), tuple(found[mask.name] for mask in self.masks))

    def tables(self, columns: Sequence[pl.Expr]) -> pl.DataFrame:
        """These columns of the events of several runs, run after run, with the number of the run."""
        places = [mask.arg_true() for mask in self.masks]
        numbers = [pl.repeat(run, len(found), dtype=pl.Int64, eager=True) for run, found in enumerate(places)]
        return self.events.select(columns)[pl.concat(places)].with_columns(pl.concat(numbers).alias(RUN))

    @cached_property
    def holders(self) -> pl.Series:
        """Of each event, which of several runs have it: a bit for each of them. Zero for none."""
        names = [mask.name for mask in self.masks]
        octets = [_packed(names[at : at + 8], pl.UInt8, 1).alias(str(at)) for at in range(0, len(names), 8)]
        packed = pl.DataFrame(self.masks).select(octets)
        return packed.select(_packed(packed.columns, pl.Int64, 8).alias(HOLDERS)).to_series()

    @property
    def having(self) -> pl.DataFrame:
        """Which runs have the events with each number of `HOLDERS`: a row for each of these runs."""
        numbers = self.holders.unique()
        runs = pl.Series(RUN, [held_by(each) for each in numbers], pl.List(pl.Int64))
        return pl.DataFrame([numbers, runs]).explode(RUN).drop_nulls()


def _packed(names: Sequence[str], dtype: type[pl.DataType], bits: int) -> pl.Expr:
    """Columns of so many bits as one number; by way of octets, which are cheap, because there are many columns."""
    packed = pl.lit(0, dtype)
    for at, name in enumerate(names):
        packed |= pl.col(name).cast(dtype) * 2 ** (bits * at)
    return packed


def _count(mask: pl.Series) -> int:
    return int(mask.sum())


def held_by(holders: int) -> list[int]:
    """The numbers of the runs whose bits these are."""
    return [run for run in range(holders.bit_length()) if holders >> run & 1]
