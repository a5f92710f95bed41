"""Windows: when they open, when they close, and what they missed.

May import `_model`, `_streams`, `operators._aggregates`, `operators.agg`, `operators._rows`, `operators._stages`.

Read `window` first: the arguments that all windows share, as a value (`options` has their types). Each kind has its
file: `tumbling` and `sliding` (both a `grid`), `session`, `bars` (by count and by volume) and `cascades`; `rolling`
looks back on the last rows of a key, `top` keeps the leaders of each window, `final` the rows that change no more.
Where the windows of a grid begin, `sizes` reads from the arguments: at equal distances (`spacing`), or by the
`calendar` of one of the `zones`.

Then how they run: `missing` keeps the gaps and losses of a subscription, `clocks` its sources and how far their clocks
are apart. `watermark` decides how far event time has come, and so when a window closes; `keys` reads the key of an
event; `window_running` is the running form that all kinds extend, and `open_row` what they say to it. `grid_running`
runs tumbling and sliding windows, the latter over a queue of `panes`.

`latest_of` joins two streams as of a time, into values of `joined`: `joining` is its running form, `join_side` what
that knows of each input. What it keeps of one is in `unanswered`, of the other in `history`.

Windows over rows: `over_rows` checks that rows have what is read of them and that their windows fit, `beneath` knows
how far the windows beneath have come and what they missed, `grid_over_rows` runs an hour of minutes.
"""
