"""The recipes that are tests, services or programs of a shell, each run as a user runs it, against something real."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
import trio

from cgrx import Event
from cgrx._cli.terminal.exits import Exit
from cgrx.testing import Generator, Refuse, Simulator, WrongTypes, liquidation, trade
from tests.deploy.test_deploy import DEPLOY, checked, tool
from tests.docs import pages
from tests.feed.proxies import OneTarget, listening, no_proxies, port_of, pproxy
from tests.house import plan
from tests.metrics.asking import ask, wait_answered
from tests.notebook.test_notebooks import Executed, said
from tests.support import run

COOKBOOK = pages.EXAMPLES / "cookbook"
KEY = "a-key-of-the-tests"
USER = "user:pass-word"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    no_proxies(monkeypatch)


class Program:
    """A recipe in a process of its own, and what it writes."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.printed = ""
        self.logged = ""
        self._more = trio.Event()

    async def read(self) -> None:
        """Until it has closed both streams."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read, "printed", self.process.stdout)
            nursery.start_soon(self._read, "logged", self.process.stderr)

    async def _read(self, name: str, stream: Any) -> None:
        async with stream:
            async for data in stream:
                setattr(self, name, getattr(self, name) + data.decode())
                self._more.set()
                self._more = trio.Event()

    async def prints(self, text: str) -> None:
        while text not in self.printed:
            await self._more.wait()

    async def logs(self, pattern: str) -> re.Match[str]:
        while not (found := re.search(pattern, self.logged)):
            await self._more.wait()
        return found


@asynccontextmanager
async def running(name: str, **environment: str) -> AsyncGenerator[Program, None]:
    """The recipe; killed at the end, where it has not ended by itself. What it writes is complete behind the body."""
    process = await trio.lowlevel.open_process(
        [sys.executable, str(COOKBOOK / name)],
        cwd=plan.ROOT,
        env=os.environ | {"PYTHONPATH": str(plan.ROOT), "COINGLASS_API_KEY": KEY} | environment,
        stdout=PIPE,
        stderr=PIPE,
    )
    program = Program(process)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(program.read)
        try:
            yield program
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


@pytest.mark.thorough  # another pytest takes seconds
def test_the_tests_of_a_rule_run_in_pytest() -> None:
    """Without this repository's settings, as in a project of the user's own."""
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "test_rule.py")
    done = subprocess.run(command, cwd=COOKBOOK, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


@pytest.mark.thorough  # an interpreter takes seconds
def test_the_service_serves_bars_and_probes_and_ends_with_the_open_window() -> None:
    """SIGTERM drains: the minute that runs comes out, not final, and the process exits with 0."""

    async def main() -> None:
        async with Simulator() as simulator:
            async with running("bars_service.py", COINGLASS_URL=simulator.url, METRICS_PORT="0") as service:
                port = int((await service.logs(r"probes at http://127\.0\.0\.1:(\d+)"))[1])
                await simulator.wait_subscribed("futures_trades@Binance_BTCUSDT@0")
                soon_s = (time.time_ns() // 60_000_000_000 + 1) * 60  # so that the minute is not over before the signal
                await simulator.send([trade("buy", usd, time=soon_s) for usd in (1_000.0, 2_000.0)])
                await wait_answered(port, "/metrics", 'cgrx_open_keys{pipeline="bars"} 1.0')
                assert (await ask(port, "/readyz"))[0] == 200
                service.process.send_signal(signal.SIGTERM)
                assert await service.process.wait() == 0
            (bar,) = map(json.loads, service.printed.splitlines())
            assert (bar["symbol"], bar["volume"], bar["count"], bar["final"]) == ("BTCUSDT", 3_000.0, 2, False)

    run(main)


@pytest.mark.thorough  # an interpreter takes seconds
def test_the_service_does_not_come_back_with_a_refused_key() -> None:
    """Its exit code is one of those that the unit does not restart; the key is in no line."""

    async def main() -> None:
        async with (
            Simulator(faults=[Refuse(how=401, connections=10)]) as simulator,
            running("bars_service.py", COINGLASS_URL=simulator.url, METRICS_PORT="0") as service,
        ):
            code = await service.process.wait()
        (prevented,) = re.findall(r"\nRestartPreventExitStatus=(.*)\n", (DEPLOY / "cgrx.service").read_text())
        assert str(code) in prevented.split()
        assert "401" in service.logged
        assert KEY not in service.logged

    run(main)


@pytest.mark.thorough  # an interpreter takes seconds
@pytest.mark.parametrize(
    "wrong", [{"COINGLASS_API_KEY": ""}, {"COINGLASS_URL": "http://nowhere"}], ids=["key", "address"]
)
def test_the_service_does_not_come_back_with_what_cannot_be_used(wrong: dict[str, str]) -> None:
    """A key that is missing, and an address that is none."""

    async def main() -> None:
        async with running("bars_service.py", METRICS_PORT="0", **wrong) as service:
            code = await service.process.wait()
        assert code == Exit.USAGE
        assert "Traceback" not in service.logged

    run(main)


@pytest.mark.parametrize("setting", ["ExecStart=", "ExecStrat="])
def test_the_drop_in_for_a_script_fits_the_unit(tmp_path: Path, setting: str) -> None:
    """By systemd's own checker, which wants the programs to be there, and which tells of a setting it does not know."""
    (drop_in,) = re.findall(
        r"```ini\n(\[Service\]\n.*?)```", (pages.DOCS / "cookbook" / "service.md").read_text(), re.DOTALL
    )
    unit = (DEPLOY / "cgrx.service").read_text(encoding="utf-8")
    folder = tmp_path / "cgrx.service.d"
    folder.mkdir()
    (folder / "override.conf").write_text(re.sub(r"=/opt/\S+", "=/bin/true", drop_in).replace("ExecStart=", setting))
    (tmp_path / "cgrx.service").write_text(re.sub(r"=/opt/\S+", "=/bin/true", unit))
    command = (tool("systemd-analyze"), "verify", str(tmp_path / "cgrx.service"))
    if setting == "ExecStart=":
        checked(*command)
    else:
        with pytest.raises(AssertionError):
            checked(*command)


