"""What is known of a feed as a whole: its state and its status events. All frozen values."""

from enum import Enum
from typing import Literal, TypeAlias

import attrs

from cgrx._model.channels import Channel
from cgrx._model.output_status import (
    Backpressured,
    DeliveryHeld,
    DeliveryResumed,
    RecordingFailed,
    Resumed,
    StreamFailed,
    SubscriberFailed,
    Undelivered,
)
from cgrx._model.spelling import Doubt
from cgrx._model.told import Told


class State(Enum):
    """Where a feed stands.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     print(feed.state)
        State.CONNECTED
    """

    CONNECTING = "connecting"
    """Before the first handshake."""
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """Disconnected, waiting to try again or trying."""
    CLOSED = "closed"
    """Ended by its user."""
    FAILED = "failed"
    """Ended by an error that `run()` raises."""


@attrs.frozen
class Connecting(Told):
    """An attempt begins.

    Examples:
        >>> print(cgrx.Connecting(1704110400000, attempt=2))
        connecting, attempt 2
    """

    at_ms: int
    attempt: int
    """Counts from 1 since the last connection."""

    def __str__(self) -> str:
        return f"connecting, attempt {self.attempt}"


@attrs.frozen
class Connected(Told):
    """The handshake is done; subscriptions are being sent.

    Examples:
        >>> print(cgrx.Connected(1704110400000))
        connected
    """

    at_ms: int

    def __str__(self) -> str:
        return "connected"


@attrs.frozen
class Disconnected(Told):
    """A connection, or an attempt to make one, has ended.

    Cause:
        That of `error`, which is a `TransportError`.

    Remedy:
        None is needed: what was missed meanwhile is a `Gap` in each channel. Where attempts never succeed, see the
        class of `error`.

    Tried again:
        yes: in `retry_in_s` seconds, until a connection is made or the feed is closed

    Examples:
        >>> print(
        ...     cgrx.Disconnected(
        ...         1704110400000, cgrx.DisconnectedError(1012, "service restart"), 0.2
        ...     )
        ... )
        connection closed with code 1012: service restart; trying again in 0.2 s
    """

    at_ms: int
    error: Exception
    """What ended it."""
    retry_in_s: float
    """In how many seconds the next attempt begins."""

    def __str__(self) -> str:
        return f"{self.error}; trying again in {self.retry_in_s:.1f} s"


@attrs.frozen
class Silent(Told):
    """A channel has given no event since it was subscribed to, although the connection is proven alive.

    Cause:
        The exchange or the symbol is not spelled as CoinGlass does, or nothing has happened: a rare contract, a high
        `min_volume`.

    Remedy:
        Follow `hint`; lower `min_volume`; else wait. `Limits.silent_after_s` says after how long it is reported.

    Tried again:
        the subscription stays, and gives events once there are any

    Examples:
        >>> channel = cgrx.FuturesTrades("OKX", "BTCUSDT", 0)
        >>> print(cgrx.Silent(1704110400000, channel, "OKX calls it BTC-USDT-SWAP"))
        no event of futures_trades@OKX_BTCUSDT@0 yet: OKX calls it BTC-USDT-SWAP
    """

    at_ms: int
    channel: Channel
    """The channel."""
    hint: str | None
    """How else its exchange or its instrument may be spelled; None where nothing is known."""

    def __str__(self) -> str:
        return f"no event of {self.channel.name} yet: {self.hint or 'is it spelled as the exchange does?'}"


