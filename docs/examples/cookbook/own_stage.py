"""A stage of one's own, pure and with a state: the trades that set a new high, over a restart too.

On the real feed: `cgrx.connect()` in place of `cgrx.replay(...)`, and a folder of your own for the state.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import trio

import cgrx
from cgrx import operators as ops
from cgrx.testing import trade


@attrs.frozen
class High:
    """A trade above all that were seen before."""

    trade: cgrx.Trade
    complete: bool
    """False where a higher one may have been missed before."""


class Following(ops.Running[cgrx.Trade, High]):
    """The state of one subscription: its attributes, which are put away as they are."""

    def __init__(self) -> None:
        self.highs: dict[str, float] = {}
        self.complete = True

    def on_batch(self, batch: cgrx.Batch[cgrx.Trade]) -> Iterator[High]:
        """The results of a batch of events."""
        for each in batch.events:
            if each.price > self.highs.get(each.symbol, 0.0):
                self.highs[each.symbol] = each.price
                yield High(each, self.complete)

    def on_mark(self, mark: cgrx.Mark) -> Iterator[High]:
        """No result; the mark itself goes on to the next stage."""
        if isinstance(mark, cgrx.Gap | cgrx.Dropped) and self.highs:
            self.complete = False
        return iter(())


@attrs.frozen
class NewHighs(ops.Stage[cgrx.Trade, High]):
    """The value that a pipe takes: it says what to do, and starts the form that does it."""

    def start(self) -> Following:
        """A fresh state for one subscription."""
        return Following()


def highs(feed: cgrx.Feed) -> cgrx.EventStream[High]:
    return feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(NewHighs())


async def main(folder: Path, part: str, prices: Sequence[float]) -> None:
    print(part)
    async with (
        cgrx.replay(recorded(folder / part, prices)) as feed,
        cgrx.stream(cgrx.resume(folder / "state", highs, feed)) as found,
    ):
        async for high in found:
            print(f"  {high.trade.price:,.0f}{'' if high.complete else ', if none was missed'}")


def recorded(folder: Path, prices: Sequence[float]) -> Path:
    """Trades one second apart, the afternoon an hour behind the morning."""
    first = 0 if folder.name == "morning" else 3_600
    trades = [trade(price=price, time=first + n) for n, price in enumerate(prices)]
    file = folder.with_suffix(".jsonl")
    file.write_text("\n".join(json.dumps(each.asdict()) for each in trades))
    cgrx.import_jsonl(file, folder, events="trades", gapless=True)
    return folder


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        trio.run(main, Path(temporary), "morning", [60_000, 60_200, 60_100, 60_300])
        trio.run(main, Path(temporary), "afternoon", [60_100, 60_250, 60_400])
