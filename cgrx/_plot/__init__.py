"""Charts of rows, with altair: what `cgrx.plot` returns.

May import `_model`, `operators._rows`.

Read `plot` first, the public function, which imports without altair; `chosen` finds out what to draw, and makes plain
records of the rows; `charts` speaks altair, `svg` draws the same pictures without it, both in the same `colours`.
"""
