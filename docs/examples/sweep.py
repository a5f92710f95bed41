"""Buy behind cascades of forced sales: which threshold pays, and what a gap in the recording makes of the answer."""

import json
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mean

import attrs

import cgrx
from cgrx import operators as ops
from cgrx.testing import liquidation, trade

HOLD_MS = 60_000


@attrs.frozen
class State:
    """Where the rule stands behind one signal."""

    waiting: ops.Cascade | None = None
    """A cascade that is over; the next trade is the entry."""
    entry: cgrx.Trade | None = None
    cascade: ops.Cascade | None = None
    """The one that `entry` followed."""
    gain: float | None = None
    """Of the position that this signal closed, in hundredths of a percent."""


def follow(state: State, item: ops.Cascade | cgrx.Trade) -> State:
    if isinstance(item, ops.Cascade):
        return State(item) if state.entry is None else attrs.evolve(state, gain=None)
    if state.waiting is not None:
        return State(entry=item, cascade=state.waiting)
    if state.entry is None:
        return State()
    if item.time_ms < state.entry.time_ms + HOLD_MS:
        return state
    return State(cascade=state.cascade, gain=(item.price / state.entry.price - 1) * 10_000)


def rule(feed: cgrx.Feed, *, threshold: float) -> cgrx.EventStream[State]:
    """Buy at the first trade behind a cascade of this volume, sell a minute later: on a live feed, too."""
    cascades = feed.liquidations().pipe(ops.side("long"), ops.cascades("3s", min_volume=threshold))
    trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=0)
    return cgrx.merge(cascades, trades).pipe(ops.scan(follow, State())).where(lambda state: state.gain is not None)


def measure(found: cgrx.Backtest[State]) -> dict[str, object]:
    gains = [(state.gain or 0.0, state.cascade is not None and state.cascade.complete) for state in found.rows]
    whole = [gain for gain, complete in gains if complete]
    return {
        "positions": len(gains),
        "gain_bp": round(mean([gain for gain, _ in gains]), 1) if gains else None,
        "complete": len(whole),
        "gain_bp_complete": round(mean(whole), 1) if whole else None,
    }


def market() -> Iterator[cgrx.Liquidation | cgrx.Trade]:
    """Two hours in which every seven minutes a wave of forced sales presses the price down, and lets go."""
    chance = random.Random(7)
    price, pressed = 60_000.0, 0.0
    for second in range(7_200):
        wave, at = divmod(second, 420)
        size = 4e3 * 3 ** (wave % 4)
        if 100 <= at < 120:
            pressed += 0.00002 * 2 ** (wave % 4)
            yield liquidation("long", size * chance.uniform(0.5, 1.5), time=second, price=price * (1 - pressed))
        elif at >= 130:
            pressed *= 0.97
        if second % 4 == 0:  # other liquidations show that time goes on
            yield liquidation("long", 500, time=second, price=3_000, symbol="ETHUSDT", base_asset="ETH")
        price *= 1 + chance.gauss(0, 0.00001)
        yield trade("sell" if at < 120 else "buy", 1_000, time=second + 0.5, price=price * (1 - pressed))


def recorded(events: Iterable[cgrx.Liquidation | cgrx.Trade], folder: Path) -> list[Path]:
    """A recording of each kind of event."""
    lines: dict[str, list[str]] = {"liquidations": [], "trades": []}
    for event in events:
        lines[f"{event.kind}s"].append(json.dumps(event.asdict()))
    for kind, of_kind in lines.items():
        file = folder.with_suffix(f".{kind}.jsonl")
        file.write_text("\n".join(of_kind))
        cgrx.import_jsonl(file, folder / kind, events="trades" if kind == "trades" else "liquidations", gapless=True)
    return [folder / kind for kind in lines]


def tell(title: str, recordings: list[Path]) -> None:
    found = cgrx.sweep(rule, recordings, {"threshold": [50_000, 150_000, 500_000, 1_500_000]}, measure=measure)
    print(title)
    print(f"{'threshold':>10} {'positions':>10} {'gain, bp':>10} {'complete':>10} {'gain, bp':>10}")
    for row in found.to_polars().drop("error").rows():
        print(" ".join(f"{'-' if value is None else value:>10}" for value in row))


with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    events = list(market())
    tell("nothing missing", recorded(events, folder / "all"))
    # The connection is lost in the middle of a wave, four times, each time for two minutes.
    parts: list[Path] = []
    lost = [wave * 420 * 1000 + 110_000 for wave in (3, 6, 9, 12)]
    for number, (start_ms, end_ms) in enumerate(zip([-120_000, *lost], [*lost, 10**9], strict=True)):
        kept = [event for event in events if start_ms + 120_000 <= event.time_ms < end_ms]
        parts += recorded(kept, folder / str(number))
    tell("four gaps of two minutes", parts)
