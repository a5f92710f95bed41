"""Scripted faults of connections that arrive: refusals, hangs, instant closes."""

import socket

import pytest
import trio

from cgrx._simulator.faults import CloseAtOnce, HangConnect, HangHandshake, Refuse
from cgrx._simulator.journal import Refused
from cgrx._simulator.simulator import Simulator
from tests.simulator.simulating import LIQUIDATIONS, MEMORY, RawClient, Way, both_ways, happened
from tests.support import run_mock


@both_ways
def test_refuse_by_tcp(way: Way) -> None:
    """So many connections; the next one gets in. In memory the dial itself is refused."""

    async def main() -> None:
        async with Simulator(listen=way.listen, faults=[Refuse(connections=2)]) as simulator:
            for _ in range(2):
                with pytest.raises((trio.BrokenResourceError, ConnectionRefusedError)):
                    await refused(simulator)
            await (await way.connect(simulator, LIQUIDATIONS)).stream.aclose()
            assert happened(simulator) == [(1, Refuse(connections=2)), (2, Refuse(connections=2))]
            assert [entry.why for entry in simulator.log if isinstance(entry, Refused)] == ["tcp", "tcp"]

    async def refused(simulator: Simulator) -> None:
        stream = await way.open(simulator)
        assert way.listen
        async with stream:
            await RawClient(stream).handshake()

    way.run(main)


def test_refuse_by_name() -> None:
    """The dial fails as for a name that is not known."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[Refuse(how="dns")]) as simulator:
            with pytest.raises(socket.gaierror):
                await MEMORY.open(simulator)
            await MEMORY.connect(simulator, LIQUIDATIONS)
            assert simulator.stats.refused == 1

    run_mock(main)


@both_ways
@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (Refuse(how=503), None),
        (Refuse(how=429, retry_after=3), "retry-after: 3"),
        (Refuse(how=429, retry_after=0.5), "retry-after: 0.5"),
        (Refuse(how=429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), "retry-after: wed, 21 oct 2015 07:28:00 gmt"),
    ],
)
def test_refuse_by_status(way: Way, fault: Refuse, header: str | None) -> None:
    """The handshake is answered with it, and with `Retry-After` where wanted; then the stream ends."""

    async def main() -> None:
        async with Simulator(listen=way.listen, faults=[fault]) as simulator:
            client = RawClient(await way.open(simulator))
            head = (await client.handshake()).lower()
            assert head.startswith(f"http/1.1 {fault.how}")
            assert ("retry-after" in head) == (header is not None)
            assert header is None or header in head
            assert await client.rest() == b"refused"
            await client.stream.aclose()
            await (await way.connect(simulator, LIQUIDATIONS)).stream.aclose()

    way.run(main)


def test_hang_connect() -> None:
    """The dial never returns."""

    async def main() -> None:
        async with Simulator(listen=False, faults=[HangConnect()]) as simulator:
            with trio.move_on_after(1_000) as scope:
                await MEMORY.open(simulator)
            assert scope.cancelled_caught
            await MEMORY.connect(simulator, LIQUIDATIONS)

    run_mock(main)


@both_ways
def test_hang_handshake(way: Way) -> None:
    """The request is read and never answered; the client may leave."""

    async def main() -> None:
        async with Simulator(listen=way.listen, faults=[HangHandshake(connections=2)]) as simulator:
            client = RawClient(await way.open(simulator))
            with trio.move_on_after(0.05) as scope:
                await client.handshake()
            assert scope.cancelled_caught
            await client.stream.aclose()
            broken = await way.open(simulator)
            await simulator.wait_happened(HangHandshake, 2)
            await trio.aclose_forcefully(broken)
            await (await way.connect(simulator, LIQUIDATIONS)).stream.aclose()
            assert simulator.stats.refused == 2

    way.run(main)


@pytest.mark.parametrize("notice", [None, "go away"])
def test_close_at_once(notice: str | None) -> None:
    """The handshake succeeds; then perhaps a text, and a close."""
    fault = CloseAtOnce(1008, "no", connections=3, notice=notice)

    async def main() -> None:
        async with Simulator(listen=False, faults=[fault]) as simulator:
            for _ in range(3):
                client = await MEMORY.connect(simulator)
                if notice is not None:
                    assert (await client.frame()).text == notice
                assert (await client.frame()).close_code == 1008
                await client.answer_close()
            await MEMORY.connect(simulator, LIQUIDATIONS)
            assert happened(simulator) == [(1, fault), (2, fault), (3, fault)]
            assert simulator.stats.connections_total == 4

    run_mock(main)
