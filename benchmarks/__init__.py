"""cgrx beside its rivals: ratios of one run on one machine, with all results compared before any time counts.

Each module at the top is a scenario: one question, with its cases and rivals. `python -m benchmarks` lists them.

`rivals` does the tasks in other libraries, `_senders` are the servers of the network scenarios, `_harness` runs and
measures, `_report` shows. Read first: `_harness/scenario.py`, then a scenario, such as `wire.py`.
"""
