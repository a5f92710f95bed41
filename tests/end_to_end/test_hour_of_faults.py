"""An hour of faults drawn at random, over a real socket, while the machine's clock is set back and forth.

    pytest -m soak -n 0 tests/end_to_end/test_hour_of_faults.py
    CGRX_SOAK_SECONDS=120 pytest -m soak -n 0 tests/end_to_end/test_hour_of_faults.py

Left out are `Late` and `Duplicate`, which change what the server has to say; refusals that end a feed by design; and
`Stall`, after which the server, which is in the same process, keeps up to 4 MiB for a client that has long left.
"""

import gc
import os
import random
import zlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import attrs
import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._trio.clock import system_time
from cgrx.operators import agg
from cgrx.testing import (
    Binary,
    Close,
    CloseAtOnce,
    Drip,
    Drop,
    DropInFrame,
    Fault,
    Fragmented,
    Garbage,
    Generator,
    HalfFrame,
    HangConnect,
    HangHandshake,
    Huge,
    NoPong,
    RawBytes,
    Refuse,
    Simulator,
    WrongTypes,
)

T = TypeVar("T")

SECONDS = float(os.environ.get("CGRX_SOAK_SECONDS", "3600"))
RATE = 200
SIZE_MS = 1_000
LIMITS = cgrx.Limits(
    connect_s=2.0,
    handshake_s=2.0,
    ping_every_s=2.0,
    pong_within_s=2.0,
    close_s=1.0,
    backoff_first_s=0.1,
    backoff_most_s=1.0,
    healthy_after_s=5.0,
    retry_after_most_s=2.0,
    rejections=100,
)
STEPS_S = (0.0, -7_200.0, -5.0, 5.0, 40.0)
GARBAGE: tuple[str | bytes, ...] = (
    "pong",
    "",
    "{",
    "[1, 2]",
    "9" * 99,
    b"\xff\xfe",
    '{"channel":"other","data":[]}',
)
FAULTS: tuple[Callable[[random.Random], Fault], ...] = (
    lambda _: Binary(),
    lambda rng: Close(code=rng.choice([1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999]), reason="as drawn"),
    lambda rng: CloseAtOnce(connections=rng.randint(1, 3), notice=rng.choice([None, "too many connections"])),
    lambda _: Drip(delay=0.001),
    lambda _: Drop(),
    lambda _: DropInFrame(),
    lambda _: Fragmented(parts=5),
    lambda rng: Garbage(rng.choice(GARBAGE)),
    lambda _: HalfFrame(),
    lambda _: HangConnect(),
    lambda _: HangHandshake(),
    lambda rng: Huge(fragments=rng.choice([1, 7])),
    lambda _: NoPong(),
    lambda rng: RawBytes(rng.randbytes(rng.randint(1, 40))),
    lambda rng: Refuse(
        connections=rng.randint(1, 3), how=rng.choice(["tcp", 429, 500, 503]), retry_after=rng.choice([None, 1])
    ),
    lambda _: WrongTypes(),
)


@attrs.define
class Market:
    """What the server has to say, counted by exchange and window as it is said; old windows are forgotten."""

    events: Iterator[cgrx.Event]
    truth: Counter[tuple[str, int]] = attrs.field(factory=Counter[tuple[str, int]])
    said: int = 0

    def __iter__(self) -> Iterator[cgrx.Event]:
        for event in self.events:
            self.said += 1
            if isinstance(event, cgrx.Liquidation):
                start_ms = event.time_ms // SIZE_MS * SIZE_MS
                if (event.exchange, start_ms) not in self.truth:
                    for old in [key for key in self.truth if key[1] < start_ms - 600_000]:
                        del self.truth[old]
                self.truth[event.exchange, start_ms] += 1
            yield event


@attrs.define
class Rows:
    """Rows, checked as they come; a sum of them all stands for those of before."""

    market: Market | None = None
    count: int = 0
    complete: int = 0
    late: int = 0
    crc: int = 0
    wrong: list[Any] = attrs.field(factory=list[Any])

    def take(self, row: Any) -> None:
        self.count += 1
        self.complete += row.complete
        self.late = row.late
        self.crc = zlib.crc32(repr(row.values).encode(), self.crc)
        if self.market is not None and row.complete and row.count != self.market.truth[row.exchange, row.start_ms]:
            self.wrong.append((row, self.market.truth[row.exchange, row.start_ms]))


@attrs.define
class Usage:
    """What the process holds, looked at again and again."""

    bytes: list[int] = attrs.field(factory=list[int])
    tasks: list[int] = attrs.field(factory=list[int])
    descriptors: list[int] = attrs.field(factory=list[int])

    def look(self) -> None:
        gc.collect()
        self.bytes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        self.tasks.append(trio.lowlevel.current_statistics().tasks_living)
        self.descriptors.append(len(list(Path("/proc/self/fd").iterdir())))

    def growth(self, what: list[int]) -> float:
        """From the second quarter to the last: the first one warms up."""
        quarter = len(what) // 4
        return median(what[-quarter:]) - median(what[quarter : 2 * quarter])


