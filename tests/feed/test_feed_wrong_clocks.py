"""A feed whose clock is wrong from the start, is set in the middle, or stood while the machine slept.

Or it is one of two exchanges whose clock is wrong, or every hundredth event has a time that makes no sense. Two outages
of two seconds cost events; rows must not hide that. Where the feed's clock moved far forward at the reconnect, nobody
knows how long the outage was: rows after it are incomplete, but they hold every event.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from tests.choosing import one_in
from tests.feed.feeding import WALL_S, feed_on, record
from tests.feed.recorders import inline as inline
from tests.support import run_mock

SIZE_MS = 1_000
EVERY_S = 0.25
DROPS_S = (20.1, 45.1)
UNTIL_S = 70.0


def bars(feed: cgrx.Feed) -> cgrx.EventStream[Any]:
    return feed.liquidations().pipe(ops.tumbling("1s", ops.Flow, by="exchange"))


@attrs.define
class World:
    """The clocks: the true time, and that of the system."""

    error_s: float = 0.0
    exchange_s: float = 0.0
    """How far OKX's clock is ahead; that of Binance is right."""
    outlier_s: float = 0.0
    """How far every hundredth event is ahead of its exchange's clock."""
    slept_s: float = 0.0

    def true_s(self) -> float:
        return WALL_S + trio.current_time() + self.slept_s

    def system_s(self) -> float:
        return self.true_s() + self.error_s

    def is_outlier(self, number: int) -> bool:
        return self.outlier_s != 0 and number % 100 == 50

    def event(self, number: int) -> cgrx.Liquidation:
        """The exchanges take turns."""
        exchange, ahead_s = ("OKX", self.exchange_s) if number % 2 else ("Binance", 0.0)
        time_s = self.true_s() + ahead_s + (self.outlier_s if self.is_outlier(number) else 0.0)
        return cgrx.Liquidation(
            "BTC", exchange, "BTCUSDT", cgrx.LiquidationSide.LONG, 60_000.0, 1_000.0, round(time_s * 1e3)
        )


@attrs.define
class Seen:
    """What was sent, what was received, and the rows; the delays of those that closed before the end."""

    sent: list[cgrx.Liquidation] = attrs.field(factory=list[cgrx.Liquidation])
    received: list[cgrx.Liquidation] = attrs.field(factory=list[cgrx.Liquidation])
    rows: list[Any] = attrs.field(factory=list[Any])
    delays_s: list[float] = attrs.field(factory=list[float])
    malformed: int = 0
    connections: int = 0


async def watch(folder: Path, world: World, step_s: float, sleep_s: float) -> Seen:
    seen = Seen()

    def on_row(row: Any) -> None:
        seen.rows.append(row)
        seen.delays_s.append(world.true_s() - row.end_ms / 1e3)

    async with (
        Simulator(listen=False) as simulator,
        feed_on(
            simulator, wall_clock=world.system_s, limits=cgrx.Limits(backoff_first_s=2.0, healthy_after_s=1.0)
        ) as feed,
        cgrx.record(feed, folder, channels=[cgrx.LiquidationOrders()]),
    ):
        events = record(feed.liquidations())
        bars(feed).subscribe(on_row)
        drops = list(DROPS_S)
        changed = False
        while trio.current_time() < UNTIL_S:
            await trio.sleep(EVERY_S)
            if not changed and trio.current_time() >= 10:
                changed = True
                world.error_s += step_s
                world.slept_s += sleep_s
            if drops and trio.current_time() >= drops[0]:
                del drops[0]
                simulator.drop_all()
                await simulator.wait_connections(0)
            event = world.event(len(seen.sent))
            seen.sent.append(event)
            await simulator.send(event)
        await trio.sleep(1)
        seen.received = list(events.events)
        seen.malformed, seen.connections = feed.stats.malformed, feed.stats.connections
        closed = len(seen.rows)
        await feed.aclose()
        del seen.delays_s[closed:]
    return seen


CASES = {
    **{f"off by {error} s at connect": (World(error), 0, 0) for error in (-7_200, -5, 5, 7_200)},
    **{f"off by {error} s, then repaired": (World(error), -error, 0) for error in (-7_200, -5, 5, 7_200)},
    **{f"a step of {step} s": (World(), step, 0) for step in (-7_200, -5, 5, 7_200)},
    **{f"asleep for {sleep} s": (World(), 0, sleep) for sleep in (40, 3_600)},
    **{f"one exchange {ahead} s ahead": (World(exchange_s=ahead), 0, 0) for ahead in (-5, -1.5, 1.5, 5)},
    **{f"outliers {ahead} s ahead": (World(outlier_s=ahead), 0, 0) for ahead in (-3_600, -60, 60, 3_600)},
}


def start_ms(event: cgrx.Liquidation) -> int:
    return event.time_ms // SIZE_MS * SIZE_MS


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("world", "step_s", "sleep_s"), one_in(4, CASES.values()), ids=CASES)
def test_rows_say_what_they_miss_under_a_wrong_clock(
    tmp_path: Path, world: World, step_s: float, sleep_s: float
) -> None:
    seen = Seen()
    replayed: list[Any] = []

    async def main() -> None:
        nonlocal seen
        seen = await watch(tmp_path / "recording", attrs.evolve(world), step_s, sleep_s)
        async with cgrx.replay(tmp_path / "recording") as feed:
            bars(feed).subscribe(replayed.append)
            await feed.run()

    run_mock(main)
    missed = set(seen.sent) - set(seen.received)
    # An outlier from the past comes when the window that it names has been told long since: it is late.
    in_time = [event for i, event in enumerate(seen.sent) if world.outlier_s > 0 or not world.is_outlier(i)]
    truth = Counter((event.exchange, start_ms(event)) for event in in_time)
    spoilt = {(event.exchange, start_ms(event)) for event in missed.intersection(in_time)}
    complete = [row for row in seen.rows if row.complete]
    late = seen.rows[-1].late
    known_to_be_long = sleep_s or step_s > 60
    facts = {
        "three connections": seen.connections == 3,
        "nothing malformed": seen.malformed == 0,
        f"two outages cost events: {len(missed)}": 8 <= len(missed) <= 20,
        "what is complete has all": all(row.count == truth[row.exchange, row.start_ms] for row in complete),
        "what misses events is not complete": not [r for r in complete if (r.exchange, r.start_ms) in spoilt],
        f"all are in rows or late: {late}": sum(row.count for row in seen.rows) + late == len(seen.received),
        # An exchange whose clock is behind is late until it has been heard.
        f"late: {late}": late <= (5 if world.exchange_s else 3 if world.outlier_s < 0 else 0),
        f"complete: {len(complete)} of {len(seen.rows)}": len(complete) >= (30 if known_to_be_long else 60),
        f"delays: {max(seen.delays_s)}": max(seen.delays_s) <= 6 + sleep_s + abs(world.exchange_s),
        f"open until the end: {len(seen.rows) - len(seen.delays_s)}": len(seen.delays_s) >= len(seen.rows) - 20,
        "live = replay": replayed == seen.rows,
        "live = backtest": list(cgrx.backtest(bars, tmp_path / "recording").rows) == seen.rows,
    }
    assert [fact for fact, holds in facts.items() if not holds] == []
