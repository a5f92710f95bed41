"""`--to` of `cgrx watch`, `replay` and `demo`: what arrives, what is said of it, and how it ends."""

import json
import math
import os
import re
import signal
import socket
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import duckdb
import pytest
import trio

from cgrx import sinks
from cgrx._cli.app import app
from cgrx._cli.commands.demo import Demo, demo
from cgrx._cli.terminal.exits import Exit
from cgrx._cli.terminal.streams import Terminal
from cgrx._cli.view.delivery import Deliveries, Place
from cgrx._delivery import courier
from tests.cli.delivering import replaying
from tests.cli.recordings import recorded
from tests.cli.rows import windowing
from tests.cli.terminals import Heard, exit_code_of
from tests.house import plan
from tests.sinks.receivers import Reply, always, receiving
from tests.support import run as run_trio
from tests.support import run_fast

TEN = tuple((float(second), 10.0 * second) for second in range(1, 11))


def replayed(folder: Path, *targets: str, **more: Any) -> tuple[int, Heard]:
    return run_trio(lambda: replaying(folder, *targets, **more))


@pytest.mark.parametrize(
    "show",
    [
        {},
        {"count": 3},
        {"window": windowing("2s", by=("side",))},
        {"window": windowing("2s", by=("side",)), "count": 2},
        {"window": windowing("2s", by=("side",), running=True)},
    ],
    ids=["events", "some events", "rows", "some rows", "running rows"],
)
def test_what_becomes_lines_arrives(tmp_path: Path, show: dict[str, Any]) -> None:
    """All of it, in order, and nothing else, at two services."""
    folder = recorded(tmp_path / "a", *TEN)

    async def main() -> tuple[list[Any], list[Any], list[str], list[str]]:
        async with receiving() as (receiver, url), receiving() as (other, other_url):
            exit_code, heard = await replaying(folder, url + "/a", other_url + "/b", **show)
            assert exit_code == Exit.DONE
            first, second = ([each for asked in of.asked for each in asked.json] for of in (receiver, other))
            return first, second, heard.lines, heard.said[-2:]

    first, second, lines, accounts = run_trio(main)
    shown = [json.loads(line) for line in lines]
    assert len(shown) > 1
    if "window" not in show or not show["window"].running:
        assert first == second == shown
    else:  # those that waited were superseded
        assert [each for each in first if each["final"]] == [each for each in shown if each["final"]]
    assert all(f": in {len(shown)}, out {len(first)}, superseded " in account for account in accounts)


def test_running_rows_are_the_business_of_an_option(tmp_path: Path) -> None:
    """Not of where standard output goes: the live table shows them, and they are not delivered."""
    folder = recorded(tmp_path / "a", *TEN)

    async def main() -> list[Any]:
        async with receiving() as (receiver, url):
            show: dict[str, Any] = {"window": windowing("2s", by=("side",)), "format": "table"}
            await replaying(folder, url, terminal={"live": True}, **show)
            return [each for asked in receiver.asked for each in asked.json]

    assert [each["final"] for each in run_trio(main)] == [True] * 6


def test_a_demo_is_delivered(tmp_path: Path) -> None:
    """What it shows: large events alone."""
    heard = Heard()

    async def main() -> tuple[int, list[Any]]:
        async with receiving() as (receiver, url):
            deliveries = Deliveries(targets=(Place("hook", url),))
            request = Demo(seconds=0.5, seed=1, rate=400.0, faults=(), deliveries=deliveries)
            exit_code = await demo(request, heard.terminal())
            return exit_code, [each for asked in receiver.asked for each in asked.json]

    exit_code, found = run_trio(main)
    assert exit_code == Exit.DONE
    assert len(found) == sum("USD\n" in f"{line}\n" for line in heard.lines)
    assert all(each["volume_usd"] >= 10_000 for each in found)
    assert heard.last_words.endswith(f"in {len(found)}, out {len(found)}, superseded 0, dropped 0, dead 0")


