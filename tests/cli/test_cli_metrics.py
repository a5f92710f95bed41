"""`--metrics-port` and `--log-format` of the commands that run a feed."""

import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from cgrx import API_KEY_VARIABLE, LiquidationOrders
from cgrx._cli.app import run as run_command_line
from cgrx._cli.commands.choice import Choice, liquidations, trades
from cgrx._cli.commands.demo import Demo, demo
from cgrx._cli.commands.metrics import MetricsAt
from cgrx._cli.commands.record import Record, record_feed
from cgrx._cli.commands.replay import Replayed, replay_files
from cgrx._cli.commands.watch import Watch, watch
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal, json_line
from cgrx._cli.view.delivery import Deliveries, Place
from cgrx._cli.view.viewer import Show
from cgrx._cli.window_options import LiquidationOptions
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard
from tests.metrics.asking import ask, wait_answered
from tests.simulator.simulating import liquidation
from tests.support import run

ANY = MetricsAt("127.0.0.1", 0)
SHOW = Show(title="t", format="jsonl", count=1)
WHERE = "cgrx: metrics at http://127.0.0.1:"


async def port_of(heard: Heard) -> int:
    """The port that the command says it serves on."""
    await heard.wait_said(WHERE)
    (line,) = [line for line in heard.said if line.startswith(WHERE)]
    return int(line.removeprefix(WHERE).partition("/")[0])


def counted(command: Callable[[Simulator, Terminal], Awaitable[int]], *expected: str) -> tuple[int, Heard]:
    """Run a command beside a simulator until its metrics hold all these texts, then send the event that ends it."""
    heard, codes = Heard(), list[int]()

    async def main() -> None:
        async with Simulator() as simulator, trio.open_nursery() as nursery:

            async def work() -> None:
                codes.append(await command(simulator, heard.terminal()))
                nursery.cancel_scope.cancel()

            nursery.start_soon(work)
            port = await port_of(heard)
            await simulator.wait_subscribed(LiquidationOrders())
            await wait_answered(port, "/metrics", *expected)
            await simulator.send(liquidation(1))

    run(main)
    return codes[0], heard


def test_watch_counts_the_feed_and_what_it_shows() -> None:
    def command(simulator: Simulator, terminal: Terminal) -> Awaitable[int]:
        asked = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0)
        return watch(asked, SHOW, terminal, ANY)

    code, heard = counted(
        command,
        'cgrx_subscribers{channel="liquidation_orders"} 1.0',
        'cgrx_stream_queued{stream="output"} 0.0',
        'cgrx_open_keys{pipeline="output"} 0.0',
    )
    assert code == Exit.DONE
    assert len(heard.lines) == 1


def test_a_join_counts_both_sides() -> None:
    def command(simulator: Simulator, terminal: Terminal) -> Awaitable[int]:
        options = LiquidationOptions(window="1s", by=("base_asset",), join="flow", market=("Binance:BTCUSDT",))
        show = Show(title="x", format="jsonl", seconds=0.5, window=options.windowing())
        joined = Choice(trades(options.markets()))
        asked = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0, trades=joined)
        return watch(asked, show, terminal, ANY)

    code, _ = counted(
        command,
        'cgrx_subscribers{channel="futures_trades"} 1.0',
        'cgrx_open_keys{pipeline="output"} 0.0',
        'cgrx_open_keys{pipeline="flow"} 0.0',
    )
    assert code == Exit.DONE


def test_a_target_counts_what_it_gets(tmp_path: Path) -> None:
    """Under the label that names it on the command line."""

    def command(simulator: Simulator, terminal: Terminal) -> Awaitable[int]:
        asked = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0)
        target = Place("duckdb:a.db", f"duckdb:{tmp_path / 'a.db'}")
        return watch(asked, attrs.evolve(SHOW, deliveries=Deliveries(targets=(target,))), terminal, ANY)

    code, heard = counted(
        command, 'cgrx_sink_received_total{sink="duckdb:a.db"} 0.0', 'cgrx_sink_up{sink="duckdb:a.db"} 1.0'
    )
    assert code == Exit.DONE
    assert heard.last_words.endswith("in 1, out 1, superseded 0, dropped 0, dead 0")


def test_record_counts_what_it_writes(tmp_path: Path) -> None:
    def command(simulator: Simulator, terminal: Terminal) -> Awaitable[int]:
        asked = Record(url=simulator.url, channels=(LiquidationOrders(),), folder=tmp_path / "day", seconds=0.5)
        return record_feed(asked, terminal, ANY)

    assert counted(command, 'cgrx_recorder_lost_total{recorder="output"} 0.0')[0] == Exit.DONE
    replayed(tmp_path / "day")


def replayed(folder: Path) -> None:
    """A replay that goes on is ready, and nothing is proven of it."""
    heard = Heard()

    async def main() -> None:
        asked = Replayed(folders=(folder,), choice=Choice(liquidations), speed=0.01, start=None, end=None)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(replay_files, asked, Show(title="t"), heard.terminal(), ANY)
            port = await port_of(heard)
            await wait_answered(port, "/readyz", "ready: the replay goes on\n")
            assert "\ncgrx_proof_age_seconds " not in (await ask(port, "/metrics"))[1]
            nursery.cancel_scope.cancel()

    run(main)


