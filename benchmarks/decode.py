"""How much does decoding cost, per event, against `json`, `orjson` and msgspec alone?

    python -m benchmarks.decode [--rounds 40] [--json FILE]

Everyone turns the same bytes into events: frames of liquidations and of trades by turns, with 1, 10 and 100 events.
`json` and `orjson` (where it is installed) build the public events from the dicts that they return, without any check.
"msgspec alone" decodes into Structs of the wire's fields, which nobody can beat with msgspec: the ratio is to it. What
cgrx does on top: the type of event by the channel, the sides, bounds on every value, the spelling of the exchange,
and the `Frame` itself. The results are compared first, then all take turns in one process.
"""

import argparse
import importlib
import importlib.util
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import msgspec

from cgrx._codec import Frame, decode, decode_batch, encode_frame
from cgrx._events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._exchanges import canonical_exchange

SIZES = (1, 10, 100)
FRAMES = 20
"""So many frames are one batch."""
EVENTS_A_ROUND = 4_000
NOW_MS = 1_725_416_318_379
BASELINE = "msgspec alone"

CHANNELS: tuple[tuple[type[Event], str], ...] = (
    (Liquidation, "liquidationOrders"),
    (Trade, "futures_trades@Binance_BTCUSDT@0"),
)
SIDES: dict[type[Event], type[LiquidationSide] | type[TradeSide]] = {Liquidation: LiquidationSide, Trade: TradeSide}

Rival: TypeAlias = Callable[[Sequence[bytes]], Sequence[Any]]


class WireEvent(msgspec.Struct, gc=False):
    """An event as it stands on the wire."""

    base_asset: str = msgspec.field(name="baseAsset")
    exchange: str = msgspec.field(name="exName")
    symbol: str
    side: int
    price: float
    volume_usd: float = msgspec.field(name="volUsd")
    time_ms: int = msgspec.field(name="time")


class WireFrame(msgspec.Struct, gc=False):
    """A frame as it stands on the wire."""

    channel: str
    data: tuple[WireEvent, ...]


@attrs.frozen
class Result:
    """What one rival needed for frames of one size."""

    rival: str
    events_a_frame: int
    ns_an_event: float
    ratio: float
    """To msgspec alone."""


def make_event(event_type: type[Event], asset: str, chance: random.Random) -> Event:
    """A plausible one; `asset` is of few, so are exchanges, all numbers differ."""
    side: Any = SIDES[event_type](chance.choice((1, 2)))
    return event_type(
        asset,
        chance.choice(("Binance", "OKX", "Bybit", "Hyperliquid")),
        f"{asset}USDT",
        side,
        round(chance.lognormvariate(8, 2), 2),
        round(chance.lognormvariate(6, 2), 5),
        NOW_MS + chance.randrange(1_000),
    )


def make_frames(events_a_frame: int) -> list[bytes]:
    """Liquidations and trades by turns, the same in every run."""
    chance = random.Random(events_a_frame)
    frames: list[bytes] = []
    for number in range(FRAMES):
        event_type, channel = CHANNELS[number % 2]
        assets = chance.choices(("BTC", "ETH", "SOL", "1000PEPE"), k=events_a_frame)
        frames.append(encode_frame(channel, [make_event(event_type, asset, chance) for asset in assets]))
    return frames


def from_dicts(loads: Callable[[bytes], Any]) -> Rival:
    """Events built from what a JSON library returns, in the shortest code that gives the same values."""

    def read(frame: bytes) -> tuple[Event, ...]:
        message = loads(frame)
        event_type = Liquidation if message["channel"] == "liquidationOrders" else Trade
        side_type: Any = SIDES[event_type]
        return tuple(
            event_type(
                row["baseAsset"],
                canonical_exchange(row["exName"]),
                row["symbol"],
                side_type(row["side"]),
                row["price"],
                row["volUsd"],
                row["time"],
            )
            for row in message["data"]
        )

    return lambda frames: [read(frame) for frame in frames]


def from_structs() -> Rival:
    """msgspec, with nothing of ours."""
    decoder = msgspec.json.Decoder(WireFrame)
    return lambda frames: [decoder.decode(frame).data for frame in frames]


def one_by_one(frames: Sequence[bytes]) -> Sequence[Any]:
    """A call for each frame."""
    return [decode(frame, NOW_MS) for frame in frames]


def all_at_once(frames: Sequence[bytes]) -> Sequence[Any]:
    """One call, as the session does."""
    return decode_batch(frames, NOW_MS)


def rivals() -> dict[str, Rival]:
    """By name. Each takes the frames of a batch; all but msgspec alone end in the public events."""
    found: dict[str, Rival] = {"json": from_dicts(json.loads)}
    if importlib.util.find_spec("orjson") is not None:
        found["orjson"] = from_dicts(importlib.import_module("orjson").loads)
    found[BASELINE] = from_structs()
    found["cgrx decode"] = one_by_one
    found["cgrx decode_batch"] = all_at_once
    return found


def fields(result: Any) -> list[tuple[Any, ...]]:
    """What a rival read from one frame, as plain tuples."""
    if isinstance(result, Frame):
        assert not result.malformed
        result = result.events
    return [msgspec.structs.astuple(event) for event in result]


def check(contestants: dict[str, Rival], frames: Sequence[bytes]) -> None:
    """Everyone has read the same values, and the same types of events where events are what they give."""
    read = {name: [fields(result) for result in rival(frames)] for name, rival in contestants.items()}
    for name, values in read.items():
        assert values == read["json"], f"{name} differs from json"
    for frame, result in zip(from_dicts(json.loads)(frames), decode_batch(frames, NOW_MS), strict=True):
        assert isinstance(result, Frame)
        assert result.events == frame


def measure(events_a_frame: int, rounds: int) -> list[Result]:
    """Interleaved rounds, the order turned in every second one; the median of each rival."""
    frames = make_frames(events_a_frame)
    contestants = rivals()
    check(contestants, frames)
    repeats = max(1, EVENTS_A_ROUND // (FRAMES * events_a_frame))
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in list(contestants)[:: 1 if number % 2 else -1]:
            rival = contestants[name]
            started = time.perf_counter_ns()
            for _ in range(repeats):
                rival(frames)
            taken[name].append((time.perf_counter_ns() - started) / (repeats * FRAMES * events_a_frame))
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return [Result(name, events_a_frame, ns, ns / medians[BASELINE]) for name, ns in medians.items()]


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(description="What decoding costs, per event.")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="two rounds: it runs, the figures are rough")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 2
    print(f"Python {sys.version.split()[0]}, msgspec {msgspec.__version__}; {arguments.rounds} rounds, medians\n")
    print(f"{'':20}" + "".join(f"{f'frames of {size}':>26}" for size in SIZES))
    print(f"{'':20}" + f"{'ns/event':>14}{'ratio':>12}" * len(SIZES))
    results = [result for size in SIZES for result in measure(size, arguments.rounds)]
    for name in rivals():
        row = [result for result in results if result.rival == name]
        print(f"{name:20}" + "".join(f"{each.ns_an_event:>14.0f}{each.ratio:>12.2f}" for each in row))
    print(f"\nratio: to {BASELINE}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([attrs.asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
