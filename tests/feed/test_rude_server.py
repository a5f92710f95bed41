"""What a server may send without harm: pongs at any moment, and floods of what nobody can read."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from cgrx._feed.names import Names
from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.limits import Limits
from tests.costs.counting import growth, instructions
from tests.feed.sessions import L, bench, frame
from tests.support import run_mock

LINEAR = 1.1
"""Growth that passes for linear: bounds that are reached on the way make it uneven."""


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


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"what?",
        b"{",
        b"x need upgrade plan",
        b'{"channel":"nobody","data":[]}',
        b'{"channel":"liquidationOrders"}',
    ],
    ids=["empty", "notice", "no JSON", "plan notice", "unknown channel", "frame without data"],
)
def test_a_flood_in_one_read_costs_by_its_size(message: bytes) -> None:
    """Every message is looked at once, whatever else came with it."""

    def cost(count: int) -> int:
        async def main() -> None:
            async with bench() as b:
                b.join()
                await wait_all_tasks_blocked()
                b.transport.push(*[message] * count)
                await wait_all_tasks_blocked()
                assert b.tally.messages == count
                assert not b.ended

        return instructions(lambda: run_mock(main))

    assert growth(cost, 150) < LINEAR


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


def test_the_name_of_a_frame_is_found_at_one_price() -> None:
    """However many channels are desired, and whatever the server calls them."""

    def cost(count: int) -> int:
        names = Names([FuturesTrades("Binance", f"A{number}USDT", 0) for number in range(count)])

        def find() -> None:
            for number in range(200):
                names.find(f"futures_trades@Nobody_X{number}@0")
                names.find(f"futures_trades@binance_a{number}usdt@0.0")
                names.in_plan_notice(f"futures_trades@OKX_X{number}")

        return instructions(find)

    assert cost(4_000) < 1.05 * cost(1_000)


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


def test_a_pong_flood_during_many_subscriptions() -> None:
    """Proofs of thousands of channels are not gone through again for pongs that nobody asked for."""

    def cost(count: int) -> int:
        async def main() -> None:
            async with bench() as b:
                for number in range(200):
                    b.join(FuturesTrades("Binance", f"A{number}USDT", 0))
                b.transport.push(b"pong")
                await wait_all_tasks_blocked()
                b.transport.push(*[b"pong"] * count)
                await wait_all_tasks_blocked()
                assert b.tally.pongs == count + 1

        return instructions(lambda: run_mock(main))

    assert cost(400) - cost(200) < 200 * 400
