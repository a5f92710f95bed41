"""Rows: the values of one window, as a class with typed fields.

May import `_model`, `operators._aggregates`, `operators.agg`.

Read `row` first, how a class of rows is made, and `declared`, what its body may hold; `ready` has Flow and Bar;
`derive` finds the class that a window gives; `encoding` says how encoders see a row, `standing` which of many rows
count. `to_dicts` makes dictionaries of events and rows, `to_frame` a table of polars, pandas or Arrow; `table` and
`shown` make what people read.
"""
