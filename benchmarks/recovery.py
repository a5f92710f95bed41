"""How long from the death of a connection to the first event after it, and how many events are lost meanwhile?

A sender in a process of its own (`_senders/mortal.py`) kills every connection after ten milliseconds, in four ways by
turns, at least a hundred times in each case over all rounds. The figure is the median time from a death to the first
event after it, in milliseconds. `lost` is the number of events that were due in between, one a millisecond, per death.

Without delay, the client reconnects at once: this is the price of noticing, connecting and subscribing. For cgrx that
is `Limits(backoff_first_s=1e-6)`; `websockets` reconnects by itself, the others in a loop as their users write it.
With jitter, cgrx waits as it does by default, except that its backoff starts anew at each death, as it does after a
healthy minute: a delay drawn from 0 to 0.5 s. Its mean is `drawn_ms`; `rest_ms` is what cgrx itself adds.
"""

import asyncio  # noqa: TID251 - the rivals' loop, not ours
import json
import logging
import statistics
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

import attrs
import msgspec
import trio
import trio_websocket

import cgrx
from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Sample, Scenario
from benchmarks._harness.worker import process
from benchmarks._senders import mortal
from benchmarks._senders.schedule import now_us
from benchmarks._senders.server import port_of
from benchmarks.rivals.receivers import GO, TradeFrame, of_dict
from cgrx import Limits, Trade


@attrs.frozen
class Series:
    """So many deaths in a row."""

    deaths: int
    jitter: bool


@attrs.define(eq=False)
class Survivor:
    """What a client saw of them."""

    deaths: int
    reached: Callable[[], None] = lambda: None
    latest: int = 0
    delays_ms: list[float] = attrs.Factory(list[float])
    drawn_ms: list[float] = attrs.Factory(list[float])
    lost: int = 0
    disorder: int = 0
    first: bool = True

    @property
    def done(self) -> bool:
        """It has seen enough."""
        return len(self.delays_ms) >= self.deaths

    def on_event(self, event: Trade) -> None:
        """Take an event in; the first of a connection tells when the one before died."""
        number = int(event.volume_usd)
        if event.price > 1 and not self.done:
            if not self.first:
                self.delays_ms.append((now_us() - event.price) / 1e3)
                self.lost += max(0, number - self.latest - 1)
            self.first = False
            if len(self.delays_ms) == self.deaths:
                self.reached()
        elif number <= self.latest:
            self.disorder += 1
        self.latest = number


Client: TypeAlias = Callable[[str, Series, Survivor], None]


def _cgrx(url: str, series: Series, survivor: Survivor) -> None:
    limits = Limits(healthy_after_s=1e-9) if series.jitter else Limits(backoff_first_s=1e-6, backoff_most_s=1e-6)

    def on_status(status: object) -> None:
        if isinstance(status, cgrx.Disconnected):
            survivor.drawn_ms.append(status.retry_in_s * 1e3)

    logging.getLogger("cgrx").addHandler(logging.NullHandler())  # a hundred warnings, all of them asked for

    async def main() -> None:
        enough = trio.Event()
        survivor.reached = enough.set
        async with cgrx.connect(url=url, api_key="any-key-will-do", limits=limits) as feed:
            feed.status.subscribe(on_status)
            feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(survivor.on_event)
            await enough.wait()

    trio.run(main)


def _trio_websocket(url: str, _: Series, survivor: Survivor) -> None:
    async def main() -> None:
        while not survivor.done:
            try:
                async with trio_websocket.open_websocket_url(url) as connection:
                    await connection.send_message(GO)
                    while not survivor.done:
                        for row in json.loads(await connection.get_message())["data"]:
                            survivor.on_event(of_dict(row))
            except (trio_websocket.ConnectionClosed, trio_websocket.HandshakeError, OSError):
                continue

    trio.run(main)


def _websockets(url: str, _: Series, survivor: Survivor) -> None:
    import orjson
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    async def main() -> None:
        async for connection in connect(url, compression=None, proxy=None, close_timeout=0.1):
            try:
                await connection.send(GO)
                while not survivor.done:
                    for row in orjson.loads(await connection.recv(decode=False))["data"]:
                        survivor.on_event(of_dict(row))
                await connection.close()
                return
            except ConnectionClosed:
                continue

    asyncio.run(main())


def _picows(url: str, _: Series, survivor: Survivor) -> None:
    import picows
    import uvloop

    decode = msgspec.json.Decoder(TradeFrame).decode

    class Listener(picows.WSListener):
        def on_ws_connected(self, transport: picows.WSTransport) -> None:
            transport.send(picows.WSMsgType.TEXT, GO.encode())

        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                for event in decode(frame.get_payload_as_memoryview()).data:
                    survivor.on_event(event)
            if survivor.done or frame.msg_type == picows.WSMsgType.CLOSE:
                transport.disconnect()

    async def main() -> None:
        while not survivor.done:
            try:
                transport, _ = await cast("Any", picows).ws_connect(Listener, url)
                await transport.wait_disconnected()
            except (picows.WSError, OSError):
                continue

    uvloop.run(main())


@attrs.frozen
class Surviving:
    """A client and its deaths."""

    client: Client
    series: Series
    port: int

    def results(self) -> Results:
        """A few deaths were survived, and nothing came twice or out of order."""
        survivor = self._survive(attrs.evolve(self.series, deaths=len(mortal.DEATHS)))
        return [("survived", len(survivor.delays_ms)), ("out of order", survivor.disorder)]

    def measure(self) -> Sample:
        """See `Contest`."""
        survivor = self._survive(self.series)
        drawn_ms = statistics.fmean(survivor.drawn_ms) if survivor.drawn_ms else 0.0
        also = {
            "max_ms": max(survivor.delays_ms),
            "mean_ms": statistics.fmean(survivor.delays_ms),
            "drawn_ms": drawn_ms,
            "rest_ms": statistics.fmean(survivor.delays_ms) - drawn_ms,
            "lost": survivor.lost / len(survivor.delays_ms),
        }
        return Sample(statistics.median(survivor.delays_ms), also)

    def _survive(self, series: Series) -> Survivor:
        survivor = Survivor(series.deaths)
        self.client(f"ws://127.0.0.1:{self.port}/", series, survivor)
        return survivor


def _rival(name: str, client: Client, *, ours: bool = False) -> Rival[Series]:
    def prepare(series: Series, port: int) -> Contest:
        if series.jitter and not ours:
            raise AbsentError("draws no delay of its own after a connection that worked")
        return Surviving(client, series, port)

    return Rival(name, prepare, "ours" if ours else "rival")


@contextmanager
def _sender() -> Generator[int, None, None]:
    with process(mortal.serve) as pipe:
        yield port_of(pipe)


def _cases(quick: bool) -> list[Case[Series]]:
    return [
        Case("without delay", Series(8 if quick else 50, jitter=False)),
        Case("with jitter up to 0.5 s", Series(4 if quick else 50, jitter=True)),
    ]


SCENARIO: Scenario[Any] = Scenario(
    name="recovery",
    question=(__doc__ or "").partition("\n")[0],
    unit="ms",
    cases=_cases,
    surroundings=_sender,
    share=0.4,
    rivals=(
        _rival("cgrx", _cgrx, ours=True),
        _rival("trio-websocket + json", _trio_websocket),
        _rival("websockets on asyncio + orjson", _websockets),
        _rival("picows on uvloop + msgspec", _picows),
    ),
)
