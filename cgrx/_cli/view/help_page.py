"""What `?` shows: the keys, and how to read the signs."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cgrx._cli.view.columns import blank_table

_KEYS = (
    ("q", "end, with the summary; Ctrl-C does the same"),
    ("space", "stop the picture, and go on; meanwhile everything is counted, nothing is lost"),
    ("s", "another order: {}"),
    ("/", "show only what holds the words you type, such as btc long; Enter keeps them"),
    ("Esc", "show all again"),
    ("?", "this page, and back"),
)

_SIGNS = (
    ("▼ long, sell", "the order sold: a long that is liquidated is a forced sell"),
    ("▲ short, buy", "the order bought: a short that is liquidated is a forced buy"),
    ("◆ · ", "◆ a liquidation, · a trade"),
    ("Size", "from the smallest to the largest of this run, by orders of magnitude; the largest hundredth in reverse"),
    ("Δ ▂▅ ▇", "bought minus sold, the newest at the right: buying stands, selling hangs in reverse"),
    ("▼▼▼ CASCADE", "five liquidations of an asset or more, of 10k USD each and 250k in all, 1.5 s apart at most"),
    ("gap", "events may be missing: the connection was away. What a gap touches is never called complete"),
    ("✓ ! …", "rows: complete, incomplete, still running"),
)


def help_page(sorts: Sequence[str], rows: int) -> tuple[Table, int]:
    """The page, at most so many lines below its heading; and how many they are."""
    table = blank_table()
    table.expand = True
    table.add_column("Key", no_wrap=True, width=13)
    table.add_column("What it does, and what the signs mean", no_wrap=True, ratio=1)
    lines = [(key, text.format(", ".join(sorts))) for key, text in _KEYS] + [("", ""), *_SIGNS]
    for key, text in lines[:rows]:
        table.add_row(Text(key, "bold"), Text(text, overflow="ellipsis"))
    return table, min(len(lines), rows)
