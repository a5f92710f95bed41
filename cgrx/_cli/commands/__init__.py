"""What each command does, one file for each: `cgrx NAME` is in `NAME.py`, `cgrx import` in `import_.py`.

May import `engines`, `operators`, `sinks`, `metrics`, `cgrx`, `testing`, `_cli.terminal`, `_cli.view`.

Read `watch` first, the shortest; `replay` is its twin for recordings, `choice` is which events both show, and `metrics`
serves the counters of a command. `cgrx alert` is one of the two, and `alert_sinks` is where its alerts go; `on_spark`
has an engine compute rows. `board`, `record`, `publish`, `import_`, `compact`, `simulate` and `demo` can each be read
alone; `verify` does its work as `compact` does, `demo_story` is what happens in the demo, `demo_summary` how it ends.
"""
