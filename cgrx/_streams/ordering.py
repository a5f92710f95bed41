"""Streams of several exchanges as one, in the order of event time; `reordering` says how the order is kept."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, cast

import attrs
from reactivex import Observable, abc

from cgrx._model.channels import Channel
from cgrx._model.events import Event, Trade
from cgrx._model.signals import Batch, Gap, Signal, Watermark, proof_ms
from cgrx._model.times import Duration, to_seconds
from cgrx._streams.keeping import gathered, keep, put_back
from cgrx._streams.merging import FanIn
from cgrx._streams.observers import SignalObserver
from cgrx._streams.order_sources import Source
from cgrx._streams.order_stats import OrderCounts, OrderStats
from cgrx._streams.reordering import Ended, Incoming, Promised, Reordering
from cgrx._streams.runtime import Runtime, joint
from cgrx._streams.stream import EventStream, EventTypes, as_stream
from cgrx._streams.subscriber import is_async

T = TypeVar("T")
SomeEvent = TypeVar("SomeEvent", bound=Event)
T_co = TypeVar("T_co", covariant=True)

Until: TypeAlias = Literal["all", "any"]
OnSourceError: TypeAlias = Literal["raise"] | Callable[[Exception], object]

MAX_HELD = 100_000
"""How many events a merge holds at most, unless told otherwise."""
_TELL_MS = 1000
"""How often a gap repeats that the channels of a failed source are missing, milliseconds of the stream's clock."""


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
        self, terms: "Terms", streams: tuple[EventStream[Any], ...], event_types: EventTypes, runtime: Runtime | None
    ) -> None:
        self._counts = OrderCounts()
        super().__init__(Ordered(terms, streams, self._counts), event_types=event_types, runtime=runtime)

    @property
    def stats(self) -> OrderStats:
        """How many events came, and how many of them too late for the order. A snapshot."""
        return OrderStats(self._counts.events, self._counts.late, self._counts.worst_late_ms)


class OrderTerms(TypedDict, total=False):
    """The keyword arguments of `merge_exchanges`."""

    max_delay: Duration
    until: Until
    on_source_error: OnSourceError
    max_held: float


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


def in_order(streams: Iterable[Observable[Any]], terms: "Terms") -> OrderedStream[Any]:
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


def _check_until(_: object, __: object, value: object) -> None:
    if value not in ("all", "any"):
        raise ValueError(f'until={value!r} is none of "all" (sources have completed) and "any"')


def _check_on_source_error(_: object, __: object, value: object) -> None:
    if value != "raise" and (not callable(value) or is_async(value)):
        raise TypeError(f'on_source_error={value!r} is neither "raise" nor a plain function of one error')


def _check_max_held(_: object, __: object, value: float) -> None:
    if value == math.inf:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_held={value!r} takes a whole number of events, 1 or more, or math.inf")
    if value < 1:
        raise ValueError(f"max_held={value!r} takes a whole number of events, 1 or more, or math.inf")


@attrs.frozen
class Terms:
    """The arguments of `merge_exchanges`."""

    max_delay_ms: float
    until: Until = attrs.field(validator=_check_until)
    on_source_error: OnSourceError = attrs.field(validator=_check_on_source_error)
    max_held: float = attrs.field(validator=_check_max_held)

    @classmethod
    def of(cls, max_delay: Duration, until: Until, on_source_error: OnSourceError, max_held: float) -> "Terms":
        """From what the user gave."""
        delay_ms = to_seconds(max_delay, "max_delay") * 1e3
        return cls(delay_ms if math.isinf(delay_ms) else round(delay_ms), until, on_source_error, max_held)


@attrs.frozen(eq=False)
class Ordered:
    """The source of a `merge_exchanges`: subscribes to all of the streams, for one subscriber."""

    terms: Terms
    streams: tuple[EventStream[Any], ...]
    counts: OrderCounts

    def __call__(self, observer: SignalObserver[Any], scheduler: abc.SchedulerBase | None) -> abc.DisposableBase:
        merging: _Merging[Any] = _Merging(observer, self.terms, len(self.streams), self.counts)
        try:
            for index, stream in enumerate(self.streams):
                merging.fan.sources.add(stream.subscribe_signals(_Input(merging, index), scheduler=scheduler))
        except Exception:  # a stage that does not start: nothing is left running
            merging.dispose()
            raise
        return merging


