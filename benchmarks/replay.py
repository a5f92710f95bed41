"""How fast is a replay through filters and bars, against reading the same events from JSON Lines with orjson?

The pipeline is `side("buy")`, `min_volume(...)`, `tumbling("1s", Bar, by=("exchange", "symbol"))`, one for each of four
instruments. The others read a file of JSON Lines, and the replay reads what `cgrx.import_jsonl` made of that file. It
applies the filters while it reads, so rejected events are never made; with "filters out of sight" the filters stand
behind a `where` that keeps everything, so every event is made. The others make a `Trade` of what `orjson.loads` gives
for each line, and push it into the pipeline as a batch of one, or in the batches that the recording has: trades of an
instrument received in one millisecond.

The limit pushes batches of the events that pass the filters, held in memory: no replay can be faster. The figure is
processor time per event of the file; opening files and starting trio are included.
"""

import gzip
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import msgspec
import trio

import cgrx
from benchmarks._harness import files
from benchmarks._harness.data import RECORDINGS, generated_trades, has_recordings, origin
from benchmarks._harness.scenario import Case, Contest, Results, Rival, Role, Scenario, Timed
from benchmarks.rivals.by_cgrx import BY, Collector, Source
from cgrx import Batch, Channel, FuturesTrades, Trade, TradeSide
from cgrx import operators as ops
from cgrx._streams.stream import Stage

Rows: TypeAlias = dict[str, list[Any]]
"""Of each channel."""


@attrs.frozen
class Query:
    """What is asked of how many trades."""

    events: int
    min_volume: float
    """US dollars. The examples of the API subscribe with 10,000."""

    def stages(self) -> Stage[Any, Any]:
        """The pipeline of an instrument."""
        return ops.pipeline(ops.side("buy"), ops.min_volume(self.min_volume), ops.tumbling("1s", ops.Bar, by=BY))

    def keeps(self, trade: Trade) -> bool:
        """Whether it passes the filters."""
        return trade.side is TradeSide.BUY and trade.volume_usd >= self.min_volume


def _write_lines(path: Path, count: int) -> None:
    if has_recordings():
        with gzip.open(RECORDINGS / "futures_trades.jsonl.gz", "rb") as packed:
            lines = packed.read().splitlines(keepends=True)[:count]
        path.write_bytes(b"".join(lines))
    else:
        path.write_bytes(msgspec.json.Encoder().encode_lines(generated_trades(count)))


def _import(lines: Path, to: Path) -> None:
    imported = cgrx.import_jsonl(lines, to, events="trades", received="recv")
    assert not imported.rejected


def _lines(query: Query, folder: Path) -> Path:
    return files.made(folder / f"{query.events}.jsonl", lambda path: _write_lines(path, query.events))


def _recording(query: Query, folder: Path) -> Path:
    lines = _lines(query, folder)
    return files.made(folder / f"{query.events}", lambda to: _import(lines, to))


class Pipelines:
    """The pipeline of each instrument, fed by hand."""

    def __init__(self, stages: Stage[Any, Any]) -> None:
        self._stages = stages
        self._sources: dict[Channel, Source] = {}
        self._collectors: dict[Channel, Collector] = {}

    def push(self, batch: Batch[Trade]) -> None:
        """To the pipeline of the batch's channel."""
        channel = batch.channel
        assert channel is not None
        source = self._sources.get(channel)
        if source is None:
            source, collector = self._sources[channel], self._collectors[channel] = Source(), Collector()
            source.stream.through(self._stages).subscribe_signals(collector)
        source.pushed.on_signal(batch)

    def finish(self) -> Rows:
        """The rows of each channel."""
        for source in self._sources.values():
            source.pushed.on_completed()
        return {channel.name: collector.results for channel, collector in self._collectors.items()}


def read(path: Path) -> Iterator[tuple[Channel, int, Trade]]:
    """Each trade, where it belongs and when it was received; as the import has it where the file does not say that."""
    import orjson

    loads, received_ms = orjson.loads, 0
    channels: dict[tuple[str, str], Channel] = {}
    with path.open("rb") as lines:
        for line in lines:
            raw = loads(line)
            trade = Trade(
                raw["baseAsset"],
                raw["exName"],
                raw["symbol"],
                TradeSide(raw["side"]),
                raw["price"],
                raw["volUsd"],
                raw["time"],
            )
            instrument = (trade.exchange, trade.symbol)
            channel = channels.get(instrument)
            if channel is None:
                channel = channels[instrument] = FuturesTrades(*instrument, 0)
            received_ms = max(received_ms, int(raw.get("recv") or raw["time"]))
            yield channel, received_ms, trade


