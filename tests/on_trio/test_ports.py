"""What servers listen on: one port, also of a name that has two addresses, as `localhost` has on many machines."""

import socket
from typing import Any

import pytest
import trio

import cgrx
import cgrx.metrics
from cgrx._trio.ports import listen
from cgrx.testing import Simulator
from tests.support import run

ADDRESSES = ("127.0.0.1", "127.0.0.2")

NAME = "localhost"


class TwoAddresses(trio.abc.HostnameResolver):
    """Knows one name."""

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        """Both addresses."""
        assert host in (NAME, NAME.encode())
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, int(port))) for address in ADDRESSES]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        """Nobody asks."""
        raise NotImplementedError


def has_both() -> bool:
    """Whether the addresses are of this machine."""
    try:
        for address in ADDRESSES:
            socket.create_server((address, 0)).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_both(), reason=f"{ADDRESSES[1]} is no address of this machine")
def test_all_addresses_of_a_name_have_one_port() -> None:
    """That which is told, where a free one is taken."""

    async def main() -> None:
        trio.socket.set_custom_hostname_resolver(TwoAddresses())
        listeners = await listen(0, NAME)
        found = [listener.socket.getsockname() for listener in listeners]
        assert {address for address, _ in found} == set(ADDRESSES)
        assert len({port for _, port in found}) == 1
        for listener in listeners:
            await listener.aclose()
        async with (
            Simulator(host=NAME) as simulator,
            cgrx.connect(url=simulator.url, api_key="any-key-will-do") as feed,
            cgrx.board(feed, host=NAME) as board,
            cgrx.metrics.serve(feed, host=NAME, port=0) as metrics,
        ):
            for port in (board.port, metrics.port):
                for address in ADDRESSES:
                    await (await trio.open_tcp_stream(address, port)).aclose()

    run(main)


def test_where_there_is_one_address_it_is_opened_once() -> None:
    async def main() -> None:
        (listener,) = await listen(0, "127.0.0.1")
        async with listener:
            assert listener.socket.getsockname()[1] > 0

    run(main)
