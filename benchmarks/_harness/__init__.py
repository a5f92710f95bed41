"""What runs a scenario: rivals in processes of their own, results compared, rounds in which rivals take turns.

May import nothing else of `benchmarks`, but for `compare`, which prints with `_report.table`.

Read `scenario` first: the values that a scenario is made of. `rounds` runs one, `worker` is the process of a rival,
`equality` compares results. `results` is a whole run as a value and as JSON, `statistics` has the medians and
intervals, `slopes` the growth along an axis, `compare` two runs. `data` makes the trades and frames that rivals are
given, `files` the files that they read.
"""
