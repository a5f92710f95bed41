"""Groups of channels: the same partition in every process, and each group in exactly one share."""

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx import FuturesTrades, LiquidationOrders
from cgrx._shards.groups import GroupBy, Share, group_of, partition_of


@pytest.mark.parametrize(
    ("exchange", "symbol", "by", "group"),
    [
        ("Binance", "BTCUSDT", "channel", "futures_trades@Binance_BTCUSDT@10000"),
        ("Binance", "BTCUSDT", "base_asset", "BTC"),
        ("OKX", "BTC-USDT-SWAP", "base_asset", "BTC"),
        ("Binance", "1000PEPEUSDT", "base_asset", "PEPE"),
    ],
)
def test_the_group_of_a_channel(exchange: str, symbol: str, by: GroupBy, group: str) -> None:
    assert group_of(FuturesTrades(exchange, symbol, 10_000), by) == group
    assert group_of(LiquidationOrders(), by) == "liquidationOrders"


def test_groups_that_cannot_be_told() -> None:
    with pytest.raises(ValueError, match=r"channel 'futures_trades@OKX_\?\?@1': cannot read the symbol"):
        group_of(FuturesTrades("OKX", "??", 1), "base_asset")
    with pytest.raises(ValueError, match="partition_by='asset' is neither"):
        group_of(LiquidationOrders(), "asset")  # type: ignore[arg-type]  # as from a configuration


@given(st.sets(st.text(st.characters(codec="utf-8"), max_size=20), max_size=200), st.integers(1, 40))
def test_shares_are_complete_and_disjoint(groups: set[str], of: int) -> None:
    shares = [{group for group in groups if Share.parse(f"{number}/{of}").has(group)} for number in range(1, of + 1)]
    assert set().union(*shares) == groups
    assert sum(map(len, shares)) == len(groups)


def test_shares_and_partitions_are_even_and_independent() -> None:
    """Each publisher writes to every partition."""
    groups = [f"futures_trades@Binance_{number}USDT@1000" for number in range(2_000)]
    cells = Counter(
        (number, partition_of(group, 8)) for number in range(1, 9) for group in groups if Share(number, 8).has(group)
    )
    assert len(cells) == 64
    assert max(cells.values()) < 60


def test_another_process_finds_the_same() -> None:
    code = (
        "from cgrx._shards.groups import Share, partition_of\n"
        "print([partition_of(g, 256) for g in ('a', 'BTC')], [Share(3, 8).has(str(n)) for n in range(9)])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=20).stdout
    assert (
        said.strip() == f"{[partition_of(g, 256) for g in ('a', 'BTC')]} {[Share(3, 8).has(str(n)) for n in range(9)]}"
    )


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "3/8/1", "-1/8", "a/b", "3/0", " 3/8", "٣/٨"])
def test_a_share_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"shard=.* cannot be read: give its number and how many there are"):
        Share.parse(text)
