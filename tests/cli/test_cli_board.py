"""`cgrx board` and `cgrx demo --board`: the page of each source, who is shown it, and how both end."""

import json
import os
import signal
import subprocess
import urllib.request
import webbrowser
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trio
from trio_websocket import open_websocket_url

from cgrx import API_KEY_VARIABLE, Liquidation, testing
from cgrx import operators as ops
from cgrx._cli.app import demo_command, run
from cgrx._cli.arguments import RATE
from cgrx._cli.board_options import BoardOptions, PageOptions
from cgrx._cli.commands.board import show_board
from cgrx._cli.commands.demo_story import Market
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._simulator.simulator import Simulator
from cgrx.testing import batch, play
from tests.choosing import one_in
from tests.cli.recordings import recorded
from tests.cli.screens import COMMAND, ENVIRONMENT
from tests.cli.terminals import Heard, exit_code_of
from tests.simulator.simulating import liquidation
from tests.support import LIMIT_S

TOKEN = "a-token-of-a-test-0123"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    monkeypatch.setenv("CGRX_TEST_TOKEN", TOKEN)


def url_of(heard: Heard) -> str:
    """The address that was printed."""
    (url,) = [line.split()[-1] for line in heard.said if "board at" in line]
    return url


async def snapshot(url: str) -> dict[str, Any]:
    """What a browser is shown that opens this address."""
    parts = urlsplit(url)
    async with open_websocket_url(f"ws://{parts.netloc}/live") as socket:
        token = parts.fragment.removeprefix("token=") or None
        await socket.send_message(json.dumps({"kind": "hello", "version": 1, "token": token}))
        found: dict[str, Any] = json.loads(await socket.get_message())
        return found


def shown(heard: Heard, look: Callable[[str], Awaitable[None]], *, page: PageOptions, **options: Any) -> int:
    """The exit code of a board that is ended as soon as somebody has had a look at its address."""

    async def main() -> int:
        async with trio.open_nursery() as nursery:

            async def end() -> None:
                await heard.wait_said("board at")
                await look(url_of(heard))
                os.kill(os.getpid(), signal.SIGTERM)

            nursery.start_soon(end)
            exit_code = await show_board(BoardOptions(**options).boarded(page), heard.terminal())
            nursery.cancel_scope.cancel()
        return exit_code

    return exit_code_of(main)


def test_another_server() -> None:
    """Its events are on the page, a signal ends both, and the address holds the token of the environment."""
    heard, seen = Heard(), list[dict[str, Any]]()

    async def main() -> int:
        async with Simulator(listen=True) as simulator, trio.open_nursery() as nursery:

            async def look() -> None:
                await heard.wait_said("board at")
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.wait_subscribed("futures_trades@Bybit_BTCUSDT@10000")
                await simulator.send(liquidation(1))
                while not (found := await snapshot(url_of(heard)))["tape"]:
                    pass
                seen.append(found)

            nursery.start_soon(look)
            options = BoardOptions(url=simulator.url, market=("Bybit:BTCUSDT",), seconds=0.4)
            page = PageOptions(port=0, token="env:CGRX_TEST_TOKEN")
            return await show_board(options.boarded(page), heard.terminal())

    assert exit_code_of(main) == Exit.DONE
    assert url_of(heard).endswith(f"/#token={TOKEN}")
    assert seen[0]["mode"] == "live"
    assert [each["asset"] for each in seen[0]["tape"]] == ["BTC"]
    assert all(TOKEN not in line for line in heard.said if "board at" not in line)


def test_a_recording(tmp_path: Path) -> None:
    """With where it stands, for the slider; the token is made up anew for each run."""
    folder = recorded(tmp_path / "monday", (0, 1e6), (5, 2e6))
    urls: list[str] = []

    async def look(url: str) -> None:
        urls.append(url)
        found = await snapshot(url)
        assert found["mode"] == "replay"
        assert found["replay"]["speed"] == 60.0

    for _ in range(2):
        assert shown(Heard(), look, page=PageOptions(port=0, token="new"), replay=(folder,), speed=60.0) == 143
    tokens = {url.partition("#token=")[2] for url in urls}
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 32


