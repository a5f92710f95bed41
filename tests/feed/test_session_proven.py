"""Frames of channels that are proven to work go a short way, which gives what the general one gives."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reactivex.abc import DisposableBase
from trio.testing import wait_all_tasks_blocked

from cgrx._feed import session
from cgrx._feed.session import Session
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders
from cgrx._wire.codec import encode_frame
from tests.feed.feeding import Record
from tests.feed.sessions import bench, frame
from tests.simulator.simulating import trade
from tests.support import run_mock

CHANNELS: tuple[Channel, ...] = (
    LiquidationOrders(),
    FuturesTrades("Binance", "BTCUSDT", 0),
    FuturesTrades("BINANCE", "BTCUSDT", 0),  # means the same, and is another one
)
GOOD, BAD = frame(1), frame(2).replace(b'"side":', b'"edis":')
OTHERWISE = encode_frame("futures_trades@BINANCE_BTCUSDT@0", [trade(4)])
PAYLOADS = (
    GOOD,
    BAD,
    frame(),
    frame(3).replace(b"liquidationOrders", b"liquidation_orders"),
    OTHERWISE,
    *(OTHERWISE.replace(b"BINANCE", name) for name in (b"Binance", b"binance", b"OKX")),
    b"pong",
    b"liquidationOrders need upgrade plan",
)
STEPS = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(CHANNELS)),
    st.tuples(st.just("leave"), st.integers(0, 3)),
    st.tuples(st.just("say"), st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=4)),
    st.tuples(st.just("say"), st.lists(st.sampled_from(PAYLOADS), min_size=1, max_size=4)),
    st.tuples(st.just("complete"), st.none()),
)


def forget(*_: object) -> None:
    """In place of what leads to the short way."""


def seen_of(steps: list[tuple[str, Any]]) -> object:
    """All that the observers got, and all that was counted and reported."""
    seen: list[object] = []

    async def main() -> None:
        async with bench() as b:
            records = [b.join(channel) for channel in CHANNELS[:2]]
            subscriptions: list[DisposableBase] = []
            for kind, what in steps:
                match kind:
                    case "join":
                        records.append(Record())
                        subscriptions.append(b.hub.subscribe(what, records[-1]))
                    case "leave":
                        for subscription in subscriptions[what : what + 1]:
                            subscription.dispose()
                    case "say":
                        b.transport.push(*what)
                    case _:
                        b.hub.complete()
                await wait_all_tasks_blocked()
            seen.extend([[(each.signals, str(each.end)) for each in records], b.tally, b.statuses, b.hub.last_event])

    run_mock(main)
    return seen


@given(st.lists(STEPS, max_size=12))
@example([("say", [OTHERWISE]), ("say", [OTHERWISE]), ("join", CHANNELS[2]), ("say", [OTHERWISE])])
@example([("say", [GOOD]), ("say", [GOOD, BAD])])
@example([("say", [GOOD]), ("complete", None), ("say", [GOOD])])
def test_the_short_way_gives_what_the_general_one_gives(steps: list[tuple[str, Any]]) -> None:
    short = seen_of(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_remember", forget)
        assert seen_of(steps) == short


def test_the_names_that_a_server_makes_up_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a spelling of a channel that is desired."""
    monkeypatch.setattr(session, "_REMEMBERED", 3)

    async def main() -> None:
        async with bench() as b:
            seen = b.join(FuturesTrades("Binance", "BTCUSDT", 0))
            await wait_all_tasks_blocked()
            names = [f"futures_trades@Binance_BTCUSDT@0.{'0' * zeros}" for zeros in range(10)]
            b.transport.push(*(encode_frame(name, [trade(1)]) for name in names))
            await wait_all_tasks_blocked()
            assert len(seen.events) == 10
            assert len(b.session._proven_lines) <= 3

    run_mock(main)
