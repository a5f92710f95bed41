"""The metrics as a table: names and units by Prometheus' conventions, and where each is found in a snapshot.

No label ever holds a symbol, for there are thousands: `channel` is the kind of a channel, and the other labels are the
names that the user gave.
Source: https://prometheus.io/docs/practices/naming/.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import attrs

from cgrx._delivery.accounts import SinkStats
from cgrx._feed.intake import RecorderStats
from cgrx._metrics.snapshot import Snapshot
from cgrx._model.stats import ChannelStats, FeedStats
from cgrx._model.status import State
from cgrx._streams.counts import StageStats
from cgrx._trio.buffers import StreamStats

Value: TypeAlias = float | None
"""None: not known, and so left out."""
Samples: TypeAlias = Iterable[tuple[str, Value]]
"""The value of the one label, empty where there is none; and the value."""


@attrs.frozen
class Family:
    """One metric."""

    name: str
    """As it is read: a counter's ends in `_total`."""
    kind: Literal["counter", "gauge"]
    label: str
    """The name of its label; empty where it has none."""
    help: str
    samples: Callable[[Snapshot], Samples]


def _seconds(ms: float | None) -> Value:
    return None if ms is None else ms / 1e3


def _feed(value: Callable[[FeedStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [("", value(snapshot.feed))]


def _channels(value: Callable[[ChannelStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [(kind, value(stats)) for kind, stats in snapshot.feed.kinds.items()]


def _streams(value: Callable[[StreamStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [(name, value(stats)) for name, stats in snapshot.streams.items()]


def _pipelines(value: Callable[[StageStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [(name, value(stats)) for name, stats in snapshot.pipelines.items()]


def _recorders(value: Callable[[RecorderStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [(name, value(stats)) for name, stats in snapshot.recorders.items()]


def _sinks(value: Callable[[SinkStats], Value]) -> Callable[[Snapshot], Samples]:
    return lambda snapshot: [(name, value(stats)) for name, stats in snapshot.sinks.items()]


def _states(snapshot: Snapshot) -> Samples:
    return [(state.value, float(snapshot.feed.state is state)) for state in State]


def _dropped(snapshot: Snapshot) -> Samples:
    return list(snapshot.dropped.items())


def _table(*rows: tuple[str, str, Callable[[Snapshot], Samples], str]) -> tuple[Family, ...]:
    return tuple(
        Family(name, "counter" if name.endswith("_total") else "gauge", label, text, samples)
        for name, label, samples, text in rows
    )


FAMILIES = _table(
    ("cgrx_state", "state", _states, "1 for the state that the feed is in, 0 for the others."),
    (
        "cgrx_proof_age_seconds",
        "",
        lambda snapshot: [("", snapshot.proof_age_s)],
        "How long ago the connection was last proven alive, by a frame or a pong.",
    ),
    ("cgrx_connections_total", "", _feed(lambda feed: feed.connections), "Handshakes completed."),
    ("cgrx_reconnects_total", "", _feed(lambda feed: feed.reconnects), "Connections after the first one."),
    ("cgrx_connection_attempts_total", "", _feed(lambda feed: feed.attempts), "Connections tried."),
    (
        "cgrx_round_trip_seconds",
        "",
        _feed(lambda feed: _seconds(feed.round_trip_ms)),
        "Between the latest ping and its pong.",
    ),
    ("cgrx_pings_total", "", _feed(lambda feed: feed.pings), "Pings sent."),
    ("cgrx_pongs_total", "", _feed(lambda feed: feed.pongs), "Pongs received."),
    ("cgrx_messages_total", "", _feed(lambda feed: feed.messages), "Messages received."),
    ("cgrx_received_bytes_total", "", _feed(lambda feed: feed.received_bytes), "Payload bytes received."),
    (
        "cgrx_notices_total",
        "",
        _feed(lambda feed: feed.notices),
        "Texts received that are neither data nor a pong.",
    ),
    (
        "cgrx_events_total",
        "channel",
        _channels(lambda channel: channel.events),
        "Events received and handed to a subscriber.",
    ),
    (
        "cgrx_unclaimed_events_total",
        "",
        _feed(lambda feed: feed.unclaimed),
        "Events received on a channel without subscribers.",
    ),
    (
        "cgrx_dropped_total",
        "reason",
        _dropped,
        "Lost: malformed input; overflow of a stream's buffer; unrecorded by a recorder; undelivered by sinks.",
    ),
    (
        "cgrx_malformed_events_total",
        "channel",
        _channels(lambda channel: channel.malformed),
        "Events of a known channel that could not be read.",
    ),
    (
        "cgrx_gaps_total",
        "channel",
        _channels(lambda channel: channel.gaps),
        "Times that a channel was interrupted, so that events may be missing.",
    ),
    (
        "cgrx_gap_seconds_total",
        "channel",
        _channels(lambda channel: _seconds(channel.gap_ms)),
        "How long channels were interrupted, over all channels of this kind.",
    ),
    ("cgrx_subscribers", "channel", _channels(lambda channel: channel.subscribers), "Subscriptions now."),
    (
        "cgrx_last_received_timestamp_seconds",
        "channel",
        _channels(lambda channel: _seconds(channel.last_received_ms)),
        "When the latest event was received, by the feed's clock.",
    ),
    (
        "cgrx_last_event_lag_seconds",
        "channel",
        _channels(lambda channel: _seconds(channel.lag_ms)),
        "How long after its own time the latest event was received.",
    ),
    (
        "cgrx_receive_lag_seconds",
        "",
        _feed(lambda feed: _seconds(feed.lag_ms)),
        "How long after their own times events are received: the median of the last nine seconds with events.",
    ),
    (
        "cgrx_clock_skew_seconds",
        "",
        _feed(lambda feed: _seconds(feed.clock_skew_ms)),
        "The system's clock minus the feed's.",
    ),
    ("cgrx_stream_received_total", "stream", _streams(lambda stream: stream.received), "What came for the stream."),
    ("cgrx_stream_delivered_total", "stream", _streams(lambda stream: stream.delivered), "What was taken from it."),
    ("cgrx_stream_dropped_total", "stream", _streams(lambda stream: stream.dropped), "What its policy dropped."),
    ("cgrx_stream_queued", "stream", _streams(lambda stream: stream.queued), "What waits in its buffer."),
    (
        "cgrx_open_keys",
        "pipeline",
        _pipelines(lambda pipeline: pipeline.keys),
        "Keys that the windows of the pipeline hold open.",
    ),
    (
        "cgrx_late_events_total",
        "pipeline",
        _pipelines(lambda pipeline: pipeline.late),
        "Events that came when their window had closed, or behind the order of a merge.",
    ),
    ("cgrx_recorder_events_total", "recorder", _recorders(lambda recorder: recorder.events), "Events heard."),
    (
        "cgrx_recorder_recorded_total",
        "recorder",
        _recorders(lambda recorder: recorder.recorded),
        "Events handed to the operating system.",
    ),
    (
        "cgrx_recorder_lost_total",
        "recorder",
        _recorders(lambda recorder: recorder.lost),
        "Events that are not in the recording: the disk did not keep up, or failed.",
    ),
    (
        "cgrx_recorder_queued",
        "recorder",
        _recorders(lambda recorder: recorder.queued),
        "Events that wait.",
    ),
    ("cgrx_recorder_parts", "recorder", _recorders(lambda recorder: recorder.parts), "Finished parts in the folder."),
    ("cgrx_recorder_bytes", "recorder", _recorders(lambda recorder: recorder.bytes), "Size of all parts."),
    ("cgrx_sink_received_total", "sink", _sinks(lambda sink: sink.received), "What came for the sink."),
    ("cgrx_sink_delivered_total", "sink", _sinks(lambda sink: sink.delivered), "What the system has acknowledged."),
    (
        "cgrx_sink_superseded_total",
        "sink",
        _sinks(lambda sink: sink.superseded),
        "Running rows that a later row replaced before they were sent.",
    ),
    ("cgrx_sink_dropped_total", "sink", _sinks(lambda sink: sink.dropped), "What was given up for want of room."),
    ("cgrx_sink_dead_total", "sink", _sinks(lambda sink: sink.dead), "What the system refuses."),
    ("cgrx_sink_queued", "sink", _sinks(lambda sink: sink.queued), "What waits, in memory and in files."),
    ("cgrx_sink_spilled", "sink", _sinks(lambda sink: sink.spilled), "Of that, what is in files."),
    ("cgrx_sink_in_flight", "sink", _sinks(lambda sink: sink.in_flight), "What is being written."),
    ("cgrx_sink_batches_total", "sink", _sinks(lambda sink: sink.batches), "Batches acknowledged."),
    ("cgrx_sink_retries_total", "sink", _sinks(lambda sink: sink.retries), "Attempts that did not succeed."),
    ("cgrx_sink_up", "sink", _sinks(lambda sink: float(sink.error is None)), "1 while nothing holds the sink up."),
)
"""Every metric, in the order of the page."""
