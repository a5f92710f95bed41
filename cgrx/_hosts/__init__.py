"""Where a program of a user runs: on trio, on asyncio, or without a loop; and what a request to end does.

May import `_model`, `_streams`, `_trio`, `_feed`, `_replay`, `_delivery`, `_sinks`, `_log`.

Read `run`: `cgrx.run()`, trio for scripts and services, which ends in good order on a signal. Then `aio`, the functions
of `cgrx.aio`; `on_asyncio`, how a task of asyncio enters what is made for trio; and `closing`, how a signal closes a
feed under the handlers of a server. `sync` has those of `cgrx.sync`: `trio_thread` enters the same for a thread without
a loop, `blocking_feed` is what it gives, `blocking_stream` iterates.
`aio_sinks` and `sync_sinks` are the functions of `cgrx.sinks` for both, `sync_logs` those that reach logs.
"""