def test_demo_counts_too() -> None:
    heard = Heard()

    async def main() -> None:
        asked = Demo(seconds=20.0, seed=0, rate=200.0, faults=())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(demo, asked, heard.terminal(), ANY)
            port = await port_of(heard)
            await wait_answered(port, "/metrics", 'cgrx_events_total{channel="futures_trades"}')
            nursery.cancel_scope.cancel()

    run(main)


def test_it_is_live_before_the_first_connection() -> None:
    """And not ready."""
    heard = Heard()

    async def main() -> None:
        asked = Watch(url="ws://127.0.0.1:9/", choice=Choice(liquidations), connect_timeout_s=20.0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch, asked, SHOW, heard.terminal(), ANY)
            port = await port_of(heard)
            assert (await ask(port, "/healthz"))[0] == 200
            assert await ask(port, "/readyz") == (503, "not ready: there is no feed yet\n")
            nursery.cancel_scope.cancel()

    run(main)


def test_a_port_that_is_taken_and_an_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each, before anything else is done."""
    asked = Watch(url="ws://127.0.0.1:9/", choice=Choice(liquidations), connect_timeout_s=5.0)
    heard = Heard()

    def not_found(_: str) -> None:
        return None

    async def main() -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        assert await watch(asked, SHOW, heard.terminal(), MetricsAt("127.0.0.1", port)) == Exit.USAGE
        await listener.aclose()
        assert heard.last_words.startswith(f"cannot serve metrics on 127.0.0.1 port {port}: ")
        monkeypatch.setattr("cgrx._extras.find_spec", not_found)
        assert await watch(asked, SHOW, heard.terminal(), ANY) == Exit.NO_EXTRA
        assert heard.last_words.endswith('pip install "cgrx[metrics]"')

    run(main)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("watch liquidations --metrics-host 0.0.0.0", "--metrics-host says where --metrics-port listens"),
        ("record liquidations --to x --metrics-port 70000", "Give 0 (any that is free) to 65535."),
        ("demo --log-format yaml", "--log-format"),
        ("import x --to y --events trades --log-format json", "--log-format"),
    ],
)
def test_what_cannot_be_served_is_one_line(arguments: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(arguments.split()) == Exit.USAGE
    (line,) = capfd.readouterr().err.splitlines()
    assert words in line


def test_messages_as_json() -> None:
    """Each line is an object: what a feed reports with its fields, what the command says, and its last line."""
    heard, codes = Heard(), list[int]()

    async def main() -> None:
        terminal = attrs.evolve(heard.terminal(), line=json_line)
        async with Simulator() as simulator, trio.open_nursery() as nursery:
            asked = Watch(url=simulator.url, choice=Choice(liquidations), connect_timeout_s=5.0)

            async def work() -> None:
                codes.append(await watch(asked, SHOW, terminal))
                nursery.cancel_scope.cancel()

            nursery.start_soon(work)
            await simulator.wait_subscribed(LiquidationOrders())
            await simulator.send(liquidation(1))
        codes.append(await watch(attrs.evolve(asked, url="ws://127.0.0.1:9/", connect_timeout_s=0.01), SHOW, terminal))

    run(main)
    said: list[dict[str, Any]] = [json.loads(line) for line in heard.said]
    assert codes == [Exit.DONE, Exit.NO_CONNECTION]
    connected = next(line for line in said if line.get("status") == "Connected")
    assert (connected["level"], connected["message"], type(connected["at_ms"])) == ("INFO", "connected", int)
    assert any(line["message"].startswith("1 event in ") and line["level"] == "INFO" for line in said)
    assert said[-1]["level"] == "ERROR"
    assert said[-1]["message"].startswith("gave up after 0.01 s")
    assert all(line["time"].endswith("Z") for line in said)


def test_the_options_reach_the_command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics are there first; every line of the process is JSON."""
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    options = "--url ws://127.0.0.1:9/ --connect-timeout 0.01 --metrics-port 0 --log-format json"
    assert run_command_line(["watch", "liquidations", *options.split()]) == Exit.NO_CONNECTION
    said = [json.loads(line)["message"] for line in capfd.readouterr().err.splitlines()]
    assert said[0].startswith("metrics at http://127.0.0.1:")
    assert said[-1].startswith("gave up after 0.01 s")


def test_the_process_speaks_json_where_it_is_asked_to(capfd: pytest.CaptureFixture[str]) -> None:
    Terminal.of_process("json").say("hello\n\x1b", level=logging.WARNING)
    Terminal.of_process().say("hello\n\x1b")
    json_text, text = capfd.readouterr().err.splitlines()
    assert json.loads(json_text)["message"] == "hello\n\x1b"
    assert text == "cgrx: hello \\x1b"
