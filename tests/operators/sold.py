"""A row for the tests of stages that take rows."""

from typing import Any

from cgrx import Trade
from cgrx import operators as ops
from cgrx.operators import agg


def take_one(n: int, _: Trade) -> int:
    return n + 1


class Sold(ops.Row):
    """A row with a key, a number that may be None, and one of the user's own."""

    exchange: str
    usd = agg.volume()
    mean = agg.mean()
    ratio = agg.custom(int, take_one, max, float)

    @property
    def thousands(self) -> float:
        return self.usd / 1000


def row(usd: float, minute: int = 0, exchange: str = "Binance", **more: Any) -> Sold:
    start_ms = minute * 60_000
    values = {"mean": 1.0, "ratio": 1.0} | more
    return Sold(start_ms=start_ms, end_ms=start_ms + 60_000, exchange=exchange, usd=usd, **values)
