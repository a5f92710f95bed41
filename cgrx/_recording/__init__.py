"""What feeds said, on disk: the columns, the files, and reading them.

May import `_model`. No trio: a recording is read in any program, and written by a thread.

Read `entry` first, what a recording is made of; then `schema`, its columns; `writer`, and the two states of a file,
`open_part` (with `framing`) and `finished_part` (listed in `manifest`); `recording` is the public reader of it all,
with `selection` of rows and the `summary` of a part. `status_text` is the JSON of a status; `extra` and `arrow` import
pyarrow.
"""
