"""Windows of every kind."""

from cgrx.testing import trade
from tests.docs.drawing import Case

ONE = {"a": trade()}
LATE = {"a": trade(), "b": trade()}
PAIR = {"a": trade(exchange="Binance"), "b": trade(exchange="OKX")}
SIZES = {"a": trade(volume_usd=400.0), "b": trade(volume_usd=700.0), "c": trade(volume_usd=2500.0)}

TUMBLING = 'ops.tumbling("4s", n=agg.count(), lateness="1s", idle="1s")'
RUNNING = 'ops.tumbling("4s", n=agg.count(), lateness="1s", idle="1s", updates="1s")'


def row(start_s: float, end_s: float, n: int, **more: object) -> dict[str, object]:
    """A row of these seconds: whole, unless `more` says what it lacks."""
    return {"start_ms": int(start_s * 1000), "end_ms": int(end_s * 1000), "n": n, **(more or {"complete": True})}


def cut(start_s: float, end_s: float, n: int, **more: object) -> dict[str, object]:
    """A row that completion has cut short."""
    return row(start_s, end_s, n, **more, final=False)


CASES = (
    Case(
        "tumbling",
        "A window closes when a later event is `lateness` past its end.",
        TUMBLING,
        ("^a-a-a---a-a",),
        "-----r---s--",
        ONE,
        results={"r": row(0, 4, 2), "s": row(4, 8, 1)},
    ),
    Case(
        "tumbling-quiet",
        "The last window of a market that falls silent closes by proof of life.",
        TUMBLING,
        ("^a-a---^-^",),
        "-------r--",
        ONE,
        results={"r": row(0, 4, 2)},
    ),
    Case(
        "tumbling-unproven",
        "Without proof nothing closes. On completion the row comes out, and says what may be missing.",
        TUMBLING,
        ("^a-a-------|",),
        "-----------(r|)",
        ONE,
        results={"r": cut(0, 4, 2, gap_ms=1000, complete=False)},
    ),
    Case(
        "tumbling-first",
        "The first window is not complete: the subscription is known to work from second 2 on.",
        TUMBLING,
        ("[-]a-a---a",),
        "-----r---s",
        ONE,
        results={"r": row(0, 4, 1, gap_ms=3000, complete=False), "s": row(4, 8, 1, gap_ms=0, complete=True)},
    ),
    Case(
        "tumbling-gap",
        "A gap across a boundary, seconds 3 to 6, makes both windows incomplete.",
        TUMBLING,
        ("^a-[--]a-a--a",),
        "-------r-s---",
        ONE,
        results={
            "r": row(0, 4, 1, gap_ms=2000, complete=False),
            "s": row(4, 8, 1, gap_ms=3000, complete=False),
        },
    ),
    Case(
        "tumbling-dropped",
        "A lost event counts in each window that it may have belonged to.",
        TUMBLING,
        ("^a(a~)--a---a",),
        "-----r---s",
        ONE,
        results={"r": row(0, 4, 2, dropped=1, complete=False), "s": row(4, 8, 1, dropped=0, complete=True)},
    ),
    Case(
        "tumbling-late",
        "`b` comes when its window has closed: rows that follow count it as late, and no row changes.",
        TUMBLING,
        ("^a-a-a-b-a",),
        "-----r---s",
        LATE,
        {"b": 2},
        {"r": row(0, 4, 2, late=0), "s": row(4, 8, 1, late=1)},
    ),
    Case(
        "tumbling-error",
        "An error passes at once; of open windows nothing comes.",
        TUMBLING,
        ("^a-a-a--#",),
        "-----r--#",
        ONE,
        results={"r": row(0, 4, 2)},
    ),
    Case("tumbling-empty", "No event, no row.", TUMBLING, ("^-----^---^|",), "-----------|", ONE),
    Case(
        "tumbling-emit",
        "A known key gives a row for each window.",
        'ops.tumbling("4s", n=agg.count(), lateness="1s", idle="1s", emit_empty=True)',
        ("^a-------^---^",),
        "---------(rs)---t",
        ONE,
        results={"r": row(0, 4, 1), "s": row(4, 8, 0), "t": row(8, 12, 0)},
    ),
    Case(
        "tumbling-by",
        "A row for each key. The rows wait for OKX until it is proven to have been silent for `idle`.",
        'ops.tumbling("4s", by="exchange", n=agg.count(), lateness="1s", idle="2s")',
        ("^ab-a-a^a",),
        "-------(rs)-",
        PAIR,
        results={"r": row(0, 4, 1, exchange="Binance"), "s": row(0, 4, 1, exchange="OKX")},
    ),
    Case(
        "tumbling-offset",
        "Windows of 4 s, a second later than at multiples of 4 s.",
        'ops.tumbling("4s", offset="1s", n=agg.count(), lateness="1s", idle="1s")',
        ("^a-a-aa---a",),
        "------r---s",
        ONE,
        results={"r": row(1, 5, 2), "s": row(5, 9, 2)},
    ),
    Case(
        "tumbling-updates",
        "Running rows wait for no lateness; the final row has the same key and start.",
        RUNNING,
        ("^aa-^-^",),
        "--r-s-t",
        ONE,
        results={"r": row(0, 4, 1, final=False), "s": row(0, 4, 2, final=False), "t": row(0, 4, 2, final=True)},
    ),
    Case(
        "final",
        "Neither running rows nor those that completion has cut short.",
        f"ops.pipeline({RUNNING}, ops.final())",
        ("^aa-^-^-a|",),
        "------t--|",
        ONE,
        results={"t": row(0, 4, 2, final=True)},
    ),
    Case(
        "sliding",
        "A row every 2 s about the last 4 s.",
        'ops.sliding("4s", "2s", n=agg.count(), lateness="0s", idle="0s")',
        ("^--a-a-a-^-^",),
        "-----r-s-t-u",
        ONE,
        results={"r": row(0, 4, 1), "s": row(2, 6, 2), "t": row(4, 8, 2), "u": row(6, 10, 1)},
    ),
    Case(
        "session",
        "A silence of more than `gap` ends a session. The row ends a millisecond behind its last event.",
        'ops.session("2s", n=agg.count(), lateness="0s", idle="0s")',
        ("^a-a-a---^a--^-|",),
        "---------r---s-|",
        ONE,
        results={"r": row(1, 5.001, 3), "s": row(10, 10.001, 1)},
    ),
    Case(
        "session-join",
        "`b`, out of order but not late, joins two sessions into one.",
        'ops.session("2s", n=agg.count(), lateness="3s", idle="3s")',
        ("^-a---a-b----^",),
        "-------------r",
        LATE,
        {"b": 4},
        {"r": row(2, 6.001, 3)},
    ),
    Case(
        "session-withdrawn",
        "`b` joins two sessions: the running row of the later is withdrawn, and that of the one they are now follows.",
        'ops.session("2s", n=agg.count(), lateness="3s", idle="3s", updates="1s")',
        ("^-a^--a^b---^",),
        "---r---s(tu)---v",
        LATE,
        {"b": 4},
        {
            "r": row(2, 2.001, 1, final=False),
            "s": row(6, 6.001, 1, withdrawn=False),
            "t": row(6, 6.001, 1, withdrawn=True),
            "u": row(2, 6.001, 3, final=False),
            "v": row(2, 6.001, 3, final=True),
        },
    ),
    Case(
        "count_bars",
        "A bar closes with its last event, and a batch may close several.",
        "ops.count_bars(3, usd=agg.volume())",
        ("^a-a-a-(aaaa)--|",),
        "-----r-s--(t|)",
        ONE,
        results={
            "r": {"start_ms": 1000, "end_ms": 5001, "usd": 3000.0, "complete": True},
            "s": {"start_ms": 7000, "end_ms": 7001, "usd": 3000.0, "complete": True},
            "t": {"start_ms": 7000, "end_ms": 7001, "usd": 1000.0, "final": False},
        },
    ),
    Case(
        "volume_bars",
        "The event that crosses the boundary closes the bar and belongs to it whole.",
        "ops.volume_bars(1_000, n=agg.count(), volume=agg.volume())",
        ("^a-b-a-c--a-|",),
        "---r---s----(t|)",
        SIZES,
        results={
            "r": row(1, 3.001, 2, volume=1100.0, complete=True),
            "s": row(5, 7.001, 2, volume=2900.0, complete=True),
            "t": cut(10, 10.001, 1, volume=400.0),
        },
    ),
    Case(
        "window-foreign",
        "Behind a reactivex operator windows close by event time alone, and their quality is unknown.",
        f"lambda stream: stream.pipe(rx.filter(lambda event: True), {TUMBLING})",
        ("^a-a-a-^-^",),
        "-----r----",
        ONE,
        results={"r": row(0, 4, 2, gap_ms=None, complete=False)},
    ),
)
