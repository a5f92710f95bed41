"""What each command does, one file for each: `cgrx NAME` is in `NAME.py`, `cgrx import` in `import_.py`.

May import `operators`, `cgrx`, `testing`, `_cli.terminal`, `_cli.view`.

Read `watch` first, the shortest; `replay` is its twin for recordings, and `choice` is which events both show. `demo`,
`record`, `import_` and `simulate` can each be read alone.
"""
