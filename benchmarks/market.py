"""How fast does a whole market arrive: many channels interleaved, one event a frame, as a real feed sends them?

A sender in a process of its own has the frames of 1, 20 or 200 channels of trades and of the liquidations ready, in the
order in which they would arrive; over TLS each frame is a record, or they fill records of 16 KiB. They reach a callback
for each channel; or pipelines: the trades of all channels in the order of event time, those that were bought and of at
least 1000 dollars, as bars of a second by instrument. The rivals do that with the loops of `rivals/states.py`. All
callbacks get the same events in the same order, and all pipelines give the same rows.

"one channel alone" is what `wire` measures: what the others cost more is the price of many channels. cgrx
subscribes to each of them while the clock runs; the others have their tables of callbacks before.

The figure is the receiver's processor time for each event, as in `wire`.
"""

import gc
import ssl
import time
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import trio

import cgrx
from benchmarks._harness.data import CHANNEL, LIQUIDATIONS, Market
from benchmarks._harness.scenario import Case, Contest, Results, Rival, Sample, Scenario
from benchmarks._senders.server import Load, Servers, Writes, servers
from benchmarks.rivals.dispatch import CLIENTS, Dispatching, Listening
from benchmarks.rivals.receivers import NO_HURRY, Client
from benchmarks.rivals.states import BarsInOrder
from benchmarks.rivals.tasks import LATENESS_MS, MIN_VOLUME
from cgrx import operators as ops

BAR_VALUES = 13
"""The first values of a bar; those behind them tell its quality, which nobody else has."""


@attrs.frozen
class Shape:
    """What is sent, over what, and where it goes."""

    load: Load
    tls: bool = False
    bars: bool = False

    @property
    def channels(self) -> list[str]:
        """All that is subscribed to."""
        return Market(self.load.instruments).channels if self.load.instruments else [CHANNEL]

    @property
    def events(self) -> int:
        """All events of the load: the market's closing ones included."""
        return self.load.frames + self.load.instruments


@attrs.define(eq=False)
class Counted:
    """Counts results down between two looks at the clocks, and keeps them where they are compared."""

    left: int
    keeps: bool
    kept: list[Any] = attrs.Factory(list[Any])
    wall_s: float = 0.0
    cpu_s: float = 0.0
    reached: Callable[[], None] = lambda: None

    def start(self) -> None:
        """The clock runs from now on."""
        self.wall_s, self.cpu_s = time.perf_counter(), time.process_time()

    def take(self, result: Any) -> None:
        """One more event, or row."""
        if self.keeps:
            self.kept.append(result)
        self.left -= 1
        if not self.left:
            self.wall_s, self.cpu_s = time.perf_counter() - self.wall_s, time.process_time() - self.cpu_s
            self.reached()

    def done(self) -> bool:
        """Whether all have come."""
        return not self.left


def by_hand(shape: Shape, counted: Counted) -> Listening:
    """What the rivals do with the events; cgrx too, where they go to callbacks."""
    if not shape.bars:
        return Listening(dict.fromkeys(shape.channels, counted.take), counted.start, counted.done)
    state = BarsInOrder()

    def on_trade(trade: cgrx.Trade) -> None:
        for row in state.step(trade):
            counted.take(row)

    callbacks = dict.fromkeys(shape.channels, on_trade) | {LIQUIDATIONS: _forget}
    return Listening(callbacks, counted.start, counted.done)


def _forget(_: Any) -> None:
    """What nobody asked for."""


def through_pipelines(url: str, context: ssl.SSLContext | None, shape: Shape, counted: Counted) -> None:
    """cgrx: the trades merged in order, filtered, and put into bars."""

    async def main() -> None:
        reached = trio.Event()
        counted.reached = reached.set
        async with cgrx.connect(url=url, api_key="any-key-will-do", ssl_context=context, limits=NO_HURRY) as feed:
            counted.start()
            feed.liquidations().subscribe(_forget)
            named = Market(shape.load.instruments).named
            trades = [feed.futures_trades(exchange, symbol, min_volume=0) for _, exchange, symbol in named]
            bars = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))
            ordered = cgrx.merge_exchanges(*trades, max_delay=LATENESS_MS / 1e3)
            ordered.pipe(ops.side("buy"), ops.min_volume(MIN_VOLUME), bars).subscribe(counted.take)
            await reached.wait()

    trio.run(main)


def rows_of(load: Load) -> int:
    """How many bars the events of a load make."""
    state, market = BarsInOrder(), Market(load.instruments)
    events = market.events(load.frames)
    trades = [event for _, event in events + market.closing(events) if isinstance(event, cgrx.Trade)]
    return sum(len(state.step(trade)) for trade in trades)


@attrs.frozen
class Receiving:
    """A client, and the shape of what it receives."""

    client: Client[Dispatching]
    shape: Shape
    servers: Servers
    results_of: int
    """How many results the load has."""

    def results(self) -> Results:
        """By channel, for which of two channels comes first within one read is up to the client; rows by window."""
        kept = self._receive(keeps=True).kept
        if self.shape.bars:
            return sorted(tuple(getattr(row, "values", row))[:BAR_VALUES] for row in kept)
        return [(type(event).__name__, *msgspec.structs.astuple(event)) for event in sorted(kept, key=_channel_of)]

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        counted = self._receive(keeps=False)
        per_event = 1e9 / self.shape.events
        return Sample(counted.cpu_s * per_event, {"wall_ns": counted.wall_s * per_event})

    def _receive(self, *, keeps: bool) -> Counted:
        counted = Counted(self.results_of, keeps)
        shape = self.shape
        url, context = self.servers.url(shape.load, tls=shape.tls), self.servers.ssl_context(tls=shape.tls)
        if shape.bars and self.client.role == "ours":
            through_pipelines(url, context, shape, counted)
        else:
            listening = by_hand(shape, counted)
            counted.reached = lambda: listening.reached()  # noqa: PLW0108 - the client sets it later
            self.client.receive(url, context, listening)
        assert counted.done()
        return counted


def _channel_of(event: cgrx.Event) -> tuple[str, ...]:
    return () if isinstance(event, cgrx.Liquidation) else (event.exchange, event.symbol)


def _rival(client: Client[Dispatching]) -> Rival[Shape]:
    def prepare(shape: Shape, servers: Servers) -> Contest:
        client.require()
        return Receiving(client, shape, servers, rows_of(shape.load) if shape.bars else shape.events)

    return Rival(client.name, prepare, client.role)


def _cases(quick: bool) -> list[Case[Shape]]:
    frames = 400 if quick else 10_000
    lines: tuple[tuple[str, bool, Writes, tuple[int, ...]], ...] = (
        ("TCP", False, "block", (1, 20, 200)),
        ("TLS", True, "record", (1, 20, 200)),
        ("TLS, records of 16 KiB", True, "block", (20,)),
    )
    cases = [Case("TCP, one channel alone", Shape(Load(frames, 1)))]
    for over, tls, writes, sizes in lines:
        for size in sizes:
            trades = f"{size} {'channel' if size == 1 else 'channels'} of trades"
            cases.append(Case(f"{over}, {trades} and liquidations", Shape(Load(frames, 1, writes, size), tls)))
    bars = [Shape(Load(frames, 1, "block", size), bars=True) for size in (20, 200)]
    return cases + [Case(f"TCP, bars of {shape.load.instruments} channels in order", shape) for shape in bars]


SCENARIO = Scenario(
    name="market",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    surroundings=servers,
    rivals=tuple(map(_rival, CLIENTS)),
)
