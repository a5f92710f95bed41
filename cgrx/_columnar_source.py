"""What reaches a stage, as columns: the events in order of arrival, and the marks between them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from cgrx._channels import Channel
from cgrx._events import Event, Trade
from cgrx._signals import Dropped, Gap

if TYPE_CHECKING:
    import polars as pl

PROOF = ("seq", "at_ms", "origin")
"""The columns of proofs of life."""


class Inexpressible(Exception):  # noqa: N818 - never leaves the backtest: it carries a reason, not a failure
    """Columns cannot say what this pipeline gives on this recording, or not for sure."""


@attrs.frozen
class Loss:
    """A gap or a drop, and its place in the recording."""

    seq: int
    mark: Gap | Dropped


@attrs.frozen(eq=False)
class Told:
    """What reaches a stage. `seq` is the place of a signal in the recording."""

    channels: tuple[Channel, ...]
    events: "pl.LazyFrame"
    """In order of arrival: `seq`, `received_ms` and the fields of events. Of several channels also `input`, which of
    them, and `trade`, whether it is a trade."""
    proofs: "pl.DataFrame"
    """The proofs of life: `PROOF`, in order."""
    losses: tuple[Loss, ...]
    """In order."""

    @property
    def types(self) -> frozenset[type[Event]]:
        """The types of event among them."""
        return frozenset(channel.event_type for channel in self.channels)


def union(inputs: Sequence[Told]) -> Told:
    """The union in order of arrival, with the marks that `merge` lets through."""
    import polars as pl

    channels = tuple(dict.fromkeys(channel for each in inputs for channel in each.channels))
    several = len(channels) > 1
    events = pl.concat(_labelled(each, channels) if several else each.events for each in inputs)
    return Told(
        channels,
        events.sort("seq", maintain_order=True),
        _proven_by_all([each.proofs for each in inputs]),
        tuple(sorted((loss for each in inputs for loss in each.losses), key=_place)),
    )


def _labelled(told: Told, channels: tuple[Channel, ...]) -> "pl.LazyFrame":
    """Its events, with the place of their channel among these."""
    import polars as pl

    if len(told.channels) > 1:
        places = {index: channels.index(channel) for index, channel in enumerate(told.channels)}
        return told.events.with_columns(pl.col("input").replace_strict(places, return_dtype=pl.Int64))
    (channel,) = told.channels
    trade = pl.lit(channel.event_type is Trade).alias("trade")
    return told.events.with_columns(pl.lit(channels.index(channel), pl.Int64).alias("input"), trade)


def _place(loss: Loss) -> int:
    return loss.seq


def _proven_by_all(inputs: Sequence["pl.DataFrame"]) -> "pl.DataFrame":
    """What is proven of a union: of each origin what every input that has heard of it knows; see `FanIn`."""
    import polars as pl

    every = pl.concat(each.with_columns(pl.lit(index).alias("input")) for index, each in enumerate(inputs))
    known = [
        pl.when(pl.col("input") == index).then("at_ms").cum_max().forward_fill().over("origin").alias(f"by {index}")
        for index, _ in enumerate(inputs)
    ]
    at_ms = pl.min_horizontal(f"by {index}" for index, _ in enumerate(inputs))
    before_ms = pl.col("at_ms").cum_max().shift().over("origin")
    return (
        every.sort("seq", maintain_order=True)
        .with_columns(known)
        .with_columns(at_ms.alias("at_ms"))
        .filter((pl.col("at_ms") > before_ms).fill_null(True))
        .select(PROOF)
    )


def proofs(marks: "Iterable[tuple[int, int, str]]") -> "pl.DataFrame":
    """A table of proofs of life."""
    import polars as pl

    return pl.DataFrame(list(marks), {"seq": pl.Int64, "at_ms": pl.Int64, "origin": pl.String}, orient="row")