@attrs.frozen
class Misspelt(Told):
    """A channel is subscribed to whose exchange or symbol is probably misspelt; it is subscribed to all the same.

    Reported once for each name, when its channel gets its first subscriber. What is not near any known name is not
    reported: CoinGlass may list an exchange that cgrx does not know yet.

    Cause:
        The name is one or two letters away from a known one, or in the form of another exchange.

    Remedy:
        Write the nearest name, where that is what you meant.

    Tried again:
        the subscription stays as it was written

    Examples:
        >>> channel = cgrx.FuturesTrades("Binnance", "BTCUSDT", 0)
        >>> print(cgrx.Misspelt(1704110400000, channel, "Binnance", ("Binance",)))
        'Binnance': did you mean Binance? (channel futures_trades@Binnance_BTCUSDT@0)
    """

    at_ms: int
    channel: Channel
    """The channel."""
    name: str
    """The exchange or the symbol, as it was given."""
    nearest: tuple[str, ...]
    """What was probably meant, the likeliest first; at least one."""

    def __str__(self) -> str:
        return f"{Doubt(self.name, self.nearest)} (channel {self.channel.name})"


@attrs.frozen
class ClockSkewed(Told):
    """A clock differs from the feed's clock, which is the system's clock at `connect()` plus the time elapsed since.

    Reported when the difference appears, when it has changed by more than a second, and once more when it is over.

    Cause:
        The system's clock was set after the feed began, or the machine was asleep; or it is wrong, so that the events
        of the exchanges are ahead of it or behind.

    Remedy:
        Let a time service keep the clock of the machine. Windows go by the times of the events, and do not change.

    Tried again:
        cgrx moves no clock, but for a sleep of the machine: its feed catches up with the next connection

    Examples:
        >>> print(cgrx.ClockSkewed(1704110400000, 4200, "system"))
        the system's clock is 4.2 s ahead of the feed's clock
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
class MalformedInput(Told):
    """Something received could not be read. What can be read of its frame is given all the same.

    Cause:
        The server sent a field of another type, a text that is no JSON, or an event that cannot be.

    Remedy:
        None is needed for one: it is counted, and marked as lost in its channel. Where they are many, the API has
        changed: look for a newer cgrx.

    Tried again:
        nothing is asked for again: the feed goes on behind it

    Examples:
        >>> print(
        ...     cgrx.MalformedInput(
        ...         1704110400000,
        ...         "liquidationOrders",
        ...         "$.data[3].price",
        ...         "expected float",
        ...         '"x"',
        ...     )
        ... )
        malformed input at $.data[3].price: expected float in "x"
    """

    at_ms: int
    channel: str | None
    """The name of its channel; None where that is not known."""
    path: str
    """Where in the message, as `"$.data[3].price"`."""
    reason: str
    """What is wrong there."""
    excerpt: str
    """A bounded piece of it."""

    def __str__(self) -> str:
        return f"malformed input at {self.path}: {self.reason} in {self.excerpt}"


@attrs.frozen
class NoticeReceived(Told):
    """The server sent a text that is neither data nor a pong.

    Cause:
        The server has something to say, often why it is about to refuse or to close.

    Remedy:
        Read it. A notice about the plan of the key ends the streams of its channel with `PlanError` besides.

    Tried again:
        the feed goes on

    Examples:
        >>> print(cgrx.NoticeReceived(1704110400000, "maintenance at 08:00"))
        the server says: maintenance at 08:00
    """

    at_ms: int
    text: str
    """What it says, without the API key."""

    def __str__(self) -> str:
        return f"the server says: {self.text}"


@attrs.frozen
class Ended(Told):
    """The feed has ended: by its user or by an error.

    Cause:
        It was closed; or `error`, which no new connection mends, or which a subscriber raised.

    Remedy:
        That of `error`, if there is one: `feed.run()` and the `async with` of `connect` raise it.

    Tried again:
        no

    Examples:
        >>> print(cgrx.Ended(1704110400000, cgrx.AuthError(401)))
        the feed has ended: the server refused the API key (HTTP 401)
    """

    at_ms: int
    error: Exception | None
    """What ended it; None: its user."""

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
"""Whatever `feed.status` tells.

Examples:
    >>> def note(status: cgrx.Status) -> str | None:
    ...     match status:
    ...         case cgrx.Disconnected(error=error):
    ...             return f"lost: {error}"
    ...         case cgrx.Ended(error=None):
    ...             return "closed"
    ...         case _:
    ...             return None
    >>> print(note(cgrx.Ended(1704110400000, None)))
    closed
"""
