"""The counters of a feed, and of its channels: frozen values."""

from collections.abc import Iterable, Mapping

import attrs

from cgrx._model import html
from cgrx._model.channels import Channel
from cgrx._model.status import State


@attrs.frozen
class ChannelStats:
    """Counters of one channel since its first subscriber came.

    They go on where the last one leaves and another one comes, as `timeout` and `retry` do.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     subscription = feed.liquidations().subscribe(print)
        ...     (channel,) = feed.stats.channels.items()
        >>> channel[0], channel[1].subscribers, channel[1].events
        (LiquidationOrders(), 1, 0)
    """

    subscribers: int
    """Subscriptions now."""
    proven: bool | None
    """Whether the subscription is known to work on the present connection; None of a replay, which has none."""
    events: int
    """Events received and handed to at least one subscriber."""
    malformed: int
    """Events received that could not be read."""
    gaps: int
    """Times that events may have been missed, the beginning of each subscription not counted."""
    gap_ms: int
    """How long that was in all, an interruption that still lasts included, milliseconds."""
    last_event_ms: int | None
    """Time of the latest event received, milliseconds since the epoch."""
    last_received_ms: int | None
    """When it was received, milliseconds since the epoch."""

    @property
    def lag_ms(self) -> int | None:
        """How long after its own time the latest event was received, milliseconds; below zero where clocks differ.

        None before the first event, and of a replay.
        """
        if self.proven is None or self.last_received_ms is None or self.last_event_ms is None:
            return None
        return self.last_received_ms - self.last_event_ms

    @classmethod
    def together(cls, several: Iterable["ChannelStats"]) -> "ChannelStats":
        """The sums over one or more channels; `proven` where all that have subscribers are, the latest event of all."""
        each = tuple(several)
        heard = [one for one in each if one.last_received_ms is not None]
        last = max(heard, key=lambda one: one.last_received_ms or 0, default=each[0])
        replayed = each[0].proven is None
        return cls(
            subscribers=sum(one.subscribers for one in each),
            proven=None if replayed else all(one.proven for one in each if one.subscribers),
            events=sum(one.events for one in each),
            malformed=sum(one.malformed for one in each),
            gaps=sum(one.gaps for one in each),
            gap_ms=sum(one.gap_ms for one in each),
            last_event_ms=last.last_event_ms,
            last_received_ms=last.last_received_ms,
        )


@attrs.frozen
class FeedStats:
    """Counters of a feed since `connect()` or `replay()`.

    A replay counts `connections`, `attempts`, `malformed` and `notices` as the recorded status tells them. What no
    recording holds is None there.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     stats = feed.stats
        >>> stats.state, stats.connections, stats.events, stats.malformed
        (<State.CONNECTED: 'connected'>, 1, 0, 0)
    """

    at_ms: int
    """The feed's time when they were read, or when it ended, milliseconds since the epoch."""
    state: State
    connections: int
    """Handshakes completed."""
    attempts: int
    """Connections tried."""
    messages: int | None
    """Messages received; None of a replay."""
    received_bytes: int | None
    """Payload bytes received; None of a replay."""
    events: int
    """Events received and handed to at least one subscriber."""
    unclaimed: int | None
    """Events received on a channel without subscribers (it takes the server a moment to stop); None of a replay."""
    malformed: int
    """Messages and events that could not be read."""
    notices: int
    """Texts received that are neither data nor a pong."""
    pings: int | None
    """Pings sent; None of a replay."""
    pongs: int | None
    """Pongs received; None of a replay."""
    round_trip_ms: float | None
    """Of the latest ping and pong, milliseconds; None before the first pong, and of a replay."""
    proven_ms: int | None
    """The latest proof of life, milliseconds since the epoch: all that the server had to say until then has been
    received. None before the first one, and of a replay."""
    lag_ms: int | None
    """How long after their own times events are received: the median over the last nine seconds in which events came,
    milliseconds; below zero where clocks differ. None before three of them, and of a replay."""
    clock_skew_ms: int | None
    """The system's clock minus the feed's, milliseconds; None of a feed that has ended, and of a replay."""
    subscribers: int
    """Subscriptions now, over all channels."""
    channels: Mapping[Channel, ChannelStats]
    """By channel, those that have or had subscribers, of the latter the last 10,000."""
    forgotten: Mapping[str, ChannelStats]
    """By kind of channel, the sums of those that `channels` holds no more."""

    @property
    def reconnects(self) -> int:
        """Connections after the first one."""
        return max(self.connections - 1, 0)

    @property
    def kinds(self) -> Mapping[str, ChannelStats]:
        """The sums by kind of channel, `"liquidation_orders"` and `"futures_trades"`, of all there were."""
        found = {kind: [stats] for kind, stats in self.forgotten.items()}
        for channel, stats in self.channels.items():
            found.setdefault(channel.kind, []).append(stats)
        return {kind: ChannelStats.together(each) for kind, each in found.items()}

    def _repr_html_(self) -> str:
        values = {name: _shown(name, getattr(self, name)) for name in attrs.fields_dict(type(self))}
        counted = {name: value for name, value in values.items() if isinstance(value, int | float | str)}
        heads = ("channel", *attrs.fields_dict(ChannelStats))
        lines = [
            html.Line((channel.name, *(_shown(name, getattr(stats, name)) for name in heads[1:])))
            for channel, stats in self.channels.items()
        ]
        return html.page(
            html.titled(f"Feed: {self.state.value}"),
            html.counters(counted),
            html.table(heads, html.bounded(lines, _MOST_CHANNELS)) if lines else html.titled("no channel yet"),
        )


_MOST_CHANNELS = 50
"""How many channels a notebook shows."""

_MOMENTS = frozenset({"at_ms", "proven_ms", "last_event_ms", "last_received_ms"})
"""The counters that are times of day."""


def _shown(name: str, value: object) -> object:
    return html.moment(value) if name in _MOMENTS and isinstance(value, int) else value
