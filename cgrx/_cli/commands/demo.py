"""`cgrx demo`: a simulator and a feed in one process, joined by a real loopback socket, and every event accounted for.

The simulated market ends with the time; the feed is closed when all that the server has sent has arrived. So what was
sent and what was received agree, unless faults were asked for.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from itertools import takewhile

import attrs
import trio

from cgrx import CgrxError, Event, EventStream, Feed, connect
from cgrx._cli.commands.metrics import Count, MetricsAt, serving
from cgrx._cli.terminal.command import print_text, run_command
from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.output import GRACE_S
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx._cli.terminal.text import counted, dollars, visible
from cgrx._cli.view.delivery import NOWHERE, Deliveries
from cgrx._cli.view.viewer import Show, Viewer
from cgrx._cli.view.windows import Windowing
from cgrx.metrics import Collector
from cgrx.testing import Fault, Generator, Simulator, symbol_of

BIG_USD = 10_000
"""Least volume, in US dollars, of the events shown and of the trades subscribed to."""

_MARKETS = tuple((exchange, asset) for exchange in ("Binance", "Bitget", "Bybit") for asset in ("BTC", "ETH"))
"""The trades subscribed to: the busiest of the simulated market."""

_STATUS_EVERY_S = 5.0


@attrs.frozen(kw_only=True)
class Demo:
    """The arguments of the command."""

    seconds: float
    seed: int
    rate: float
    faults: tuple[Fault, ...]
    window: Windowing | None = None
    """Rows in place of events."""
    deliveries: Deliveries = NOWHERE
    """Where what is shown goes as well."""
    explains: bool = False
    """Say what the window keeps and delays, in place of running anything."""


@attrs.frozen
class _Market:
    """The events of a generator up to a time."""

    generator: Generator
    seconds: float

    def __iter__(self) -> Iterator[Event]:
        end_ms = self.generator.start_ms + self.seconds * 1e3
        return takewhile(lambda event: event.time_ms < end_ms, self.generator)


async def demo(request: Demo, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code.

    Raises:
        CommandError: rows cannot be kept apart by side.
    """
    if request.window is not None and "side" in request.window.row.key_fields:
        raise CommandError(
            Exit.USAGE,
            "--by side cannot be used here: the demo has liquidations, whose sides are long and short, and trades,"
            " whose sides are buy and sell; `cgrx watch` shows one of them",
        )
    market = _Market(Generator(seed=request.seed, rate=request.rate), request.seconds)
    simulator = Simulator(market, times="now", faults=request.faults)
    show = Show(
        title="cgrx demo",
        min_volume=BIG_USD if request.window is None else 0.0,
        seconds=request.seconds,
        longer_s=GRACE_S,
        tells_gaps=False,
        window=request.window,
        deliveries=request.deliveries,
    )
    viewer = Viewer(show, terminal)
    if request.explains:
        return await print_text(viewer.explanation(), terminal)

    async def conclude(exit_code: int) -> int:
        if viewer.feed is None:
            return exit_code
        return viewer.settle(await _sum_up(viewer, viewer.feed, simulator, terminal) or exit_code)

    return await run_command(
        lambda: _run(simulator, viewer, request.seconds, serving(metrics, terminal)), terminal, conclude=conclude
    )


async def _run(
    simulator: Simulator, viewer: Viewer, seconds: float, metrics: AbstractAsyncContextManager[Count]
) -> None:
    with reporting(viewer.say):
        async with metrics as count, simulator, connect(api_key=secrets.token_hex(8), url=simulator.url) as feed:
            count(lambda: Collector(feed, streams=viewer.queues, pipelines=viewer.pipelines, sinks=viewer.sinks))
            end = trio.current_time() + seconds
            async with (
                beside(lambda: _close_when_all_has_arrived(simulator, feed, end)),
                beside(lambda: _say_status(viewer)),
            ):
                await viewer.run(feed, _chosen(feed), lambda: simulator.url)


def _chosen(feed: Feed) -> EventStream[Event]:
    trades = [
        feed.futures_trades(exchange, symbol_of(exchange, asset), min_volume=BIG_USD) for exchange, asset in _MARKETS
    ]
    return feed.liquidations().merge(*trades)


async def _close_when_all_has_arrived(simulator: Simulator, feed: Feed, end: float) -> None:
    await simulator.wait_finished()
    await trio.sleep_until(end)
    while feed.stats.events < simulator.stats.events:  # noqa: ASYNC110 - a feed's counters tell nobody that they change
        await trio.sleep(0.01)
    await feed.aclose()


async def _say_status(viewer: Viewer) -> None:
    while not viewer.is_live:
        await trio.sleep(_STATUS_EVERY_S)
        viewer.say(viewer.summary())


async def _sum_up(viewer: Viewer, feed: Feed, simulator: Simulator, terminal: Terminal) -> int:
    """Write the counters of server and client; the exit code says whether that succeeded."""
    sent, received, board = simulator.stats, feed.stats, viewer.board
    missing = sent.events - received.events
    trip = "none" if received.round_trip_ms is None else f"{received.round_trip_ms:.1f} ms"
    messages = counted(received.messages or 0, "message")
    lines = [
        f"sent       {counted(sent.events, 'event')} in {counted(sent.frames, 'frame')} over a loopback socket",
        f"received   {viewer.summary()}",
        f"           {messages}, {received.received_bytes or 0:,} bytes, round trip {trip}",
        f"missing    {counted(missing, 'event')}" + (": lost by faults or under way at the end" if missing else ""),
        "exchanges  " + (", ".join(f"{name} {count.events:,}" for name, count in board.busiest(8)) or "none"),
    ]
    if board.largest is not None:
        event = board.largest
        what = f"{event.kind} of {dollars(event.volume_usd)} USD: {event.exchange} {event.symbol} {event.side.word}"
        lines.append(f"largest    {what}")
    # A new deadline: leaving feed and simulator may have used up the old one.
    terminal.output.finish_by(trio.current_time() + GRACE_S)
    try:
        await terminal.output.write("".join(f"{visible(line)}\n" for line in lines).encode())
    except CgrxError as error:
        return explain(error)[0]
    return Exit.DONE
