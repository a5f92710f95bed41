"""`Shard`: a pipeline that takes records and gives rows, and whose state is bytes."""

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from cgrx._backtest.plan import Build
from cgrx._model.channels import Channel
from cgrx._model.data_errors import RecordedError
from cgrx._model.signals import Batch, Dropped, Gap, Signal
from cgrx._model.use_errors import StateError
from cgrx._replay.seams import Charges
from cgrx._shards.building import Built, built
from cgrx._shards.explanation import ShardExplanation
from cgrx._shards.groups import GroupBy, group_of
from cgrx._shards.line import Line
from cgrx._shards.record import End, Record
from cgrx._shards.storing import stored, take_up
from cgrx._streams.chain import Link
from cgrx._streams.keeping import Kept

T = TypeVar("T")
U = TypeVar("U")


class Shard(Generic[T]):
    """A pipeline without a clock, a thread or a connection: records in, rows out, its whole state as bytes.

        shard = cgrx.Shard(lambda feed: feed.liquidations().pipe(ops.tumbling("1m", by="exchange")))
        rows = shard.take(records)
        data = shard.snapshot()
        ...
        shard = cgrx.Shard.restore(build, data)      # in another process, days later
        rows = shard.take(more_records)

    The rows are those of a replay of the same signals, to the byte, however the records are cut into calls, however
    often a record comes again, and wherever the state is put away and taken up. Of each channel the shard knows the
    session and the number of the last record: what is not above it is skipped, what is left out becomes a `Gap`.
    Another session of a channel begins with a `Gap` from when the channel was last heard: an outage is a gap in the
    windows that were open, and nothing else is.

    What a user's function or stage does besides, such as to write a file, is done again for a record that is taken
    again after `restore`.

    State: that of the stages, as `cgrx.explain` tells it; a session, a number and a time for each channel.

    Args:
        build: makes the pipeline from a feed, as in `cgrx.backtest`. It is called once. Of the feed it may use the
            streams alone, and all operators must be of cgrx: reactivex's hold states that cannot be put away.
        partition_by: how the records are divided among shards: `"channel"`, or `"base_asset"`, so that all channels of
            an asset come to one shard. All channels of the pipeline must then be of one group. By default they are one
            group, whatever they are.

    Raises:
        ValueError: the pipeline holds what cannot be put away, or reads channels of several groups.
        TypeError: `build` returns no Observable.
        StateError: the state of a stage cannot be put away.

    Examples:
        >>> def build(feed):
        ...     return feed.liquidations().pipe(ops.tumbling("1m", by="exchange"))
        >>> shard = cgrx.Shard(build)
        >>> events = cgrx.Record(
        ...     "liquidationOrders", "a1", 0, 1_000, batch(liquidation(time="1s"))
        ... )
        >>> rows = shard.take([events])
        >>> later = cgrx.Shard.restore(build, shard.snapshot())
        >>> later.channels == shard.channels
        True
    """

    def __init__(self, build: Build[T], *, partition_by: GroupBy | None = None) -> None:
        self._begin(build, partition_by)
        self.snapshot()  # what cannot be put away is found here rather than hours later

    def _begin(self, build: Build[T], partition_by: GroupBy | None) -> None:
        self._built: Built = built(build)
        self._lines = {channel.name: Line(channel) for channel in self._built.feed.observers}
        self._charges: Charges[Channel] = Charges()
        self._key = _key(self.channels, partition_by)

    @staticmethod
    def restore(build: Build[U], data: bytes, *, partition_by: GroupBy | None = None) -> "Shard[U]":
        """The shard that goes on from a snapshot.

        Args:
            build: makes the same pipeline as that of the snapshot.
            data: what `snapshot` gave, in this process or in another one.
            partition_by: as of the class.

        Raises:
            StateError: `data` is no snapshot, is damaged, or of another pipeline or another version of cgrx; the error
                names both. A pipeline is another one where its channels, stages, parameters or functions are: those
                count by module, name and code, and not what they call.
            ValueError, TypeError: as of the class.
        """
        shard = cast("Shard[U]", object.__new__(Shard))
        shard._begin(build, partition_by)
        take_up(shard._built.identity, [part for _, part in shard._parts()], data)
        return shard

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that the pipeline reads, in the order in which it subscribes to them."""
        return tuple(self._built.feed.observers)

    @property
    def key(self) -> str:
        """The group of its channels: records of one key belong into one shard.

        The wire name of the channel, or the base asset; the names of all, joined, where they have nothing in common.
        """
        return self._key

    def explain(self) -> ShardExplanation:
        """The key, the channels, and what each stage keeps."""
        return ShardExplanation(
            key=self._key,
            channels=tuple(self._lines),
            pipeline=self._built.identity.text,
            stages=tuple(map(repr, self._built.stages)),
            about=tuple(stage.about for stage in self._built.stages),
        )

    def take(self, records: Iterable[Record]) -> list[T]:
        """Take records in, and return what comes out by them.

        Args:
            records: of its channels, those of each channel in order. A record that has been seen is skipped.

        Raises:
            ValueError: a record of another channel, of which nothing is taken then; or one of a channel that has ended.
            Exception: what the pipeline fails with, with a note that names the record. `signals` gives what came out
                before. The shard is over then; go on from an earlier snapshot.
        """
        return [row for signal in self.signals(records) if isinstance(signal, Batch) for row in signal.events]

    def signals(self, records: Iterable[Record]) -> Iterator[Signal[T]]:
        """The same as signals: the batches of results, and the marks between them, record by record.

        A record is taken in when the iterator comes to it: go through it to its end. Where the pipeline fails, what
        came out before is given first, then the error is raised.
        """
        taken = tuple(records)
        for record in taken:
            if record.channel not in self._lines:
                raise ValueError(self._foreign(record.channel))
        return self._signals(taken)

    def snapshot(self) -> bytes:
        """Its state, for `restore`.

        Raises:
            StateError: a stage holds what cannot be put away, or the pipeline has failed.
        """
        failure = self._built.output.failure
        if failure is not None:
            raise StateError(f"the pipeline has failed, and has no state to go on from: {failure}") from failure
        return stored(self._built.identity, self._parts())

    def _signals(self, records: tuple[Record, ...]) -> Iterator[Signal[T]]:
        output = self._built.output
        for record in records:
            if output.failure is not None:
                raise output.failure
            self._tell(record)
            signals, output.signals = output.signals, []
            yield from signals
        if output.failure is not None:
            raise output.failure

    def _tell(self, record: Record) -> None:
        """Tell the subscribers of a channel what a record says, as a live feed does."""
        line, feed, output = self._lines[record.channel], self._built.feed, self._built.output
        for said in line.read(record):
            signal = said
            if isinstance(said, Dropped) and said.channel is None:
                signal = self._charges.same(line.channel, said)
            for observer in feed.observers[line.channel]:
                if isinstance(signal, End):
                    _end(observer, signal)
                elif isinstance(signal, Gap):  # each subscriber's own, as on a live feed
                    observer.on_signal(Gap(signal.channel, signal.start_ms, signal.end_ms, signal.reason))
                else:
                    observer.on_signal(signal)
        if output.failure is not None:
            output.failure.add_note(
                f"raised by record {record.seq} of session {record.session!r} of channel {record.channel!r}"
            )

    def _parts(self) -> list[tuple[str, Kept]]:
        """What holds state, with names for an error."""
        own = ("what the shard has seen", _Seen(self._lines, self._charges))
        return [own, *((_name(part), part) for part in self._built.parts)]

    def _foreign(self, name: str) -> str:
        has = ", ".join(map(repr, self._lines))
        return (
            f"a record of channel {name!r} has come to the shard {self.key!r}, which takes {has}: channels that one"
            ' pipeline reads need one partition, such as with partition_by="base_asset", and one shard'
        )


class _Seen:
    """What a shard itself holds."""

    def __init__(self, lines: dict[str, Line], charges: Charges[Channel]) -> None:
        self._lines = lines
        self._charges = charges

    def state(self) -> object:
        return self._lines, self._charges

    def take_up(self, state: Any) -> None:
        lines, charges = state
        self._lines.update(lines)
        self._charges.__dict__.update(charges.__dict__)


def _end(observer: Any, end: End) -> None:
    if end.failure is None:
        observer.on_completed()
    else:
        observer.on_error(RecordedError(*end.failure))


def _name(part: Kept) -> str:
    return " | ".join(map(repr, part.stages)) if isinstance(part, Link) else type(part).__name__.lstrip("_")


def _key(channels: tuple[Channel, ...], by: GroupBy | None) -> str:
    if by is None:
        return "+".join(channel.name for channel in channels)
    groups: dict[str, list[str]] = {}
    for channel in channels:
        groups.setdefault(group_of(channel, by), []).append(channel.name)
    if len(groups) > 1:
        told = "; ".join(f"{group!r} has {', '.join(names[:3])}" for group, names in list(groups.items())[:3])
        raise ValueError(
            f"partition_by={by!r}: the pipeline reads channels of {len(groups)} groups, which are in different"
            f" partitions: {told}. Give each group a pipeline of its own, or divide the records in another way"
        )
    return next(iter(groups))
