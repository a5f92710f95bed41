"""What does the board cost the feed beside it, where nobody looks, and where 1, 10 or 100 browsers do; and a browser?

A sender in a process of its own keeps to a schedule of 1,000 events a second, one a message: liquidations of many
assets, and the trades of one instrument. They reach a callback, and the pipelines of a board, which a third process
looks at. The limit is the same feed without a board. Both give their callbacks the same events.

The first figure is the processor time of the process of the feed and the board, for each event. The second is the time
from the moment at which an event was due to its callback: the median, and beside it the 99th percentile, in which the
board's ticks are seen, four a second. All are in nanoseconds. On a machine with few processors browsers take some of
the time away that the feed would have.

The cases of the page are of a real browser, Chromium: the time to the first picture and the bytes that it loads for it,
and, while a recording is played at ten times its speed, the processor time of the script of one frame, of which there
may be 60 a second: the median, and beside it the largest. There is no limit to compare with.
"""

import gc
import statistics
import time
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from operator import itemgetter
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import attrs
import trio

import cgrx
from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Role, Sample, Scenario
from benchmarks._harness.worker import process
from benchmarks._senders import browsers, mixed
from benchmarks._senders.browsers import looking
from benchmarks._senders.mixed import GO, MARKET, Mixed
from benchmarks._senders.schedule import now_us
from benchmarks._senders.server import port_of
from benchmarks.rivals import pages
from benchmarks.rivals.pages import Loaded
from benchmarks.rivals.receivers import NO_HURRY


@attrs.frozen
class Looked:
    """How many browsers look, and what is judged."""

    browsers: int
    mixed: Mixed
    by_latency: bool = False


_Case: TypeAlias = Looked | Loaded


@attrs.frozen
class Senders:
    """The ports of both processes, and a folder for a recording."""

    events: int
    browsers: int
    folder: str


@attrs.define(eq=False)
class Heard:
    """What the callback has seen."""

    left: int
    events: list[cgrx.Event] = attrs.Factory(list[cgrx.Event])
    ns: list[int] = attrs.Factory(list[int])
    reached: trio.Event = attrs.Factory(trio.Event)
    cpu_s: float = 0.0

    def take(self, event: cgrx.Event) -> None:
        """One more."""
        self.ns.append(1_000 * (now_us() - int(event.price)))
        self.events.append(event)
        self.left -= 1
        if not self.left:
            self.reached.set()


@attrs.frozen
class Looking:
    """A feed, with a board or without."""

    looked: Looked
    senders: Senders
    has_board: bool

    def results(self) -> Results:
        """What the callback got, by channel: of two channels within one read either may come first."""
        heard = self._run(attrs.evolve(self.looked.mixed, events=100))
        found = [(type(event).__name__, event.base_asset, event.volume_usd) for event in heard.events]
        return sorted(found, key=itemgetter(0))

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        heard = self._run(self.looked.mixed)
        p50, p99 = statistics.median(heard.ns), statistics.quantiles(heard.ns, n=100)[98]
        if self.looked.by_latency:
            return Sample(p50, {"p99_ns": p99})
        return Sample(heard.cpu_s / len(heard.ns) * 1e9, {"p50_ns": p50, "p99_ns": p99})

    def _run(self, mixed: Mixed) -> Heard:
        return trio.run(self._hear, mixed)

    async def _hear(self, mixed: Mixed) -> Heard:
        heard = Heard(mixed.events)
        url = f"ws://127.0.0.1:{self.senders.events}{mixed.resource}"
        async with (
            cgrx.connect(url=url, api_key="any-key-will-do", limits=NO_HURRY) as feed,
            AsyncExitStack() as stack,
        ):
            feed.liquidations().subscribe(heard.take)
            feed.futures_trades(*MARKET, min_volume=0).subscribe(heard.take)
            if self.has_board:
                board = await stack.enter_async_context(cgrx.board(feed, trades=[(*MARKET, 0)]))
                await stack.enter_async_context(looking(self.senders.browsers, board.port, self.looked.browsers))
            began_s = time.process_time()
            feed.futures_trades(*GO, min_volume=0).subscribe()
            await heard.reached.wait()
            heard.cpu_s = time.process_time() - began_s
        return heard


@contextmanager
def _senders() -> Generator[Senders]:
    with process(mixed.serve) as events, process(browsers.serve) as looking_on, TemporaryDirectory() as folder:
        yield Senders(port_of(events), port_of(looking_on), folder)


def _rival(name: str, role: Role, *, has_board: bool) -> Rival[_Case]:
    def prepare(case: _Case, senders: Any) -> Contest:
        if isinstance(case, Looked):
            return Looking(case, senders, has_board)
        if not has_board:
            raise AbsentError("without a board there is no page")
        return pages.prepare(case, senders.folder)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[_Case]]:
    mixed = Mixed(200 if quick else 3_000, 1_000)
    counts = (0, 2) if quick else (0, 1, 10, 100)
    words = {count: f"{count} {'browser' if count == 1 else 'browsers'}" for count in counts}
    return [
        *(Case[_Case](f"processor time, {words[count]}", Looked(count, mixed)) for count in counts),
        *(Case[_Case](f"latency, {words[count]}", Looked(count, mixed, by_latency=True)) for count in (0, counts[-1])),
        Case("page, first picture", Loaded("first picture")),
        Case("page, script of a frame", Loaded("script of a frame", 1_000 if quick else 5_000)),
    ]


SCENARIO = Scenario(
    name="board",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns",
    cases=_cases,
    surroundings=_senders,
    share=0.6,
    rivals=(
        _rival("cgrx", "ours", has_board=True),
        _rival("cgrx without a board", "limit", has_board=False),
    ),
)
