"""One stream to standard output, as a live table or as lines: what `watch` and `demo` have in common.

No event is lost on the way. The stream is read with the policy "block": a reader of standard output that is slower
than the events stops the reading of the socket, for any length of time. The live table never waits: it counts every
event and keeps the latest.
"""

import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import trio
from rich.console import RenderableType

from cgrx import Batch, EventIterator, EventStream, Feed, Gap, Mark, on_drain, resume, stream
from cgrx import operators as ops
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.output import GRACE_S
from cgrx._cli.terminal.reports import begins, gap_words
from cgrx._cli.terminal.screen import screen
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.terminal.text import counted, dollars
from cgrx._cli.view.alerts import AlertContent, Alerting
from cgrx._cli.view.contents import Content, EventContent, Lines, Made, RowContent
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.delivery import NOWHERE, Deliveries, Delivery
from cgrx._cli.view.event_text import FormatName
from cgrx._cli.view.explanation import explanation
from cgrx._cli.view.market import Market, Watched
from cgrx._cli.view.picture import View
from cgrx._cli.view.tally import Tally
from cgrx._cli.view.windows import Windowing

_Take = Callable[[Sequence[Any]], Awaitable[None]]

Chosen: TypeAlias = tuple[EventStream[Any], EventStream[Any] | None]
"""The events that are shown, or that rows are made of; and the trades whose flow stands beside the rows."""


@attrs.frozen(kw_only=True)
class Show:
    """How to show a stream."""

    title: str
    format: FormatName = "table"
    escape_formulas: bool = False
    """In csv: an apostrophe before texts that a spreadsheet would take for formulas."""
    min_volume: float = 0.0
    """US dollars; smaller events are counted but not shown."""
    shows_all: str = ""
    """What makes a command show those too, for people."""
    seconds: float = math.inf
    """How long to show it, counted from the first connection."""
    longer_s: float = 0.0
    """How long to wait beyond `seconds` for somebody else to close the feed."""
    count: float = math.inf
    """How many events, or final rows."""
    window: Windowing | None = None
    """Rows in place of events."""
    alerting: Alerting | None = None
    """Alerts in place of events, always as lines."""
    watches_market: bool = False
    """Whether `Viewer.market` is kept where no live table needs it either."""
    tells_gaps: bool = True
    """Whether each gap of each channel gets a line."""
    deliveries: Deliveries = NOWHERE
    """Where it goes as well."""
    state: Path | None = None
    """The folder of what survives the process."""
    explains: bool = False
    """Say what the pipeline keeps and delays, in place of running it."""


