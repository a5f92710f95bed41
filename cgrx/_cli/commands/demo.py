"""`cgrx demo`: a simulator and a feed in one process, joined by a real loopback socket, and every event accounted for.

The simulated market ends with the time; the feed is closed when all that the server has sent has arrived. So what was
sent is what was received and what was lost, and the gaps tell when that was.
"""

import secrets
from contextlib import AbstractAsyncContextManager

import attrs
import trio

from cgrx import CgrxError, Event, EventStream, Feed, connect
from cgrx._cli.commands.board import Page, on_page
from cgrx._cli.commands.demo_story import BIG_USD, FAULTS, LEAST_S, MARKETS, Market
from cgrx._cli.commands.demo_summary import Seconds, summary
from cgrx._cli.commands.metrics import Count, MetricsAt, serving
from cgrx._cli.terminal.command import print_text, run_command
from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._cli.terminal.output import GRACE_S
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.tasks import beside
from cgrx._cli.terminal.text import visible
from cgrx._cli.view.delivery import NOWHERE, Deliveries
from cgrx._cli.view.row_types import market_row
from cgrx._cli.view.viewer import Show, Viewer
from cgrx._cli.view.windows import Windowing
from cgrx.metrics import Collector
from cgrx.testing import Fault, Generator, Simulator, symbol_of

_STATUS_EVERY_S = 5.0


@attrs.frozen(kw_only=True)
class Demo:
    """The arguments of the command."""

    seconds: float
    seed: int
    rate: float
    faults: tuple[Fault, ...]
    tells_story: bool = False
    """Large prints, a cascade, and a connection that breaks off, where there is the time for it."""
    window: Windowing | None = None
    """Rows in place of events."""
    deliveries: Deliveries = NOWHERE
    """Where what is shown goes as well."""
    explains: bool = False
    """Say what the window keeps and delays, in place of running anything."""
    page: Page | None = None
    """A page that shows it too."""


async def demo(request: Demo, terminal: Terminal, metrics: MetricsAt | None = None) -> int:
    """Run the command, and return its exit code.

    Raises:
        CommandError: rows cannot be kept apart by side.
    """
    window = request.window
    if window is not None and "side" in window.row.key_fields:
        raise CommandError(
            Exit.USAGE,
            "--by side cannot be used here: the demo has liquidations, whose sides are long and short, and trades,"
            " whose sides are buy and sell; `cgrx watch` shows one of them",
        )
    tells_story = request.tells_story and request.seconds >= LEAST_S
    market = Market(Generator(seed=request.seed, rate=request.rate), request.seconds, tells_story)
    simulator = Simulator(
        market, times="now", start=len(MARKETS) + 1, faults=(*request.faults, *(FAULTS if tells_story else ()))
    )
    show = Show(
        title="cgrx demo",
        min_volume=BIG_USD if window is None else 0.0,
        seconds=request.seconds,
        longer_s=GRACE_S,
        tells_gaps=False,
        watches_market=True,
        window=None if window is None else attrs.evolve(window, row=market_row(window.row)),
        deliveries=request.deliveries,
    )
    viewer = Viewer(show, terminal)
    if request.explains:
        return await print_text(viewer.explanation(), terminal)
    seconds = Seconds()

    async def conclude(exit_code: int) -> int:
        if viewer.feed is None:
            return exit_code
        lines = summary(viewer, viewer.feed, simulator.stats, market, seconds)
        return viewer.settle(await _write(lines, terminal) or exit_code)

    return await run_command(
        lambda: _run(simulator, viewer, seconds, request, serving(metrics, terminal)),
        terminal,
        conclude=conclude,
    )


async def _run(
    simulator: Simulator,
    viewer: Viewer,
    seconds: Seconds,
    request: Demo,
    metrics: AbstractAsyncContextManager[Count],
) -> None:
    with reporting(viewer.say):
        async with metrics as count, simulator, connect(api_key=secrets.token_hex(8), url=simulator.url) as feed:
            count(lambda: Collector(feed, streams=viewer.queues, pipelines=viewer.pipelines, sinks=viewer.sinks))
            end = trio.current_time() + request.seconds
            async with (
                on_page(request.page, feed, viewer.say),
                beside(lambda: _close_when_all_has_arrived(simulator, feed, end)),
                beside(lambda: _say_status(viewer)),
            ):
                await viewer.run(feed, lambda it: (_chosen(it).pipe(seconds.stage), None), lambda: simulator.url)


def _chosen(feed: Feed) -> EventStream[Event]:
    trades = [
        feed.futures_trades(exchange, symbol_of(exchange, asset), min_volume=BIG_USD) for exchange, asset in MARKETS
    ]
    return feed.liquidations().merge(*trades)


async def _close_when_all_has_arrived(simulator: Simulator, feed: Feed, end: float) -> None:
    await simulator.wait_finished()
    await trio.sleep_until(end)
    while feed.stats.events < (sent := simulator.stats).events - sent.events_withheld:  # noqa: ASYNC110 - a feed's counters tell nobody that they change
        await trio.sleep(0.01)
    await feed.aclose()


async def _say_status(viewer: Viewer) -> None:
    while not viewer.is_live:
        await trio.sleep(_STATUS_EVERY_S)
        viewer.say(viewer.summary())


async def _write(lines: list[str], terminal: Terminal) -> int:
    """Write the summary; the exit code says whether that succeeded."""
    # A new deadline: leaving feed and simulator may have used up the old one.
    terminal.output.finish_by(trio.current_time() + GRACE_S)
    try:
        await terminal.output.write("".join(f"{visible(line)}\n" for line in lines).encode())
    except CgrxError as error:
        return explain(error)[0]
    return Exit.DONE
