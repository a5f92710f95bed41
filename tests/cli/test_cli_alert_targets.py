"""`cgrx alert --to`: the bell, programs of the user, and what becomes of alerts that cannot be told."""

import json
import math
import shlex
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from cgrx import API_KEY_VARIABLE, Replay
from cgrx._cli.alert_options import AlertOptions, AlertTargetOptions
from cgrx._cli.alerting import alert_liquidations_command
from cgrx._cli.app import run
from cgrx._cli.commands import alert_sinks
from cgrx._cli.commands.alert_sinks import AlertSinks
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.replay import Replayed, replay_files
from cgrx._cli.options import WatchOptions
from cgrx._cli.targets import Target
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.alerts import Alerting
from cgrx._cli.view.viewer import Show
from cgrx._model.events import Liquidation
from cgrx._recording.writer import write_recording
from cgrx.testing import Generator, JsonLines, Simulator
from tests.cli.recordings import recorded
from tests.cli.terminals import Heard
from tests.replay.replaying import L, alive, at, events, gap
from tests.sinks.receivers import Reply, always, receiving
from tests.support import run as run_trio

TWICE = (1, 9), (11, 1), (21, 8)
"""Two alerts above 5 in windows of ten seconds."""

TEXTS = [
    f"liquidated {usd} USD in 10 s from 2023-11-14 22:13:{second} UTC (above 5), Binance; window still open"
    for usd, second in ((9, 20), (8, 40))
]

PROGRAM = """
import json, os, sys
with open(sys.argv[1], "a") as file:
    told = {name: value for name, value in os.environ.items() if name.startswith(("CGRX_", "COINGLASS_"))}
    print(json.dumps([sys.stdin.read(), told]), file=file)
print("this is no data")
sys.exit(int(sys.argv[2]))
"""


async def sending(
    folder: Path,
    *targets: str,
    terminal: dict[str, Any] | None = None,
    alerting: Alerting | None = None,
    side: Literal["long", "short"] | None = None,
    **options: Any,
) -> tuple[int, Heard]:
    """The exit code, and what was heard, of the alerts of a recording that go to these targets."""
    heard = Heard()
    made = heard.terminal(**(terminal or {}))
    asked = AlertTargetOptions(to=tuple(map(Target, targets)), **options)
    show = Show(
        title="alerts",
        alerting=alerting or AlertOptions(window="10s", above=5.0).alerting("liquidated"),
        deliveries=asked.deliveries(AlertSinks(made)),
    )
    choice: Choice[Replay] = Choice(liquidations, WatchOptions().filters(side))
    request = Replayed(folders=[folder], choice=choice, speed=math.inf, start=None, end=None)
    return await replay_files(request, show, made), heard


def sent(folder: Path, *targets: str, **options: Any) -> tuple[int, Heard]:
    return run_trio(lambda: sending(folder, *targets, **options))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "notify.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def command(program: Path, heard: Path, exit_code: int = 0) -> str:
    return f"command:{shlex.join([sys.executable, str(program), str(heard), str(exit_code)])}"


