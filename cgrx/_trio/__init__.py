"""Where observables meet trio: time, scheduling, and iteration with `async for`.

May import `_model`, `_streams`.

Read `scheduler` first (reactivex's scheduler on trio's clock, over the heap in `agenda`, counted in `scheduler_stats`),
then `iterate` (`cgrx.stream` and `cgrx.from_async`) and `buffers`, what stands between an observable and a slow
consumer; `overflow` chooses one. `clock` is the only place that reads the system's time; `require` says in one sentence
which loop is missing, `entering` that an `async with` is. `ports` is what servers listen on. `threads` reaches the
loop's thread from another one, `guest` lets trio run beside asyncio in one; `interruption` keeps Ctrl-C out of both.
`kept` lets one task enter what another one leaves. `draining` keeps what is to end in good order on a signal.
"""
