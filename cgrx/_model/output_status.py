"""What is known of a feed's subscribers and of where its events go, as status events. All frozen values."""

import attrs

from cgrx._model.told import Told


@attrs.frozen
class Backpressured(Told):
    """A blocking consumer is full: the socket is not read until `Resumed`.

    Cause:
        A `stream(overflow="block")`, or the reader of a command's output, is slower than the feed.

    Remedy:
        None is needed where it passes. Where it lasts, the server may disconnect: consume faster, filter before the
        stream, or choose another `overflow=`.

    Tried again:
        yes: reading goes on as soon as there is room, which `Resumed` tells

    Examples:
        >>> print(cgrx.Backpressured(1704110400000))
        a consumer is full: the socket is not read
    """

    at_ms: int

    def __str__(self) -> str:
        return "a consumer is full: the socket is not read"


@attrs.frozen
class Resumed(Told):
    """The socket is read again.

    Examples:
        >>> held, again = cgrx.Backpressured(1704110400000), cgrx.Resumed(1704110400250)
        >>> print(f"{again}, {again.at_ms - held.at_ms} ms later")
        the socket is read again, 250 ms later
    """

    at_ms: int

    def __str__(self) -> str:
        return "the socket is read again"


@attrs.frozen
class SubscriberFailed(Told):
    """A subscriber raised; its subscription has been disposed.

    Cause:
        Your function that was subscribed raised an exception.

    Remedy:
        Mend the function: the log has the traceback. Give `connect(on_subscriber_error="isolate")` where the feed
        should outlive it.

    Tried again:
        no: by default the feed ends with the exception, with `"isolate"` that subscription alone is gone

    Examples:
        >>> print(cgrx.SubscriberFailed(1704110400000, KeyError("DOGE")))
        a subscriber raised KeyError: 'DOGE'
    """

    at_ms: int
    error: Exception
    """What it raised."""

    def __str__(self) -> str:
        return f"a subscriber raised {type(self.error).__name__}: {self.error}"


@attrs.frozen
class StreamFailed(Told):
    """A stream ended with an error of cgrx, and its subscriber has no `on_error`.

    Cause:
        That of the error, such as a plan that does not include the channel, or too many keys in a window.

    Remedy:
        That of the error. Subscribe with `on_error=` to handle it yourself.

    Tried again:
        no: the stream has ended, the feed goes on

    Examples:
        >>> print(cgrx.StreamFailed(1704110400000, cgrx.TooManyKeysError(2, ("DOGE",))))
        a stream without on_error has failed: 2 keys are open and ('DOGE',) is one more: choose a coarser `by`, filter
        the events before, or raise `max_keys`
    """

    at_ms: int
    error: Exception
    """With which it ended."""

    def __str__(self) -> str:
        return f"a stream without on_error has failed: {self.error}"


@attrs.frozen
class RecordingFailed(Told):
    """A recorder of this feed has lost events, or has ended; the feed goes on.

    Cause:
        The disk is full, too slow, or gone.

    Remedy:
        Make room, or record onto a faster disk. What was recorded until then stays readable, and events that were
        lost are told in the recording.

    Tried again:
        where single events found no room, recording goes on; where writing failed, the recorder has ended

    Examples:
        >>> full = cgrx.RecordingError(
        ...     "recordings/today", None, "No space left on device"
        ... )
        >>> print(cgrx.RecordingFailed(1704110400000, full))
        recording failed: recordings/today: No space left on device
    """

    at_ms: int
    error: Exception
    """A `RecordingError`."""

    def __str__(self) -> str:
        return f"recording failed: {self.error}"


@attrs.frozen
class DeliveryHeld(Told):
    """A sink cannot deliver: what it has waits. Reported when that begins and when the reason changes.

    Cause:
        The system behind the sink is away, slow, asks to wait, or refuses its user; `error` says which.

    Remedy:
        Look at that system. `buffer=` and `spill=` say how much may wait meanwhile.

    Tried again:
        yes: in `retry_in_s` seconds, until `DeliveryResumed`

    Examples:
        >>> away = cgrx.sinks.SinkUnavailableError(
        ...     "cannot reach hooks.example: Connection refused"
        ... )
        >>> print(cgrx.DeliveryHeld(1704110400000, "webhook", away, 0.4))
        webhook: cannot reach hooks.example: Connection refused; trying again in 0.4 s
    """

    at_ms: int
    sink: str
    """Its name."""
    error: Exception
    """A `SinkUnavailableError` or a `SinkRefusedError`."""
    retry_in_s: float
    """In how many seconds it tries again."""

    def __str__(self) -> str:
        return f"{self.sink}: {self.error}; trying again in {self.retry_in_s:.1f} s"


@attrs.frozen
class DeliveryResumed(Told):
    """A sink delivers again.

    Examples:
        >>> print(cgrx.DeliveryResumed(1704110400000, "webhook"))
        webhook: delivering again
    """

    at_ms: int
    sink: str
    """Its name."""

    def __str__(self) -> str:
        return f"{self.sink}: delivering again"


@attrs.frozen
class Undelivered(Told):
    """A sink has given up items for good.

    Of items for which there is no room it is reported once a second at the most.

    Cause:
        The system refuses these items, or there was no room for them while it was away.

    Remedy:
        Give `dead_letters=` to keep refused items with their reasons, `spill=` to keep on disk what finds no room, or a
        larger `buffer=`.

    Tried again:
        no: `sink.stats` counts them as `dead` or `dropped`

    Examples:
        >>> print(
        ...     cgrx.Undelivered(
        ...         1704110400000, "webhook", 12, "no room while it was away"
        ...     )
        ... )
        webhook: 12 not delivered: no room while it was away
    """

    at_ms: int
    sink: str
    """Its name."""
    count: int
    """How many items."""
    reason: str
    """Why, in words."""

    def __str__(self) -> str:
        return f"{self.sink}: {self.count:,} not delivered: {self.reason}"
