"""A feed whose clock is wrong from the start, is set in the middle, or stood while the machine slept.

The exchange's clock is right throughout. Two outages of two seconds cost events; rows must not hide that. Where the
feed's clock moved far forward at the reconnect, nobody knows how long the outage was: rows after it are incomplete, but
they hold every event.
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
    slept_s: float = 0.0

    def true_s(self) -> float:
        return WALL_S + trio.current_time() + self.slept_s

    def system_s(self) -> float:
        return self.true_s() + self.error_s


@attrs.define
class Seen:
    """What was sent, what was received, and the rows; the delays of those that closed before the end."""

    sent: list[int] = attrs.field(factory=list[int])
    received: list[int] = attrs.field(factory=list[int])
    rows: list[Any] = attrs.field(factory=list[Any])
    delays_s: list[float] = attrs.field(factory=list[float])
    malformed: int = 0
    connections: int = 0


async def watch(folder: Path, error_s: float, step_s: float, sleep_s: float) -> Seen:
    world, seen = World(error_s), Seen()

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
            time_ms = round(world.true_s() * 1e3)
            seen.sent.append(time_ms)
            await simulator.send(
                cgrx.Liquidation("BTC", "Binance", "BTCUSDT", cgrx.LiquidationSide.LONG, 60_000.0, 1_000.0, time_ms)
            )
        await trio.sleep(1)
        seen.received = [event.time_ms for event in events.events]
        seen.malformed, seen.connections = feed.stats.malformed, feed.stats.connections
        closed = len(seen.rows)
        await feed.aclose()
        del seen.delays_s[closed:]
    return seen


CASES = [
    *(pytest.param(error, 0, 0, id=f"off by {error} s at connect") for error in (-7_200, -5, 5, 7_200)),
    *(pytest.param(error, -error, 0, id=f"off by {error} s, then repaired") for error in (-7_200, -5, 5, 7_200)),
    *(pytest.param(0, step, 0, id=f"a step of {step} s") for step in (-7_200, -5, 5, 7_200)),
    *(pytest.param(0, 0, sleep, id=f"asleep for {sleep} s") for sleep in (40, 3_600)),
]


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("error_s", "step_s", "sleep_s"), CASES)
def test_rows_say_what_they_miss_under_a_wrong_clock(
    tmp_path: Path, error_s: float, step_s: float, sleep_s: float
) -> None:
    seen = Seen()
    replayed: list[Any] = []

    async def main() -> None:
        nonlocal seen
        seen = await watch(tmp_path / "recording", error_s, step_s, sleep_s)
        async with cgrx.replay(tmp_path / "recording") as feed:
            bars(feed).subscribe(replayed.append)
            await feed.run()

    run_mock(main)
    problems: list[str] = []

    def check(what: str, holds: object) -> None:
        if not holds:
            problems.append(what)

    check("connections", seen.connections == 3)
    check("malformed", seen.malformed == 0)
    missed = sorted(set(seen.sent) - set(seen.received))
    check(f"missed {len(missed)}", 8 <= len(missed) <= 20)
    truth = Counter(time // SIZE_MS * SIZE_MS for time in seen.sent)
    wrong = [row.start_ms for row in seen.rows if row.complete and row.count != truth[row.start_ms]]
    check(f"wrongly complete: {len(wrong)}", not wrong)
    spoilt = {time // SIZE_MS * SIZE_MS for time in missed}
    check("charged", not [row for row in seen.rows if row.start_ms in spoilt and row.complete])
    counted = sum(row.count for row in seen.rows)
    check(f"in rows: {counted} of {len(seen.received)}", counted == len(seen.received))
    complete = sum(row.complete for row in seen.rows)
    long = sleep_s or step_s > 60
    check(f"complete: {complete} of {len(seen.rows)}", complete >= (15 if long else 40))
    check(f"delay {max(seen.delays_s)}", max(seen.delays_s) <= 6 + sleep_s)
    check(f"last {seen.rows[-1].end_ms - seen.sent[-1]}", len(seen.delays_s) >= len(seen.rows) - 5)
    check("replay", replayed == seen.rows)
    check("backtest", list(cgrx.backtest(bars, tmp_path / "recording").rows) == seen.rows)
    assert not problems
