"""Recordings as a feed: the same streams and the same marks, at the time at which everything was received.

May import `_model`, `_streams`, `_recording`, `_trio`, `_feed`.

Read `replay` first, the public face; then `cursors`, which read logs one after another or side by side, `joint`, which
puts several recordings in one order, and `columns`, which makes events only of the rows that somebody wants. `clock` is
the time of a replay and the scheduler that runs on it.
"""
