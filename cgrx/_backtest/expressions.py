"""Conditions, primitives and formulas as expressions of polars.

A formula is compiled in three steps: so a part that several formulas need is computed once, and windows that overlap
are put together from panes.

    part.of_events    over the events of a pane, or of the window where windows do not overlap
    part.of_parts     over the parts of its panes
    result            over the columns of parts of one row
"""

import math
from collections.abc import Callable, Iterable
from functools import cached_property, reduce
from operator import add

import attrs
import polars as pl

from cgrx._backtest.plan import Inexpressible
from cgrx._model.events import Event, LiquidationSide, Trade, TradeSide
from cgrx._streams.conditions import Condition
from cgrx.operators._aggregates.bounded import Kept
from cgrx.operators._aggregates.formulas import (
    DecayedMean,
    Deviation,
    DistinctCount,
    Events,
    Field,
    Formula,
    Found,
    Median,
    Names,
    Parts,
    Quantile,
    Ratio,
    Spread,
    Terms,
    Total,
    Value,
)
from cgrx.operators._aggregates.primitives import Count, Distinct, EdgeEvent, EdgePrice, Extreme, Guard, SumBy, Top

ORDER = ("time_ms", "price", "volume_usd", "side", "exchange", "symbol", "base_asset", "trade")
"""Decides which event comes first, as `order` of `operators._aggregates.primitives`: a Liquidation before a Trade."""

EDGE = "time_ms price"
"""The column of numbers in the order of time and then price, which is cheaper than to sort by both."""

SIDES: dict[int, LiquidationSide | TradeSide] = dict(enumerate((*LiquidationSide, *TradeSide), 1))
"""Sides by their numbers in columns of results: as on the wire, and those of trades above those of liquidations."""


def side_code(side: pl.Expr, trade: pl.Expr) -> pl.Expr:
    """The number of a side in `SIDES`."""
    return side.cast(pl.Int64) + 2 * trade.cast(pl.Int64)


def edges() -> pl.Expr:
    """The column `EDGE`: the bits of positive floats, read as whole numbers, are in the order of these."""
    bits = pl.col("price").reinterpret(dtype=pl.Int64)
    return (pl.col("time_ms").cast(pl.Int128) * 2**64 + bits).alias(EDGE)


def _price_of(edge: pl.Expr) -> pl.Expr:
    """The price that is in such a number."""
    return (edge % 2**64).cast(pl.Int64).reinterpret(dtype=pl.Float64)


def accepting(condition: Condition) -> pl.Expr:
    """Whether an event meets the condition of a filter."""
    column = pl.col(condition.field)
    match condition.comparison:
        case "==":
            return column.eq(pl.lit(condition.value))
        case ">=":
            return column.ge(pl.lit(condition.value))
        case "<=":
            return column.le(pl.lit(condition.value))
        case _:  # texts

            def wanted(texts: pl.Series) -> pl.Series:
                # Python is called once for each distinct text.
                return texts.is_in([text for text in texts.unique().to_list() if condition.accepts(text)])

            return column.map_batches(wanted, return_dtype=pl.Boolean)


@attrs.frozen(eq=False)
class Part:
    """A value that is computed of the events, in a column of this name."""

    name: str
    of_events: pl.Expr
    of_parts: pl.Expr
    """Over the parts of several panes, in any order; where there is an `order`, over their places in it."""
    in_order: bool = False
    """Whether the value is that of the first or last pane that has one, in the order of these values."""


@attrs.frozen(eq=False)
class ByName:
    """A result that needs sums for each value of a text field, such as the share of each exchange."""

    name: str
    field: str
    keep: pl.Expr | None
    sums: tuple[pl.Expr, ...]
    """Over the events of one name, in columns `sum 0` and so on."""
    result: pl.Expr
    """Over the names of a window, in order; the name is in the column `name`."""