def bars(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
    return feed.liquidations().pipe(ops.tumbling(SIZE_MS / 1e3, by="exchange", count=agg.count()))


async def draw_faults(simulator: Simulator, rng: random.Random) -> None:
    while True:
        await trio.sleep(rng.expovariate(1 / 15))
        simulator.script([rng.choice(FAULTS)(rng)])


async def come_and_go(feed: cgrx.Feed, rng: random.Random, failures: Counter[type[Exception]]) -> None:
    """Subscribers of other channels: some are slow, some raise, all leave after a while. Their accounts are exact."""
    while True:
        stream = feed.futures_trades(
            rng.choice(["Binance", "OKX"]), rng.choice(["BTCUSDT", "BTC-USDT-SWAP"]), min_volume=0
        )
        kind = rng.choice(["raises", "iterates"])
        if kind == "raises":
            countdown = rng.randint(1, 50)

            def take(_: Any) -> None:
                nonlocal countdown
                countdown -= 1
                if not countdown:
                    raise LookupError("a subscriber's own")

            subscription = stream.subscribe(take, lambda error: failures.update([type(error)]))
            await trio.sleep(rng.uniform(0, 10))
            subscription.dispose()
        else:
            async with cgrx.stream(stream, buffer=16, overflow=rng.choice(["drop_oldest", "drop_newest"])) as events:
                with trio.move_on_after(rng.uniform(1, 10)):
                    async for _ in events:
                        await trio.sleep(rng.choice([0, 0, 0.05]))
                stats = events.stats
                assert stats.received == stats.delivered + stats.dropped + stats.queued, stats


async def limited(seconds: float, main: Callable[[], Awaitable[T]]) -> T:
    with trio.fail_after(seconds):
        return await main()


@pytest.mark.soak
def test_an_hour_of_faults(tmp_path: Path) -> None:
    """The feed lives; no complete row misses an event; accounts add up; memory, tasks and descriptors stay flat."""
    seed = int.from_bytes(os.urandom(4))
    rng = random.Random(seed)
    market = Market(iter(Generator(seed=seed, rate=RATE, start_ms=round(system_time() * 1e3))))
    live, usage = Rows(market), Usage()
    failures: Counter[type[Exception]] = Counter()
    statuses: Counter[str] = Counter()
    step_s = 0.0
    folder = tmp_path / "recording"

    async def main() -> cgrx.FeedStats:
        nonlocal step_s
        async with (
            Simulator(market, times="recorded", start="now") as simulator,
            cgrx.connect(
                url=simulator.url,
                api_key="0123456789abcdef0123456789abcdef",
                limits=LIMITS,
                on_subscriber_error="isolate",
                wall_clock=lambda: system_time() + step_s,
            ) as feed,
            cgrx.record(feed, folder, channels=[cgrx.LiquidationOrders()]) as recorder,
        ):
            feed.status.subscribe(lambda status: statuses.update([type(status).__name__]))
            bars(feed).subscribe(live.take)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(draw_faults, simulator, rng)
                for _ in range(3):
                    nursery.start_soon(come_and_go, feed, rng, failures)
                ends_at = trio.current_time() + SECONDS
                while trio.current_time() < ends_at:
                    await trio.sleep(min(5.0, SECONDS / 40))
                    usage.look()
                    if rng.random() < 0.02:
                        step_s = rng.choice(STEPS_S)
                nursery.cancel_scope.cancel()
            await feed.aclose()
            stats = feed.stats
            assert recorder.error is None
            assert recorder.stats.lost == 0
        return stats

    stats = trio.run(limited, SECONDS + 60, main)
    replayed = Rows()

    async def again() -> None:
        async with cgrx.replay(folder) as feed:
            bars(feed).subscribe(replayed.take)
            await feed.run()

    trio.run(limited, SECONDS + 60, again)
    tested = Rows()
    deque(map(tested.take, cgrx.backtest(bars, folder).rows), 0)
    growth = {name: usage.growth(getattr(usage, name)) for name in ("bytes", "tasks", "descriptors")}
    print(  # noqa: T201 - the figures of a long run
        f"\nseed {seed}: {market.said:,} events said, {stats.events:,} received by {stats.connections:,} connections of"
        f" {stats.attempts:,} attempts; {live.count:,} rows, {live.complete:,} complete, {live.late} late;"
        f" growth {growth}; {dict(statuses)}"
    )
    assert live.wrong == []
    assert live.complete > live.count / 10
    assert (replayed.count, replayed.crc) == (live.count, live.crc)
    assert (tested.count, tested.crc) == (live.count, live.crc)
    assert sum(each.events for each in stats.channels.values()) == stats.events
    assert set(failures) <= {LookupError}
    assert growth["bytes"] < 20e6
    assert abs(growth["tasks"]) < 10
    assert abs(growth["descriptors"]) < 10
