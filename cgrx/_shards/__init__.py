"""Pipelines beyond one process: what stands on a log, and a pipeline whose state is bytes.

May import `_model`, `_streams`, `operators._rows`, `operators._windows`, `_replay`, `_backtest`.

Read `record`: a signal of one channel as bytes, numbered so that a reader knows what it has seen and what it missed.
`groups` says which channels belong together, in which partition a group is, and which publisher has it.
Then `shard`, the pipeline itself: `line` is what it has seen of one channel, `building` makes the pipeline and finds
out what it is, `fingerprint` says that as text, `storing` puts its state away as bytes, and
`explanation` tells what it keeps.
"""
