"""What reaches a stage, as columns: the events in order of arrival, and the marks between them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from cgrx._channels import Channel
from cgrx._events import Event, Trade
from cgrx._fans import FanIn
from cgrx._signals import Mark, Signal

if TYPE_CHECKING:
    import polars as pl


class Inexpressible(Exception):  # noqa: N818 - never leaves the backtest: it carries a reason, not a failure
    """Columns cannot say what this pipeline gives on this recording, or not for sure."""


@attrs.frozen
class Placed:
    """A mark, and its place in the recording."""

    seq: int
    mark: Mark


@attrs.frozen
class Told:
    """What reaches a stage."""

    events: "pl.LazyFrame"
    """In order of arrival: `seq`, `received_ms`, `channel`, the fields of events, and `trade`, whether it is one."""
    marks: tuple[Placed, ...]
    """In order."""
    types: frozenset[type[Event]]
    """The types of event among them."""


def one_channel(channel: Channel, events: "pl.LazyFrame", marks: Iterable[Placed]) -> Told:
    """What one channel says."""
    import polars as pl

    kind = channel.event_type
    labelled = events.with_columns(pl.lit(channel.name).alias("channel"), pl.lit(kind is Trade).alias("trade"))
    return Told(labelled, tuple(marks), frozenset({kind}))


def union(inputs: Sequence[Told]) -> Told:
    """The union in order of arrival, with the marks that `merge` lets through."""
    import polars as pl

    events = pl.concat([each.events for each in inputs]).sort("seq", maintain_order=True)
    return Told(events, _joined([each.marks for each in inputs]), frozenset().union(*(each.types for each in inputs)))


def _joined(inputs: Sequence[Sequence[Placed]]) -> tuple[Placed, ...]:
    """The marks of several inputs as the fan of a `merge` gives them, by that fan."""
    heard = _Marks()
    fan: FanIn[Any] = FanIn(heard, len(inputs))
    ordered = sorted(
        ((placed, index) for index, marks in enumerate(inputs) for placed in marks), key=lambda each: each[0].seq
    )
    for placed, index in ordered:
        heard.seq = placed.seq
        fan.on_signal(index, placed.mark)
    return tuple(heard.marks)


class _Marks:
    """Notes the marks that come out of a fan, at the place of what caused them."""

    def __init__(self) -> None:
        self.seq = 0
        self.marks: list[Placed] = []

    def on_signal(self, signal: Signal[Any]) -> None:
        assert isinstance(signal, Mark), "no events go through here"
        self.marks.append(Placed(self.seq, signal))

    def on_error(self, error: Exception) -> None:
        raise error

    def on_completed(self) -> None:
        """The fan is not told of the end: every input ends there."""
