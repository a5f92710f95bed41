"""What a server can make a feed keep, where a subscriber stands still; and what it can say about a plan."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trio
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, TextMessage

import cgrx
from tests.feed.feeding import eventually
from tests.hostile.parts import DELIVERED, KINDS, NOTICE, Part, fragments, text
from tests.hostile.promise import QUICK, trial
from tests.hostile.server import Play
from tests.support import run
from tests.wire.wires import CONTINUATION, TEXT, frame

CGRX = Path(cgrx.__file__).parent

SMALL = attrs.evolve(QUICK, buffer_bytes=2**16, message_bytes=2**16, read_bytes=2**14)

FLOODS: dict[str, list[Part]] = {
    "events": [KINDS[DELIVERED]] * 5_000,
    "empty texts": [KINDS["empty text"]] * 5_000,
    "long notices": [text(b"x" * 60_000, NOTICE)] * 50,
    "half messages": [KINDS["event in fragments"]] * 4_000,
}


@pytest.mark.thorough  # it takes seconds
@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_behind_a_subscriber_that_stands_still(kind: str) -> None:
    """The socket is not read meanwhile; afterwards everything is there."""

    async def main() -> None:
        async with (
            trial(memory=False, limits=SMALL) as t,
            cgrx.stream(t.feed.liquidations(), buffer=1, overflow="block", block_timeout=60) as events,
        ):
            t.server.plays.append(Play([KINDS[DELIVERED]] * 5 + FLOODS[kind], "goes on"))
            tracemalloc.start()
            t.server.hang_up()
            await eventually(lambda: any(isinstance(status, cgrx.Backpressured) for status in t.statuses))
            await eventually(t.is_still)
            of_cgrx = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, f"{CGRX}/*")])
            tracemalloc.stop()
            held = sum(each.size for each in of_cgrx.statistics("filename"))
            assert SMALL.buffer_bytes / 4 < held < 4 * (SMALL.buffer_bytes + SMALL.read_bytes + 2 * SMALL.message_bytes)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_drain, events)
                await t.server.wait_well(2)
                await t.check()
                nursery.cancel_scope.cancel()

    run(main)


async def _drain(events: AsyncIterator[cgrx.Liquidation]) -> None:
    async for _ in events:
        pass


def test_fragments_without_end() -> None:
    """A message that never ends is given up at `message_bytes`, and until then costs what it holds."""
    endless = Part(frame(TEXT, fin=False) + frame(CONTINUATION, b"x" * 100, fin=False) * 2_000, ends=True)
    empty = Part(fragments(b"{", [1, *[0] * 20_000]), attrs.evolve(KINDS["empty text"].account, received_bytes=1))

    async def main() -> None:
        async with trial(memory=False, limits=SMALL) as t:
            await t.survive(Play([endless], "silence"))
            await t.survive(Play([empty]))

    run(main)


def test_a_plan_notice_ends_the_streams_of_its_channel_alone() -> None:
    """However often it comes; it can be subscribed to again."""
    name = "futures_trades@Binance_BTCUSDT@0"
    notices = [
        f"{name} need upgrade plan",
        f'{{"msg":"{name} NEEDS  UPGRADE PLAN"}}',
        "futures_trades need upgrade plan",
    ]

    async def main() -> None:
        async with trial(memory=False) as t:
            for notice in notices:
                ended: list[Exception] = []
                well = t.server.well
                t.feed.futures_trades("Binance", "BTCUSDT", min_volume=0).subscribe(on_error=ended.append)
                await t.server.wait_well(well + 1)
                await t.survive(Play([text(notice, NOTICE)] * 100))
                assert [type(error) for error in ended] == [cgrx.PlanError], notice

    run(main)


@pytest.mark.parametrize("kind", KINDS)
def test_these_bytes_are_what_they_say(kind: str) -> None:
    """Another library reads the same messages out of them, but for texts that are no UTF-8: those it refuses."""
    part = KINDS[kind]
    if kind != "not UTF-8":
        other = Connection(ConnectionType.CLIENT)
        other.receive_data(part.data)
        pieces = [event for event in other.events() if isinstance(event, TextMessage | BytesMessage)]
        assert sum(piece.message_finished for piece in pieces) == part.account.messages
        sizes = [len(piece.data.encode() if isinstance(piece, TextMessage) else piece.data) for piece in pieces]
        assert sum(sizes) == part.account.received_bytes
