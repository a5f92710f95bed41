"""What a command shows: events and rows, as lines or as a live table.

May import `operators`, `operators.agg`, `cgrx`, `_cli.terminal`.

Read `viewer` first (one stream to standard output), then `contents` (events, or rows of a window over them). Events
have three files, and so have rows: `event_text` and `row_text` write one as a line, `event_board` and `row_board` keep
the latest, `event_table` and `row_table` draw them. `picture` and `columns` lay tables out; `windows` is the window
that the options ask for, `flows` the flow of trades beside its rows, `explanation` what all this keeps and delays.
"""