class Viewer:
    """One run of `watch` or `demo`."""

    def __init__(self, show: Show, terminal: Terminal) -> None:
        self._show = show
        self._terminal = terminal
        self.is_live = show.format == "table" and terminal.is_live and show.alerting is None
        self.tally = Tally()
        self.market = Market(show.min_volume)
        shown: Content = (
            EventContent(self.tally, self.market)
            if show.window is None
            else RowContent(self.tally, self.market, show.window)
        )
        self._shown = shown
        self._controls = Controls(shown.sorts, keys=self.is_live and terminal.keyboard is not None)
        self._still: View | None = None
        """What a stopped picture says of the feed."""
        self._running = trio.CancelScope()
        self._content: Lines = shown if show.alerting is None else AlertContent(self.tally, show.alerting)
        self._began = trio.current_time()
        self._ended = math.inf
        self._drawn = False
        self._where: Callable[[], str] = str
        self.gaps = 0
        self.latest_gaps: deque[Gap] = deque(maxlen=50)
        """Of channels, those with which subscriptions begin left out."""
        self.feed: Feed | None = None
        self.queues: dict[str, EventIterator[Any]] = {}
        self.pipelines: dict[str, EventStream[Any]] = {}
        """What is shown and its buffer, for the metrics: under `output`, once there is one; and `flow`, if joined."""
        self.made = self._written = 0
        """With `state`: how many items have come out of the pipeline, and how many of them went on."""
        self._delivery = Delivery(show.deliveries)
        self.sinks = self._delivery.sinks
        """Likewise, by their targets."""

    def explanation(self, filters: Sequence[ops.Stage[Any, Any]] = ()) -> str:
        """What the pipeline of these filters, and of the window where there is one, keeps and delays."""
        alerting = self._show.alerting
        if alerting is not None:
            return f"{explanation((*filters, *alerting.stages), None, live=False)}\n{alerting.delay}"
        return explanation(filters, self._show.window, live=self.is_live)

    async def run(self, feed: Feed, choose: Callable[[Any], Chosen], where: Callable[[], str]) -> None:
        """Show what is chosen from `feed`, or the rows made of it; `where` says what it is connected to.

        Ends when `seconds` are over, when `count` is reached, or with the stream, whose error is raised. When the
        time is over, and on a signal, the feed is closed, and events that had arrived are still shown.
        """
        show, self.feed, self._where = self._show, feed, where
        seconds = show.seconds + show.longer_s
        made = self._pipeline(feed, choose)
        if self._show.shows_all and self._least and not self.is_live:
            self.say(f"{self._least}; all are counted")
        with on_drain(self.hurry):
            async with self._delivery.opened(made.shown, made.kinds):
                self._began = min(trio.current_time(), self._ended)
                self._terminal.output.finish_by(min(self._began + seconds, self._ended) + GRACE_S)
                shown = stream(made.shown, overflow="block", block_timeout=math.inf)
                async with shown as queue, self._showing() as take:
                    self.queues["output"] = queue
                    self.pipelines.update(made.pipelines)
                    self._running.deadline = trio.current_time() + seconds
                    with self._running:
                        await self._drain(queue, take)
                    self.hurry()
                    if self._content.count < show.count:
                        await feed.aclose()
                        await self._drain(queue, take)
        left_out = "" if self.is_live else self._content.left_out()
        if left_out:
            self.say(left_out)

    def _pipeline(self, feed: Feed, choose: Callable[[Any], Chosen]) -> Made:
        """The items, taken up where the process before left them if there is a folder for that."""

        def build(feed: Feed) -> Made:
            events, trades = choose(feed)
            marked = None if trades is None else trades.pipe(ops.tap(on_mark=self._on_mark))
            return self._content.of(events.pipe(self._told()), marked, live=self.is_live)

        made = build(feed)
        if self._show.state is None:
            return made
        taken_up = resume(self._show.state, lambda other: build(other).shown, feed, settled=self.is_settled)
        shown = taken_up.pipe(ops.tap(self._count))
        return Made(shown, made.kinds, {"output": shown})

    def _count(self, batch: Batch[Any]) -> None:
        self.made += len(batch.events)

    def is_settled(self) -> bool:
        """Whether all that has come out is where it belongs, or will be there when the run has ended."""
        if self.made == self._written and self._delivery.is_idle:
            return True
        return self._ended < math.inf and self._content.count < self._show.count

    def hurry(self) -> None:
        """End soon: lines may still be written for `GRACE_S` seconds, and the summary counts time until now."""
        self._ended = min(self._ended, trio.current_time())
        self._terminal.output.finish_by(self._ended + GRACE_S)

    def say(self, text: str, record: logging.LogRecord | None = None) -> None:
        """Show a line about the feed: in the live table, and on standard error unless that would spoil the table."""
        self.tally.messages.append(text)
        if not (self._drawn and self._terminal.is_shared):
            self._terminal.say(text, record)

    @property
    def seconds(self) -> float:
        """How long the run has lasted so far, or lasted in all."""
        return min(self._ended, trio.current_time()) - self._began

    def summary(self) -> str:
        """The counters in a line."""
        assert self.feed is not None  # there is nothing to sum up before
        stats, seconds, events = self.feed.stats, self.seconds, self.tally.events
        parts = [
            f"{counted(events, 'event')} in {seconds:.1f} s" + (f" ({events / seconds:,.1f}/s)" if seconds else ""),
            *self._content.words(),
            counted(self.gaps, "gap"),
            f"{stats.malformed:,} malformed",
            counted(max(stats.connections - 1, 0), "reconnect"),
        ]
        return ", ".join(parts)

    @property
    def _least(self) -> str:
        """Which events are shown; empty where all are."""
        show = self._show
        if not show.min_volume or show.window is not None:
            return ""
        hint = f" ({show.shows_all} shows all)" if show.shows_all else ""
        return f"shown from {dollars(show.min_volume)} USD on{hint}"

    async def conclude(self, exit_code: int) -> int:
        """Write the summary, if there was a feed, and return the exit code."""
        if self.feed is not None:
            self._terminal.say(self.summary())
        return self.settle(exit_code)

    def settle(self, exit_code: int) -> int:
        """Write what became of all that was delivered; the exit code says whether some was lost."""
        for line in self._delivery.words:
            self._terminal.say(line)
        return exit_code or (Exit.FAILED if self._delivery.has_lost else Exit.DONE)

    def _told(self) -> ops.Stage[Any, Any]:
        """Counts gaps; and where somebody looks at the market, shows it what passes."""
        if not (self.is_live or self._show.watches_market):
            return ops.tap(on_mark=self._on_mark)
        watched = Watched(self.market, trio.current_time)

        def on_mark(mark: Mark) -> None:
            self._on_mark(mark)
            watched.mark(mark)

        return ops.tap(watched.see, on_mark=on_mark)

    def _on_mark(self, mark: Mark) -> None:
        # A gap without a channel is one of merged streams; those of the channels, which tell more, follow it.
        if isinstance(mark, Gap) and mark.channel is not None:
            if not begins(mark):
                self.gaps += 1
                self.latest_gaps.append(mark)
            if self._show.tells_gaps:
                self.say(gap_words(mark.channel, mark))

    async def _drain(self, queue: EventIterator[Any], take: _Take) -> None:
        async for batch in queue.batches():
            items = self._content.add(batch, self._show.count)
            self._delivery.put(items)
            await take(items)
            self._written += len(batch)
            if self._content.count >= self._show.count:
                return

    @asynccontextmanager
    async def _showing(self) -> AsyncGenerator[_Take, None]:
        if self.is_live:
            self._drawn = True
            try:
                async with screen(self._terminal.console, self._picture, self._terminal.keyboard, self._press):
                    yield _take_nothing
            finally:
                self._drawn = False
        else:
            show, output = self._show, self._terminal.output
            lines = self._content.line_format(show.format, escape_formulas=show.escape_formulas)
            await output.write(lines.header.encode())
            yield lambda items: output.write(lines.lines(items))

    def _picture(self, width: int, height: int) -> RenderableType:
        return self._shown.draw(self._view(), width, height)

    def _view(self) -> View:
        assert self.feed is not None  # nothing is drawn before
        now = View(
            title=self._show.title,
            where=self._where(),
            stats=self.feed.stats,
            gaps=self.gaps,
            rate=self.tally.rate(trio.current_time()),
            now_s=trio.current_time(),
            elapsed_s=self.seconds,
            seconds=self._show.seconds,
            controls=self._controls,
            least=self._least,
        )
        still = self._still
        return now if still is None else attrs.evolve(still, came=now.stats.events - still.stats.events)

    def _press(self, key: str) -> None:
        controls, was_paused = self._controls, self._controls.paused
        controls.press(key)
        if controls.paused and not was_paused:
            self._still = self._view()
            self._shown.stop()
        elif was_paused and not controls.paused:
            self._still = None
            self._shown.go_on()
        if controls.ends:
            self._running.cancel()


async def _take_nothing(_: Sequence[Any]) -> None:
    """The live table writes no lines: its board has the items already."""
