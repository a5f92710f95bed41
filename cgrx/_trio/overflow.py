"""Which buffer stands between an observable and its consumer: the arguments of `stream`, on every host."""

import math
from collections.abc import Callable, Hashable
from typing import Any, Literal, TypeVar, get_args

from reactivex import Observable

from cgrx._model.times import Duration, to_seconds
from cgrx._streams.observable import Chained
from cgrx._streams.stream import EventStream
from cgrx._trio.buffers import Block, DropNewest, DropOldest, Inbox, Latest, Lot

T = TypeVar("T")

Overflow = Literal["error", "drop_oldest", "drop_newest", "latest", "block"]


def instrument(event: Any) -> Hashable:
    """What `"latest"` tells events apart by, unless told otherwise."""
    return (event.exchange, event.symbol)


def inbox_for(
    observable: Observable[T],
    lot: Lot,
    buffer: float,
    overflow: str,
    key: Callable[[T], Hashable],
    block_timeout: Duration,
) -> Inbox[T]:
    """The buffer that the arguments of `stream` ask for; its consumer waits in `lot`.

    Raises:
        ValueError: `buffer` below 1, an unknown policy, or `"block"` on what is not a feed's own stream.
    """
    if math.isnan(buffer) or buffer < 1:
        raise ValueError(f"buffer={buffer!r} must be a number of events, at least 1 (math.inf: no bound)")
    timeout_s = to_seconds(block_timeout, "block_timeout")
    match overflow:
        case "error":
            runtime = observable.runtime if isinstance(observable, Chained) else None
            return Inbox(lot, buffer) if runtime is None or not runtime.waits else Block(lot, buffer, runtime, math.inf)
        case "drop_oldest":
            return DropOldest(lot, buffer)
        case "drop_newest":
            return DropNewest(lot, buffer)
        case "latest":
            return Latest(lot, buffer, key)
        case "block":
            if not isinstance(observable, EventStream) or observable.runtime is None:
                raise ValueError(
                    'overflow="block" can only hold up a feed\'s own stream, not one behind a reactivex operator or'
                    " from elsewhere: choose another policy"
                )
            return Block(lot, buffer, observable.runtime, timeout_s)
        case _:
            accepted = ", ".join(map(repr, get_args(Overflow)))
            raise ValueError(f"overflow={overflow!r} is none of {accepted}")
