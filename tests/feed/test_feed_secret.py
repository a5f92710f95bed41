"""The API key is in nothing that is shown: no repr, log, exception, status or counter."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import attrs
import pytest
import trio

import cgrx
from cgrx._model.signals import Batch
from cgrx._simulator.faults import Close, CloseAtOnce, Drop, Garbage, Refuse, WrongTypes
from cgrx._simulator.simulator import Simulator
from cgrx._wire.address import Address
from tests.feed.feeding import Record, Statuses, feed_on
from tests.simulator.simulating import liquidation
from tests.support import run_mock

KEYS = ["0123456789abcdef0123456789abcdef", "a key/with?signs&=%"]
L = "liquidationOrders"


@attrs.define
class Shown:
    """All that a program could see or print."""

    texts: list[str] = attrs.field(factory=list[str])

    def add(self, value: object) -> None:
        self.texts += [repr(value), str(value)]

    def add_error(self, error: BaseException) -> None:
        self.texts += traceback.format_exception(error)
        seen: BaseException | None = error
        while seen is not None:
            self.texts += [repr(seen), repr(seen.args), repr(vars(seen))]
            seen = seen.__cause__ or seen.__context__


async def with_a_feed(simulator: Simulator, key: str, shown: Shown) -> None:
    """The server echoes the key wherever it can."""
    seen = Record()
    async with feed_on(simulator, api_key=key) as feed:
        statuses = Statuses(feed)
        feed.liquidations().subscribe_signals(seen)
        trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
        trades.subscribe(lambda _: None, shown.add_error)
        await trio.sleep(1)
        for text in (key, quote(key, safe="")):
            simulator.script([Garbage(message=f"your key {text} is unknown")])
            simulator.script([Garbage(message=f'{{"channel":"{L}","data":["{text}"]}}')])
            simulator.script([Garbage(message=f'{{"{text}":1}}'), Garbage(message=f"{{{'x' * 100}{text}")])
        simulator.script([WrongTypes()])
        await simulator.send(liquidation(1))
        await simulator.send_raw(f"futures_trades@Binance_BTCUSDT@0 need upgrade plan, {key}")
        await trio.sleep(1)
        shown.add([feed, feed.stats, feed.liquidations(), feed.scheduler, statuses.all, vars(feed)])
        simulator.script([Close(code=1008, reason=key[:100])])
        await trio.sleep(10)
        simulator.script([Drop()])
        await trio.sleep(10)
        shown.add(statuses.all)
    shown.add([seen.signals, statuses.all, feed.stats])


async def rejected(simulator: Simulator, key: str, shown: Shown) -> None:
    """Three times, with the key in notice and reason."""
    simulator.script([CloseAtOnce(connections=3, code=1008, reason=key[:100], notice=f"bad key {key}")])
    async with feed_on(simulator, api_key=key) as feed:
        await feed.run()


async def refused(simulator: Simulator, key: str, shown: Shown) -> None:
    """With a status that echoes nothing, until the time is up."""
    simulator.script([Refuse(how=503, connections=99)])
    async with feed_on(simulator, api_key=key):
        pass


async def unauthorized(simulator: Simulator, key: str, shown: Shown) -> None:
    simulator.script([Refuse(how=401)])
    async with feed_on(simulator, api_key=key):
        pass


async def unreachable(simulator: Simulator, key: str, shown: Shown) -> None:
    """The transport's own error, which knows the address."""

    async def dial(address: Address) -> trio.abc.Stream:
        shown.add(address)
        raise OSError(f"no route to {address}")

    async with feed_on(simulator, api_key=key, dial=dial):
        pass


async def unusable(simulator: Simulator, key: str, shown: Shown) -> None:
    """An address that cannot be used, with the key in it."""
    async with feed_on(simulator, url=f"http://host/path?cg-api-key={key}", api_key=None):
        pass


@pytest.mark.parametrize("key", KEYS, ids=["plain", "with signs"])
@pytest.mark.parametrize(
    "program", [with_a_feed, rejected, refused, unauthorized, unreachable, unusable], ids=lambda each: each.__name__
)
def test_the_key_is_nowhere(
    caplog: pytest.LogCaptureFixture,
    program: Callable[[Simulator, str, Shown], Awaitable[None]],
    key: str,
) -> None:
    """Not in any log of any library at any level either."""
    shown = Shown()

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            try:
                await program(simulator, key, shown)
            except (cgrx.CgrxError, ValueError) as error:
                shown.add_error(error)

    with caplog.at_level(logging.DEBUG):
        for name in ("cgrx", "trio-websocket", "trio", ""):
            caplog.set_level(logging.DEBUG, name)
        run_mock(main)
    for record in caplog.records:
        if not record.getMessage().startswith("server-"):  # the simulator's own, which is the one that tells
            shown.texts += [record.getMessage(), repr(record.args)]
    everything = "\n".join(shown.texts)
    assert len(everything) > 200
    for secret in (key, quote(key, safe=""), repr(key)[1:-1]):
        assert secret not in everything


@pytest.mark.parametrize("part", [KEYS[0], KEYS[0][:8], KEYS[0][9:20], KEYS[0][16:]])
@pytest.mark.parametrize("escaped", [False, True])
def test_an_event_that_echoes_the_key_is_redacted(part: str, escaped: bool) -> None:
    """In each of its texts, also where JSON escapes hide it in the bytes; its numbers and its neighbours are kept."""
    text = "".join(f"\\u{ord(char):04x}" for char in part) if escaped else part

    async def main() -> None:
        seen = Record()
        async with Simulator(listen=False) as simulator, feed_on(simulator, api_key=KEYS[0]) as feed:
            feed.liquidations().subscribe_signals(seen)
            await trio.sleep(1)
            numbers = '"side":1,"price":2.5,"volUsd":3,"time":1700000000000'
            events = [
                f'{{"baseAsset":"{text}","exName":"x{text}","symbol":"A-{text}-B",{numbers}}}',
                f'{{"baseAsset":"BTC","exName":"Binance","symbol":"BTCUSDT",{numbers}}}',
            ]
            await simulator.send_raw(f'{{"channel":"{L}","data":[{",".join(events)}]}}')
            await trio.sleep(1)
        first, second = (event for signal in seen.signals if isinstance(signal, Batch) for event in signal.events)
        assert (first.base_asset, first.exchange, first.symbol, first.price) == ("***", "x***", "A-***-B", 2.5)
        assert (second.base_asset, second.exchange, second.symbol) == ("BTC", "Binance", "BTCUSDT")

    run_mock(main)


@pytest.mark.parametrize(("url", "warned"), [("ws://market.example/ws", 1), ("ws://127.0.0.1:1/ws", 0)])
def test_a_key_that_leaves_the_machine_in_clear_text_is_warned_of(
    caplog: pytest.LogCaptureFixture, url: str, warned: int
) -> None:
    """Once, by the logger, with the address and without the key; not on the loopback."""

    async def main() -> None:
        cgrx.connect(url=url, api_key=KEYS[0])

    run_mock(main)
    texts = [record.getMessage() for record in caplog.records if "without encryption" in record.getMessage()]
    assert len(texts) == warned
    assert KEYS[0] not in str(texts)
