"""What a command shows: events, rows and alerts, as lines or as a live table, and where they go as well.

May import `operators`, `operators.agg`, `sinks`, `cgrx`, `_plot`, `_cli.terminal`.

Read `viewer` first (one stream to standard output), then `contents` (events, or rows of a window over them), `alerts`,
and `delivery`, which brings what is shown into other systems. Events have `event_text` (a line of one) and
`event_table` (the live table), and so have rows `row_text` and `row_table`, over `row_board`, which keeps the latest.

The live table is laid out by `picture` and `columns`, with `panels` beside the tape and the lines of `pressure` above
it. They draw what `market` has seen: volumes (`heat`), bought minus sold (`delta`), cascades (`bursts`), the latest gap
(`recent_gap`), in orders that hold (`ranking`), in the colours of the charts (`colours`). `controls` is what keys do,
`help_page` what `?` shows; `recording` is what `cgrx record` shows in place of all this. `tally` counts for every run;
`aside` runs a stage beside what is shown.

`windows` is the window that the options ask for, `row_types` the classes of its rows, `market_bar` one of them, `flows`
the flow of trades beside them, `explanation` what all this keeps and delays.
"""