@pytest.mark.thorough  # a kernel takes ten seconds
def test_the_cell_with_a_live_chart(tmp_path: Path) -> None:
    """In a real kernel: later cells run meanwhile, and the chart shows the end."""
    v4: Any = import_module("nbformat.v4")  # it has no types
    sources = {
        "chart": (COOKBOOK / "live_chart.py").read_text(encoding="utf-8"),
        "meanwhile": "await asyncio.sleep(1)\nprint(running.done(), len(live.rows))",
        "end": "await running\nprint(running.done(), len(live.rows))",
    }
    cells = [v4.new_code_cell(source, id=name) for name, source in sources.items()]
    path = tmp_path / "live_chart.ipynb"
    path.write_text(json.dumps(v4.new_notebook(cells=cells)), encoding="utf-8")
    executed = Executed(str(path), tmp_path)
    done, windows = executed.printed("meanwhile").split()
    assert done == "False"
    assert 0 < int(windows) <= 40
    assert executed.printed("end").split() == ["True", "40"]
    assert "completed" in said(executed.html("chart"))
    assert "Binance BTCUSDT" in said(executed.html("chart"))


def test_the_same_by_websockets_alone() -> None:
    """Large liquidations of longs, before and after a connection that breaks; what was sent meanwhile is not there."""
    pytest.importorskip("websockets.asyncio.client", reason="a package that cgrx does not need")

    async def main() -> None:
        async with Simulator() as simulator:
            async with running("plain_websockets.py", COINGLASS_URL=simulator.url) as program:
                for number in range(2):
                    await simulator.wait_subscribed("liquidationOrders")
                    large, small = 300_000.0 + number, 200_000.0
                    await simulator.send([liquidation("short", large), liquidation("long", small)])
                    await simulator.send(liquidation("long", large, time="1s"))
                    await program.prints(f"{large:,.0f} USD")
                    simulator.drop_all()
                    await simulator.wait_connections(0)
                    await simulator.send(liquidation("long", 900_000.0))
            assert program.printed.splitlines() == [f"1000 Binance BTCUSDT {usd} USD" for usd in ("300,000", "300,001")]

    run(main)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"plan": "startup"}, "JSONDecodeError: "),
        ({"generation": 2}, "KeyError: 'volUsd'"),
        ({"faults": [WrongTypes()]}, "Error: "),
    ],
)
def test_what_ends_the_program_with_websockets_alone(options: dict[str, Any], error: str) -> None:
    """As the page says of it."""
    pytest.importorskip("websockets.asyncio.client", reason="a package that cgrx does not need")

    async def main() -> None:
        async with (
            Simulator(**options) as server,
            running("plain_websockets.py", COINGLASS_URL=server.url) as program,
        ):
            await server.wait_for(lambda _: bool(server.said()))
            await server.send(liquidation("long", 300_000.0))
            assert await program.process.wait() == 1
        assert error in program.logged

    run(main)


