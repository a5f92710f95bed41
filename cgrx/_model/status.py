"""What is known of a feed as a whole: its state, its status events and its counters. All frozen values."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Literal, TypeAlias

import attrs

from cgrx._model import html
from cgrx._model.channels import Channel
from cgrx._model.spelling import Doubt


class State(Enum):
    """Where a feed stands."""

    CONNECTING = "connecting"
    """Before the first handshake."""
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """Disconnected, waiting to try again or trying."""
    CLOSED = "closed"
    """Ended by its user."""
    FAILED = "failed"
    """Ended by an error that `run()` raises."""


class _Told:
    """What a notebook shows of a status: its name, when it was, and its sentence."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        at_ms: int = getattr(self, "at_ms")  # noqa: B009 - every status has it, as a field of its own
        return html.page(html.titled(type(self).__name__, f"{html.moment(at_ms)} UTC: {self}"))


@attrs.frozen
class Connecting(_Told):
    """An attempt begins; `attempt` counts from 1 since the last connection."""

    at_ms: int
    attempt: int

    def __str__(self) -> str:
        return f"connecting, attempt {self.attempt}"


@attrs.frozen
class Connected(_Told):
    """The handshake is done; subscriptions are being sent."""

    at_ms: int

    def __str__(self) -> str:
        return "connected"


@attrs.frozen
class Disconnected(_Told):
    """A connection, or an attempt to make one, has ended; the next attempt is `retry_in_s` seconds away."""

    at_ms: int
    error: Exception
    retry_in_s: float

    def __str__(self) -> str:
        return f"{self.error}; trying again in {self.retry_in_s:.1f} s"


@attrs.frozen
class Silent(_Told):
    """A channel has given no event since it was subscribed to, although the connection is proven alive.

    `hint` says how else its exchange or its instrument may be spelled, None where nothing is known.
    """

    at_ms: int
    channel: Channel
    hint: str | None

    def __str__(self) -> str:
        return f"no event of {self.channel.name} yet: {self.hint or 'is it spelled as the exchange does?'}"


@attrs.frozen
class Misspelt(_Told):
    """A channel is subscribed to whose exchange or symbol is probably misspelt; it is subscribed to all the same.

    Reported once for each name, when its channel gets its first subscriber. What is not near any known name is not
    reported: CoinGlass may list an exchange that cgrx does not know yet.
    """

    at_ms: int
    channel: Channel
    name: str
    """The exchange or the symbol, as it was given."""
    nearest: tuple[str, ...]
    """What was probably meant, the likeliest first; at least one."""

    def __str__(self) -> str:
        return f"{Doubt(self.name, self.nearest)} (channel {self.channel.name})"


@attrs.frozen
class ClockSkewed(_Told):
    """A clock differs from the feed's clock, which is the system's clock at `connect()` plus the time elapsed since.

    Reported when the difference appears, when it has changed by more than a second, and once more when it is over.
    """

    at_ms: int
    difference_ms: int
    """That clock minus the feed's: above zero where it is ahead, below where it is behind; 0: they agree again."""
    witness: Literal["system", "events"]
    """Which clock: the system's now, or those of the exchanges, as the times of their events show them."""

    def __str__(self) -> str:
        name = "the system's clock" if self.witness == "system" else "the clock of the events"
        if not self.difference_ms:
            return f"{name} agrees with the feed's clock again"
        where = "ahead of" if self.difference_ms > 0 else "behind"
        return f"{name} is {abs(self.difference_ms) / 1e3:.1f} s {where} the feed's clock"


@attrs.frozen
class Backpressured(_Told):
    """A blocking consumer is full: the socket is not read until `Resumed`."""

    at_ms: int

    def __str__(self) -> str:
        return "a consumer is full: the socket is not read"


@attrs.frozen
class Resumed(_Told):
    """The socket is read again."""

    at_ms: int

    def __str__(self) -> str:
        return "the socket is read again"


@attrs.frozen
class MalformedInput(_Told):
    """Something received could not be read. `path` is where in the message, `excerpt` a bounded piece of it."""

    at_ms: int
    channel: str | None
    path: str
    reason: str
    excerpt: str

    def __str__(self) -> str:
        return f"malformed input at {self.path}: {self.reason} in {self.excerpt}"


@attrs.frozen
class NoticeReceived(_Told):
    """The server sent a text that is neither data nor a pong."""

    at_ms: int
    text: str

    def __str__(self) -> str:
        return f"the server says: {self.text}"


@attrs.frozen
class SubscriberFailed(_Told):
    """A subscriber raised `error`; its subscription has been disposed."""

    at_ms: int
    error: Exception

    def __str__(self) -> str:
        return f"a subscriber raised {type(self.error).__name__}: {self.error}"


@attrs.frozen
class StreamFailed(_Told):
    """A stream ended with `error`, and its subscriber has no `on_error`."""

    at_ms: int
    error: Exception

    def __str__(self) -> str:
        return f"a stream without on_error has failed: {self.error}"


@attrs.frozen
class RecordingFailed(_Told):
    """A recorder of this feed has lost events, or has ended, because of `error`; the feed goes on."""

    at_ms: int
    error: Exception

    def __str__(self) -> str:
        return f"recording failed: {self.error}"


@attrs.frozen
class Ended(_Told):
    """The feed has ended: by its user (`error` is None) or by `error`."""

    at_ms: int
    error: Exception | None

    def __str__(self) -> str:
        return "the feed was closed" if self.error is None else f"the feed has ended: {self.error}"


Status: TypeAlias = (
    Connecting
    | Connected
    | Disconnected
    | Silent
    | Misspelt
    | ClockSkewed
    | Backpressured
    | Resumed
    | MalformedInput
    | NoticeReceived
    | SubscriberFailed
    | StreamFailed
    | RecordingFailed
    | Ended
)


@attrs.frozen
class ChannelStats:
    """Counters of one channel since its first subscriber came.

    They go on where the last one leaves and another one comes, as `timeout` and `retry` do.
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
