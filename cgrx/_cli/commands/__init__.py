"""What each command does, one file for each: `cgrx NAME` is in `NAME.py`, `cgrx import` in `import_.py`.

May import `_model`, `_streams`, `_feed`, `_replay`, `_importing`, `_simulator`, `_cli.terminal`, `_cli.view`.

Read any of them alone: `watch` is the shortest; `demo`, `record`, `replay`, `import_` and `simulate` are as
independent.
"""
