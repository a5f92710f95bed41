"""`cgrx simulate`: a server of its own, from a made-up market or a file, for real clients."""

import gzip
import math
import re
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

import cgrx
from cgrx._cli.commands.simulate import Simulate, simulate
from cgrx._cli.terminal.exits import Exit
from cgrx._model.errors import PlanError
from cgrx._model.events import Liquidation
from cgrx._simulator.market import Generator
from cgrx._simulator.sources import JsonLines
from tests.cli.terminals import Heard, exit_code_of
from tests.support import run

LINE = '{"baseAsset":"BTC","exName":"Binance","price":60000,"side":1,"symbol":"BTCUSDT","time":%d,"volUsd":100}'
MARKET = Simulate(
    host="127.0.0.1",
    port=0,
    source=Generator(rate=500),
    speed=1.0,
    generation=1,
    plan="standard",
    keys=(),
    faults=(),
    seconds=math.inf,
)


def served(heard: Heard, **changes: Any) -> int:
    """The exit code, without a client."""

    async def main() -> int:
        return await simulate(attrs.evolve(MARKET, **{"seconds": 0.2, **changes}), heard.terminal())

    return run(main)


def with_client(heard: Heard, client: Callable[[str], Awaitable[None]], **changes: Any) -> int:
    """The exit code of a simulator that is ended by Ctrl-C when the client, given its URL, has finished."""

    async def main() -> int:
        async def interrupt() -> None:
            await heard.wait_said("try:")
            await client(url(heard))
            signal.raise_signal(signal.SIGINT)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt)
            return await simulate(attrs.evolve(MARKET, **changes), heard.terminal())
        raise AssertionError

    return exit_code_of(main)


def url(heard: Heard) -> str:
    found = re.search(r"ws://\S+", heard.said[0])
    assert found is not None
    return found[0]


def test_a_market_for_clients() -> None:
    heard = Heard()

    async def client(address: str) -> None:
        async with (
            cgrx.connect(api_key="any-key-will-do", url=address) as feed,
            cgrx.stream(feed.liquidations()) as events,
        ):
            assert isinstance(await anext(events), Liquidation)

    assert with_client(heard, client) == 130
    assert "(plan standard, any key accepted)" in heard.said[0]
    assert heard.said[1] == f"cgrx: try: cgrx watch liquidations --url {url(heard)}\n"
    assert "1 connection so far" in heard.last_words


def test_a_file_for_clients(tmp_path: Path) -> None:
    """All of it, then word that it has come to its end."""
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(LINE % number for number in range(300)).encode()))
    heard = Heard()

    async def client(address: str) -> None:
        async with (
            cgrx.connect(api_key="good-key", url=address) as feed,
            cgrx.stream(feed.liquidations()) as events,
        ):
            for number in range(300):
                assert (await anext(events)).time_ms == number
        await heard.wait_said("come to their end")

    source = JsonLines(path, Liquidation)
    assert with_client(heard, client, source=source, speed=math.inf, keys=("good-key", "other"), generation=2) == 130
    assert "2 keys accepted" in heard.said[0]
    assert "300 events sent" in heard.last_words


def test_a_plan() -> None:
    async def client(address: str) -> None:
        async with (
            cgrx.connect(api_key="any-key-will-do", url=address) as feed,
            cgrx.stream(feed.liquidations()) as events,
        ):
            with pytest.raises(PlanError):
                await anext(events)

    assert with_client(Heard(), client, plan="hobbyist") == 130


def test_it_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._cli.commands.simulate._STATUS_EVERY_S", 0.05)
    heard = Heard()
    assert served(heard) == Exit.DONE
    assert len(heard.said) >= 4
    assert heard.last_words == "0 clients, 0 subscriptions, 0 events sent, 0 connections so far, 0 refused"


def test_a_port_that_is_taken() -> None:
    heard = Heard()

    async def main() -> None:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        async with listener:
            assert await simulate(attrs.evolve(MARKET, port=port), heard.terminal()) == Exit.USAGE
        assert heard.said == [f"cgrx: cannot listen on 127.0.0.1 port {port}: Address already in use\n"]

    run(main)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    heard = Heard()
    path = tmp_path / "none.jsonl"
    assert served(heard, source=JsonLines(path, Liquidation)) == Exit.USAGE
    assert heard.said == [f"cgrx: cannot read {path}: No such file or directory\n"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no event"),
        (b"no json\n", "line 1: not an event"),
        (b"\xff\xfe\x00", "line 1: not an event"),
        (b"\x1f\x8b broken", "cannot read"),
        (gzip.compress(LINE.encode(), mtime=0)[:30], "cannot read"),
    ],
)
def test_a_file_that_holds_no_events(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    heard = Heard()
    assert served(heard, source=JsonLines(path, Liquidation)) == Exit.USAGE
    assert len(heard.said) == 1
    assert str(path) in heard.said[0]
    assert why in heard.said[0]


def test_a_file_that_goes_bad(tmp_path: Path) -> None:
    """What is wrong behind the first event is found when its turn has come."""
    path = tmp_path / "events.jsonl"
    path.write_text(LINE % 1 + "\nno json\n")
    heard = Heard()

    async def main() -> None:
        async with trio.open_nursery() as nursery:

            async def serve() -> None:
                request = attrs.evolve(MARKET, source=JsonLines(path, Liquidation))
                assert await simulate(request, heard.terminal()) == Exit.USAGE
                nursery.cancel_scope.cancel()

            nursery.start_soon(serve)
            await heard.wait_said("try:")
            async with cgrx.connect(api_key="any-key-will-do", url=url(heard)) as feed:
                feed.liquidations().subscribe()
                await feed.run()

    run(main)
    assert heard.last_words.startswith(f"{path}, line 2: not an event")