def test_imported_files_are_the_trades_that_the_samples_hold() -> None:
    """Sums and times by arithmetic on the samples' own text, without a float."""
    rows = pages.output("cookbook/import_tardis.py").splitlines()
    assert rows[:2] == ["3 of 4 rows", "row 3, $.side: expected a number, got other text"]
    first = Decimal("58012.5") * Decimal("0.25") + Decimal("58009.1") * Decimal("1.5")
    assert rows[2] == f"1722816000000 58012.5 58012.5 58009.1 58009.1 {first:,.0f} USD, gap_ms=None"
    assert rows[3] == f"1722816060000 {' '.join(['58021.7'] * 4)} {Decimal('58021.7') * 8 / 10:,.0f} USD, gap_ms=None"
    both = pages.output("cookbook/import_ccxt_cryptofeed.py").splitlines()
    by_ccxt, by_cryptofeed = ([line.partition(" ")[2] for line in part[1:]] for part in (both[:3], both[3:]))
    assert by_ccxt == by_cryptofeed


def test_the_sweep_finds_the_cascades_that_a_loop_finds() -> None:
    """Of each asset: runs of liquidations no more than the pause apart, as large as the threshold."""
    market = Generator(seed=3, rate=2.0, assets=("BTC", "ETH"), liquidation_share=1.0)
    hour = list(takewhile(lambda event: event.time_ms < market.start_ms + 3_600_000, market))
    for line in pages.output("cookbook/sweep_cascades.py").splitlines()[1:]:
        threshold, pause, count, longest, *_ = line.replace(",", "").replace("s", "").split()
        runs: list[list[Event]] = []
        for asset in ("BTC", "ETH"):
            last_ms = -math.inf
            for event in (each for each in hour if each.base_asset == asset):
                if event.time_ms - last_ms > int(pause) * 1000:
                    runs.append([])
                runs[-1].append(event)
                last_ms = event.time_ms
        large = [run for run in runs if len(run) > 1 and sum(each.volume_usd for each in run) >= float(threshold)]
        assert int(count) == len(large), line
        assert float(longest) == pytest.approx(max(run[-1].time_ms - run[0].time_ms for run in large) / 1000, abs=0.06)


def test_the_replayed_day_takes_its_sixtieth() -> None:
    """Four hours are four minutes; a liquidation each minute, and 590 more from 13:00 to 13:10."""
    _, *hours, whole = pages.output("cookbook/replay_day.py").splitlines()
    for number, line in enumerate(hours):
        count, minutes = line.split()[-3:-1]
        assert (int(count), float(minutes)) == (240 + 590 * (number == 3), 4 * (number + 1)), line
    assert whole == f"{24 * 60 + 590} events, 100% of the recording"


async def send(simulator: Simulator) -> None:
    """What the program waits for, as soon as it has asked for it."""
    await simulator.wait_subscribed("liquidationOrders")
    await simulator.send([liquidation("long", usd, time="1s") for usd in (1_000.0, 2_000.0, 3_000.0)])


LINES = [f"1970-01-01 00:00:01+00:00 Binance BTCUSDT long {usd:,} USD" for usd in (1_000, 2_000, 3_000)]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_feed_through_a_proxy_of_its_own(scheme: str) -> None:
    """A real proxy that asks for a password."""

    async def main() -> None:
        async with pproxy(scheme, USER) as port, Simulator() as simulator:
            proxy = f"{scheme}://{USER}@127.0.0.1:{port}"
            async with running("behind_proxy.py", COINGLASS_URL=simulator.url, FEED_PROXY=proxy) as program:
                await send(simulator)
                assert await program.process.wait() == 0
            assert program.printed.splitlines() == LINES
            assert "pass-word" not in program.logged

    run(main)


def test_a_feed_through_the_proxy_of_the_environment() -> None:
    """Which leads to a server that this machine cannot reach by itself."""

    async def main() -> None:
        async with Simulator() as simulator:
            target = OneTarget(port_of(simulator))
            async with listening(target.serve) as port:
                named = {"COINGLASS_URL": "ws://open.example/ws-api", "HTTP_PROXY": f"http://127.0.0.1:{port}"}
                async with running("behind_proxy.py", **named) as program:
                    await send(simulator)
                    assert await program.process.wait() == 0
            assert program.printed.splitlines() == LINES
            assert set(target.asked) == {"CONNECT open.example:80 HTTP/1.1"}

    run(main)