def test_what_is_lost_is_kept_aside_and_decides_the_exit_code(tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"

    async def main() -> tuple[int, Heard]:
        async with receiving(usual=always(Reply(422))) as (_, url):
            return await replaying(recorded(tmp_path / "a", *TEN), url, options={"dead_letters": letters})

    exit_code, heard = run_trio(main)
    assert exit_code == Exit.FAILED
    assert heard.last_words.endswith("in 10, out 0, superseded 0, dropped 0, dead 10")
    assert len(letters.read_text().splitlines()) == 10


# --- what cannot be delivered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        ("nowhere", Exit.USAGE, "--to nowhere: this is no target: give "),
        ("https://h:x/", Exit.USAGE, "--to https://h:x/: url cannot be used"),
        ("telegram:", Exit.USAGE, "--to telegram:: this target needs"),
    ],
)
def test_what_is_no_target_is_one_line(tmp_path: Path, target: str, code: Exit, words: str) -> None:
    exit_code, heard = replayed(recorded(tmp_path / "a", *TEN), target)
    assert (exit_code, heard.text) == (code, "")
    assert words in heard.last_words


@pytest.mark.parametrize("option", ["dead_letters", "spill"])
def test_files_that_cannot_be_written_are_one_line(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").touch()
    options = {option: tmp_path / "file" / "x"}
    exit_code, heard = replayed(recorded(tmp_path / "a", *TEN), f"duckdb:{tmp_path / 'x.db'}", options=options)
    assert (exit_code, heard.text) == (Exit.USAGE, "")
    assert "Not a directory" in heard.last_words


def raising(error: Exception) -> Any:
    def opened(*_: object) -> AbstractAsyncContextManager[sinks.Sink]:
        raise error

    return opened


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ImportError('x needs the package y: pip install "cgrx[y]"'), Exit.NO_EXTRA),
        (sinks.SinkRefusedError("the table bars has no column volume"), Exit.REFUSED),
        (TypeError("that is no name"), Exit.USAGE),
    ],
)
def test_a_target_that_does_not_open_is_one_line(tmp_path: Path, error: Exception, code: Exit) -> None:
    deliveries = Deliveries(targets=(Place("env:X", "s3cret"),), open=raising(error))
    exit_code, heard = replayed(recorded(tmp_path / "a", *TEN), deliveries=deliveries)
    assert (exit_code, heard.text) == (code, "")
    assert heard.last_words == f"--to env:X: {error}"


@attrs.define
class Away:
    """A system that never answers."""

    written: trio.Event = attrs.field(factory=trio.Event)

    def open(self, _: Place, rows: Any, options: sinks.DeliveryOptions) -> AbstractAsyncContextManager[sinks.Sink]:
        async def write(batch: Sequence[Any]) -> None:
            self.written.set()
            await trio.sleep_forever()

        options |= {"every": 0, "drain": 0}
        return sinks.deliver(write, rows, name="away", **options)


def test_what_is_left_is_spilled_and_delivered_by_the_next_run(tmp_path: Path) -> None:
    """In a folder for each target."""
    folder, spill = recorded(tmp_path / "a", *TEN), tmp_path / "spill"
    window = windowing("2s", by=("base_asset",))
    away = Deliveries(targets=(Place("https://h/x?y", ""),), spill=spill, open=Away().open)
    exit_code, heard = replayed(folder, deliveries=away, window=window)
    assert exit_code == Exit.DONE
    assert heard.last_words == "away: in 6, out 0, superseded 0, dropped 0, dead 0, 6 kept for later"
    (mine,) = spill.iterdir()
    assert mine.name == "https-h-x-y"

    async def main() -> list[Any]:
        async with receiving() as (receiver, url):
            back = Deliveries(targets=(Place("https://h/x?y", url),), spill=spill)
            exit_code, heard = await replaying(folder, deliveries=back, window=window)
            assert exit_code == Exit.DONE
            assert heard.last_words.endswith("in 12, out 12, superseded 0, dropped 0, dead 0")
            return [each for asked in receiver.asked for each in asked.json]

    found = run_trio(main)
    assert found[:6] == found[6:]


