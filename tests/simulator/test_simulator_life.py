"""How a simulator begins and ends, and that nothing outlives it."""

import math
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trustme

from cgrx._model.events import Event
from cgrx._simulator.faults import Close
from cgrx._simulator.journal import Ended, Refused
from cgrx._simulator.market import Generator
from cgrx._simulator.simulator import Simulator
from cgrx._wire.address import Address
from tests.simulator.simulating import (
    CLOSE,
    LIQUIDATIONS,
    LOOPBACK,
    MEMORY,
    PING,
    RESOURCE,
    EndOfStreamError,
    RawClient,
    Way,
    both_ways,
    liquidation,
    request,
)
from tests.support import run, run_mock


def open_files() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_leaving_says_goodbye_and_leaves_nothing_behind() -> None:
    """Clients get 1001; no task and no file descriptor outlives it, whatever state the connections are in."""

    async def main() -> None:
        tasks, files = trio.lowlevel.current_statistics().tasks_living, open_files()
        async with Simulator(Generator(rate=1_000), close_timeout=0.1) as simulator:
            client = await LOOPBACK.connect(simulator, LIQUIDATIONS)
            not_handshaken = await LOOPBACK.open(simulator)
            url = simulator.url
        while (frame := await client.frame()).opcode != CLOSE:
            pass
        assert frame.close_code == 1001
        with pytest.raises((EndOfStreamError, trio.BrokenResourceError)):
            await client.frame()
        await client.stream.aclose()
        await not_handshaken.aclose()
        assert trio.lowlevel.current_statistics().tasks_living == tasks
        assert open_files() <= files
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", int(url.split(":")[2].partition("/")[0]))

    run(main)


def test_an_error_in_the_body_comes_out_plain_and_at_once() -> None:
    """Connections are not asked to close first."""

    async def main() -> None:
        start = trio.current_time()
        with pytest.raises(ZeroDivisionError):
            await failing_body()
        assert trio.current_time() == start

    async def failing_body() -> None:
        async with Simulator(listen=False) as simulator:
            await MEMORY.connect(simulator, LIQUIDATIONS)
            raise ZeroDivisionError

    run_mock(main)


def test_errors_of_body_and_source_come_out_together() -> None:
    """Neither hides the other."""

    def failing() -> Iterator[Event]:
        yield liquidation(1)
        raise ValueError("source")

    async def failing_body() -> None:
        async with Simulator(failing(), listen=False, start="now"):
            try:
                await trio.sleep_forever()
            finally:
                raise ZeroDivisionError

    async def main() -> None:
        with pytest.raises(BaseExceptionGroup) as caught:
            await failing_body()
        assert {type(error) for error in caught.value.exceptions} == {ValueError, ZeroDivisionError}

    run_mock(main)


def test_cancelling_ends_it() -> None:
    """In the body, and while it closes its clients."""

    async def main() -> None:
        with trio.move_on_after(5) as scope:
            async with Simulator(listen=False, close_timeout=100) as simulator:
                await MEMORY.connect(simulator)
                await trio.sleep_forever()
        assert scope.cancelled_caught
        with trio.move_on_after(5) as scope:
            async with Simulator(listen=False, close_timeout=100) as simulator:
                await MEMORY.connect(simulator)
        assert scope.cancelled_caught

    run_mock(main)


def test_dialling_after_the_end_is_refused() -> None:
    """As a port that nobody listens on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            pass
        with pytest.raises(ConnectionRefusedError):
            await simulator.dial(Address("simulator.test", 80, tls=False, resource=RESOURCE))

    run_mock(main)


def test_it_runs_once() -> None:
    """And says so before it runs, and when it has run."""

    async def main() -> None:
        simulator = Simulator(listen=False)
        with pytest.raises(RuntimeError, match="does not run yet"):
            _ = simulator.stats
        async with simulator:
            pass
        with pytest.raises(RuntimeError, match="make a new one"):
            async with simulator:
                pass

    run_mock(main)


def test_its_url_says_how_to_reach_it() -> None:
    """A made-up host where only `dial` leads in; brackets around an IPv6 address."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            assert simulator.url == "ws://localhost/ws-api"
        async with Simulator(path="/other") as simulator:
            assert simulator.url.startswith("ws://127.0.0.1:")
            assert simulator.url.endswith("/other")
        assert Simulator(host="::1", port=99).url == "ws://[::1]:99/ws-api"

    run(main)


