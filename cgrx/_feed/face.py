"""What users hold: the protocol `Feed`, and the object that fulfils it for a feed of cgrx's own."""

from collections.abc import Iterable
from typing import NoReturn, Protocol, TypeVar

from reactivex import Observable

from cgrx._feed.engine import FeedEngine
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders, parse_channel
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._model.stats import FeedStats
from cgrx._model.status import State, Status
from cgrx._model.times import Duration
from cgrx._streams.ordering import OrderedStream, trades_across
from cgrx._streams.stream import EventStream
from cgrx._trio.guest import on_trio
from cgrx._trio.scheduler import TrioScheduler

E = TypeVar("E", bound=Event)


class Feed(Protocol):
    """What a feed offers, live or from a recording: a pipeline written for one runs on the other.

    `connect` and `replay` give one. A class of your own that has these members is one too: `record` takes it, and so
    does every function that is written for a `Feed`.

    Raises:
        ThreadError: any member but `scheduler` and `stats` is used in another thread than the feed's.

    Examples:
        >>> def large(feed: cgrx.Feed) -> cgrx.EventStream[cgrx.Liquidation]:
        ...     return feed.liquidations().pipe(
        ...         ops.side("long"), ops.min_volume(100_000)
        ...     )

        The same function runs on a live feed, in a replay and in a backtest:

        >>> import msgspec, pathlib
        >>> events = [
        ...     liquidation("long", 250_000.0, time="1s"),
        ...     liquidation("short", 250_000.0, time="2s"),
        ... ]
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.Encoder().encode_lines(events)
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> cgrx.backtest(large, "day").count
        1
    """

    @property
    def status(self) -> Observable[Status]:
        """Status events; a subscriber gets the latest one first. Completes when the feed ends."""
        ...

    @property
    def state(self) -> State:
        """Where the feed stands."""
        ...

    @property
    def stats(self) -> FeedStats:
        """A snapshot of its counters, all of the same moment.

        Any thread may ask, as one that serves metrics does. It waits for the feed's thread to come to the end of what
        it does.

        Raises:
            TimeoutError: in another thread, after five seconds: something blocks the feed's thread.
        """
        ...

    @property
    def now_ms(self) -> int:
        """The feed's time, milliseconds since the epoch: the wall time live, the recorded time in a replay."""
        ...

    @property
    def scheduler(self) -> TrioScheduler:
        """Where the timed reactivex operators of its streams run, and tasks that live no longer than the feed."""
        ...

    def liquidations(self) -> EventStream[Liquidation]:
        """The liquidation orders of all exchanges.

        Nothing is subscribed to at the server until the stream is. A subscription begins with a `Gap` from 0 to the
        moment at which it is known to work; a gap follows after each disconnection. Completes when the feed is
        closed. Errors: `PlanError` where the API key's plan lacks the channel, and what ends the feed.
        Source: https://docs.coinglass.com/reference/liquidation-order.
        """
        ...

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        """The trades of one instrument of at least `min_volume` US dollars.

        Gaps, completion and errors as with `liquidations`.
        Source: https://docs.coinglass.com/reference/futures-trade-order.

        Args:
            exchange: as CoinGlass spells it, such as `"Binance"`.
            symbol: as the exchange spells it, such as `"BTCUSDT"` or `"BTC-USDT-SWAP"`.
            min_volume: in US dollars, 0 or more; the server leaves smaller trades out.

        Raises:
            ValueError: a part that cannot stand in a channel's name.
            TypeError: `min_volume` is missing, or no number.
        """
        ...

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        """The trades of several instruments, of one exchange or of many, in the order of their times.

        The same as `cgrx.merge_exchanges` of one `futures_trades` each: a trade is held until the others have come as
        far, `max_delay` at most; one that comes later passes out of order, and `stats.late` of the stream counts it.
        What ends the stream of one instrument, such as `PlanError`, ends it all.

        Args:
            instruments: one or more pairs of exchange and symbol, each once.
            min_volume: in US dollars, 0 or more, for each.
            max_delay: how long a trade is held at most; 0 holds none.

        Raises:
            ValueError: no instrument, one twice, a part that cannot stand in a channel's name, or an argument out of
                range.
            TypeError: something else than pairs of texts, or `min_volume` is missing or no number.
        """
        ...

    def channel(self, channel: Channel | str, /) -> EventStream[Event]:
        """The stream of a channel that is given as a value or by its wire name, as one from a configuration is.

        `feed.channel("futures_trades@Binance_BTCUSDT@10000")` gives the events of
        `feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000)`, `feed.channel(LiquidationOrders())` those of
        `feed.liquidations()`.

        Raises:
            ValueError: it is not the name of a channel that cgrx knows.
        """
        ...

    def report(self, status: Status, /) -> None:
        """Give the subscribers of `status` one more event, and the log.

        For helpers that work beside the feed: a recorder reports here that its disk is full, so that whoever watches
        the feed learns of it.
        """
        ...

    async def run(self) -> None:
        """Wait until the feed ends; raises what ended it, nothing where it was closed."""
        ...

    async def aclose(self) -> None:
        """Complete every stream, so that open windows come out, and close the connection (bounded by `close_s`).

        What a timed reactivex operator still holds back is disposed.
        """
        ...