def by_lines(path: Path, stages: Stage[Any, Any]) -> Rows:
    """One event, one batch."""
    pipelines = Pipelines(stages)
    for channel, received_ms, trade in read(path):
        pipelines.push(Batch(channel, received_ms, (trade,)))
    return pipelines.finish()


def batches(path: Path, keeps: Callable[[Trade], bool] | None = None) -> Iterator[Batch[Trade]]:
    """In the batches of the recording, all events or those that are kept."""
    held: list[Trade] = []
    of: tuple[Channel, int] | None = None
    for channel, received_ms, trade in read(path):
        if of != (channel, received_ms):
            if of is not None and held:
                yield Batch(*of, tuple(held))
            of, held = (channel, received_ms), []
        if keeps is None or keeps(trade):
            held.append(trade)
    if of is not None and held:
        yield Batch(*of, tuple(held))


def by_batches(found: Callable[[], Iterator[Batch[Trade]]], stages: Stage[Any, Any]) -> Rows:
    """Batch by batch."""
    pipelines = Pipelines(stages)
    for batch in found():
        pipelines.push(batch)
    return pipelines.finish()


def by_replay(folder: Path, stages: Stage[Any, Any]) -> Rows:
    """From the recording."""

    async def main() -> Rows:
        collectors: dict[str, Collector] = {}
        async with cgrx.replay(folder) as feed:
            for channel in feed.channels:
                assert isinstance(channel, FuturesTrades)
                collector = collectors[channel.name] = Collector()
                stream = feed.futures_trades(channel.exchange, channel.symbol, min_volume=channel.min_volume)
                stream.through(stages).subscribe_signals(collector)
            await feed.run()
        return {name: collector.results for name, collector in collectors.items()}

    return trio.run(main)


def _plain(found: Rows) -> Results:
    return [(channel, *row.values) for channel in sorted(found) for row in found[channel]]


def _replay(query: Query, folder: Path) -> Callable[[], Rows]:
    return partial(by_replay, _recording(query, folder), query.stages())


def _replay_all(query: Query, folder: Path) -> Callable[[], Rows]:
    out_of_sight = ops.pipeline(ops.where(_everything), query.stages())
    return partial(by_replay, _recording(query, folder), out_of_sight)


def _everything(_: Trade) -> bool:
    return True


def _by_lines(query: Query, folder: Path) -> Callable[[], Rows]:
    return partial(by_lines, _lines(query, folder), query.stages())


def _by_batches(query: Query, folder: Path) -> Callable[[], Rows]:
    return partial(by_batches, partial(batches, _lines(query, folder)), query.stages())


def _in_memory(query: Query, folder: Path) -> Callable[[], Rows]:
    kept = list(batches(_lines(query, folder), query.keeps))
    return partial(by_batches, lambda: iter(kept), query.stages())


def _rival(name: str, make: Callable[[Query, Path], Callable[[], Rows]], role: Role = "rival") -> Rival[Query]:
    def prepare(query: Query, folder: Path) -> Contest:
        return Timed(make(query, folder), query.events, _plain)

    return Rival(name, prepare, role)


def _cases(quick: bool) -> list[Case[Query]]:
    events, least = (3_000, (1_000, 10_000)) if quick else (44_000, (1_000, 10_000, 100_000))
    return [Case(f"{origin()} trades of at least {usd:,} dollars", Query(events, usd)) for usd in least]


SCENARIO = Scenario(
    name="replay",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    surroundings=files.folder,
    rivals=(
        _rival("cgrx", _replay, "ours"),
        _rival("cgrx, filters out of sight", _replay_all),
        _rival("orjson, line by line", _by_lines),
        _rival("orjson, in batches", _by_batches),
        _rival("the stages alone, in memory", _in_memory, "limit"),
    ),
)
