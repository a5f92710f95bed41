"""Fusion changes nothing: a chain of stages gives what the same chain gives with a foreign operator in each joint."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable
from reactivex import operators as rx_ops

from cgrx import operators as ops
from cgrx.operators import Stage
from cgrx.testing import batch, liquidation, play_timeline, trade
from tests.streams.streaming import notes_of

events = st.builds(
    liquidation,
    st.sampled_from(["long", "short"]),
    st.sampled_from([1.0, 5.0, 10.0]),
    exchange=st.sampled_from(["Binance", "OKX"]),
) | st.builds(trade, st.sampled_from(["buy", "sell"]), st.sampled_from([1.0, 10.0]))


def dearer(event: Any) -> Any:
    """A function that fails on some events."""
    return liquidation("short", 10.0 / (event.volume_usd - 5.0), exchange="OKX")


def first_letter(event: Any) -> bool:
    return {"B": True, "O": False}[event.exchange[0]]


stages: st.SearchStrategy[Stage[Any, Any]] = st.sampled_from(
    [
        ops.side("long"),
        ops.side("short"),
        ops.min_volume(5),
        ops.max_volume(5),
        ops.exchange("okx"),
        ops.symbol("BTCUSDT"),
        ops.base_asset("ETH", "BTC"),
        ops.where(first_letter),
        ops.map(dearer),
    ]
)


def split(items: list[Any], sizes: list[int]) -> list[Any]:
    """The items in batches of these sizes, the rest in one."""
    batches: list[Any] = []
    for size in sizes:
        batches.append(batch(*items[:size], channel=None))
        items = items[size:]
    return [*batches, batch(*items, channel=None)]


@given(st.lists(stages, min_size=1, max_size=5), st.lists(events, max_size=12), st.lists(st.integers(0, 4), max_size=4))
def test_fused_or_not_the_results_are_the_same(
    chain: list[Stage[Any, Any]], items: list[Any], sizes: list[int]
) -> None:
    """Also the error, its note, and what comes before it; however the events are batched."""

    def fused(source: Observable[Any]) -> Observable[Any]:
        for stage in chain:
            source = stage(source)
        return source

    def apart(source: Observable[Any]) -> Observable[Any]:
        for stage in chain:
            source = stage(source).pipe(rx_ops.map(lambda event: event))
        return source

    signals = split(items, sizes)
    one, other = play_timeline(fused, signals), play_timeline(apart, signals)
    assert one.results == other.results
    assert type(one.error) is type(other.error)
    if one.error is not None and other.error is not None:
        assert str(one.error) == str(other.error)
        assert notes_of(one.error) == notes_of(other.error)
    assert one.completed == other.completed
