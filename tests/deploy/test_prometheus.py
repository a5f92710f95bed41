"""A real Prometheus scrapes a feed."""

import json
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio

import cgrx
import cgrx.metrics
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on
from tests.metrics.asking import ask
from tests.simulator.simulating import liquidation
from tests.support import run

PROMETHEUS = shutil.which("prometheus")
CONFIGURATION = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - {{job_name: cgrx, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}
"""
LISTENING = b"Listening on"


async def value_of(port: int, query: str) -> str | None:
    """The value that Prometheus has for an expression of one result; None as long as it has none."""
    status, text = await ask(port, f"/api/v1/query?query={quote(query)}", Connection="close")
    if status == 503:  # it is starting
        return None
    found: list[dict[str, Any]] = json.loads(text)["data"]["result"]
    return str(found[0]["value"][1]) if found else None


async def wait_value(port: int, query: str, value: str) -> None:
    """Wait until it has this one."""
    while True:
        if await value_of(port, query) == value:
            return
        await trio.sleep(0.1)


async def port_of(process: trio.Process) -> int:
    """The port that it says it listens on."""
    assert process.stderr is not None
    said = b""
    async for part in process.stderr:
        said += part
        for line in said.splitlines():
            if LISTENING in line and b"address=" in line:
                return int(line.partition(b"address=")[2].split()[0].rpartition(b":")[2])
    raise AssertionError(said.decode())


@pytest.mark.skipif(PROMETHEUS is None, reason="there is no prometheus here")
def test_a_real_prometheus_scrapes_a_feed(tmp_path: Path) -> None:
    """It takes every line of what is served, and answers with the number of events.

    Five seconds, which is how often Prometheus looks for what it is to scrape.
    """

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            feed.liquidations().subscribe(print)
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send([liquidation(1), liquidation(2)])
            async with cgrx.metrics.serve(feed, port=0) as server, trio.open_nursery() as nursery:
                (tmp_path / "prometheus.yml").write_text(CONFIGURATION.format(port=server.port), encoding="utf-8")
                options = ("config.file=prometheus.yml", "storage.tsdb.path=data", "web.listen-address=127.0.0.1:0")
                command = [str(PROMETHEUS), *(f"--{option}" for option in options)]
                start = partial(trio.run_process, command, cwd=tmp_path, stderr=subprocess.PIPE, check=False)
                process = await nursery.start(start)
                port = await port_of(process)
                await wait_value(port, 'cgrx_events_total{channel="liquidation_orders"}', "2")
                assert await value_of(port, 'up{job="cgrx"}') == "1"
                assert await value_of(port, 'cgrx_state{state="connected"}') == "1"
                nursery.cancel_scope.cancel()

    run(main)
