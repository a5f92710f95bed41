"""Spark as the engine of a pipeline: it supplies partitions, shuffle, checkpoints and recovery, and nothing else.

May import `_extras`, `_model`, `_streams`, `_shards`, `operators._rows`, `operators._stages`, `_trio`, `_feed`,
`_sinks`, `_backtest`.

Read `engine` first, which puts all together, with the `options` of a run. `groups` says what one pipeline takes, and
which shard holds it; `settings` where records come from, `sinks` where rows go, and `rows` how they travel. `processor`
runs the pipelines in Spark's workers; `source` reads a log there, with `patience` for brokers that are away, `recorded`
recordings. `checkpoint` refuses another pipeline, in `folders` of any file system; `failure` finds the error behind
Spark's; `session` begins Spark. `explanation` says beforehand what runs where. Only `processor`, `source` and
`recorded` stand on pyspark's classes, so that the others import without it.
"""
