"""One live connection, kept alive: heartbeat, reconnects, subscriptions, status; and the recorder beside it.

May import `_extras`, `_model`, `_wire`, `_streams`, `_recording`, `_trio`.

Read `face` first, what users hold: the protocol `Feed`. `connect` has `connect()`, which opens a live feed. `engine`
drives any feed, live or replayed, and says who gets which error; `live` is the engine of a connection: `supervisor`
tries and tries again with `backoff`, `session` is one connection, where `names` finds the channel of a frame, and
`subscriptions` knows who subscribes to which channel, each of which is a line of `lines`. `skew` compares the clocks;
`backpressure` and `log` are small parts, `json_log` writes the log for machines. `recorder` has `record()`, which
writes what the streams of a feed give to disk, and `intake` is what waits to be written.
"""
