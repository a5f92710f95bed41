"""Which events of a feed `cgrx watch` and `cgrx replay` show."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from cgrx import EventStream, Feed, FuturesTrades, Replay, merge
from cgrx import operators as ops
from cgrx._cli.terminal.exits import CommandError, Exit

FeedT = TypeVar("FeedT")

Choose: TypeAlias = Callable[[FeedT], Sequence[EventStream[Any]]]
"""Takes the streams of some channels from a feed. Raises ValueError where it does not have them."""


@attrs.frozen
class Choice(Generic[FeedT]):
    """Channels, and the filters that their events must pass."""

    choose: Choose[FeedT]
    filters: tuple[ops.Stage[Any, Any], ...] = ()

    def of(self, feed: FeedT) -> EventStream[Any]:
        """The chosen events of a feed, as one stream in the order of receipt.

        Raises:
            CommandError: the feed does not have the channels, as a recording may not.
        """
        try:
            streams = self.choose(feed)
        except ValueError as error:
            raise CommandError(Exit.FAILED, str(error)) from error
        # Filters go before the merge: there a replay can apply them while it reads the file.
        return merge(*(each.pipe(*self.filters) for each in streams))


def flow_of(choice: "Choice[FeedT] | None", feed: FeedT) -> EventStream[Any] | None:
    """The trades whose flow is joined, where it is asked for."""
    return None if choice is None else choice.of(feed)


def liquidations(feed: Feed) -> Sequence[EventStream[Any]]:
    """The liquidations of all exchanges."""
    return (feed.liquidations(),)


def trades(markets: Sequence[FuturesTrades]) -> Callable[[Feed], Sequence[EventStream[Any]]]:
    """The trades of some instruments."""
    return lambda feed: [
        feed.futures_trades(each.exchange, each.symbol, min_volume=each.min_volume) for each in markets
    ]


def recorded_trades(markets: Sequence[FuturesTrades]) -> Callable[[Replay], Sequence[EventStream[Any]]]:
    """The trades of some instruments; of all that are recorded where none is named."""

    def choose(feed: Replay) -> Sequence[EventStream[Any]]:
        chosen = markets or [channel for channel in feed.channels if isinstance(channel, FuturesTrades)]
        if not chosen:
            held = ", ".join(channel.name for channel in feed.channels) or "nothing"
            raise ValueError(f"no trades are recorded there, but {held}")
        return trades(chosen)(feed)

    return choose
