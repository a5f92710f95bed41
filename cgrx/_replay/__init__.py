"""Recordings as a feed: the same streams and marks as live, on a clock that shows the recorded times of receipt.

May import `_model`, `_streams`, `_recording`, `_trio`, `_feed`.

Read `replay` first, the public face, and `playlist`, what it is asked to replay; then `cursors`, which walk through one
recording each, `joint`, which puts several in one order, with `seams`, what that changes in the marks, and `columns`,
which makes events only of the rows that a subscriber wants. `clock` is the time of a replay and the scheduler on it;
`played` is what a feed from a log has in common with a replay.
"""
