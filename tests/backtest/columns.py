"""What the tests of the columnar backtest share: what a feed said, both ways to run a pipeline on it, and equality."""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeAlias, cast
from unittest.mock import patch

import polars as pl
from hypothesis import strategies as st
from reactivex import Observable

from cgrx import operators as ops
from cgrx._backtest.arrivals import Arrivals, Loss, Marked
from cgrx._backtest.compile import Columnar, Queries
from cgrx._backtest.plan import PlanningFeed, plan
from cgrx._backtest.proofs import proofs
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._model.events import Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._streams.sharing import FanOut
from cgrx._streams.stream import EventStream
from cgrx.operators import agg

LIQUIDATIONS = LiquidationOrders()
TRADES = FuturesTrades("A", "X", 0)
EVENTS = {
    "seq": pl.Int64,
    "received_ms": pl.Int64,
    "base_asset": pl.String,
    "exchange": pl.String,
    "symbol": pl.String,
    "side": pl.Int8,
    "price": pl.Float64,
    "volume_usd": pl.Float64,
    "time_ms": pl.Int64,
}


def any_window(window: Any) -> Callable[..., Any]:
    """A window whose arguments the type checkers need not know."""
    return cast("Callable[..., Any]", window)


Said: TypeAlias = Sequence[tuple[Channel, Signal[Any]]]
"""What was said on each channel's stream, in order."""

AGGREGATES: dict[str, Any] = {
    "n": agg.count(),
    "n_long": agg.count(side="long"),
    "n_trades": agg.count(of=Trade),
    "usd": agg.volume(),
    "usd_short": agg.volume(side="short"),
    "bought": agg.buy_volume(),
    "sold": agg.sell_volume(),
    "delta": agg.delta(),
    "imbalance": agg.imbalance(),
    "mean": agg.mean(),
    "mean_usd": agg.mean("volume_usd", side="long"),
    "vwap": agg.vwap(),
    "vwap_buy": agg.vwap(side="buy"),
    "stddev": agg.stddev(),
    "stddev_usd": agg.stddev("volume_usd", side="short"),
    "open": agg.open(),
    "high": agg.high(),
    "low": agg.low(side="long"),
    "close": agg.close(side="short"),
    "first_side": agg.first("side"),
    "first_symbol": agg.first("symbol"),
    "first_ms": agg.first("time_ms"),
    "last_exchange": agg.last("exchange", side="long"),
    "last_usd": agg.last("volume_usd"),
    "last_price": agg.last("price"),
    "least_ms": agg.min("time_ms", side="buy"),
    "most_usd": agg.max("volume_usd"),
    "largest": agg.largest(2),
    "largest_long": agg.largest(3, side="long"),
    "exchanges": agg.exchanges(),
    "exchanges_buy": agg.exchanges(side="buy"),
    "share": agg.share(),
    "share_symbol": agg.share("symbol", side="long"),
    "dispersion": agg.dispersion(),
    "ewm": agg.ewm(half_life="7ms"),
    "ewm_long": agg.ewm("volume_usd", half_life="1m", side="long"),
    "median": agg.median(),
    "median_short": agg.median("volume_usd", side="short", exact=math.inf),
    "q0": agg.quantile(0),
    "q_third": agg.quantile(1 / 3, "volume_usd"),
    "q_long": agg.quantile(0.9, side="long"),
    "q1": agg.quantile(1, exact=math.inf),
    "prices": agg.count_distinct("price"),
    "symbols": agg.count_distinct("symbol", side="long", exact=math.inf),
}
"""Every aggregate that columns can compute, with and without filters."""


class _Heard(PlanningFeed):
    """A feed whose streams a test speaks on."""

    def __init__(self) -> None:
        super().__init__()
        self.fans: dict[Channel, FanOut[Any]] = {}

    def _stream(self, channel: Channel) -> EventStream[Any]:
        fan = self.fans.setdefault(channel, FanOut())
        return EventStream(lambda observer, _: fan.add(observer), event_types=frozenset({channel.event_type}))

    def liquidations(self) -> EventStream[Liquidation]:
        return self._stream(LIQUIDATIONS)

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        return self._stream(FuturesTrades(exchange, symbol, min_volume))


Build: TypeAlias = Callable[[Any], Observable[Any]]


def by_events(build: Build, said: Said) -> list[Any]:
    """What the pipeline gives event by event."""
    feed = _Heard()
    results: list[Any] = []
    failures: list[Exception] = []
    build(feed).subscribe(results.append, failures.append)
    for channel, signal in said:
        if channel in feed.fans:
            feed.fans[channel].on_signal(signal)
    for fan in feed.fans.values():
        fan.on_completed()
    if failures:
        raise failures[0]
    return results


def arrivals(said: Said, channel: Channel) -> Arrivals:
    """What a channel said, as columns."""
    events: list[tuple[Any, ...]] = []
    alive: list[tuple[int, int, str]] = []
    losses: list[Loss] = []
    for seq, (where, signal) in enumerate(said):
        if where != channel:
            continue
        match signal:
            case Batch(received_ms=received_ms):
                fields = ((getattr(event, name) for name in tuple(EVENTS)[2:]) for event in signal.events)
                events += [(seq, received_ms, *values) for values in fields]
            case Alive(origin=origin, at_ms=at_ms):
                alive.append((seq, at_ms, origin))
            case Gap() | Dropped():
                losses.append(Loss(seq, signal))
            case _:
                raise AssertionError(f"a feed does not say {signal}")
    marked = Marked(proofs(alive), tuple(losses))
    return Arrivals((channel,), pl.DataFrame(events, EVENTS, orient="row").lazy, lambda: marked)


