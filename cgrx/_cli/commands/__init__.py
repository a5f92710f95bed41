"""What each command does, one file for each: `cgrx NAME` is in `NAME.py`, `cgrx import` in `import_.py`.

May import `operators`, `metrics`, `cgrx`, `testing`, `_cli.terminal`, `_cli.view`.

Read `watch` first, the shortest; `replay` is its twin for recordings, `choice` is which events both show, and `metrics`
serves the counters of a command. `demo`, `record`, `import_` and `simulate` can each be read alone.
"""
