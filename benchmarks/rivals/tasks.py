"""What the rivals of `pipelines` are asked to do, on which trades, and the plain form in which their results compare.

When a window closes depends on the library: by the watermark of all keys, by that of its own key, or at the end. To
make results comparable, every key gets one more trade ten minutes after the last. It closes all windows in every
library, and rows that end near it are left out of the comparison.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import msgspec

from benchmarks._harness.data import EXCHANGES, MARKETS, START_MS, generated_trades, has_recordings, recorded_trades
from benchmarks._harness.scenario import AbsentError
from cgrx._model.events import Trade, TradeSide

Kind: TypeAlias = Literal["filters", "bars", "days", "hours", "sliding", "sessions", "merge", "join", "fan-out"]

MIN_VOLUME = 1000.0
"""Dollars."""
LATENESS_MS = 2000
BAR_MS = 1000
SLIDING_MS, EVERY_MS = 60_000, 1000
DAYS = 100
"""Over how many days the trades of "days" are spread."""
GAP_MS = 250
"""Silence that ends a session."""
MAX_AGE_MS = 5000
"""What is older is not joined."""
CLOSING_MS = 600_000

Answer: TypeAlias = tuple[Callable[[], Any], Callable[[Any], list[Any]]]
"""The function that is timed, and one that makes plain results of its return value."""
Key: TypeAlias = tuple[str, str]


@attrs.frozen
class Task:
    """One thing to do."""

    kind: Kind
    count: int
    """Trades."""
    batch: int = 100
    """Trades in a batch, for those who take batches."""
    subscribers: int = 1
    recorded: bool = False

    def trades(self) -> list[Trade]:
        """In order of arrival, the closing ones last."""
        if self.recorded and not has_recordings():
            raise AbsentError("the recordings are not beside this repository, in ../shared/data")
        trades = list(recorded_trades()[: self.count]) if self.recorded else generated_trades(self.count)
        if self.kind in ("filters", "fan-out"):
            return trades
        if self.kind == "days":
            first_ms = trades[0].time_ms
            slower = DAYS * 86_400_000 // (trades[-1].time_ms - first_ms)
            trades = [
                msgspec.structs.replace(trade, time_ms=first_ms + (trade.time_ms - first_ms) * slower)
                for trade in trades
            ]
        last_ms = max(trade.time_ms for trade in trades)
        keys = sorted({(trade.base_asset, trade.exchange, trade.symbol) for trade in trades})
        return trades + [Trade(*key, TradeSide.BUY, 1.0, 1.0, last_ms + CLOSING_MS) for key in keys]

    def arrivals(self) -> list[tuple[int, list[Trade]]]:
        """For the merge and the join: which of five exchanges, and the batch that arrives from it.

        Times are a few milliseconds apart, all different, and in order within an exchange. Each exchange is later than
        the one before it, so that the arrivals are not in order.
        """
        chance = random.Random(11)
        time_ms = START_MS
        pending: list[list[Trade]] = [[] for _ in EXCHANGES]
        batches: list[tuple[int, int, list[Trade]]] = []
        for _ in range(self.count):
            time_ms += 1 + int(chance.expovariate(1))
            source = chance.randrange(len(EXCHANGES))
            asset, symbol = chance.choice(MARKETS)
            side = TradeSide(chance.choice((1, 2)))
            trade = Trade(asset, EXCHANGES[source], symbol, side, 100.0, round(chance.uniform(1, 1e4), 2), time_ms)
            pending[source].append(trade)
            if len(pending[source]) == self.batch:
                batches.append((time_ms + 20 * source, source, pending[source]))
                pending[source] = []
        batches += [(time_ms + 1000, source, trades) for source, trades in enumerate(pending) if trades]
        return [(source, trades) for _, source, trades in sorted(batches, key=lambda each: each[:2])]


def plain_events(events: Iterable[Trade]) -> list[Any]:
    """Events as tuples."""
    return [msgspec.structs.astuple(event) for event in events]


def plain_pairs(pairs: Iterable[tuple[Trade, Trade | None]]) -> list[Any]:
    """Trades, and what they were joined with, as tuples."""
    as_tuple = msgspec.structs.astuple
    return [(as_tuple(trade), None if latest is None else as_tuple(latest)) for trade, latest in pairs]


def plain_rows(rows: Iterable[Sequence[Any]], trades: Sequence[Trade]) -> list[Any]:
    """The rows to compare, sorted by end, start and key, because libraries emit them in different orders."""
    until_ms = trades[-1].time_ms - CLOSING_MS // 2
    return sorted((tuple(row) for row in rows if row[1] <= until_ms), key=lambda row: (row[1], row[0], row[2], row[3]))


def plain(results: list[Any]) -> list[Any]:
    """Results that are plain already."""
    return results


def bought(trade: Trade) -> bool:
    """The first filter, for libraries that take a function."""
    return trade.side == TradeSide.BUY


def large(trade: Trade) -> bool:
    """The second filter."""
    return trade.volume_usd >= MIN_VOLUME


def cannot(why: str) -> Callable[[Task], Answer]:
    """The answer of a library that has no way to do a task: it is absent, for this reason."""

    def answer(_: Task) -> Answer:
        raise AbsentError(why)

    return answer