def test_a_program_gets_the_text_and_the_numbers(
    tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, without a shell, and without the API key; what it prints is not taken for data."""
    monkeypatch.setenv(API_KEY_VARIABLE, "made-up")
    exit_code, heard = sent(recorded(tmp_path / "a", *TWICE), command(program, tmp_path / "heard; x"))
    assert exit_code == Exit.DONE
    told = [json.loads(line) for line in (tmp_path / "heard; x").read_text().splitlines()]
    assert [each[0] for each in told] == [f"{text}\n" for text in TEXTS]
    environment = told[0][1]
    assert environment["CGRX_ALERT_TEXT"] == TEXTS[0]
    assert (environment["CGRX_ALERT_VOLUME"], environment["CGRX_ALERT_AT_MS"]) == ("9.0", "1700000001000")
    assert all(name.startswith("CGRX_ALERT_") for name in environment)
    assert [line.partition("  ")[2] for line in heard.lines] == TEXTS
    account = f"cgrx: command {sys.executable}: in 2, out 2, superseded 0, dropped 0, dead 0\n"
    assert heard.said[-1] == account


def test_a_program_that_fails_is_told_with_its_exit_code(tmp_path: Path, program: Path) -> None:
    """The alert is not sent again; it is among the dead letters."""
    letters = tmp_path / "dead.jsonl"
    target = command(program, tmp_path / "heard", 3)
    exit_code, heard = sent(recorded(tmp_path / "a", *TWICE), target, dead_letters=letters)
    assert exit_code == Exit.FAILED
    assert heard.has_said("1 not delivered: it ended with exit code 3")
    assert heard.last_words.endswith("in 2, out 0, superseded 0, dropped 0, dead 2")
    assert len((tmp_path / "heard").read_text().splitlines()) == 2
    dead = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [each["item"]["text"] for each in dead] == TEXTS


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_sinks, "_PROGRAM_S", 0.1)
    exit_code, heard = sent(recorded(tmp_path / "a", (1, 9)), "command:sleep 60")
    assert exit_code == Exit.FAILED
    assert heard.has_said("command sleep: 1 not delivered: it took more than 0.1 s, and was ended")


@pytest.mark.parametrize("live", [False, True])
def test_the_bell(tmp_path: Path, live: bool) -> None:
    """With the line, where standard output is no terminal that shows it."""
    exit_code, heard = sent(recorded(tmp_path / "a", (1, 9)), "bell", terminal={"live": live})
    assert exit_code == Exit.DONE
    at = heard.said.index("\a")
    assert (heard.said[at + 1] == f"cgrx: 2023-11-14 22:13:21.000 {TEXTS[0]}\n") == (not live)
    assert heard.lines == [f"2023-11-14 22:13:21.000  {TEXTS[0]}"]  # no table is drawn


# --- services -------------------------------------------------------------------------------------------------------


def test_a_web_service_gets_what_a_dry_run_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same alerts, with the same moments and texts, at a real server."""
    generator = Generator(seed=5, rate=60, start_ms=at(0))
    found = [each for each, _ in zip(generator, range(3_600), strict=False) if each.kind == "liquidation"]
    said = [gap(-30), *(events((each.time_ms - at(0)) / 1000, each, channel=L) for each in found), alive(70)]
    write_recording(tmp_path / "a", said)
    options = "--window 2s --every 500ms --by base_asset --above 9k --return 5k --cooldown 1s --resolved --side long"
    given = ["alert", "liquidations", *options.split(), "--format", "jsonl", "--dry-run", str(tmp_path / "a")]
    assert run(given) == Exit.DONE
    dry = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    alerting = AlertOptions(
        window="2s", every="500ms", by=("base_asset",), above=9e3, back=5e3, cooldown="1s", resolved=True
    ).alerting("longs liquidated")

    async def main() -> list[dict[str, Any]]:
        async with receiving() as (receiver, url):
            exit_code, heard = await sending(tmp_path / "a", f"{url}/hook", alerting=alerting, side="long")
            assert exit_code == Exit.DONE
            assert heard.last_words == f"webhook {url}: in {len(dry)}, out {len(dry)}, superseded 0, dropped 0, dead 0"
            return [alert for asked in receiver.asked for alert in asked.json]

    assert run_trio(main) == dry
    assert len(dry) > 10
    assert {each["resolved"] for each in dry} == {False, True}


def test_a_burst_of_the_simulator_is_told_to_a_web_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the socket to the request, by the commands of a user: while the burst lasts, and with what is missing."""
    burst = [
        {"baseAsset": "BTC", "exName": exchange, "symbol": "BTCUSDT", "side": 1, "price": 60_000, "volUsd": 1.5e6,
         "time": 1_700_000_000_000 + 20 * number}
        for number, exchange in enumerate(("OKX", "Binance", "Binance", "Bybit", "Gate"))
    ]  # fmt: skip
    (tmp_path / "burst.jsonl").write_text("\n".join(map(json.dumps, burst)), encoding="utf-8")
    heard = Heard()
    monkeypatch.setattr(Terminal, "of_process", heard.of_process)

    async def main() -> Any:
        source = JsonLines(tmp_path / "burst.jsonl", Liquidation)
        async with receiving() as (receiver, url), Simulator(source, times="now") as simulator:
            exit_code = await alert_liquidations_command(
                side="long",
                alerts=AlertOptions(window="1d", by=("base_asset",), above=5e6, cooldown="10m"),
                targets=AlertTargetOptions(to=(Target(f"{url}/hook"),)),
                options=WatchOptions(url=simulator.url, seconds=0.4),
            )
            assert exit_code == Exit.DONE
            return [(asked.target, asked.json) for asked in receiver.asked]

    ((target, (alert,)),) = run_trio(main)
    assert target == "/hook"
    assert alert["text"].startswith("BTC: longs liquidated 6,000,000 USD in 1 d from ")
    assert "(above 5,000,000), Binance, Bybit, OKX; window still open, INCOMPLETE: gap " in alert["text"]
    assert (alert["base_asset"], alert["value"], alert["count"], alert["final"]) == ("BTC", 6e6, 4, False)
    assert heard.lines[0].endswith(alert["text"])


def test_a_chat_gets_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> list[str]:
        async with receiving() as (receiver, url):
            monkeypatch.setenv("CGRX_SLACK_URL", f"{url}/services/T/B/s3cret")
            exit_code, heard = await sending(recorded(tmp_path / "a", (1, 9)), "slack:")
            assert exit_code == Exit.DONE
            assert not heard.has_said("s3cret")
            return [asked.json["text"] for asked in receiver.asked]

    assert run_trio(main) == [TEXTS[0]]


def test_a_service_that_refuses_what_it_gets(tmp_path: Path) -> None:
    """Each alert is told, and the exit code says that some are lost."""

    async def main() -> tuple[int, Heard]:
        async with receiving(usual=always(Reply(400))) as (_, url):
            return await sending(recorded(tmp_path / "a", *TWICE), f"{url}/hook")

    exit_code, heard = run_trio(main)
    assert exit_code == Exit.FAILED
    assert heard.has_said("not delivered")
    assert heard.last_words.endswith("in 2, out 0, superseded 0, dropped 0, dead 2")


def test_a_service_that_is_away_at_first(tmp_path: Path) -> None:
    """It is told of, and gets all when it is there."""

    async def main() -> tuple[int, Heard, int]:
        async with receiving(Reply(503), Reply(503)) as (receiver, url):
            return (*await sending(recorded(tmp_path / "a", *TWICE), f"{url}/hook"), len(receiver.asked))

    exit_code, heard, asked = run_trio(main)
    assert (exit_code, asked) == (Exit.DONE, 3)
    assert heard.has_said("; trying again in")
    assert heard.has_said("delivering again")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("out/", "--to out/: this is no target of alerts: give https://..., slack:"),
        ("ring", "--to ring: this is no target of alerts"),
        ("bell:", "--to bell:: this is no target of alerts"),
        ("command:", "there is no program '' that could be run: give command:PROGRAM"),
        ("command:/no/such x", "there is no program '/no/such' that could be run"),
        ("command:'x", "No closing quotation"),
    ],
)
def test_what_is_no_target_is_one_line(tmp_path: Path, target: str, words: str) -> None:
    exit_code, heard = sent(recorded(tmp_path / "a", (1, 9)), target)
    assert exit_code == Exit.USAGE
    assert words in heard.last_words
