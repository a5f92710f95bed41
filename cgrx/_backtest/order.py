"""`merge_exchanges` in columns: the union sorted by time, where no event can come too late for the order.

The order has come no further than the highest of

    reached    the time that all sources which have been heard have reached
    overdue    the latest time of the events that came at least `max_delay` before, on the stream's own clock
    proven     the latest time, plus the silence that is proven since, minus `max_delay`

so an event that is not behind these goes out in its place. Where a gap or a loss comes among the events, only the
running stage knows its place in the order, so that is left to it.
"""

import math

import attrs
import polars as pl

from cgrx._backtest.arrivals import Arrivals, Marked, before
from cgrx._backtest.engine import collected
from cgrx._backtest.offset import moved, offsets, require_few_exchanges
from cgrx._backtest.plan import Inexpressible
from cgrx._streams.order_terms import Terms
from cgrx._streams.reordering import TOLERANCE_MS


def ordered(terms: Terms, union: Arrivals) -> Arrivals:
    """The union in the order of event time.

    Raises:
        Inexpressible: an event may come too late for the order, or something that columns do not follow.
    """
    if terms.until != "all":
        raise Inexpressible(f"merge_exchanges(until={terms.until!r}) ends with one of its streams")
    if union.proofs["origin"].n_unique() > 1:
        raise Inexpressible("merge_exchanges waits for the proofs of several connections")
    arrived = collected(union.arrived())
    if any(loss.seq > seq for loss in union.losses for seq in arrived["seq"].head(1)):
        raise Inexpressible("merge_exchanges has gaps or losses among its events")
    if not len(arrived):
        return union
    arrived = arrived.with_columns(run=pl.lit(0, pl.Int64), place=pl.int_range(pl.len()))
    zero = pl.lit(0, pl.Int64)
    proofs = pl.DataFrame({"place": before(arrived["seq"], union.proofs["seq"])}).with_columns(run=zero, start=zero)
    arrived = arrived.with_columns(moved(arrived, offsets(arrived, proofs), TOLERANCE_MS))
    order = _Order(terms, union, arrived)
    order.require()
    # A proof stays behind the events that came before it: in order, behind those up to the latest of their times.
    times = arrived["moved_ms"].sort()
    behind = before(times, order.latest.gather((order.places - 1).clip(0)) + 1)
    places = pl.select(pl.when(order.places > 0).then(behind).otherwise(0)).to_series()
    events = arrived.sort("moved_ms", maintain_order=True).with_columns(seq=2 * pl.int_range(pl.len()) + 1)
    marked = Marked(
        union.proofs.with_columns(seq=2 * places), tuple(attrs.evolve(loss, seq=-1) for loss in union.losses)
    )
    return attrs.evolve(
        union,
        events=events.drop("run", "place", "moved_ms").lazy,
        marked=lambda: marked,
        promised_ms=order.end_ms,
        in_order=True,
    )


class _Order:
    """How far the order may have come whenever an event arrives."""

    def __init__(self, terms: Terms, union: Arrivals, arrived: pl.DataFrame) -> None:
        self._terms = terms
        self._several = union.several
        self._arrived = arrived
        self.latest = arrived["moved_ms"].cum_max()
        self.places = before(arrived["seq"], union.proofs["seq"])
        """Before which event each proof came."""
        marks = pl.DataFrame({"place": [0], "marked_ms": [0]}).vstack(
            pl.DataFrame({"place": self.places, "marked_ms": union.proofs["at_ms"]})
        )
        self._now = self._since(marks.with_columns(pl.col("marked_ms").cum_max()), "marked_ms", arrived["received_ms"])
        # Where more than `max_delay` of silence is proven, all that came before is overdue.
        foremost = self.latest.gather((self.places - 1).clip(0))
        silent = union.proofs["at_ms"] - self._now.gather(before(self.latest, foremost))
        proven = pl.DataFrame({"place": self.places, "proven_ms": foremost + silent - self._delay_ms})
        self._proven = proven.filter((self.places > 0) & (silent > terms.max_delay_ms)).with_columns(
            pl.col("proven_ms").cum_max()
        )
        self.end_ms: int = max([self.latest[-1], *self._proven["proven_ms"].tail(1)])
        """How far the order has come in the end."""

    @property
    def _delay_ms(self) -> int:
        return 0 if math.isinf(self._terms.max_delay_ms) else int(self._terms.max_delay_ms)

    def _since(self, known: pl.DataFrame, column: str, own: pl.Series) -> pl.Series:
        """Per event: the maximum of `known` before it and of `own` up to it."""
        places = pl.DataFrame({"place": pl.int_range(len(own), eager=True), "own": own.cum_max()})
        return places.join_asof(known, on="place").select(pl.max_horizontal("own", column)).to_series()

    def require(self) -> None:
        """Check that no event comes behind the order.

        Raises:
            Inexpressible: one may.
        """
        arrived, terms = self._arrived, self._terms
        # What came `max_delay` ago is overdue.
        overdue = pl.zeros(len(arrived), pl.Int64, eager=True)
        if not math.isinf(terms.max_delay_ms):
            overdue = before(self._now, self._now - self._delay_ms + 1)
        held = pl.int_range(len(arrived), eager=True) - overdue + 1
        if (held > terms.max_held).any():
            raise Inexpressible(f"merge_exchanges may hold more than max_held={terms.max_held} events")
        unknown = pl.repeat(None, len(arrived), dtype=pl.Int64, eager=True)
        bounds = arrived.select(
            "moved_ms",
            reached_ms=self._reached(),
            overdue_ms=pl.when(overdue > 0).then(self.latest.gather((overdue - 1).clip(0))),
            proven_ms=self._since(self._proven, "proven_ms", unknown),
        )
        bound_ms = pl.max_horizontal("reached_ms", "overdue_ms", "proven_ms")
        late = bounds.select((pl.col("moved_ms") < bound_ms).sum()).item()
        if late:
            raise Inexpressible(f"{late:,} {'event' if late == 1 else 'events'} may come too late for merge_exchanges")

    def _reached(self) -> pl.Expr:
        """The time that all sources which have been heard before have reached."""
        require_few_exchanges(self._arrived, several=self._several)
        names = ("input", "exchange") if self._several else ("exchange",)
        found: list[pl.Expr] = []
        for values in self._arrived.select(names).unique().iter_rows():
            of_source = pl.lit(True)
            for name, value in zip(names, values, strict=True):
                of_source &= pl.col(name) == value
            found.append(pl.when(of_source).then("moved_ms").cum_max().forward_fill().shift())
        return pl.min_horizontal(found)
