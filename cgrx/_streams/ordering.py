"""Streams of several exchanges as one, in the order of event time; `reordering` says how the order is kept."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import attrs
from reactivex import Observable, abc

from cgrx._model.events import Event, Trade
from cgrx._model.times import Duration
from cgrx._streams.observers import SignalObserver
from cgrx._streams.order_merging import Input, Merging
from cgrx._streams.order_stats import OrderCounts, OrderStats
from cgrx._streams.order_terms import MAX_HELD, OnSourceError, Terms, Until
from cgrx._streams.runtime import Runtime, joint
from cgrx._streams.stream import EventStream, EventTypes, as_stream

T = TypeVar("T")
SomeEvent = TypeVar("SomeEvent", bound=Event)
T_co = TypeVar("T_co", covariant=True)


class OrderedStream(EventStream[T_co]):
    """An EventStream that `merge_exchanges` has put in order.

    Examples:
        >>> from cgrx.testing import Simulator
        >>> async with (
        ...     Simulator() as simulator,
        ...     cgrx.connect(url=simulator.url, api_key="made-up-key") as feed,
        ... ):
        ...     pairs = [("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP")]
        ...     trades = feed.futures_trades_across(pairs, min_volume=10_000)
        ...     print(trades.stats)
        OrderStats(events=0, late=0, worst_late_ms=0)
    """

    def __init__(
        self, terms: Terms, streams: tuple[EventStream[Any], ...], event_types: EventTypes, runtime: Runtime | None
    ) -> None:
        self._counts = OrderCounts()
        super().__init__(Ordered(terms, streams, self._counts), event_types=event_types, runtime=runtime)

    @property
    def stats(self) -> OrderStats:
        """How many events came, and how many of them too late for the order. A snapshot."""
        return OrderStats(self._counts.events, self._counts.late, self._counts.worst_late_ms)


def merge_exchanges(
    *streams: Observable[SomeEvent],
    max_delay: Duration = "2s",
    until: Until = "all",
    on_source_error: OnSourceError = "raise",
    max_held: float = MAX_HELD,
) -> OrderedStream[SomeEvent]:
    """Streams of several exchanges as one, ordered by event time; ties in order of arrival.

        in, one            1----3-----5----|
        in, another        --2-----4-------|
        merge_exchanges()  --1--2--3--4----(5|)

    An event waits until every source, that is every exchange within every channel, has come as far as its time, and
    not longer than `max_delay`, which is how long it waits behind a quiet source. An event from before the time that
    the order has come to is late: it passes at once, out of order, and is counted in `stats`. Each event that comes in
    goes out exactly once. The order does not depend on batching.

        trades = cgrx.merge_exchanges(binance, okx)
        trades.subscribe(print)
        ...
        trades.stats.late      # how many were out of order

    A `Watermark` goes out whenever the order moves on, so windows behind it close without a delay of their own. The
    other marks keep their place among the events. Where nothing is held and silence is proven, the watermark follows
    the clock, `max_delay` behind.

    On completion of one source the others go on and do not wait for it; when the last has completed, what is held goes
    out in order. On an error too, before the error does.

    State: the events of the last `max_delay`, at most `max_held`, and one time for each source.

    Args:
        *streams: at least one observable of events; one with several exchanges in it, such as `feed.liquidations()`,
            may stand alone. Those that are no EventStream give events without marks, and their events' times are
            their clock.
        max_delay: how long an event may be held, on the stream's own clock: receive times and proofs of life. 0 holds
            nothing; `math.inf` waits for every source however long, as suits recordings.
        until: complete when `"all"` sources have, or as soon as `"any"` has; then the others are disposed.
        on_source_error: `"raise"` ends the merge with the first error of a source. A function is called with the error
            instead, and the others go on as if that source had completed; a `Gap` of its channels follows every
            second, so that no row passes for complete.
        max_held: how many events are held at most; beyond it the earliest goes out as if `max_delay` had passed.
            `math.inf` for no bound.

    Returns:
        The stream, an event for an event. Its `stats` tell how many were late.

    Raises:
        ValueError: no stream is given, one that is known to carry something else than events, or an argument out of
            range.
        TypeError: a source is no Observable, an argument of another type; through `on_error`, an event without
            `time_ms` or `exchange`.

    Examples:
        >>> def ordered(feed: cgrx.Feed) -> cgrx.OrderedStream[cgrx.Trade]:
        ...     return cgrx.merge_exchanges(
        ...         feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000),
        ...         feed.futures_trades("OKX", "BTC-USDT-SWAP", min_volume=10_000),
        ...     )
    """
    if not streams:
        raise ValueError("merge_exchanges() needs at least one stream")
    return in_order(streams, Terms.of(max_delay, until, on_source_error, max_held))


def in_order(streams: Iterable[Observable[Any]], terms: Terms) -> OrderedStream[Any]:
    """The same as `merge_exchanges`, given its arguments in one."""
    sources = tuple(as_stream(stream) for stream in streams)
    types = [stream.event_types for stream in sources]
    known = [each for each in types if each is not None]
    carried = frozenset[type]().union(*known)
    foreign = sorted(each.__name__ for each in carried if not issubclass(each, Event))
    if foreign:
        raise ValueError(f"merge_exchanges() orders events (Liquidation, Trade), not {' and '.join(foreign)}")
    return OrderedStream(
        terms,
        sources,
        carried if len(known) == len(types) else None,
        joint(stream.runtime for stream in sources if stream.runtime is not None),
    )


def trades_across(
    trades: Callable[..., EventStream[Trade]],
    instruments: Iterable[tuple[str, str]],
    min_volume: float,
    max_delay: Duration,
) -> OrderedStream[Trade]:
    """The ordered merge of a feed's trade streams; see `Feed.futures_trades_across`."""
    pairs: list[Any] = list(instruments)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or [type(part) for part in cast("Any", pair)] != [str, str]:
            raise TypeError(f'instruments: {pair!r} is no pair of exchange and symbol, such as ("Binance", "BTCUSDT")')
    if not pairs:
        raise ValueError('instruments is empty: give pairs of exchange and symbol, such as ("Binance", "BTCUSDT")')
    repeated = next((pair for index, pair in enumerate(pairs) if pair in pairs[:index]), None)
    if repeated is not None:
        raise ValueError(f"instruments: {repeated!r} is there twice, and each of its trades would be")
    streams = [trades(exchange, symbol, min_volume=min_volume) for exchange, symbol in pairs]
    return merge_exchanges(*streams, max_delay=max_delay)


@attrs.frozen(eq=False)
class Ordered:
    """The source of a `merge_exchanges`: subscribes to all of the streams, for one subscriber."""

    terms: Terms
    streams: tuple[EventStream[Any], ...]
    counts: OrderCounts

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        merging: Merging[Any] = Merging(observer, self.terms, len(self.streams), self.counts)
        try:
            for index, stream in enumerate(self.streams):
                merging.fan.sources.add(stream.subscribe_signals(Input(merging, index), scheduler=scheduler))
        except Exception:  # a stage that does not start: nothing is left running
            merging.dispose()
            raise
        return merging
