"""`cgrx watch --state`, killed at moments that chance gives: only what was sent while nobody listened is missing."""

import json
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from cgrx import Liquidation, LiquidationSide
from cgrx._simulator.simulator import Simulator
from tests.cli.screens import COMMAND, ENVIRONMENT
from tests.support import LIMIT_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no signal 9")

WINDOW_MS = 1_000
SLACK_MS = 2_200
"""The clocks of exchanges may differ by two seconds, so that a gap counts wider; and a process takes a while to die."""

ASSETS = ("BTC", "ETH", "SOL")


@attrs.define
class Sent:
    """What the server has sent, and when somebody listened, by the wall clock in milliseconds."""

    events: list[Liquidation] = attrs.field(factory=list[Liquidation])
    heard: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]])
    """From the subscription of a process to its kill."""


def wall_ms() -> int:
    import time

    return time.time_ns() // 1_000_000


async def _send(simulator: Simulator, sent: Sent) -> None:
    """Some thirty a second, each with a volume of its own."""
    chance = random.Random(7)
    while True:
        volume = float(1 << (len(sent.events) % 50))
        asset = chance.choice(ASSETS)
        event = Liquidation(asset, "Binance", f"{asset}USDT", LiquidationSide.LONG, 10.0, volume, wall_ms())
        sent.events.append(event)
        await simulator.send(event)
        await trio.sleep(chance.uniform(0.01, 0.06))


async def _live(simulator: Simulator, sent: Sent, arguments: tuple[str, ...], seconds: float, number: int) -> None:
    """One process, ended by a signal."""
    with trio.fail_after(LIMIT_S):
        await simulator.wait_connections(0)
    with Path(arguments[-1]).open("ab") as out:  # noqa: ASYNC230 - nothing else waits for this loop
        process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
            (*COMMAND, "watch", "liquidations", "--url", simulator.url, *arguments[:-1]),
            stdout=out,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        try:
            with trio.fail_after(LIMIT_S):
                await simulator.wait_subscribed("liquidationOrders")
            began_ms = wall_ms()
            await trio.sleep(seconds)
            ended_ms = wall_ms()
            process.send_signal(number)
            await trio.to_thread.run_sync(process.wait, LIMIT_S)
        finally:
            process.kill()
    sent.heard.append((began_ms, ended_ms))


def lived(folder: Path, times: int, end: int = signal.SIGKILL) -> tuple[Sent, list[dict[str, Any]]]:
    """Run the command so many times, each time until it is killed, and once more: what was sent, and all rows."""
    sent, chance, out = Sent(), random.Random(times), folder / "rows.jsonl"
    shown = ("--window", "1s", "--by", "base_asset", "--format", "jsonl")
    arguments = (*shown, "--state", str(folder / "state"), str(out))

    async def main() -> None:
        async with Simulator() as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(_send, simulator, sent)
            for _ in range(times):
                await _live(simulator, sent, arguments, chance.uniform(0.0, 5.0), end)
            await _live(simulator, sent, arguments, 6.0, signal.SIGTERM)
            nursery.cancel_scope.cancel()

    trio.run(main)
    return sent, [json.loads(line) for line in out.read_bytes().splitlines() if line.endswith(b"}")]


def judge(sent: Sent, rows: list[dict[str, Any]]) -> int:
    """Compare each row with what was sent; return how many of them say that they are complete."""
    windows: dict[tuple[int, str], list[Liquidation]] = defaultdict(list)
    for event in sent.events:
        windows[event.time_ms - event.time_ms % WINDOW_MS, event.base_asset].append(event)
    seen: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        key = row["start_ms"], row["base_asset"]
        assert seen.setdefault(key, row) == row, "a row that came again is another one"
        volumes = {event.volume_usd for event in windows[key]}
        certain = {
            event.volume_usd
            for event in windows[key]
            if any(begin + 100 <= event.time_ms <= end - 500 for begin, end in sent.heard)
        }
        found = {float(1 << bit) for bit in range(50) if int(row["volume"]) >> bit & 1}
        assert certain <= found <= volumes
        assert row["count"] == len(found)
        if row["complete"]:
            assert found == volumes
        begins, ends = row["start_ms"], row["start_ms"] + WINDOW_MS
        if any(begin + SLACK_MS <= begins and ends <= end - SLACK_MS for begin, end in sent.heard):
            assert row["complete"], f"{row} was heard as a whole"
    first, last = sent.heard[0][0], sent.heard[-1][1] - 3 * SLACK_MS
    for start_ms, asset in windows:
        definite = any(
            begin + 100 <= event.time_ms <= end - 500 for event in windows[start_ms, asset] for begin, end in sent.heard
        )
        if definite and first <= start_ms <= last:
            assert (start_ms, asset) in seen, "a window is missing"
    return sum(row["complete"] for row in seen.values())


@pytest.mark.thorough
def test_killed_twice(tmp_path: Path) -> None:
    sent, rows = lived(tmp_path, 2)
    assert judge(sent, rows) > 0


@pytest.mark.soak
def test_killed_at_fifty_moments(tmp_path: Path) -> None:
    sent, rows = lived(tmp_path, 50)
    assert judge(sent, rows) > 0
