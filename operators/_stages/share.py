"""One subscription for many subscribers, as an operator."""

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable

from cgrx._streams.stream import EventStream
from cgrx._streams.stream import share as share_stream

T = TypeVar("T")


def share() -> Callable[[Observable[T]], EventStream[T]]:
    """Share one subscription to the source among all subscribers of the result.

    Examples:
        >>> def both(source):
        ...     shared = source.pipe(ops.share())
        ...     shorts = shared.pipe(ops.side("short"))
        ...     return cgrx.merge(shorts, shared.pipe(ops.side("long")))
        >>> events = batch(liquidation("long"), liquidation("short"))
        >>> [event.side.word for event in play(both, [events])]
        ['short', 'long']

    The source is subscribed to with the first subscriber and disposed with the last; a later one starts anew. A
    subscriber that joins in between begins with a `Gap` from 0 for each channel that is already running. Completion and
    errors reach all. State: the subscribers. Unlike reactivex's `share` it carries the marks.
    """
    return share_stream