class Compiler:
    """The aggregates of a row as expressions, over events of these types.

    Raises:
        Inexpressible: one of them is a Python function.
    """

    def __init__(self, types: frozenset[type[Event]], named: Iterable[tuple[str, Formula]]) -> None:
        self._types = types
        self._parts: dict[object, Part] = {}
        self.by_name: list[ByName] = []
        """The results that need sums by name."""
        self.results: dict[str, pl.Expr] = {}
        """The other results by their names, over the columns of `parts`."""
        self.beyond: dict[str, pl.Expr] = {}
        """Of results that are exact up to a bound: whether a row is beyond it, by the same names."""
        for name, formula in named:
            if isinstance(formula, Quantile | Median | DistinctCount) and formula.of.most != math.inf:
                self.beyond[name] = self._values(formula.of).list.n_unique() > int(formula.of.most)
            if isinstance(formula, Parts | Spread):
                self.by_name.append(self._by_name(name, formula))
            else:
                self.results[name] = self._result(formula)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The values that are computed of the events."""
        return tuple(self._parts.values())

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of events that the expressions read, `EDGE` perhaps among them."""
        read = [part.of_events for part in self.parts]
        for each in self.by_name:
            read += [*each.sums] if each.keep is None else [*each.sums, each.keep]
        names = {name for expression in read for name in expression.meta.root_names()}
        return frozenset(names | {each.field for each in self.by_name})

    @cached_property
    def fields(self) -> frozenset[str]:
        """The fields of events that these are made of."""
        return self.columns - {EDGE} | (frozenset({"time_ms", "price"}) if EDGE in self.columns else frozenset[str]())

    def _result(self, formula: Formula) -> pl.Expr:
        match formula:
            case Value(of=part) | Found(of=part) | Names(of=part) | Events(of=part):
                return self._of(part)
            case Field(of=edge, field="side"):
                return side_code(self._of(edge).struct.field("side"), self._of(edge).struct.field("trade"))
            case Field(of=edge, field=field):
                return self._of(edge).struct.field(field)
            case Total(terms=terms):
                return self._total(terms)
            case Ratio(dividend=dividend, divisor=divisor):
                by = self._of(divisor) if isinstance(divisor, Count) else self._total(divisor)
                return pl.when(by != 0).then(self._total(dividend) / by)
            case Deviation():
                return self._deviation(formula)
            case DecayedMean():
                return self._decayed(formula)
            case Quantile(of=part, q=q):
                values = self._values(part)
                rank = ((values.list.len().cast(pl.Int64) - 1) * q).floor().cast(pl.Int64)
                return values.list.get(rank, null_on_oob=True)
            case Median(of=part):
                return self._values(part).list.median()
            case DistinctCount(of=part):
                return self._values(part).list.n_unique().cast(pl.Int64)
            case _:
                raise Inexpressible(f"a Python function: {formula!r}")

    def _of(self, part: Count | Extreme | EdgePrice | EdgeEvent | Distinct | Top) -> pl.Expr:
        """The value of a primitive."""

        def column(name: str) -> pl.Expr:
            return self._kept(pl.col(name), part.guard)

        order = [column(each) for each in ORDER]
        match part:
            case Count():
                wanted = self._accepts(part.guard)
                events = pl.len() if wanted is None else wanted.sum()
                return self._part(part, events.cast(pl.Int64), pl.Expr.sum)
            case Extreme(field=field, greatest=True):
                return self._part(part, column(field).max(), pl.Expr.max)
            case Extreme(field=field):
                return self._part(part, column(field).min(), pl.Expr.min)
            case EdgePrice(last=True):
                return _price_of(self._part(part, column(EDGE).max(), pl.Expr.max))
            case EdgePrice():
                return _price_of(self._part(part, column(EDGE).min(), pl.Expr.min))
            case EdgeEvent():
                return self._edge_event(part)
            case Distinct(field=field):
                return self._part(
                    part, column(field).unique().sort(), lambda lists: lists.explode().drop_nulls().unique().sort()
                )
            case _:
                size = part.size
                events = self._kept(pl.struct(ORDER), part.guard)

                def of_lists(lists: pl.Expr) -> pl.Expr:
                    every = lists.explode().drop_nulls()
                    fields = [every.struct.field(each) for each in ORDER]
                    return every.sort_by(-every.struct.field("volume_usd"), *fields).head(size)

                return self._part(part, events.sort_by(-column("volume_usd"), *order).head(size), of_lists)

    def _edge_event(self, part: EdgeEvent) -> pl.Expr:
        """The first or last of the events; of several panes the one with the least or greatest place."""
        order = [self._kept(pl.col(each), part.guard) for each in ORDER]
        events = self._kept(pl.struct(ORDER), part.guard).sort_by(order)
        place = pl.col(f"part {len(self._parts)}")
        of_events, of_parts = (events.last(), place.max()) if part.last else (events.first(), place.min())
        found = Part(f"part {len(self._parts)}", of_events, of_parts, in_order=True)
        return pl.col(self._parts.setdefault(part, found).name)

    def _values(self, part: Kept) -> pl.Expr:
        """All values in order, as a list."""
        values = self._kept(pl.col(part.field), part.guard).sort()
        return self._part((part.field, part.guard), values, lambda lists: lists.explode().drop_nulls().sort())

    def _decayed(self, formula: DecayedMean) -> pl.Expr:
        """Each pane weighs its events by the age that they have at its latest one, and panes are weighed likewise."""
        part = formula.of
        time_ms, values = (self._kept(pl.col(each), part.guard) for each in ("time_ms", part.field))

        def weights(times: pl.Expr) -> pl.Expr:
            return pl.lit(2.0).pow((times - times.max()) / part.half_life_ms)

        latest = self._part((formula, "latest"), time_ms.max(), pl.Expr.max)
        above = self._part(
            (formula, "above"), (weights(time_ms) * values).sum(), lambda sums: (sums * weights(latest)).sum()
        )
        below = self._part((formula, "below"), weights(time_ms).sum(), lambda sums: (sums * weights(latest)).sum())
        return pl.when(below > 0).then(above / below)

    def _total(self, terms: Terms) -> pl.Expr:
        """The sum of each event's own total, so that terms cancel event by event: where nothing was sold it is 0.0."""

        def share(factor: int, addend: str, guard: Guard) -> pl.Expr:
            wanted = self._accepts(guard)
            value = _addend(addend) if factor == 1 else factor * _addend(addend)
            return value if wanted is None else pl.when(wanted).then(value).otherwise(0.0)

        each = reduce(add, (share(factor, part.addend, part.guard) for factor, part in terms))
        return self._part(terms, each.sum(), pl.Expr.sum)

    def _deviation(self, formula: Deviation) -> pl.Expr:
        """By the mean and the squared differences from it, because a sum of squares of large numbers loses digits."""
        total = formula.total
        values = self._kept(_addend(total.addend), total.guard)
        events = self._of(formula.events)
        mean = self._part((formula, "mean"), values.mean(), pl.Expr.mean)
        name = f"part {len(self._parts)}"
        whole = (events * mean).sum() / events.sum()
        between = (events * (mean - whole) ** 2).sum()
        squares = Part(name, values.var(ddof=0) * values.len(), pl.col(name).sum() + between)
        self._parts.setdefault((formula, "squares"), squares)
        return pl.when(events > 0).then((pl.col(self._parts[formula, "squares"].name) / events).sqrt())

    def _by_name(self, name: str, formula: Parts | Spread) -> ByName:
        kept: tuple[SumBy, ...] = (formula.of,) if isinstance(formula, Parts) else (formula.dividends, formula.divisors)
        above = pl.col("sum 0")
        if isinstance(formula, Parts):
            result = pl.struct("name", (above / above.sum()).alias("value"))
        else:
            below = pl.col("sum 1")
            ratio = above / below
            result = (ratio.max() - ratio.min()) / (above.sum() / below.sum())
        sums = tuple(_addend(each.addend).sum().alias(f"sum {index}") for index, each in enumerate(kept))
        return ByName(name, kept[0].by, self._accepts(kept[0].guard), sums, result.alias(f"={name}"))

    def _part(self, key: object, of_events: pl.Expr, of_parts: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
        name = f"part {len(self._parts)}"
        found = self._parts.setdefault(key, Part(name, of_events, of_parts(pl.col(name))))
        return pl.col(found.name)

    def _kept(self, values: pl.Expr, guard: Guard) -> pl.Expr:
        """The values of the events that the guard accepts."""
        wanted = self._accepts(guard)
        return values if wanted is None else values.filter(wanted)

    def _accepts(self, guard: Guard) -> pl.Expr | None:
        """Whether an event is accepted by the guard; None where all are."""
        tests: list[pl.Expr] = []
        if guard.of is not None and self._types != frozenset({guard.of}):
            tests.append(pl.col("trade") if guard.of is Trade else ~pl.col("trade"))
        if guard.side is not None:
            tests.append(pl.col("side") == guard.side)
        return pl.all_horizontal(tests) if len(tests) > 1 else tests[0] if tests else None


def _addend(name: str) -> pl.Expr:
    return pl.col("volume_usd") / pl.col("price") if name == "base" else pl.col(name)
