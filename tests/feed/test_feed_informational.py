"""Informational answers before the one that opens the connection."""

import pytest
import trio

import cgrx
from cgrx._simulator.simulator import Simulator
from cgrx._wire.address import Address
from tests.feed.feeding import feed_on
from tests.support import run_mock

EARLY = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


class Early(trio.abc.ReceiveStream):
    """Gives the informational answers first, together with what the server sends next, in pieces of `size` bytes."""

    def __init__(self, stream: trio.abc.Stream, size: int) -> None:
        self._stream = stream
        self._size = size
        self._data: bytes = b""
        self._begun = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if not self._data:
            self._data = (b"" if self._begun else EARLY) + await self._stream.receive_some(max_bytes)
            self._begun = True
        piece, self._data = self._data[: self._size], self._data[self._size :]
        return piece

    async def aclose(self) -> None:
        await self._stream.aclose()


@pytest.mark.parametrize("size", [1, 7, len(EARLY) - 1, len(EARLY), len(EARLY) + 1, 2**16])
def test_a_feed_connects_behind_informational_answers(size: int) -> None:
    """At the first attempt, however the bytes are split."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:

            async def dial(address: Address) -> trio.abc.Stream:
                stream = await simulator.dial(address)
                return trio.StapledStream(stream, Early(stream, size))

            async with feed_on(simulator, dial=dial) as feed:
                await trio.sleep(30)
                assert feed.state is cgrx.State.CONNECTED
                assert feed.stats.attempts == 1
                assert feed.stats.pongs

    run_mock(main)
