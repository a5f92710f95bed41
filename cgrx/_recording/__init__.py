"""Recordings on disk: what the streams and the status of a feed gave, as columns in files, and how to read them.

May import `_extras`, `_model`. No trio: a recording is read in any program, and written by a thread.

Read `entry` first, what a recording is made of; then `schema`, its columns; `writer`, and the two states of a file,
`open_part` (with `framing`) and `finished_part` (listed in `manifest`, with the `summary` of each part). `checks`
refuses a file that cgrx cannot have written. `compact` rewrites parts so that a channel stands together: `stretch` is
what comes of them, `by_channel` writes it, `in_order` reads it, `rewriting` is the order of the steps, `compacted` what
comes out; `verify` reads everything for damage. `recording` is the public face of reading: `selection` is the part of
it that a caller asks for, `reader` finds and reads the files, `scan` makes a query of polars, and `known` is what a
footer tells of rows that are not read. `status_text` is the JSON of a status; `arrow` is pyarrow as it is used inside.
"""
