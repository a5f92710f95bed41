"""The pictures of docs/notebooks.md: `python -m tests.docs.notebook_pictures` draws them anew.

Not compared with what is committed: another version of the engine draws the same charts with other digits.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

import vl_convert

import cgrx
from cgrx import Batch, Event, Gap, LiquidationOrders, Signal
from cgrx import operators as ops
from cgrx.operators._stages.explain import Explanation
from cgrx.testing import Generator, alive, play
from tests.house import plan

IMAGES = plan.ROOT / "docs" / "images"
START_MS = 1_722_837_600_000
"""2024-08-05 06:00:00 UTC."""
MINUTE_MS = 60_000
MINUTES = 45
LOST = range(25, 27)
"""The minutes in which nothing is received."""
CHANNEL = LiquidationOrders()


def market(*exchanges: str, liquidations: bool) -> Iterator[Event]:
    """Liquidations of bitcoin, or trades; always the same."""
    made = Generator(
        seed=4,
        rate=1.0 * len(exchanges),
        exchanges=exchanges,
        assets=("BTC",),
        liquidation_share=float(liquidations),
        start_ms=START_MS,
    )
    return takewhile(lambda event: event.time_ms < START_MS + MINUTES * MINUTE_MS, made)


def received(events: Iterator[Event]) -> list[Signal[Event]]:
    """What a feed gives of them that is interrupted once."""
    signals: list[Signal[Event]] = [Gap(CHANNEL, 0, START_MS, "subscribed")]
    interrupted = False
    for event in events:
        if (event.time_ms - START_MS) // MINUTE_MS in LOST:
            interrupted = True
            continue
        if interrupted:
            interrupted = False
            start, end = (START_MS + minute * MINUTE_MS for minute in (LOST.start, LOST.stop))
            signals.append(Gap(CHANNEL, start + 20_000, end - 15_000, "disconnected"))
        signals.append(Batch(CHANNEL, event.time_ms, (event,)))
    return [*signals, alive((START_MS + (MINUTES + 1) * MINUTE_MS) / 1e3)]


def is_round(event: Event) -> bool:
    """A function of a user's."""
    return event.volume_usd % 1000 == 0


def explanation() -> Explanation:
    """Of a pipeline with everything that a picture can show."""
    windows = ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"))
    return cgrx.explain(ops.pipeline(ops.side("long"), ops.where(is_round), ops.dedupe("10s"), windows))


def on_white(html: str) -> str:
    """The picture in a piece of HTML as a file of its own, which has no page to take its colours from."""
    drawn = html[html.index("<svg") : html.index("</svg>") + len("</svg>")]
    return drawn.replace('style="', 'style="background:white;color:#222;', 1) + "\n"


def charts() -> dict[str, Any]:
    """The charts by the names of their files."""
    one = received(market("Binance", liquidations=False))
    three = received(market("Binance", "OKX", "Bybit", liquidations=True))
    whole: Sequence[ops.Row] = play(ops.tumbling("1m", ops.Bar, by=("exchange", "symbol"), emit_empty=True), one)
    flows: Sequence[ops.Row] = play(ops.tumbling("1m", by="exchange", emit_empty=True), three)
    return {
        "candles": cgrx.plot(whole),
        "sides": cgrx.plot(flows),
        "delta": cgrx.plot(flows, kind="delta"),
    }


def main() -> None:
    """Write them all."""
    shown: Any = explanation()
    (IMAGES / "notebooks-explain.svg").write_text(on_white(shown._repr_html_()), encoding="utf-8")
    for name, chart in charts().items():
        drawn: str = vl_convert.vegalite_to_svg(chart.to_dict())
        (IMAGES / f"notebooks-{name}.svg").write_text(drawn + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
