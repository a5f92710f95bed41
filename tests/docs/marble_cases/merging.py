"""Many to one, one to many, and what comes twice."""

from cgrx.testing import liquidation, trade
from tests.docs.drawing import Case

PAIR = {name: trade(exchange="Binance") for name in "135"} | {name: trade(exchange="OKX") for name in "246"}
BOTH = {"a": trade("buy"), "b": liquidation("long")}
SAME = {"a": trade(volume_usd=1_000.0), "b": trade(volume_usd=2_000.0)}
ONE = {"a": trade()}

CASES = (
    Case(
        "merge",
        "In order of arrival; completes with the last.",
        "cgrx.merge(first, second)",
        ("a--a--|", "-bb---b-|"),
        "abba--b-|",
        BOTH,
    ),
    Case(
        "merge-alive",
        "Two streams of one connection: its proof counts when both have given it, and once.",
        "cgrx.merge(first, second)",
        ("^a^--^", "^-b--^"),
        "^ab--^",
        BOTH,
        marks=True,
    ),
    Case(
        "merge-error",
        "The first error ends it.",
        "cgrx.merge(first, second)",
        ("a--a--#", "-bb---b-|"),
        "abba--#",
        BOTH,
    ),
    Case(
        "merge_exchanges",
        "An event waits until the other exchange has come as far. What is left goes out at the end.",
        'cgrx.merge_exchanges(first, second, max_delay="9s")',
        ("-1---3--|", "--2-4--6|"),
        "--1--(23)--(46|)",
        PAIR,
        {"3": 3},
    ),
    Case(
        "merge_exchanges-delay",
        "Behind an exchange that is silent an event waits `max_delay`, by proof of life.",
        'cgrx.merge_exchanges(first, second, max_delay="3s")',
        ("^1-3--^--^|", "^-2---^--^|"),
        "--12--3---|",
        PAIR,
    ),
    Case(
        "merge_exchanges-late",
        "`4` happened before what has gone out already: it passes at once, out of order, and is counted.",
        'cgrx.merge_exchanges(first, second, max_delay="2s")',
        ("^1-3--^5--^", "^-2---^-4-^"),
        "--12--3-4-5",
        PAIR,
        {"4": 2.5},
    ),
    Case(
        "merge_exchanges-error",
        "What is held goes out before the error.",
        'cgrx.merge_exchanges(first, second, max_delay="9s")',
        ("-1-3-#", "--2---"),
        "--12-(3#)",
        PAIR,
    ),
    Case(
        "merge_exchanges-any",
        'With `until="any"` the first end is the end of all.',
        'cgrx.merge_exchanges(first, second, max_delay="9s", until="any")',
        ("-1-3-|", "--2---"),
        "--12-(3|)",
        PAIR,
    ),
    Case(
        "merge_exchanges-window",
        "A window behind it closes by its watermarks, without a lateness of its own.",
        'cgrx.merge_exchanges(first, second, max_delay="9s").pipe(ops.tumbling("4s", n=agg.count()))',
        ("^1-3-5---^", "^-2----6-^"),
        "-------r--",
        PAIR,
        results={"r": {"start_ms": 0, "end_ms": 4000, "n": 3, "complete": True}},
    ),
    Case(
        "dedupe",
        "Only the first of what is the same within `ttl`, counted from the one that was kept.",
        'ops.dedupe("4s", key="volume_usd")',
        ("a--a-b---a--|",),
        "a----b---a--|",
        SAME,
    ),
    Case(
        "dedupe-all",
        "By default everything must be the same, the time too: here it is not, so nothing is left out.",
        'ops.dedupe("4s")',
        ("a--a-b---a--|",),
        "a--a-b---a--|",
        SAME,
    ),
    Case("dedupe-error", "An error passes.", 'ops.dedupe("4s", key="volume_usd")', ("a-ab-#",), "a--b-#", SAME),
    Case(
        "share",
        "Who joins at second 4 begins with a gap up to then, and hears what all hear.",
        "ops.share()",
        ("([]^)a-a-a^-a|",),
        "[---]a^-a|",
        ONE,
        marks=True,
        joins=4,
    ),
)
