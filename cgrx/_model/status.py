"""What is known of a feed as a whole: its state and its status events. All frozen values."""

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
class DeliveryHeld(_Told):
    """A sink cannot deliver: what it has waits, and it tries again in `retry_in_s` seconds.

    Reported when that begins and when the reason changes.
    """

    at_ms: int
    sink: str
    error: Exception
    retry_in_s: float

    def __str__(self) -> str:
        return f"{self.sink}: {self.error}; trying again in {self.retry_in_s:.1f} s"


@attrs.frozen
class DeliveryResumed(_Told):
    """A sink delivers again."""

    at_ms: int
    sink: str

    def __str__(self) -> str:
        return f"{self.sink}: delivering again"


@attrs.frozen
class Undelivered(_Told):
    """A sink has given up `count` items for good: the system refuses them, or there was no room for them.

    Of items for which there is no room it is reported once a second at the most.
    """

    at_ms: int
    sink: str
    count: int
    reason: str

    def __str__(self) -> str:
        return f"{self.sink}: {self.count:,} not delivered: {self.reason}"


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
    | DeliveryHeld
    | DeliveryResumed
    | Undelivered
    | Ended
)
