"""`publish()`: the channels of a feed as records on a log, by one sink.

    streams of the feed ──► numbered records ──► backlog, bounded ──► batches ──► topic

A record that is given up, or refused, leaves a hole in the numbers of its channel: whoever reads the log sees that
something is missing, and where.
"""

import secrets
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Unpack

import attrs
from reactivex import abc
from reactivex.disposable import CompositeDisposable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._feed.face import Feed
from cgrx._log.record_writer import RecordWriter
from cgrx._model.channels import Channel
from cgrx._model.errors import CgrxError
from cgrx._model.output_status import StreamFailed
from cgrx._model.signals import Batch
from cgrx._recording.selection import several_channels
from cgrx._shards.groups import GroupBy, Share, group_of
from cgrx._shards.record import End, Numbering, Record, RecordedSignal, channel_named
from cgrx._sinks.kafka import OURS
from cgrx._sinks.kafka_address import KafkaAddress
from cgrx._streams.observers import SignalObserver
from cgrx._streams.runtime import joint
from cgrx._streams.stream import EventStream
from cgrx._trio.require import require_trio

EVERY = "50ms"
"""How long a record waits for others by default: whoever reads the log waits as long."""


def publish(
    feed: Feed,
    channels: Iterable[Channel | str],
    target: str,
    *,
    shard: str = "1/1",
    partition_by: GroupBy = "channel",
    ends: bool = False,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Publish channels of a feed on a log: `async with cgrx.publish(feed, channels, "kafka://HOST:9092/TOPIC"): ...`.

    Everything that the stream of a channel gives becomes a `Record` under the channel's wire name: batches of events,
    and the marks between them, in order. `cgrx.consume` makes a feed of the topic again. Subscribes on entering. On
    leaving, what waits is sent, for as long as `drain` says. Needs the extra `kafka`.

    Each call is a session of its own, whose records begin with the `Gap` with which every subscription begins: after a
    restart, or a kill, that is the outage. The producer is idempotent; a batch that is not acknowledged is sent again,
    so a record may stand there twice, and readers skip it by its number. What finds no room in the buffer while the
    brokers are away, or is refused, leaves a hole in the numbers, which readers take for a gap. So nothing is lost in
    silence, and a live feed never waits; a replay at full speed does.

    Args:
        feed: of `connect` or `replay`, or any other object with the members of `cgrx.Feed`.
        channels: the ones to publish, as values or wire names; at least one.
        target: `kafka://HOST:9092/TOPIC`, with further brokers behind commas and properties of librdkafka behind `?`.
            The topic must be there, unless the broker makes topics by itself. It may hold a password: it is in no log,
            status and error.
        shard: the share of this process, as `"3/8"`, of the channels: those of `1/8` to `8/8` are all of them, each in
            one. Nobody coordinates: a hash of the group decides. A share may be empty.
        partition_by: what decides on the partition, and on the share: the `"channel"`, or the `"base_asset"`, so that
            a pipeline over the exchanges of one asset finds them in one partition.
        ends: whether the end of a stream is published as the end of its channel, as it is where a recording is
            replayed to its end. By default it is not: the next session goes on with the channel.
        **options: as of every sink, see `cgrx.sinks.DeliveryOptions`, with `every="50ms"`. They count records.

    Returns:
        A context manager that gives a `Sink`, whose `stats` count the records and always balance.

    Raises:
        ValueError, TypeError: an argument cannot be used; also a channel without a known base asset.
        SinkRefusedError: on entering: there is no such topic, or the user may not write to it.
        ImportError: confluent-kafka is not installed.
        NotInTrioError: called outside trio.

    Examples:
        >>> async with cgrx.connect() as feed:  # doctest: +SKIP
        ...     async with cgrx.publish(
        ...         feed, ["liquidationOrders"], "kafka://broker:9092/signals"
        ...     ):
        ...         await feed.run()

        What stands on the topic:

        >>> cgrx.Record("liquidationOrders", "a1", 0, 5, cgrx.Alive("cgrx", 5)).encode()
        b'[1,"a1",0,5,"a",["cgrx",5]]'
    """
    require_trio("publish()")
    require_extra("cgrx.publish()", "kafka")
    address = KafkaAddress.of_target(target)
    address.require(OURS)
    # The very objects that records compare with: where both are the same, comparing costs nothing.
    share, chosen = Share.parse(shard), tuple(channel_named(each.name) for each in several_channels(channels))
    if not chosen:
        raise ValueError("channels=() holds nothing to publish: give at least one channel")
    groups = {channel: group_of(channel, partition_by) for channel in chosen}
    mine = {channel.name: group for channel, group in groups.items() if share.has(group)}
    streams = {channel: feed.channel(channel) for channel in chosen if channel.name in mine}
    records = _records(feed, streams, Numbering(secrets.token_hex(4)), ends)
    return delivered("cgrx.publish()", records, RecordWriter(address, mine), DeliveryOptions(every=EVERY) | options)


def _records(
    feed: Feed, streams: Mapping[Channel, EventStream[Any]], numbering: Numbering, ends: bool
) -> EventStream[Record]:
    """The records of all these streams as one stream."""

    def connect(observer: SignalObserver[Record], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        subscriptions = CompositeDisposable()
        for channel, stream in streams.items():
            subscriptions.add(stream.subscribe_signals(_Recording(feed, channel.name, numbering, ends, observer)))
        return subscriptions

    runtime = joint(stream.runtime for stream in streams.values() if stream.runtime is not None)
    return EventStream(connect, event_types=frozenset({Record}), runtime=runtime)


@attrs.frozen(eq=False)
class _Recording:
    """Makes records of the signals of one channel's stream."""

    feed: Feed
    channel: str
    numbering: Numbering
    ends: bool
    observer: SignalObserver[Record]

    def on_signal(self, signal: RecordedSignal) -> None:
        record = self.numbering.record(self.channel, signal)
        self.observer.on_signal(Batch(None, record.received_ms, (record,)))

    def on_error(self, error: Exception) -> None:
        """The stream has failed: its feed tells it, as for any subscriber without an `on_error`."""
        if isinstance(error, CgrxError):  # any other error is a subscriber's, and has been told
            self.feed.report(StreamFailed(self.feed.now_ms, error))
        if self.ends:
            self.on_signal(End((type(error).__name__, str(error))))

    def on_completed(self) -> None:
        if self.ends:
            self.on_signal(End())
