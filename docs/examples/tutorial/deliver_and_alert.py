"""An alert on the event that passes a level, delivered to a service that is away at first."""

from collections.abc import Sequence
from typing import TypeAlias

import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import Simulator, liquidation, run

Alert: TypeAlias = ops.Cooled[ops.Crossing[ops.Flow]]

market = [liquidation("long", 40_000 + 1_000 * second, time=second) for second in range(150)]
alerts = ops.pipeline(
    ops.tumbling("1m", by="base_asset", updates=0),
    ops.crosses("volume", above=2_000_000, returns=False),
    ops.cooldown("1m"),
)
trouble = [ConnectionError("the service is restarted")]


async def notify(batch: Sequence[Alert]) -> None:
    if trouble:
        raise trouble.pop()
    for alert in batch:
        row = alert.item.item
        missed = f", {row.gap_ms} ms not seen" if row.gap_ms else ""
        more = f", {alert.silenced} silenced before" if alert.silenced else ""
        print(f"{row.base_asset}: {row.volume:,.0f} USD from second {row.start_ms // 1000} on{missed}{more}")


async def main() -> None:
    async with (
        Simulator(market, listen=False) as server,
        cgrx.connect(**server.in_memory()) as feed,
        cgrx.sinks.deliver(notify, feed.liquidations().pipe(alerts), name="chat") as sink,
    ):
        await trio.sleep(180)
    stats = sink.stats
    print(f"{stats.received} received, {stats.delivered} delivered, {stats.retries} attempt repeated")


run(main)
