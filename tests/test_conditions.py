"""A filter's condition, which engines that read columns take, says what the filter does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx import operators as ops
from cgrx._events import Trade, TradeSide
from cgrx.operators._conditions import Condition, Conditional
from cgrx.testing import batch, play

FILTERS: tuple[Any, ...] = (
    ops.side("buy"),
    ops.side("sell"),
    ops.min_volume(3),
    ops.max_volume(3),
    ops.exchange("gate.io", "BINANCE"),
    ops.symbol("btcusdt", "STRASSE"),
    ops.base_asset("eth"),
)


trades = st.builds(
    Trade,
    st.sampled_from(["BTC", "ETH", "eth"]),
    st.sampled_from(["Binance", "Gate", "Gate.io", "bybit"]),
    st.sampled_from(["BTCUSDT", "btcusdt", "straße", "ETHUSDT"]),
    st.sampled_from(TradeSide),
    st.just(1.0),
    st.sampled_from([1.0, 2.9, 3.0, 3.1]),
    st.just(0),
)


@pytest.mark.parametrize("stage", FILTERS, ids=repr)
@given(event=trades)
@settings(max_examples=20)
def test_a_condition_accepts_what_its_filter_keeps(stage: Any, event: Trade) -> None:
    assert isinstance(stage, Conditional)
    condition = stage.condition
    kept = play(stage, [batch(event)])
    assert condition.accepts(getattr(event, condition.field)) == bool(kept)


def test_conditions_are_plain_data() -> None:
    assert [stage.condition for stage in FILTERS] == [
        Condition("side", "==", 2),
        Condition("side", "==", 1),
        Condition("volume_usd", ">=", 3),
        Condition("volume_usd", "<=", 3),
        Condition("exchange", "in", ("binance", "gate")),
        Condition("symbol", "in", ("btcusdt", "strasse")),
        Condition("base_asset", "in", ("eth",)),
    ]