class _Merging(abc.DisposableBase, Generic[T]):
    """One subscription: the inputs meet in a fan, behind it they are ordered."""

    def __init__(self, observer: SignalObserver[T], terms: Terms, inputs: int, counts: OrderCounts) -> None:
        self._observer = observer
        self.order: Reordering[T] = Reordering(inputs, terms.max_delay_ms, terms.max_held, counts)
        self._stopped = False
        self.unseen: dict[Channel, int] = {}  # each channel of a source that failed, with the time from which on
        self._tell_at_ms = 0
        self.terms = terms
        self.fan: FanIn[T] = FanIn(self, inputs)
        self.active = set(range(inputs))
        """The inputs that have not ended."""
        self.channels: tuple[dict[Channel, None], ...] = tuple({} for _ in range(inputs))
        """Of each input the channels that it has spoken of, in order."""
        keep(self)

    def state(self) -> object:
        held = gathered(self, ("_observer", "order", "terms", "fan", "channels"))
        return self.order.state(), self.channels, held

    def take_up(self, state: object) -> None:
        order, channels, held = cast("tuple[object, tuple[dict[Channel, None], ...], object]", state)
        self.order.take_up(order)
        for own, spoken_of in zip(self.channels, channels, strict=True):
            own.update(spoken_of)
        put_back(self, held)

    def dispose(self) -> None:
        self._stopped = True
        self.fan.dispose()

    def on_signal(self, signal: Signal[T] | Incoming) -> None:
        """Take what is no batch into the order, and deliver what goes out by that."""
        assert not isinstance(signal, Batch), "an input takes those itself"
        signals: list[Signal[T]] = []
        self.tell_unseen(0 if isinstance(signal, Promised | Ended) else proof_ms(signal), signals)
        if isinstance(signal, Ended):
            self.unseen.update(dict.fromkeys(signal.unseen, max(self.order.now_ms, 0)))
        self.order.take(signal, signals)
        self.deliver(signals, None)

    def let_go(self, order: Reordering[T]) -> None:
        """Deliver what need not wait any longer."""
        signals: list[Signal[T]] = []
        order.let_go(signals)
        self.deliver(signals, None)

    def on_error(self, error: Exception) -> None:
        signals: list[Signal[T]] = []
        self.order.finish(signals)
        self.deliver(signals, error)

    def on_completed(self) -> None:
        signals: list[Signal[T]] = []
        self.order.finish(signals)
        self.deliver(signals, None)
        if not self._stopped:
            self.dispose()
            self._observer.on_completed()

    def deliver(self, signals: list[Signal[T]], failure: Exception | None) -> None:
        on_signal = self._observer.on_signal
        for signal in signals:
            if self._stopped:
                return
            on_signal(signal)
        if failure is not None and not self._stopped:
            self.dispose()
            self._observer.on_error(failure)

    def tell_unseen(self, at_ms: int, signals: list[Signal[T]]) -> None:
        """Repeat every second that the channels of failed sources are missing. What comes now came at `at_ms`."""
        now_ms = max(self.order.now_ms, at_ms)
        if self.unseen and now_ms >= self._tell_at_ms:
            self._tell_at_ms = now_ms + _TELL_MS
            for channel, since_ms in self.unseen.items():
                self.order.take(Gap(channel, since_ms, now_ms, "its source has failed"), signals)


class _Input(Generic[T]):
    """The observer of one input. Once the input has ended, or all are told to end, it ignores what still comes."""

    def __init__(self, merging: _Merging[T], index: int) -> None:
        self._merging = merging
        self._fan = merging.fan
        self._index = index
        self._channels = merging.channels[index]
        self._channel: Channel | None = None  # of the last batch
        self._sources: dict[str, Source] = {}  # those within it
        self._turns = merging.fan.turns

    def on_signal(self, signal: Signal[T]) -> None:
        merging = self._merging
        if self._index not in merging.active:
            return
        if isinstance(signal, Batch):
            if signal.channel is not self._channel or not self._sources:
                self._turn_to(signal.channel)
            if self._fan.unheard:
                self._fan.hear_batch(self._index, signal)
            order, turns = merging.order, self._turns
            # What is only held need not be taken in turn: nobody hears of it.
            is_quiet = len(signal.events) == 1 and turns.is_free and not merging.unseen
            lets_go = order.hold(self._sources, signal) if is_quiet else None
            if lets_go is None:
                turns.take(self._take, signal)
            elif lets_go:
                turns.take(merging.let_go, order)
            return
        if isinstance(signal, Watermark):
            self._tell(Promised(self._index, signal.time_ms))
            return
        if isinstance(signal, Gap) and signal.channel is not None:
            self._channels[signal.channel] = None
        self._fan.on_signal(self._index, signal)

    def _turn_to(self, channel: Channel | None) -> None:
        """A batch of another channel has come than the last one."""
        self._channel = channel
        if channel is not None:
            self._channels[channel] = None
        self._sources = self._merging.order.sources_of(self._index, channel)

    def _take(self, batch: Batch[T]) -> None:
        """Put events into the order, and deliver what goes out by that."""
        merging = self._merging
        signals: list[Signal[T]] = []
        if merging.unseen:
            merging.tell_unseen(batch.received_ms, signals)
        try:
            merging.order.take_batch(self._index, batch, signals)
        except TypeError as error:  # what is no event: all that came before it goes out first
            merging.order.finish(signals)
            merging.deliver(signals, error)
        else:
            if signals:
                merging.deliver(signals, None)

    def on_error(self, error: Exception) -> None:
        handle = self._merging.terms.on_source_error
        if self._index not in self._merging.active:
            return
        if handle == "raise":
            self._fan.on_error(error)
            return
        try:
            handle(error)
        except Exception as raised:  # noqa: BLE001 - the user's own; it ends the merge, as any error of a stage
            self._fan.on_error(raised)
            return
        self._end(tuple(self._channels))

    def on_completed(self) -> None:
        if self._index in self._merging.active:
            self._end(())

    def _end(self, unseen: tuple[Channel, ...]) -> None:
        merging, fan = self._merging, self._fan
        self._tell(Ended(self._index, unseen))
        ending = {self._index}
        if merging.terms.until == "any":
            fan.sources.dispose()
            ending = set(merging.active)
        merging.active -= ending
        for index in ending:
            fan.on_completed(index)

    def _tell(self, incoming: Promised | Ended) -> None:
        """Tell the order something, in turn with the signals."""
        self._fan.pass_on(self._index, self._merging.on_signal, incoming)
