"""How fast is a replay through filters and bars, against reading the same events from JSON Lines with orjson?

    python -m benchmarks.replay [--quick] [--rounds 7] [--json FILE]

The pipeline is `side("buy")`, `min_volume(...)`, `tumbling("1s", Bar, by=("exchange", "symbol"))`, one for each of the
instruments, and the file `../shared/data/futures_trades.jsonl.gz` (generated trades where it is absent), unpacked. All
give the same rows before anything is measured; then they take turns, processor time counts, and of the rounds the
median. Opening files and starting trio is part of it. The rivals:

- replay: `cgrx.replay` of the recording that `cgrx.import_jsonl` made of the file; filters are pushed down to it.
- replay, all: the same with the filters behind a `where` that keeps everything, so that every event is made.
- lines: each line through `orjson.loads`, made a `Trade`, and pushed into the pipeline as a batch of one.
- batches: the same, pushed in the batches that the recording has: trades of an instrument received in one millisecond.

What is not the file's part of the work is measured too: "pipeline" pushes batches of what the filters keep, held in
memory, into the same stages. No replay can be faster than that.
"""

import argparse
import gc
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import msgspec
import orjson
import trio

import cgrx
from benchmarks.pipelines import FILE, Collector, Source, generate
from cgrx import Batch, Channel, FuturesTrades, Trade, TradeSide
from cgrx import operators as ops
from cgrx._streams import Stage

MIN_VOLUMES = (1_000.0, 10_000.0, 100_000.0)
"""Least volumes, US dollars. The examples of the API subscribe with 10,000."""


def stages(min_volume: float) -> Stage[Any, Any]:
    """The pipeline."""
    return ops.pipeline(
        ops.side("buy"), ops.min_volume(min_volume), ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))
    )


def unpack(path: Path, count: int | None) -> str:
    """Write the trades as lines; where they are from."""
    if FILE.is_file():
        with gzip.open(FILE, "rb") as packed:
            lines = packed.read().splitlines(keepends=True)[:count]
        path.write_bytes(b"".join(lines))
        return FILE.name
    trades = generate(count or 40_000)
    path.write_bytes(b"".join(msgspec.json.encode(trade) + b"\n" for trade in trades))
    return "generated"


class Pipelines:
    """The pipeline of each instrument, fed by hand."""

    def __init__(self, pipeline: Stage[Any, Any]) -> None:
        self._pipeline = pipeline
        self._sources: dict[Channel, Source] = {}
        self._collectors: dict[Channel, Collector] = {}

    def push(self, batch: Batch[Trade]) -> None:
        """To the pipeline of the batch's channel."""
        channel = batch.channel
        assert channel is not None
        source = self._sources.get(channel)
        if source is None:
            source, collector = self._sources[channel], self._collectors[channel] = Source(), Collector()
            source.stream.through(self._pipeline).subscribe_signals(collector)
        assert source.observer is not None
        source.observer.on_signal(batch)

    def finish(self) -> dict[str, list[Any]]:
        """The rows of each channel."""
        for source in self._sources.values():
            assert source.observer is not None
            source.observer.on_completed()
        return {channel.name: collector.results for channel, collector in self._collectors.items()}


def read_lines(path: Path) -> Iterator[tuple[Trade, int]]:
    """Each trade, and when it was received; as the import has it where the file does not say that."""
    received_ms = 0
    with path.open("rb") as lines:
        for line in lines:
            raw = orjson.loads(line)
            trade = Trade(
                raw["baseAsset"],
                raw["exName"],
                raw["symbol"],
                TradeSide(raw["side"]),
                raw["price"],
                raw["volUsd"],
                raw["time"],
            )
            received_ms = max(received_ms, int(raw.get("recv") or raw["time"]))
            yield trade, received_ms


def by_lines(path: Path, pipeline: Stage[Any, Any]) -> dict[str, list[Any]]:
    """One event, one batch."""
    pipelines = Pipelines(pipeline)
    channels: dict[tuple[str, str], Channel] = {}
    for trade, received_ms in read_lines(path):
        pipelines.push(Batch(_channel(channels, trade), received_ms, (trade,)))
    return pipelines.finish()


def by_batches(path: Path, pipeline: Stage[Any, Any]) -> dict[str, list[Any]]:
    """In the batches of the recording."""
    pipelines = Pipelines(pipeline)
    channels: dict[tuple[str, str], Channel] = {}
    held: list[Trade] = []
    of: tuple[Channel, int] | None = None
    for trade, received_ms in read_lines(path):
        key = (_channel(channels, trade), received_ms)
        if of is not None and key != of:
            pipelines.push(Batch(*of, tuple(held)))
            held = []
        of = key
        held.append(trade)
    assert of is not None
    pipelines.push(Batch(*of, tuple(held)))
    return pipelines.finish()


