"""The names of the desired channels, while channels come and go."""

from hypothesis import example, given
from hypothesis import strategies as st

from cgrx._feed.names import Names
from cgrx._model.channels import Channel, FuturesTrades, LiquidationOrders

CHANNELS: tuple[Channel, ...] = (
    LiquidationOrders(),
    FuturesTrades("Binance", "BTCUSDT", 0),
    FuturesTrades("binance", "btcusdt", 0),  # means the same
    FuturesTrades("Binance", "BTCUSDT", 10_000),
    FuturesTrades("OKX", "BTC-USDT-SWAP", 0),
)
ASKED = (
    "liquidationOrders",
    "liquidation_orders",
    "futures_trades@Binance_BTCUSDT@0",
    "futures_trades@BINANCE_BTCUSDT@0.0",
    "futures_trades@Binance_BTCUSDT@1e4",
    "futures_trades@okx_btc-usdt-swap@0",
    "futures_trades",
    "futures_trades@Binance_BTCUSDT",
    "nothing",
)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(CHANNELS)), max_size=20), st.booleans())
@example([(True, CHANNELS[1]), (True, CHANNELS[2]), (False, CHANNELS[1])], True)
def test_after_channels_came_and_went_it_knows_what_a_new_one_knows(
    steps: list[tuple[bool, Channel]], ask: bool
) -> None:
    """Also where it has been asked in between."""
    names, desired = Names(()), dict[Channel, None]()
    for comes, channel in steps:
        if comes and channel not in desired:
            desired[channel] = None
            names.add(channel)
        elif not comes:
            desired.pop(channel, None)
            names.discard(channel)
        fresh = Names(desired)
        for name in ASKED if ask else ():
            assert names.find(name) == fresh.find(name)
    fresh = Names(desired)
    for name in ASKED:
        assert names.find(name) == fresh.find(name)
        assert list(names.in_plan_notice(name)) == list(fresh.in_plan_notice(name))
