"""The signals that reach a stage, as columns: the events in order of arrival, and the marks between them.

Neither is read before it is asked for, so that marks are found while the events are read.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import attrs
import polars as pl

from cgrx._backtest.plan import Inexpressible
from cgrx._backtest.proofs import joined, proofs, steady_from
from cgrx._backtest.table import Joint, Table
from cgrx._model.channels import Channel
from cgrx._model.events import Event, Trade
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._streams.merging import FanIn
from cgrx.operators._aggregates.primitives import FIELDS

ARRIVAL = ("seq", "received_ms")
"""The columns that say when an event arrived."""

_EARLY = 1000
"""How many events are looked at one by one before each input of a merge has given a signal."""


@attrs.frozen
class Loss:
    """A gap or a drop, and its place (`seq`) in the recording."""

    seq: int
    mark: Gap | Dropped


@attrs.frozen(eq=False)
class Marked:
    """The marks of a stream."""

    proofs: pl.DataFrame
    """The proofs of life, in order: `seq`, `at_ms`, `origin`."""
    losses: tuple[Loss, ...]
    """The gaps and drops, in order."""
    first_seq: int = 0
    """No event came before this place in the recording."""


@attrs.frozen(eq=False)
class Arrivals:
    """The signals that reach a stage. `seq` is the place of a signal in the recording."""

    channels: tuple[Channel, ...]
    events: Callable[[], pl.LazyFrame]
    """Says how the events are read: `seq`, `received_ms` and the fields of events. Of several channels also `input`,
    the index of the channel, and `trade`, whether the event is a trade."""
    marked: Callable[[], Marked]
    """Finds the marks; those of a union are an error where columns do not follow them."""
    promised_ms: int | None = None
    """Behind a stage that orders events by time: how far that order has come in the end. None elsewhere."""
    constant: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """The columns that are known to have one value in all events, such as the symbol of a trade channel."""
    coded: frozenset[str] = frozenset()
    """The columns of texts of which there is a `code` too."""
    table: Table | None = None
    """Where the events are all that one channel said: where they are read from."""
    in_order: bool = True
    """Whether the events are in order of arrival."""

    def arrived(self) -> pl.LazyFrame:
        """The events in order of arrival."""
        return self.events() if self.in_order else self.events().sort("seq", maintain_order=True)

    @property
    def proofs(self) -> pl.DataFrame:
        """As of `marked`."""
        return self.marked().proofs

    @property
    def losses(self) -> tuple[Loss, ...]:
        """As of `marked`."""
        return self.marked().losses

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
        Inexpressible: an input is ordered by time. Of the marks: an input gives nothing until many events of the others
            have come, on which the marks depend.
    """
    if any(each.promised_ms is not None for each in inputs):
        raise Inexpressible("a merge behind merge_exchanges waits for the order of each")
    channels = tuple(dict.fromkeys(channel for each in inputs for channel in each.channels))
    joint = _joint(inputs, channels)
    return Arrivals(
        channels,
        joint.events.lazy,
        cache(lambda: _joint_marks(inputs)),
        constant=joint.constant,
        coded=joint.coded,
        in_order=joint.in_order,
    )


def _joint_marks(inputs: Sequence[Arrivals]) -> Marked:
    marks = _Marks()
    fan: FanIn[Any] = FanIn(marks, len(inputs))
    tables = [each.proofs for each in inputs]
    steady_seq = steady_from(tables)
    for seq, index, signal in sorted(_signals(inputs, steady_seq), key=lambda each: each[:2]):
        marks.seq = seq
        fan.on_signal(index, signal)
    if steady_seq is not None:
        end_seq = max(marks.seq, *(table["seq"][-1] for table in tables))
        proven = joined(proofs(marks.proofs), tables, steady_seq, end_seq)
    else:
        for index, _ in enumerate(inputs):
            fan.on_completed(index)
        proven = proofs(marks.proofs)
    return Marked(proven, tuple(marks.losses))


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


