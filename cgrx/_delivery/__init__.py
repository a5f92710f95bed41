"""Delivery: what every sink does with the rows and events that it is given, whatever the system behind it.

May import `_extras`, `_own_folder`, `_model`, `_streams`, `operators._rows`, `_trio`, `_feed`. Knows no system.

Read `sink` first, one sink around a body, and `courier`, the task that delivers; `backlog` is what waits, in memory
(`waiting`) and in files (`spill`); `writer` says what a system has to do and how it may fail. `options` are the keyword
arguments that all sinks share, `accounts` the counters, `losses` tells what is given up, and `dead_letters` keeps what
is refused. `records` makes columns and plain values of rows and events, `as_json` what systems keep that only append.
"""
