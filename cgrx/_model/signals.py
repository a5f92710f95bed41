"""What moves a pipeline: events in batches, and between them marks of what is known about time, loss and liveness.

Operators have no clock. All that they need to know arrives in order, on one path, as one of these frozen values.
Times are wall time in milliseconds since the epoch.
"""

from typing import Generic, TypeAlias, TypeVar

import attrs
import msgspec

from cgrx._model.channels import Channel

T_co = TypeVar("T_co", covariant=True)


# A msgspec Struct as the events are, and not attrs as all other values: one is made for each read and each stage, and
# making it takes an eighth of the time.
class Batch(msgspec.Struct, Generic[T_co], frozen=True):
    """Events of one channel in the order received.

    `channel` is None where the events come from no single channel: a foreign observable, or rows of a stage
    that a mark released.

    Examples:
        >>> of_two = batch(
        ...     liquidation("long", time="1s"), liquidation("short", time="2s")
        ... )
        >>> len(of_two.events), of_two.received_ms, of_two.channel.name
        (2, 2000, 'liquidationOrders')
    """

    channel: Channel | None
    received_ms: int
    """When the frame that held them was read from the socket."""
    events: tuple[T_co, ...]


@attrs.frozen
class Alive:
    """Proof: every event that this connection had to give up to `at_ms` has been given.

    `origin` names the connection's feed. The times of one origin never go back; a merge of several origins, or of
    several paths of one, takes the maximum per origin.

    Examples:
        >>> (row,) = play(
        ...     ops.tumbling("1m"),
        ...     [batch(liquidation(time="1s")), cgrx.Alive("cgrx", 65_000)],
        ... )
        >>> row.final
        True
    """

    origin: str
    at_ms: int


@attrs.frozen
class Gap:
    """Events of this channel may be missing between these times.

    Every subscription begins with one that starts at 0, because nothing before it was seen. `channel` is None where
    the channel is not known: in a merge, of an input that has given no signal yet.

    Examples:
        >>> away = cgrx.Gap(cgrx.LiquidationOrders(), 20_000, 30_000, "connection lost")
        >>> (row,) = play(
        ...     ops.tumbling("1m"), [batch(liquidation(time="1s")), away, alive("65s")]
        ... )
        >>> row.complete, row.gap_ms
        (False, 14000)
    """

    channel: Channel | None
    start_ms: int
    end_ms: int
    reason: str


@attrs.frozen
class Dropped:
    """Events known to be lost on this path: malformed ones, or by the policy of a bounded buffer.

    `channel` is None where a whole message could not be read: it may have held events of any channel.

    Examples:
        >>> lost = cgrx.Dropped(cgrx.LiquidationOrders(), 3, "malformed")
        >>> (row,) = play(
        ...     ops.tumbling("1m"), [batch(liquidation(time="1s")), lost, alive("65s")]
        ... )
        >>> row.complete, row.dropped
        (False, 3)
    """

    channel: Channel | None
    count: int
    reason: str


class Watermark(msgspec.Struct, frozen=True):  # as `Batch`: an order makes one for each few events
    """Nothing earlier than `time_ms` (event time) will follow: a stage that orders events promises it.

    So does a window, of the `time_ms` of its rows: behind the rows that it closed, and behind another mark when it has
    come further. No final row that ends at that time follows either.

    Examples:
        >>> from cgrx.testing import play_signals
        >>> signals = play_signals(
        ...     ops.tumbling("1m"), [batch(liquidation(time="1s")), alive("65s")]
        ... )
        >>> [type(each).__name__ for each in signals]
        ['Batch', 'Alive', 'Watermark']
        >>> signals[1]
        Alive(origin='test', at_ms=65000)
    """

    time_ms: int


Mark: TypeAlias = Alive | Gap | Dropped | Watermark
"""What stands between the events of a stream.

Examples:
    >>> def told(mark: cgrx.Mark) -> str:
    ...     match mark:
    ...         case cgrx.Gap(start_ms=start_ms, end_ms=end_ms):
    ...             return f"nothing is known of {end_ms - start_ms} ms"
    ...         case _:
    ...             return type(mark).__name__
    >>> told(gap("1s", "3s")), told(alive("5s"))
    ('nothing is known of 2000 ms', 'Alive')
"""
Signal: TypeAlias = Batch[T_co] | Mark
"""Whatever moves along a stream: events in batches, and marks.

Examples:
    >>> signals: list[cgrx.Signal[cgrx.Liquidation]] = [
    ...     batch(liquidation("long"), liquidation("short")),
    ...     alive("5s"),
    ... ]
    >>> sum(len(each.events) for each in signals if isinstance(each, cgrx.Batch))
    2
"""


def proof_ms(mark: Mark) -> int:
    """The time that a mark proves it to be, milliseconds since the epoch; 0 for one that proves none.

    A gap proves nothing: it tells of a time in which nobody saw anything, and may be told long after that.
    """
    return mark.at_ms if isinstance(mark, Alive) else 0


def mark_ms(mark: Mark) -> int:
    """The time up to which a mark speaks, milliseconds since the epoch; 0 for one that speaks of none."""
    match mark:
        case Alive(at_ms=time_ms) | Gap(end_ms=time_ms):
            return time_ms
        case _:  # a watermark is event time, a drop has none: neither says how late it is
            return 0