class Source(NamedTuple):
    """Gives the same losses, as objects, each time it is asked for a channel."""

    known: dict[Channel, Arrivals]
    said: Said

    def tell(self, channel: Channel) -> Arrivals:
        return self.known.setdefault(channel, arrivals(self.said, channel))


def in_columns(build: Build, said: Said) -> Columnar:
    """The same by columns, of which also a few events are cut into parts."""
    with small_parts():
        return Queries(Source({}, said).tell).run(plan(build))


@contextmanager
def small_parts() -> Generator[None]:
    """Cut events into parts that are much smaller than they are elsewhere."""
    with patch("cgrx._backtest.cuts._PART", 8), patch("cgrx._backtest.cuts._NEAR", 4):
        yield


def assert_same(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Rows of the same class and order; numbers that are sums or ratios within 1e-9, everything else exactly."""
    assert [row.values[:2] for row in found] == [row.values[:2] for row in expected]
    for mine, other in zip(found, expected, strict=True):
        assert type(mine) is type(other)
        fields: tuple[str, ...] = mine.fields
        differing = [
            (name, value, wanted)
            for name, value, wanted in zip(fields, mine.values, other.values, strict=True)
            if not _same(value, wanted)
        ]
        assert differing == []


def _same(value: object, expected: object) -> bool:
    if isinstance(expected, float):
        return isinstance(value, float) and math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, Mapping):
        items = cast("Mapping[str, float]", expected)
        mine = cast("Mapping[str, float]", value)
        return list(mine) == list(items) and all(_same(mine[name], items[name]) for name in items)
    return type(value) is type(expected) and value == expected


@st.composite
def said(draw: st.DrawFn, *, disorder: int = 12, channels: Sequence[Channel] = (LIQUIDATIONS, TRADES)) -> Said:
    """What a feed could say: proofs of one connection or two, gaps, losses, idleness; events somewhat out of order.

    Now and then one is far ahead of its time, and the clocks of the two exchanges may be apart from the receiving one,
    and from each other.
    """
    now = draw(st.integers(0, 30))
    apart = draw(st.sampled_from([0, 0, 0, 8, 60, 5_000]))
    own = {"A": apart, "B": apart + draw(st.sampled_from([0, 0, 0, -25, 25]))}
    ahead = st.sampled_from([0] * 20 + [15, 40, 3_000, 7_200_000])
    begun = draw(st.sampled_from([channels, channels, channels, channels[:1], ()]))
    found: list[tuple[Channel, Signal[Any]]] = [(channel, Gap(channel, 0, now, "subscribed")) for channel in begun]
    alive = {"o": 0, "p": 0}
    for kind in draw(st.lists(st.sampled_from("eeeeeaaagd"), max_size=25)):
        now += draw(st.integers(0, 25))
        channel = draw(st.sampled_from(channels))
        if kind == "e":
            times = draw(st.lists(st.integers(max(0, now - disorder), now + 2), min_size=1, max_size=5))
            events = tuple(
                draw(_event(channel, exchange, max(0, time_ms + own[exchange] + draw(ahead))))
                for time_ms in times
                for exchange in draw(st.sampled_from("AB"))
            )
            found.append((channel, Batch(channel, now, events)))
        elif kind == "a":
            origin = draw(st.sampled_from("ooop"))
            alive[origin] = max(alive[origin], now - draw(st.integers(0, 10)))
            found += [(each, Alive(origin, alive[origin])) for each in channels]
        elif kind == "g":
            start_ms = max(1, now - draw(st.integers(0, 30)))
            found.append((channel, Gap(channel, start_ms, now, "disconnected")))
        else:
            found.append((channel, Dropped(channel, draw(st.integers(1, 3)), "malformed")))
    return found


def _event(channel: Channel, exchange: str, time_ms: int) -> "st.SearchStrategy[Any]":
    liquidation = channel == LIQUIDATIONS
    return st.builds(
        Liquidation if liquidation else Trade,
        st.sampled_from(["BTC", "ETH"]),
        st.just(exchange),
        st.sampled_from(["X", "Y"]),
        st.sampled_from(LiquidationSide if liquidation else TradeSide),
        st.integers(1, 5).map(lambda quarters: quarters / 4),
        st.integers(1, 8).map(lambda quarters: quarters / 4),
        st.just(time_ms),
    )


WINDOWS: dict[str, Callable[..., Any]] = {
    "tumbling": partial(any_window(ops.tumbling), "20ms"),
    "sliding": partial(any_window(ops.sliding), "21ms", "6ms"),
    "overlapping": partial(any_window(ops.sliding), "20ms", "5ms"),
    "offset": partial(any_window(ops.tumbling), "20ms", offset="7ms"),
    "overlapping at an offset": partial(any_window(ops.sliding), "21ms", "6ms", offset="5ms"),
    # A month of `said` begins behind events whose clock is five seconds ahead.
    "calendar": partial(any_window(ops.tumbling), "1mo", start="00:00:05"),
    "session": partial(any_window(ops.session), "9ms"),
}
