"""What a server may send without harm: pongs at any moment, and floods of what nobody can read."""

import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._feed.names import Names
from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.limits import Limits
from tests.feed.sessions import L, bench, frame
from tests.support import run_mock


def test_a_pong_that_is_there_before_the_watch_has_woken() -> None:
    """The watch wakes for a ping whose pong has been read in the same turn, and waits for the next ping."""

    async def main() -> None:
        async with bench(Limits(ping_every_s=1)) as b:
            sent = b.transport.send

            async def send(text: str) -> None:
                if text == "ping":
                    b.transport.push(b"pong")
                await sent(text)

            b.transport.push(b"pong")  # the answer to the first ping, which is out already
            await wait_all_tasks_blocked()
            b.transport.send = send  # type: ignore[method-assign]  # a server that is quicker than this program
            await trio.sleep(40)  # trio wakes two tasks in either order: forty chances
            assert not b.ended
            await wait_all_tasks_blocked()
            assert b.tally.pings == b.tally.pongs > 30

    run_mock(main)


def test_pongs_that_nobody_asked_for_are_counted() -> None:
    """They prove nothing, and harm nothing."""

    async def main() -> None:
        async with bench() as b:
            b.transport.push(*[b"pong"] * 5_000)
            await trio.sleep(5)
            assert not b.ended
            assert b.tally.pongs == 5_000

    run_mock(main)


def test_a_long_read_lets_other_tasks_run() -> None:
    """What came with one read is dispatched in turns, and nothing of it is lost when the connection ends meanwhile."""

    async def main() -> None:
        async with bench() as b:
            seen = b.join()
            await wait_all_tasks_blocked()
            turns = 0
            b.transport.push(*[frame(number) if number % 2 else b"?" for number in range(16_384)])
            while b.tally.malformed + b.tally.notices < 8_192:
                await trio.lowlevel.checkpoint()
                turns += 1
            assert turns > 16
            assert len(seen.events) == 8_192

    run_mock(main)


def test_what_a_plan_notice_may_leave_out() -> None:
    """The channel's parameters, from the last one on."""
    binance, okx = FuturesTrades("Binance", "BTCUSDT", 5), FuturesTrades("OKX", "BTC-USDT-SWAP", 5)
    desired: list[Channel] = [L, binance, okx]
    names = Names(desired)
    found = {
        "liquidation_orders": [L],
        "FUTURES_TRADES": [binance, okx],
        "futures_trades@okx_btc-usdt-swap": [okx],
        "futures_trades@Binance_BTCUSDT@5.0": [binance],
        "futures_trades@Binance_BTCUSDT@50": [],
        "futures_trades@Binance": [],
        "liquidation": [],
    }
    assert {name: list(names.in_plan_notice(name)) for name in found} == found
