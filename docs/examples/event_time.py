"""Windows of ten seconds over two exchanges: what goes in, and which rows it releases."""

from cgrx import Signal, Trade
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import Timeline, alive, batch, gap, play_timeline, trade

stage = ops.tumbling("10s", by="exchange", n=agg.count(), lateness="2s", idle="2s")

signals: list[tuple[str, Signal[Trade]]] = [
    ("the subscription is known to work from second 4 on", gap(0, "4s")),
    ("a trade on Binance", batch(trade(time="5s"))),
    ("one on OKX", batch(trade(time="6s", exchange="OKX"))),
    ("Binance again", batch(trade(time="9s"))),
    ("Binance is past the end of the first window", batch(trade(time="12.5s"))),
    ("proof of life: OKX has nothing to say", alive("13s")),
    ("yet a trade on OKX comes, too late", batch(trade(time="9.5s", exchange="OKX"), received="13.5s")),
    ("Binance", batch(trade(time="18s"))),
    ("the connection was down", gap("19s", "24s")),
    ("proof of life: OKX is silent again", alive("24s")),
    ("Binance", batch(trade(time="25s"))),
    ("Binance", batch(trade(time="33s"))),
    ("proof of life", alive("35s")),
    ("proof of life, no trade since", alive("43s")),
]

shown = 0
for i, (what, signal) in enumerate(signals, 1):
    print(f"{type(signal).__name__:5} {what}")
    # A pipeline is a pure function of its signals, so what they give so far can be asked again and again.
    so_far = Timeline(tuple(each for _, each in signals[:i]), completed=False)
    rows = play_timeline(stage, so_far).results
    for row in rows[shown:]:
        window = f"{row.start_ms // 1000}-{row.end_ms // 1000} s"
        quality = "complete" if row.complete else f"incomplete, gap_ms={row.gap_ms}"
        print(f"      > {window:7} {row['exchange']!s:7} n={row['n']} late={row.late} {quality}")
    shown = len(rows)
