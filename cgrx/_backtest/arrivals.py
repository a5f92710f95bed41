"""The signals that reach a stage, as columns: the events in order of arrival, and the marks between them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import polars as pl

from cgrx._backtest.plan import Inexpressible
from cgrx._model.channels import Channel
from cgrx._model.events import Event, Trade
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._streams.merging import FanIn

_EARLY = 1000
"""How many events are looked at one by one before each input of a merge has given a signal."""


@attrs.frozen
class Loss:
    """A gap or a drop, and its place (`seq`) in the recording."""

    seq: int
    mark: Gap | Dropped


@attrs.frozen(eq=False)
class Arrivals:
    """The signals that reach a stage. `seq` is the place of a signal in the recording."""

    channels: tuple[Channel, ...]
    events: pl.LazyFrame
    """In order of arrival: `seq`, `received_ms` and the fields of events. Of several channels also `input`, the index
    of the channel, and `trade`, whether the event is a trade."""
    proofs: pl.DataFrame
    """The proofs of life, in order: `seq`, `at_ms`, `origin`."""
    losses: tuple[Loss, ...]
    """The gaps and drops, in order."""
    promised_ms: int | None = None
    """Behind a stage that orders events by time: how far that order has come in the end. None elsewhere."""
    constant: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """The columns that are known to have one value in all events, such as the symbol of a trade channel."""

    @property
    def several(self) -> bool:
        """Whether the signals come from several channels."""
        return len(self.channels) > 1

    @property
    def types(self) -> frozenset[type[Event]]:
        """The types of the events."""
        return frozenset(channel.event_type for channel in self.channels)


def union(inputs: Sequence[Arrivals]) -> Arrivals:
    """The union in order of arrival, with the marks that `merge` lets through.

    Raises:
        Inexpressible: an input gives nothing until many events of the others have come, on which the marks depend.
    """
    if any(each.promised_ms is not None for each in inputs):
        raise Inexpressible("a merge behind merge_exchanges waits for the order of each")
    channels = tuple(dict.fromkeys(channel for each in inputs for channel in each.channels))
    several = len(channels) > 1
    events = pl.concat(_labelled(each, channels) if several else each.events for each in inputs)
    marks = _Marks()
    fan: FanIn[Any] = FanIn(marks, len(inputs))
    for seq, index, signal in sorted(_signals(inputs), key=lambda each: each[:2]):
        marks.seq = seq
        fan.on_signal(index, signal)
    for index, _ in enumerate(inputs):
        fan.on_completed(index)
    return Arrivals(channels, events.sort("seq", maintain_order=True), proofs(marks.proofs), tuple(marks.losses))


class _Marks:
    """Notes the marks that come out of a fan, each at the place of the signal that caused it."""

    def __init__(self) -> None:
        self.seq = 0
        self.proofs: list[tuple[int, int, str]] = []
        self.losses: list[Loss] = []

    def on_signal(self, signal: Signal[Any]) -> None:
        match signal:
            case Alive(origin=origin, at_ms=at_ms):
                self.proofs.append((self.seq, at_ms, origin))
            case Gap() | Dropped():
                self.losses.append(Loss(self.seq, signal))
            case _:
                """Events stay in columns, and a feed gives no watermarks."""

    def on_error(self, error: Exception) -> None:
        """No input fails: a recording holds no errors."""

    def on_completed(self) -> None:
        self.seq += 1


def _signals(inputs: Sequence[Arrivals]) -> Iterator[tuple[int, int, Signal[Any]]]:
    """The marks of all inputs. Until every input has spoken, marks depend on events, so those are yielded too."""
    firsts = [arrivals.events.select("seq").head(1).collect()["seq"].to_list() for arrivals in inputs]
    for first, arrivals in zip(firsts, inputs, strict=True):
        first += [*arrivals.proofs["seq"].head(1), *(loss.seq for loss in arrivals.losses[:1])]
    if not all(firsts):
        raise Inexpressible("a stream that is merged says nothing at all")
    all_heard = max(min(first) for first in firsts)
    for index, arrivals in enumerate(inputs):
        yield from ((seq, index, Alive(origin, at_ms)) for seq, at_ms, origin in arrivals.proofs.iter_rows())
        yield from ((loss.seq, index, loss.mark) for loss in arrivals.losses)
        early = arrivals.events.filter(pl.col("seq") <= all_heard).select("seq", "received_ms", "time_ms").collect()
        if len(early) > _EARLY:
            raise Inexpressible(f"a stream that is merged says nothing until {len(early):,} events of another came")
        for seq, received_ms, time_ms in early.iter_rows():
            yield seq, index, Batch(arrivals.channels[0], received_ms, (_Timed(time_ms),))


@attrs.frozen
class _Timed:
    """An event with nothing but what a fan asks for."""

    time_ms: int


def _labelled(arrivals: Arrivals, channels: tuple[Channel, ...]) -> pl.LazyFrame:
    """The events with `input`, the index of their channel among these, and `trade`."""
    if arrivals.several:
        places = {index: channels.index(channel) for index, channel in enumerate(arrivals.channels)}
        return arrivals.events.with_columns(pl.col("input").replace_strict(places, return_dtype=pl.Int64))
    channel = arrivals.channels[0]
    trade = pl.lit(channel.event_type is Trade).alias("trade")
    return arrivals.events.with_columns(pl.lit(channels.index(channel), pl.Int64).alias("input"), trade)


def proofs(marks: Iterable[tuple[int, int, str]]) -> pl.DataFrame:
    """A table of proofs of life."""
    return pl.DataFrame(list(marks), {"seq": pl.Int64, "at_ms": pl.Int64, "origin": pl.String}, orient="row")


def before(ordered: pl.Series, values: pl.Series) -> pl.Series:
    """How many of the ordered numbers lie before each of the values."""
    return ordered.search_sorted(values.cast(ordered.dtype), "left").cast(pl.Int64)
