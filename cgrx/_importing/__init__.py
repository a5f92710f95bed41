"""Files that others wrote, made into recordings.

May import `_extras`, `_model`, `_wire`, `_recording`.

Read `files` first, the public functions; then `rows`, which judges each row as an event of a live frame is judged, and
`entries`, which says of the rows what a feed would have said.
"""
