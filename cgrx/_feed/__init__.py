"""One live connection, kept alive: heartbeat, reconnects, subscriptions, status; and the recorder beside it.

May import `_model`, `_wire`, `_streams`, `_recording`, `_trio`.

Read `feed` first, the public face and `connect()`; then `live`, which puts the parts together: `supervisor` tries and
tries again with `backoff`, `session` is one connection, where `names` finds the channel of a frame, `subscriptions`
knows who wants which channel. `base` is what a live feed and a replay share; `backpressure` and `log` are small parts
of it; `recorder` writes what a feed says to disk.
"""
