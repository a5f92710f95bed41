"""Why a window waits: the same window of five seconds over five short stories, a second a character."""

from cgrx import Batch
from cgrx import operators as ops
from cgrx.testing import marbles, play_signals, trade

window = ops.tumbling("5s", lateness="1s", idle="2s")
events = {"b": trade(exchange="Binance"), "o": trade(exchange="OKX")}
stories = {
    "a later event is a second past the end": "^b-b--bb-b-",
    "OKX is behind, and might still speak": "^bob-b-b--o",
    "OKX is proven to be silent": "^bob-b-b^--",
    "all are silent, by proof": "^b-b----^--",
    "all are silent, without proof": "^b-b-------",
}

for title, story in stories.items():
    out = ["-"] * len(story)
    for signal in play_signals(window, marbles(story, events)):
        if isinstance(signal, Batch):  # of rows; the marks between them do not matter here
            out[signal.received_ms // 1000] = "R"
    print(title)
    print("  in  ", story)
    print("  out ", "".join(out))