def test_what_is_left_without_a_folder_is_dropped_and_told(tmp_path: Path) -> None:
    deliveries = Deliveries(targets=(Place("away", ""),), open=Away().open)
    exit_code, heard = replayed(recorded(tmp_path / "a", *TEN), deliveries=deliveries)
    assert exit_code == Exit.FAILED
    assert heard.has_said("away: 10 not delivered: left before they were delivered")
    assert heard.last_words == "away: in 10, out 0, superseded 0, dropped 10, dead 0"


def test_a_signal_ends_it_in_good_order() -> None:
    """What was shown is delivered."""
    heard = Heard()
    arrived: list[Any] = []

    async def write(batch: Sequence[Any]) -> None:
        arrived.extend(batch)
        await trio.lowlevel.checkpoint()

    def opened(_: Place, rows: Any, options: sinks.DeliveryOptions) -> AbstractAsyncContextManager[sinks.Sink]:
        return sinks.deliver(write, rows, name="mine", **options)

    async def main() -> int:
        async def interrupt() -> None:
            while not heard.lines:  # noqa: ASYNC110 - a list tells nobody that it grows
                await trio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGTERM)

        deliveries = Deliveries(targets=(Place("mine", ""),), open=opened)
        request = Demo(seconds=math.inf, seed=1, rate=400.0, faults=(), deliveries=deliveries)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt)
            return await demo(request, heard.terminal())

    assert exit_code_of(main) == 143
    assert len(arrived) == sum(line.endswith(" USD") for line in heard.lines) > 0
    assert heard.has_said(f"mine: in {len(arrived)}, out {len(arrived)}, superseded 0")


def test_a_server_that_is_away(tmp_path: Path) -> None:
    """It is told of, everything is shown, and what did not get there is counted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    exit_code, heard = run_fast(20.0, lambda: replaying(recorded(tmp_path / "a", *TEN), url))
    assert exit_code == Exit.FAILED
    assert len(heard.lines) == 10
    assert heard.has_said("; trying again in ")
    assert heard.has_said("10 not delivered: left before they were delivered")
    assert heard.last_words.endswith("in 10, out 0, superseded 0, dropped 10, dead 0")


# --- the example of the documentation -------------------------------------------------------------------------------


def patient(*_: object) -> sinks.DeliveryOptions:
    return sinks.DeliveryOptions(drain=300)


def test_the_bars_of_a_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command and the query of the page: what the query gives is what the lines of the command say."""
    page = (plan.ROOT / "docs" / "delivery" / "command-line.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"\$ cgrx (demo --seconds [^\n]* --to duckdb:demo.db)\n", page)
    (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    heard = Heard()
    monkeypatch.setattr(Terminal, "of_process", heard.of_process)
    # Time runs eight times as fast, but not for the disk.
    monkeypatch.setattr(Deliveries, "options", patient)
    monkeypatch.setattr(courier, "SINK_OPEN_S", 300)
    monkeypatch.setattr(courier, "SINK_WRITE_S", 300)
    function, bound, *_ = app.parse_args(command.split(), exit_on_error=False)

    async def main() -> Any:
        return await function(*bound.args, **bound.kwargs)

    assert run_fast(8.0, main) == Exit.DONE
    bars: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for line in heard.lines[1:]:
        words = line.replace(",", "").split()
        if words[-1] == "complete" and words[10] != "0":
            bars[words[2], words[3]].append((float(words[7]), float(words[9])))
    usd = {instrument: sum(volume for _, volume in each) for instrument, each in bars.items()}
    leaders = sorted(usd, key=lambda instrument: -usd[instrument])[:3]
    found = duckdb.connect("demo.db", read_only=True).sql(query).fetchall()
    assert len(found) == 3
    assert [each[:2] for each in found] == leaders
    for exchange, symbol, count, close, volume in found:
        each = bars[exchange, symbol]
        assert (count, close) == (len(each), pytest.approx(each[-1][0], rel=1e-4))
        assert volume == pytest.approx(usd[exchange, symbol], abs=len(each))