@both_ways
def test_tls(way: Way) -> None:
    """Over TCP and in memory; a client that distrusts the certificate counts as refused."""
    # trustme's types are incomplete.
    authority: Any = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")

    async def main() -> None:
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(server)
        async with Simulator(listen=way.listen, ssl_context=server) as simulator:
            assert simulator.url.startswith("wss://")
            host = simulator.url.split("/")[2].partition(":")[0]
            trusting, distrusting = ssl.create_default_context(), ssl.create_default_context()
            authority.configure_trust(trusting)
            stream: Any = await way.open(simulator)
            client = await RawClient.connect(trio.SSLStream(stream, trusting, server_hostname=host))
            await client.command("subscribe", LIQUIDATIONS)
            await simulator.wait_subscribed(LIQUIDATIONS)
            await simulator.send(liquidation(1))
            assert await client.events(1) == [liquidation(1)]
            simulator.drop_all()
            with pytest.raises(trio.BrokenResourceError):
                await client.frame()
            await trio.aclose_forcefully(client.stream)
            stream = await way.open(simulator)
            with pytest.raises(trio.BrokenResourceError):
                await RawClient(trio.SSLStream(stream, distrusting, server_hostname=host)).handshake()
            await trio.aclose_forcefully(stream)
            await simulator.wait_for(lambda stats: stats.refused == 1)

    way.run(main)


def test_a_client_that_never_asks_is_given_up() -> None:
    """After the handshake time-out, or as soon as it leaves."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            silent = await MEMORY.open(simulator)
            leaving = await MEMORY.open(simulator)
            await leaving.aclose()
            await simulator.wait_for(lambda stats: stats.refused == 1)
            assert trio.current_time() < simulator.log[-1].at_s + 1
            assert await silent.receive_some() == b""
            assert [entry for entry in simulator.log if isinstance(entry, Refused)][-1].at_s == 30.0

    run_mock(main)


def test_a_request_that_is_no_websocket_handshake_is_refused() -> None:
    """With HTTP 400, as trio-websocket does it."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            stream = await MEMORY.open(simulator)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 4")
            await simulator.wait_for(lambda stats: stats.refused == 1)

    run_mock(main)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"speed": 0}, "speed=0"),
        ({"speed": math.nan}, "speed=nan"),
        ({"frame_events": 0}, "frame_events=0"),
        ({"generation": 3}, "generation=3"),
        ({"plan": "free"}, "plan='free'"),
        ({"on_bad_key": 200}, "on_bad_key=200"),
        ({"on_bad_key": "nothing"}, "on_bad_key='nothing'"),
        ({"need_upgrade": ["nonsense"]}, "nonsense"),
        ({"close_timeout": -1}, "close_timeout=-1"),
        ({"longest_wait": "soon"}, "longest_wait='soon'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    """When it is made, with the offending value."""
    with pytest.raises(ValueError, match=message):
        Simulator(**arguments)


def test_a_client_that_leaves_during_the_handshake() -> None:
    """The answer finds nobody; the simulator goes on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.open(simulator)
            await client.send_all(request())
            await client.aclose()
            await trio.testing.wait_all_tasks_blocked()
            assert simulator.stats.connections == 0
            await MEMORY.connect(simulator, LIQUIDATIONS)

    run_mock(main)


def test_a_ping_instead_of_an_answer_to_a_close_ends_the_connection() -> None:
    """trio-websocket cannot answer it any more; the simulator goes on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            client = await MEMORY.connect(simulator)
            simulator.script([Close(1011)])
            assert (await client.frame()).close_code == 1011
            await client.send(b"", PING)
            await simulator.wait_connections(0)
            assert simulator.log[-1] == Ended(1, 0.0, 1011)
            await MEMORY.connect(simulator, LIQUIDATIONS)

    run_mock(main)
