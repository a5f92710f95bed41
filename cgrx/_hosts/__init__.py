"""Where a program of a user runs: how trio is started, and what is done when the process is asked to end.

May import `_model`, `_trio`, `_feed`.

Read `run`: `cgrx.run()`, trio for scripts and services, which ends in good order on a signal.
"""