class FeedFace(Feed):
    """A feed of cgrx's own as its user sees it: each member hands over to the engine, in the feed's thread alone."""

    def __init__(self, engine: FeedEngine) -> None:
        self._engine = engine

    @property
    def status(self) -> Observable[Status]:
        return self._engine.in_thread(lambda: self._engine.status)

    @property
    def state(self) -> State:
        return self._engine.in_thread(lambda: self._engine.state)

    @property
    def stats(self) -> FeedStats:
        return self._engine.snapshot()

    @property
    def now_ms(self) -> int:
        return self._engine.in_thread(self._engine.now_ms)

    @property
    def scheduler(self) -> TrioScheduler:
        return self._engine.scheduler

    def liquidations(self) -> EventStream[Liquidation]:
        return self._stream(LiquidationOrders(), Liquidation)

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        return self._stream(FuturesTrades(exchange, symbol, min_volume), Trade)

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        return trades_across(self.futures_trades, instruments, min_volume, max_delay)

    def channel(self, channel: Channel | str, /) -> EventStream[Event]:
        chosen = parse_channel(channel) if isinstance(channel, str) else channel
        return self._stream(chosen, chosen.event_type)

    def _stream(self, channel: Channel, event_type: type[E]) -> EventStream[E]:
        return self._engine.in_thread(lambda: self._engine.stream(channel, event_type))

    def report(self, status: Status, /) -> None:
        self._engine.in_thread(lambda: self._engine.report(status))

    async def run(self) -> None:
        await self._engine.in_thread(lambda: on_trio(self._engine.run))

    async def aclose(self) -> None:
        await self._engine.in_thread(lambda: on_trio(self._engine.aclose))

    def _repr_html_(self) -> str:
        """Its state and its counters, as a notebook shows them. Any thread may ask, as for `stats`."""
        return self.stats._repr_html_()  # pyright: ignore[reportPrivateUsage]  # the name that notebooks look for


_MEANT = {
    "trades": "feed.futures_trades(exchange, symbol, min_volume=...)",
    "liquidation_orders": "feed.liquidations()",
    "subscribe": "feed.liquidations().subscribe(...)",
    "stream": "cgrx.stream(feed.liquidations())",
    "close": "await feed.aclose()",
}
"""What is meant by names that a feed does not have."""


def _no_such_member(face: FeedFace, name: str) -> NoReturn:
    meant = f": did you mean {_MEANT[name]}?" if name in _MEANT else ""
    raise AttributeError(f"a feed has no attribute {name!r}{meant}", name=name, obj=face)


# In the class, it would make every attribute one that type checkers know.
setattr(FeedFace, "__getattr__", _no_such_member)  # noqa: B010 - see above

for _method in (FeedFace.futures_trades, FeedFace.futures_trades_across):
    _method.__qualname__ = f"Feed.{_method.__name__}"  # as Python names it where an argument is missing