def _signals(inputs: Sequence[Arrivals], steady_seq: int | None) -> Iterator[tuple[int, int, Signal[Any]]]:
    """The marks of all inputs. Until every input has spoken, marks depend on events, so those are yielded too.

    Args:
        inputs: the streams.
        steady_seq: behind this place proofs of life are left out; None for nowhere.
    """
    for index, arrivals in enumerate(inputs):
        proven = arrivals.proofs
        if steady_seq is not None:
            proven = proven.head(bisect_right(proven["seq"], steady_seq))
        yield from ((seq, index, Alive(origin, at_ms)) for seq, at_ms, origin in proven.iter_rows())
        yield from ((loss.seq, index, loss.mark) for loss in arrivals.losses)
    number: int
    for number, seq, received_ms, time_ms in _early(inputs).iter_rows():
        yield seq, number, Batch(inputs[number].channels[0], received_ms, (_Timed(time_ms),))


def _early(inputs: Sequence[Arrivals]) -> pl.DataFrame:
    """The events until every input has spoken: the `index` of their input, and what a fan asks for.

    Raises:
        Inexpressible: an input says nothing at all, or nothing for long.
    """
    spoken = [[*each.proofs["seq"].head(1), *(loss.seq for loss in each.losses[:1])] for each in inputs]
    all_seq = max(map(min, spoken)) if all(spoken) else None
    if all_seq is not None and all_seq < min(each.marked().first_seq for each in inputs):
        return pl.DataFrame()
    asked, events = ("seq", "received_ms", "time_ms"), _indexed(inputs)
    if all_seq is not None:
        events = events.filter(pl.col("seq") <= all_seq)  # files skip what came behind
    early = events.group_by("index").agg(pl.col(asked).head(_EARLY + 1)).collect()
    for index, seqs in early.select("index", "seq").iter_rows():
        spoken[index].append(seqs[0])
    if not all(spoken):
        raise Inexpressible("a stream that is merged says nothing at all")
    found = early.explode(asked).filter(pl.col("seq") <= max(map(min, spoken)))
    if found.select(pl.len().over("index").max().fill_null(0)).item() > _EARLY:
        raise Inexpressible(f"a stream that is merged says nothing until {_EARLY + 1:,} events of another came")
    return found.select("index", *asked)


@attrs.frozen
class _Timed:
    """An event with nothing but what a fan asks for."""

    time_ms: int


def _joint(inputs: Sequence[Arrivals], channels: tuple[Channel, ...]) -> Joint:
    """The events of all inputs; of several channels with `input`, the index of the channel, and `trade`."""
    joint = _of_one_table(inputs)
    if joint is not None:
        trades = [index for index, channel in enumerate(channels) if channel.event_type is Trade]
        index = pl.col("index")
        events = joint.events.with_columns(index.alias("input"), index.is_in(trades).alias("trade"))
        return attrs.evolve(joint, events=events)
    several = len(channels) > 1
    labelled = pl.concat(_labelled(each, channels) if several else each.events() for each in inputs)
    return Joint(labelled, False, {}, frozenset())


def _of_one_table(inputs: Sequence[Arrivals]) -> Joint | None:
    """The events of all inputs with the `index` of the input, where they are read in one go."""
    table, channels = inputs[0].table, [each.channels[0] for each in inputs]
    if table is None or any(each.table is not table for each in inputs) or len(set(channels)) < len(channels):
        return None
    return table.joint(channels)


def _indexed(inputs: Sequence[Arrivals]) -> pl.LazyFrame:
    """The events of all inputs, with the `index` of the input; those of each input in order of arrival."""
    columns = ("seq", "received_ms", "time_ms")
    joint = _of_one_table(inputs)
    if joint is not None:
        return joint.events.select("index", *columns).sort("seq", maintain_order=True)
    apart = (
        each.arrived().select(pl.lit(index, pl.Int64).alias("index"), *columns) for index, each in enumerate(inputs)
    )
    return pl.concat(apart)


def _labelled(arrivals: Arrivals, channels: tuple[Channel, ...]) -> pl.LazyFrame:
    """The events with `input`, the index of their channel among these, and `trade`."""
    if arrivals.several:
        places = {index: channels.index(channel) for index, channel in enumerate(arrivals.channels)}
        index, trade = pl.col("input").replace_strict(places, return_dtype=pl.Int64), pl.col("trade")
    else:
        channel = arrivals.channels[0]
        index, trade = pl.lit(channels.index(channel), pl.Int64), pl.lit(channel.event_type is Trade)
    return arrivals.events().select(*ARRIVAL, *FIELDS, index.alias("input"), trade.alias("trade"))


def before(ordered: pl.Series, values: pl.Series) -> pl.Series:
    """How many of the ordered numbers lie before each of the values."""
    return ordered.search_sorted(values.cast(ordered.dtype), "left").cast(pl.Int64)
