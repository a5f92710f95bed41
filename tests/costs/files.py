"""What files cost that others wrote: those to import, and recordings."""

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import attrs
import trio

import cgrx
from cgrx import Alive, Batch, NoticeReceived
from cgrx import operators as ops
from cgrx._recording.entry import Recorded
from cgrx._recording.manifest import Manifest, Part, read, write
from cgrx._recording.writer import RecordingWriter, write_recording
from tests.costs.counting import Input, work
from tests.recording.entries import LIQUIDATIONS, TRADES
from tests.simulator.simulating import trade

START = 1_700_000_000_000
HEADER = "baseAsset,exName,symbol,side,price,volUsd,time"


def _row(number: int, symbol: str = "BTCUSDT") -> str:
    time = START + number
    return json.dumps(
        {"baseAsset": "BTC", "exName": "OKX", "symbol": symbol, "side": 1, "price": 6.5, "volUsd": 2.5, "time": time}
    )


def _line(number: int) -> str:
    return f"BTC,OKX,BTCUSDT,1,6.5,2.5,{START + number}"


def _in_a_folder(prepare: Callable[[Path, int], Callable[[], object]]) -> Callable[[int], int]:
    """The cost of what `prepare` returns: it makes files of a size in a folder first."""

    def cost(size: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            return work(prepare(Path(folder), size))

    return cost


# Files to import


def _import_jsonl(text: Callable[[int], str]) -> Callable[[int], int]:
    """The cost of importing a JSONL file of this content."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        (folder / "a.jsonl").write_text(text(size))
        return lambda: cgrx.import_jsonl(folder / "a.jsonl", folder / "to", events="trades")

    return _in_a_folder(prepare)


def _import_csv(text: Callable[[int], str], *, gapless: bool = False) -> Callable[[int], int]:
    """The cost of importing a file of comma-separated values of this content, whether or not it can be."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        (folder / "a.csv").write_text(text(size))

        def run() -> None:
            try:
                cgrx.import_csv(folder / "a.csv", folder / "to", events="trades", gapless=gapless)
            except ValueError:
                """A header that cannot be used costs too."""

        return run

    return _in_a_folder(prepare)


def _many(line: Callable[[int], str]) -> Callable[[int], str]:
    """A file of so many lines."""
    return lambda size: "\n".join(map(line, range(size)))


def _table(line: Callable[[int], str]) -> Callable[[int], str]:
    """A header, and so many lines."""
    return lambda size: "\n".join([HEADER, *map(line, range(size))])


IMPORTS = (
    Input("rows of JSON", _import_jsonl(_many(_row)), 200),
    Input("rows of JSON of as many instruments", _import_jsonl(_many(lambda n: _row(n, f"A{n}"))), 100),
    Input("lines that are no JSON", _import_jsonl(_many(lambda _: "{nonsense")), 200),
    Input("a long line", _import_jsonl(lambda size: "x" * size), 2_000_000),
    Input("a nested line", _import_jsonl(lambda size: "[" * size + "]" * size), 100_000),
    Input("a line of many keys", _import_jsonl(lambda size: json.dumps({f"k{n}": n for n in range(size)})), 10_000),
    Input("a long number", _import_jsonl(lambda size: _row(1).replace("6.5", "6" * size)), 50_000),
    Input("rows of CSV", _import_csv(_table(_line)), 200),
    Input("rows of CSV that are none", _import_csv(_table(lambda _: "a,b")), 200),
    Input("rows of CSV with an open quote", _import_csv(_table(lambda _: '"' + "x" * 1_000)), 300),
    Input("a header of many columns", _import_csv(lambda size: "x," * size), 10_000),
    Input(
        "rows of many columns",
        _import_csv(lambda size: "\n".join([HEADER + ",x" * size, _line(1) + ",x" * size])),
        10_000,
    ),
    Input("a long header", _import_csv(lambda size: "x" * size), 1_100_000),
    Input("a header with an open quote", _import_csv(lambda size: '"' + "x\n" * size), 10_000),
)


# Recordings


def _recording(make: Callable[[Path, int], object]) -> Callable[[int], int]:
    """The cost of reading a recording in full."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        make(folder, size)
        return lambda: sum(1 for _ in cgrx.Recording(folder).entries())

    return _in_a_folder(prepare)


def _replayed(make: Callable[[Path, int], object]) -> Callable[[int], int]:
    """The cost of replaying a recording."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        make(folder, size)

        async def main() -> None:
            async with cgrx.replay(folder, speed=math.inf) as feed:
                for channel in feed.channels:
                    feed.channel(channel.name).subscribe(lambda _: None)
                await feed.run()

        return lambda: trio.run(main)

    return _in_a_folder(prepare)


def _backtested(make: Callable[[Path, int], object]) -> Callable[[int], int]:
    """The cost of a window over a recording."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        make(folder, size)
        bars = ops.tumbling("1s", ops.Flow, by="symbol")
        return lambda: cgrx.backtest(lambda feed: feed.channel(TRADES.name).pipe(bars), folder).rows

    return _in_a_folder(prepare)


def _entries(folder: Path, size: int) -> None:
    write_recording(folder, (Recorded(TRADES, Batch(TRADES, START + n, (trade(n),))) for n in range(size)))


def _seconds(folder: Path, size: int) -> None:
    seconds = range(START // 1000, START // 1000 + size)
    write_recording(folder, (Recorded(TRADES, Batch(TRADES, 1000 * each, (trade(each),))) for each in seconds))


def _events(folder: Path, size: int) -> None:
    write_recording(folder, [Recorded(TRADES, Batch(TRADES, START, (trade(1),) * size))])


def _marks(folder: Path, size: int) -> None:
    write_recording(folder, (Recorded(TRADES, Alive("feed", START + n)) for n in range(size)))


def _statuses(folder: Path, size: int) -> None:
    write_recording(folder, (Recorded(None, NoticeReceived(START + n, "hello")) for n in range(size)))


def _long_status(folder: Path, size: int) -> None:
    write_recording(folder, [Recorded(None, NoticeReceived(START, "x" * size))])


def _channels(folder: Path, size: int) -> None:
    channels = [cgrx.FuturesTrades("OKX", f"A{n}", 0) for n in range(size)]
    write_recording(folder, (Recorded(each, Alive("feed", START)) for each in channels))


def _parts(folder: Path, size: int) -> None:
    with RecordingWriter(folder) as writer:
        for number in range(size):
            writer.append(Recorded(LIQUIDATIONS, Alive("feed", START + number)))
            writer.finish()


def _frames(folder: Path, size: int) -> None:
    writer = RecordingWriter(folder)
    for number in range(size):
        writer.append(Recorded(LIQUIDATIONS, Alive("feed", START + number)))
        writer.flush()
    writer.abandon()


def _manifest(folder: Path, size: int) -> Callable[[], object]:
    _parts(folder, 1)
    (part,) = read(folder).parts
    parts: list[Part] = [attrs.evolve(part, number=n, first_seq=n, last_seq=n) for n in range(size)]
    write(folder, Manifest(tuple(parts)))
    return lambda: read(folder)


RECORDINGS = (
    Input("entries of a recording", _recording(_entries), 500),
    Input("events of one entry", _recording(_events), 1_000),
    Input("marks of a recording", _recording(_marks), 500),
    Input("statuses of a recording", _recording(_statuses), 200),
    Input("a long status", _recording(_long_status), 100_000),
    Input("channels of a recording", _recording(_channels), 100),
    Input("finished parts", _recording(_parts), 4),
    Input("frames of an open part", _recording(_frames), 20),
    Input("a manifest of many parts", _in_a_folder(_manifest), 200),
    Input("entries of a replay", _replayed(_entries), 200),
    Input("channels of a replay", _replayed(_channels), 50),
    Input("events of a backtest", _backtested(_seconds), 200),
)

INPUTS = (*IMPORTS, *RECORDINGS)