@pytest.mark.parametrize("works", [True, False])
def test_a_browser_is_opened(works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address; where there is none, a line says so."""
    heard, opened = Heard(), list[str]()

    def note(url: str) -> bool:
        opened.append(url)
        return works

    async def look(url: str) -> None:
        while not opened:  # noqa: ASYNC110 - a thread of another library
            await trio.sleep(0.01)
        if not works:
            await heard.wait_said("no browser could be opened")
        assert opened == [url]

    monkeypatch.setattr(webbrowser, "open", note)
    folder = recorded(tmp_path / "monday", (0, 1e6))
    assert shown(heard, look, page=PageOptions(port=0, open=True), replay=(folder,)) == 143
    assert heard.has_said("no browser could be opened") is not works


def test_the_cascades_of_the_demo_begin_and_end() -> None:
    """Its market is busy all the time: with a longer gap they would be one."""
    page: Any = PageOptions().of_demo(shown=True)
    market = Market(testing.Generator(seed=0, rate=RATE), 60, tells_story=True)
    signals = [batch(event) for event in market if isinstance(event, Liquidation)]
    rows: list[ops.Cascade] = play(page.board.keywords["cascades"], signals)
    lengths_ms = [row.end_ms - row.start_ms for row in rows if row.final]
    assert len(lengths_ms) >= 3
    assert max(lengths_ms) < 15_000


def test_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the page says; all else is as without a page."""
    heard, seen = Heard(), list[dict[str, Any]]()
    monkeypatch.setattr("cgrx._cli.options.Terminal.of_process", heard.of_process)

    async def main() -> int:
        async with trio.open_nursery() as nursery:

            async def look() -> None:
                await heard.wait_said("board at")
                while not (found := await snapshot(url_of(heard)))["tape"]:
                    pass
                seen.append(found)
                os.kill(os.getpid(), signal.SIGINT)

            nursery.start_soon(look)
            return await demo_command(board=True, page=PageOptions(port=0), rate=2_000.0)

    assert exit_code_of(main) == 130
    assert (seen[0]["mode"], seen[0]["title"]) == ("demo", "cgrx demo")
    assert heard.text.splitlines()[-1].startswith("largest")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--host 0.0.0.0", "host='0.0.0.0' is reached by others than this machine, and demands a token"),
        ("--token secret", "a token in --token can be seen by every user of this machine: give --token new"),
        ("--token env:CGRX_NO_SUCH", "--token env:CGRX_NO_SUCH: the environment variable CGRX_NO_SUCH is not set"),
        ("--token env:", "--token env:: the environment variable NAME is not set"),
        ("--token new --open", "--open would show the token to every user of this machine"),
        ("--allow-host http://me", "allow_hosts: 'http://me' takes the name of a host"),
        ("--window 0s", "window='0s' is too short"),
        ("--keep 100h", "window='10s' and keep='100h' give more than 1,440 windows"),
        ("--cascades soon", "--cascades soon cannot be used: give a duration"),
        ("--market BTC", "'BTC' is no instrument"),
        ("--speed 60", "--speed is for recordings: add --replay"),
        ("--from 2024-08-09", "--from is for recordings: add --replay"),
        ("--replay monday --url ws://me", "--url is for a live feed: leave it out, or --replay"),
        ("--replay monday --history sunday", "--history is for a live feed: leave it out, or --replay"),
        ("--replay monday --metrics-port 0", "--metrics-port counts what a live feed does: leave it out, or --replay"),
        ("--replay {here}", "{here}/manifest.json: there is no recording here: its manifest is missing"),
        ("--url ws://me?cg-api-key=1", "a key in --url can be seen by every user of this machine"),
        ("", "no API key: set the environment variable COINGLASS_API_KEY; `cgrx demo` needs none"),
    ],
)
def test_mistakes(options: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, before anything is opened."""
    assert run(["board", "--port", "0", *options.format(here=tmp_path).split()]) != Exit.DONE
    assert capsys.readouterr().err.startswith(f"cgrx: {message.format(here=tmp_path)}")


def test_options_of_a_page_need_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--allow-host", "me"]) == Exit.USAGE
    assert capsys.readouterr().err == "cgrx: --allow-host is for the page of --board: add --board\n"


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "monday", (0, 1e6))

    async def look(url: str) -> None:
        port = urlsplit(url).port
        assert port is not None
        other = Heard()
        request = BoardOptions(replay=(folder,)).boarded(PageOptions(port=port))
        assert await show_board(request, other.terminal()) == Exit.USAGE
        assert other.last_words.startswith(f"cannot listen on 127.0.0.1 port {port}: Address already in use; --port 0")

    assert shown(Heard(), look, page=PageOptions(port=0), replay=(folder,)) == 143


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object) -> None:
        raise ImportError("board() needs starlette: install cgrx[board]")

    monkeypatch.setattr("cgrx._board.board.require_extra", absent)
    heard = Heard()
    request = BoardOptions(url="ws://127.0.0.1:1").boarded(PageOptions())
    assert exit_code_of(lambda: show_board(request, heard.terminal())) == Exit.NO_EXTRA
    assert heard.last_words == "board() needs starlette: install cgrx[board]"


def test_options_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paths begin at its folder; a token in it is refused as on the command line."""
    file = tmp_path / "board.toml"
    file.write_text('replay = ["monday"]\nspeed = 60\nport = 0\ntoken = "env:CGRX_TEST_TOKEN"\nlarge-trade = "50k"\n')
    assert run(["board", "--config", str(file)]) == Exit.FAILED
    assert str(tmp_path / "monday") in capsys.readouterr().err
    file.write_text('token = "secret"\n')
    with pytest.raises(CommandError, match="a token in --token can be seen"):
        PageOptions(token="secret").page()
    assert run(["board", "--config", str(file)]) == Exit.USAGE
    assert capsys.readouterr().err.startswith(f"cgrx: {file}:1: ")


@contextmanager
def process(*arguments: str) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """A command of its own, and the address that it has printed."""
    command = (*COMMAND, *arguments, "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as it:
        assert it.stderr is not None
        try:
            lines = iter(it.stderr)
            yield it, next(line for line in lines if "board at" in line).split()[-1]
        finally:
            it.kill()


@pytest.mark.parametrize("number", one_in(2, [signal.SIGINT, signal.SIGTERM]))
def test_a_process_and_its_end(number: signal.Signals, tmp_path: Path) -> None:
    """The page is there while it runs; a signal ends it in good order."""
    source = (
        ["demo", "--board"] if number == signal.SIGINT else ["board", "--replay", str(recorded(tmp_path, (0, 1e6)))]
    )
    with process(*source) as (running, url):
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
        running.send_signal(number)
        assert running.wait(LIMIT_S) == 128 + number
        assert running.stderr is not None
        assert "Traceback" not in running.stderr.read()
