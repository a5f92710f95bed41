"""Finds out what a pipeline is made of, by building it on a feed that gives nothing.

    plan(build)   ->   Branch(source, stages), where a source is a channel, or a merge of branches

Nothing runs. The feed knows which channels it is asked for; the stream that `build` returns holds its stages.
"""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

import attrs
from reactivex import Observable, abc
from reactivex.disposable import Disposable

from cgrx._feed.face import Feed
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders, parse_channel
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.stats import FeedStats
from cgrx._model.status import State, Status
from cgrx._model.times import Duration
from cgrx._streams.observers import SignalObserver
from cgrx._streams.order_terms import Terms
from cgrx._streams.ordering import Ordered, OrderedStream, trades_across
from cgrx._streams.sharing import Shared
from cgrx._streams.stream import EventStream, Stage, Union
from cgrx._trio.scheduler import TrioScheduler
from cgrx.operators._windows.latest_of import JoinSource

T = TypeVar("T")

Build: TypeAlias = Callable[[Feed], Observable[T]]
"""A pipeline as a function: from a feed to what comes out."""


class Unplannable(Exception):  # noqa: N818 - never leaves the backtest: it carries a reason, not a failure
    """What a pipeline is made of cannot be known without running it."""


class Inexpressible(Exception):  # noqa: N818 - as above
    """Columns cannot say what this pipeline gives on this recording, or not for sure."""


@attrs.frozen
class Merged:
    """The union of branches, in order of arrival; with `order` in order of event time."""

    branches: tuple["Branch", ...]
    order: Terms | None = None


@attrs.frozen
class Branch:
    """Stages behind a source."""

    source: Channel | Merged
    stages: tuple[Stage[Any, Any], ...]
    shares: bool = False
    """Whether a stream in it is shared: a merge of what is made of it hears its inputs in an order of its own."""


def plan(build: Build[Any]) -> Branch:
    """Build the pipeline on a feed that gives nothing, and return what it is made of.

    Raises:
        Unplannable: a reactivex operator is in it, or it uses more of the feed than its streams.
        TypeError: `build` returns no Observable.
    """
    feed = PlanningFeed()
    built = build(feed)
    if not isinstance(built, abc.ObservableBase):
        raise TypeError(f"build(feed) returned {built!r}, which is no Observable")
    if feed.subscribed:
        raise Unplannable("it subscribes to streams of its own")
    return _branch(built)


def _branch(stream: object) -> Branch:
    if not isinstance(stream, EventStream):
        raise Unplannable("behind a reactivex operator nothing is known of the stages")
    source = cast("object", stream.source)
    match source:
        case Asked():
            return Branch(source.channel, stream.stages)
        case Union():
            return _merged(source.streams, None, stream.stages)
        case Ordered():
            return _merged(source.streams, source.terms, stream.stages)
        case Shared():
            before = _branch(cast("Any", stream.source).source)
            return Branch(before.source, before.stages + stream.stages, shares=True)
        case JoinSource():
            raise Unplannable("latest_of joins two streams as their events come")
        case _:
            raise Unplannable("it takes events from something else than the feed's channels")


def _merged(streams: Iterable[object], order: Terms | None, stages: tuple[Stage[Any, Any], ...]) -> Branch:
    branches = tuple(map(_branch, streams))
    return Branch(Merged(branches, order), stages, any(each.shares for each in branches))


class PlanningFeed:
    """A feed whose streams give nothing."""

    def __init__(self) -> None:
        self.subscribed = False
        """Whether `build` subscribed to a stream."""

    def subscribe(self, channel: Channel, observer: SignalObserver[Any]) -> abc.DisposableBase:
        """A stream of this channel is subscribed to."""
        self.subscribed = True
        return Disposable()

    @property
    def status(self) -> Observable[Status]:
        _unknown("status")

    @property
    def state(self) -> State:
        _unknown("state")

    @property
    def stats(self) -> FeedStats:
        _unknown("stats")

    @property
    def now_ms(self) -> int:
        _unknown("now_ms")

    @property
    def scheduler(self) -> TrioScheduler:
        _unknown("scheduler")

    def liquidations(self) -> EventStream[Liquidation]:
        return EventStream(Asked(self, LiquidationOrders()), event_types=frozenset({Liquidation}))

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        channel = FuturesTrades(exchange, symbol, min_volume)
        return EventStream(Asked(self, channel), event_types=frozenset({Trade}))

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        return trades_across(self.futures_trades, instruments, min_volume, max_delay)

    def channel(self, channel: Channel | str, /) -> EventStream[Event]:
        chosen = parse_channel(channel) if isinstance(channel, str) else channel
        return EventStream(Asked(self, chosen), event_types=frozenset({chosen.event_type}))

    def report(self, status: Status, /) -> NoReturn:
        _unknown("report()")

    def run(self) -> NoReturn:
        _unknown("run()")

    def aclose(self) -> NoReturn:
        _unknown("aclose()")


@attrs.frozen(eq=False)
class Asked:
    """The source of a stream that a pipeline asked for."""

    feed: PlanningFeed
    channel: Channel

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        return self.feed.subscribe(self.channel, observer)


def _unknown(name: str) -> NoReturn:
    raise Unplannable(f"it uses feed.{name}")
