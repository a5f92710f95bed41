"""An alert, from the server of a feed to the server of a chat."""

import re

import trio

import cgrx
from cgrx import DeliveryHeld, DeliveryResumed, Status
from cgrx import operators as ops
from cgrx._trio.clock import system_time
from cgrx.operators import agg
from cgrx.testing import Simulator, liquidation
from tests.sinks.chats import TOKEN, posts, telegram_answer, text, to_telegram
from tests.sinks.receivers import Asked, Reply, receiving
from tests.sinks.webhooks import balanced
from tests.support import run

ALERTS = ops.pipeline(
    ops.side("long"),
    ops.tumbling("1m", by=("base_asset", "side"), volume=agg.volume(), exchanges=agg.exchanges(), updates=0),
    ops.crosses("volume", above=5_000_000, returns=False),
    ops.cooldown("10m"),
)
EXPECTED = (
    r"BTC: longs liquidated 6,000,000 USD in 1 m from \d{4}-\d\d-\d\d \d\d:\d\d UTC \(above 5,000,000\), Binance,"
    r" Bybit, OKX; window still open, INCOMPLETE: gap \d+(\.\d)? m?s"
)


def test_a_burst_of_liquidations_is_told_in_the_chat() -> None:
    """On the event that crosses, while the window is open. The chat is away for a moment, and says too much."""
    away = iter([Reply(502, body=f"cannot reach bot{TOKEN}".encode())])

    def answer(asked: Asked) -> Reply:
        return next(away, telegram_answer(asked)) if asked.method == "POST" else telegram_answer(asked)

    async def main() -> tuple[list[Asked], list[Status]]:
        statuses: list[Status] = []
        async with (
            receiving(usual=answer) as (receiver, url),
            Simulator() as server,
            cgrx.connect(url=server.url, api_key="any-key-will-do") as feed,
        ):
            feed.status.subscribe(statuses.append)
            async with to_telegram(url, feed.liquidations().pipe(ALERTS), every="1ms") as sink:
                await server.wait_subscribed("liquidationOrders")
                now_s = system_time()
                await server.send(
                    liquidation("long", 2_000_000.0, time=now_s, exchange=exchange)
                    for exchange in ("Binance", "OKX", "Bybit", "Binance")
                )
                while not balanced(sink.stats).delivered:  # noqa: ASYNC110 - the accounts are no event of trio
                    await trio.sleep(0.01)
            return posts(receiver), statuses

    asked, statuses = run(main)
    assert len(asked) == 2
    assert re.fullmatch(EXPECTED, text(asked[1])), text(asked[1])
    told = [status for status in statuses if isinstance(status, DeliveryHeld | DeliveryResumed)]
    assert [type(status) for status in told] == [DeliveryHeld, DeliveryResumed]
    assert "saying 'cannot reach ***'" in str(told[0])
    assert "s3cr3t" not in f"{told}{list(map(str, told))}"
