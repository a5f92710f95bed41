"""`--state`: what the commands keep in a folder, and what they refuse. Kills are in `tests/resuming`."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trio

from cgrx._cli.alert_options import AlertOptions
from cgrx._cli.alerting import alert_liquidations_command
from cgrx._cli.app import run
from cgrx._cli.options import TargetOptions, WatchOptions
from cgrx._cli.showing import liquidations_command
from cgrx._cli.targets import Target
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.viewer import Show, Viewer
from cgrx._cli.window_options import LiquidationOptions
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard
from tests.simulator.simulating import liquidation
from tests.support import run_fast

RATE = 10.0
WINDOW: dict[str, Any] = {"window": "365d", "by": ("base_asset",)}


def on(heard: Heard, monkeypatch: pytest.MonkeyPatch, *, live: bool = False) -> None:
    """Have the commands write there."""
    terminal = heard.terminal(live=live, width=140)

    def of_process(*_: object) -> Terminal:
        return terminal

    monkeypatch.setattr(Terminal, "of_process", of_process)


def watched(command: Any, *numbers: int, exit_code: Exit = Exit.DONE) -> None:
    """Run a command, given the address of a server that sends these liquidations."""

    async def main() -> None:
        async with Simulator() as simulator, trio.open_nursery() as nursery:

            async def send() -> None:
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.send(liquidation(number) for number in numbers)

            nursery.start_soon(send)
            assert await command(simulator.url) == exit_code
            nursery.cancel_scope.cancel()

    run_fast(RATE, main)


@pytest.mark.parametrize("live", [False, True], ids=["lines", "table"])
def test_a_window_goes_on_in_the_next_run(tmp_path: Path, live: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """And comes out once where it is delivered to."""
    target = tmp_path / "rows.db"

    def command(url: str) -> Any:
        options = WatchOptions(url=url, seconds=8, state=tmp_path / "state", format="table" if live else "jsonl")
        windows = LiquidationOptions(**WINDOW, running=True)
        targets = TargetOptions(to=(Target(f"duckdb:{target}"),))
        return liquidations_command(options=options, windows=windows, targets=targets)

    for numbers in ((0, 1, 2), (3, 4, 5)):
        heard = Heard()
        on(heard, monkeypatch, live=live)
        watched(command, *numbers)
    if live:
        assert "5.0k" in heard.drawn.getvalue()
    else:
        assert json.loads(heard.lines[-1])["count"] == 5
    with duckdb.connect(str(target)) as database:
        (name,) = database.execute("select table_name from information_schema.tables").fetchone() or ("",)
        assert database.execute(f'select count from "{name}"').fetchall() == [(5,)]


def test_an_alert_that_is_not_over_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run does not tell it again."""

    def command(url: str) -> Any:
        alerts = AlertOptions(window="365d", above=2_500.0)
        return alert_liquidations_command(alerts=alerts, options=WatchOptions(url=url, seconds=8, state=tmp_path / "s"))

    told: list[int] = []
    for number in (0, 2, 4):
        heard = Heard()
        on(heard, monkeypatch)
        watched(command, number, number + 1)
        told.append(len(heard.lines))
    assert told == [0, 1, 0]


def test_the_state_of_another_command_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(window: str) -> Any:
        def started(url: str) -> Any:
            options = WatchOptions(url=url, seconds=3, state=tmp_path / "state")
            return liquidations_command(options=options, windows=LiquidationOptions(window=window))

        return started

    heard = Heard()
    on(heard, monkeypatch)
    watched(command("1h"), 1)
    watched(command("2h"), 2, exit_code=Exit.FAILED)
    assert heard.has_said("2h")


def test_what_is_settled() -> None:
    """All that came out has gone on; or it will, since the run ends without having had its fill."""

    async def main() -> None:
        show = Show(title="liquidations", count=5)
        viewer = Viewer(show, Heard().terminal())
        assert viewer.is_settled()
        viewer.made = 1
        assert not viewer.is_settled()
        viewer.hurry()
        assert viewer.is_settled()
        viewer.tally.events = 5
        assert not viewer.is_settled()

    run_fast(1.0, main)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("watch liquidations --state s", "--state s keeps windows that are open: add --window, such as --window 1h"),
        ("watch trades Binance:BTCUSDT:0 --state s", "--state s keeps windows that are open"),
        ("alert liquidations --window 1h --above 5M --state s --dry-run r", "leave it out with --dry-run"),
    ],
)
def test_what_has_no_state(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments.split()) == Exit.USAGE
    assert said in capsys.readouterr().err
