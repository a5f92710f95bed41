"""What a command shows: events and rows, as lines or as a live table.

May import `_model`, `_streams`, `operators._rows`, `operators`, `_trio`, `_feed`, `_cli.terminal`.

Read `viewer` first (one stream to standard output), then `contents` (events, or rows of a window over them). For events
(`event_text`, `event_board`, `event_table`) and for rows (`row_text`, `row_board`, `row_table`) there are three: one as
text, many kept, many drawn. `picture` and `columns` lay tables out; `windows` is the window that the options ask for.
"""