def _channel(channels: dict[tuple[str, str], Channel], trade: Trade) -> Channel:
    instrument = (trade.exchange, trade.symbol)
    channel = channels.get(instrument)
    if channel is None:
        channel = channels[instrument] = FuturesTrades(*instrument, 0)
    return channel


def by_replay(folder: Path, pipeline: Stage[Any, Any]) -> dict[str, list[Any]]:
    """From the recording."""

    async def main() -> dict[str, list[Any]]:
        collectors: dict[str, Collector] = {}
        async with cgrx.replay(folder) as feed:
            for channel in feed.channels:
                assert isinstance(channel, FuturesTrades)
                collector = collectors[channel.name] = Collector()
                stream = feed.futures_trades(channel.exchange, channel.symbol, min_volume=channel.min_volume)
                stream.through(pipeline).subscribe_signals(collector)
            await feed.run()
        return {name: collector.results for name, collector in collectors.items()}

    return trio.run(main)


def kept(path: Path, min_volume: float) -> list[Batch[Trade]]:
    """What the filters keep, in the batches of the recording."""
    found: dict[tuple[Channel, int], list[Trade]] = {}
    channels: dict[tuple[str, str], Channel] = {}
    for trade, received_ms in read_lines(path):
        if trade.side is TradeSide.BUY and trade.volume_usd >= min_volume:
            found.setdefault((_channel(channels, trade), received_ms), []).append(trade)
    return [Batch(channel, received_ms, tuple(trades)) for (channel, received_ms), trades in found.items()]


def by_memory(batches: list[Batch[Trade]], pipeline: Stage[Any, Any]) -> dict[str, list[Any]]:
    """The stages alone."""
    pipelines = Pipelines(pipeline)
    for batch in batches:
        pipelines.push(batch)
    return pipelines.finish()


@attrs.frozen
class Case:
    """The figures of a case: median milliseconds of each rival, and ratios, the medians of the rounds' own."""

    min_volume: float
    kept: int
    ms: dict[str, float]
    times_lines: float
    """How many times as fast as the lines one by one the replay is."""
    times_batches: float
    """Likewise as the same batches."""
    times_all: float
    """Likewise as the replay that makes every event."""

    def __str__(self) -> str:
        figures = "".join(f"{value:10.1f}" for value in self.ms.values())
        return (
            f"{self.min_volume:>10,.0f}{self.kept:8,}{figures}"
            f"{self.times_lines:9.1f}x{self.times_batches:9.1f}x{self.times_all:9.1f}x"
        )


def measure(path: Path, folder: Path, min_volume: float, rounds: int) -> Case:
    """All rivals in turn."""
    pipeline = stages(min_volume)
    opaque = ops.pipeline(ops.where(_everything), pipeline)
    batches = kept(path, min_volume)
    rivals: dict[str, Callable[[], dict[str, list[Any]]]] = {
        "replay": partial(by_replay, folder, pipeline),
        "all": partial(by_replay, folder, opaque),
        "lines": partial(by_lines, path, pipeline),
        "batches": partial(by_batches, path, pipeline),
        "pipeline": partial(by_memory, batches, pipeline),
    }
    results = {name: {of: rows for of, rows in rival().items() if rows} for name, rival in rivals.items()}
    for name, result in results.items():
        assert result == results["lines"], f"{name} gives other rows"
    spent: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, rival in rivals.items():
            gc.collect()
            started = time.process_time()
            rival()
            spent[name].append(time.process_time() - started)

    def times(other: str) -> float:
        return statistics.median(a / b for a, b in zip(spent[other], spent["replay"], strict=True))

    return Case(
        min_volume,
        sum(len(batch.events) for batch in batches),
        {name: statistics.median(each) * 1e3 for name, each in spent.items()},
        times_lines=times("lines"),
        times_batches=times("batches"),
        times_all=times("all"),
    )


def _everything(_: Trade) -> bool:
    return True


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description="a replay against reading JSON Lines with orjson")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds: it runs, the figures are rough")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()

    rounds = 2 if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as temporary:
        path, folder = Path(temporary) / "trades.jsonl", Path(temporary) / "recording"
        origin = unpack(path, 5000 if options.quick else None)
        imported = cgrx.import_jsonl(path, folder, events="trades", received="recv")
        assert not imported.rejected
        print(f"{imported.events:,} trades ({origin}); milliseconds in all; medians of {rounds} rounds")
        heads = ("replay", "all", "lines", "batches", "pipeline")
        names = "".join(f"{head:>10}" for head in heads)
        print(f"{'least USD':>10}{'kept':>8}{names}{'x lines':>10}{'x batches':>10}{'x all':>10}")
        found: list[Case] = []
        for min_volume in MIN_VOLUMES[1:2] if options.quick else MIN_VOLUMES:
            found.append(measure(path, folder, min_volume, rounds))
            print(found[-1], flush=True)
    if options.json is not None:
        figures = [attrs.asdict(case) for case in found]
        options.json.write_text(
            json.dumps({"events": imported.events, "origin": origin, "cases": figures}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
