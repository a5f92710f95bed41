"""A filter's condition, which engines that read columns take, says what the filter does."""

from itertools import product
from typing import Any

import pytest

from cgrx import operators as ops
from cgrx._model.events import Trade, TradeSide
from cgrx._streams.conditions import Condition, Conditional
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


TRADES = [
    Trade(*values, 0)
    for values in product(
        ["BTC", "ETH", "eth"],
        ["Binance", "Gate", "Gate.io", "bybit"],
        ["BTCUSDT", "btcusdt", "straße", "ETHUSDT"],
        TradeSide,
        [1.0],
        [1.0, 2.9, 3.0, 3.1],
    )
]


@pytest.mark.parametrize("stage", FILTERS, ids=repr)
def test_a_condition_accepts_what_its_filter_keeps(stage: Any) -> None:
    assert isinstance(stage, Conditional)
    condition = stage.condition
    kept = play(stage, [batch(*TRADES)])
    accepted = [event for event in TRADES if condition.accepts(getattr(event, condition.field))]
    assert kept == accepted
    assert 0 < len(accepted) < len(TRADES)


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


def test_a_side_may_be_its_number() -> None:
    """As in an event that was made without the enumeration."""
    number: Any = 2
    assert play(ops.side("buy"), [batch(Trade("BTC", "OKX", "X", number, 1.0, 1.0, 0))])
    assert not play(ops.side("sell"), [batch(Trade("BTC", "OKX", "X", number, 1.0, 1.0, 0))])
