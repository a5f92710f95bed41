"""Who is measured: the same tasks in each library, in that library's own idiom, with cgrx among them.

May import `_harness`. The scenarios import the rivals; a rival that needs an optional library is imported only in the
process that measures it, so that it is absent where that is not installed.

Read `tasks` first: what `pipelines` asks and the form in which results compare. Each `by_*` module answers those tasks:
`by_cgrx`, `by_reactivex`, `by_streamz`, `by_aiostream`, `by_bytewax`, and the limits `by_fixed_length`, `by_minutes`,
`by_hand` and `by_polars`. `states` are the state machines for libraries without windows. `receivers` are the WebSocket
clients of `wire` and `latency`. `queries` are those of `backtest`, written by hand in polars.
`by_shards` has the snapshots and micro-batches of `shards`.
"""
