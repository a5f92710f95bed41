"""`--proxy` of the live commands: the way it leads, and what it must not hold."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from cgrx import API_KEY_VARIABLE
from cgrx._cli.app import run
from cgrx._cli.commands.choice import Choice, liquidations
from cgrx._cli.commands.record import Record, record_feed
from cgrx._cli.commands.watch import Watch, connected, watch
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.terminal.reports import reporting
from cgrx._cli.view.viewer import Show
from cgrx._model.channels import LiquidationOrders
from cgrx._simulator.simulator import Simulator
from tests.cli.terminals import Heard
from tests.feed.proxies import OneTarget, listening, no_proxies, port_of
from tests.simulator.simulating import liquidation
from tests.support import run as run_trio

URL = "ws://open.example/ws-api"
"""Only the proxy of these tests knows where it leads."""

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    no_proxies(monkeypatch)


def through_a_proxy(command: Callable[[str], Awaitable[int]]) -> OneTarget:
    """Run a command, which gets the URL of a proxy, while a simulator behind it sends an event."""

    async def main() -> OneTarget:
        async with Simulator() as simulator, trio.open_nursery() as nursery:
            proxy = OneTarget(port_of(simulator))

            async def send() -> None:
                await simulator.wait_subscribed(LiquidationOrders())
                await simulator.send(liquidation(1))

            nursery.start_soon(send)
            async with listening(proxy.serve) as port:
                assert await command(f"http://127.0.0.1:{port}") == Exit.DONE
        return proxy

    return run_trio(main)


def test_watch_through_a_proxy() -> None:
    heard = Heard()

    async def command(proxy: str) -> int:
        request = Watch(url=URL, choice=Choice(liquidations), connect_timeout_s=5.0, proxy=proxy)
        return await watch(request, Show(title="x", format="jsonl", count=1), heard.terminal())

    assert through_a_proxy(command).asked == ["CONNECT open.example:80 HTTP/1.1"]
    assert len(heard.lines) == 1


def test_record_through_a_proxy(tmp_path: Path) -> None:
    heard = Heard()

    async def command(proxy: str) -> int:
        request = Record(url=URL, channels=(LiquidationOrders(),), folder=tmp_path, seconds=0.5, proxy=proxy)
        return await record_feed(request, heard.terminal())

    assert through_a_proxy(command).asked == ["CONNECT open.example:80 HTTP/1.1"]
    assert heard.last_words.startswith("1 event in ")


@pytest.mark.parametrize(
    "command", [["watch", "liquidations"], ["watch", "trades", "a:b:1"], ["record", "liquidations", "--to", "x"]]
)
@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("http://user:s3cret@host", "a password in --proxy can be seen by every user of this machine"),
        ("user:s3cret@host", "set HTTPS_PROXY and give --proxy env"),
        ("ftp://host", "proxy cannot be used: its scheme is none of http, https, socks5, socks5h; give "),
    ],
)
def test_what_proxy_must_not_hold(command: list[str], proxy: str, said: str, capsys: Captured) -> None:
    """One line, which does not repeat it."""
    assert run([*command, "--url", URL, "--proxy", proxy]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert "s3cret" not in err


def opened(proxy: str | None) -> list[str]:
    """What is said while a feed is made."""
    said: list[str] = []

    async def main() -> None:
        await trio.lowlevel.checkpoint()
        with reporting(lambda text, _: said.append(text)):
            connected("wss://open.example", 1.0, proxy)

    run_trio(main)
    return said


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Used with `env`; else a line says that it is not."""
    monkeypatch.setenv("HTTPS_PROXY", "http://host")
    assert opened("env") == []
    (line,) = opened(None)
    assert line.startswith("the environment variable HTTPS_PROXY names a proxy, which is not used: ")
    assert "--proxy env" in line


def find_nothing(name: str) -> None:
    """In place of `find_spec`."""


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setattr("cgrx._extras.find_spec", find_nothing)
    with pytest.raises(CommandError, match=r'pip install "cgrx\[proxy\]"') as caught:
        opened("http://host")
    assert caught.value.exit == Exit.NO_EXTRA
