"""What a command shows: events, rows and alerts, as lines or as a live table, and where they go as well.

May import `operators`, `operators.agg`, `sinks`, `cgrx`, `_cli.terminal`.

Read `viewer` first (one stream to standard output), then `contents` (events, or rows of a window over them), `alerts`,
and `delivery`, which brings what is shown into other systems. Events have three files, and so have rows: `event_text`
and `row_text` write one as a line, `event_board` and `row_board` keep the latest, `event_table` and `row_table` draw
them. `picture` and `columns` lay tables out; `windows` is the window that the options ask for, `row_types` the classes
of its rows, `flows` the flow of trades beside them, `explanation` what all this keeps and delays.
"""
