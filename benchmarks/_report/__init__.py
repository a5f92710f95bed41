"""How a run is shown.

May import `_harness`.

`table` is the terminal's, with the words for numbers and ratios that the others use. `page` writes docs/benchmarks.md,
`plots` its pictures, `quotes` the three ratios in README.
"""
