"""Rows: the values of one window, as a class with typed fields.

May import `_model`, `operators._aggregates`, `operators.agg`.

Read `row` first, how a class of rows is made; `ready` has Flow and Bar; `derive` finds the class that a window gives;
`to_frame` makes a table of polars or pandas; `table` and `shown` make what people read.
"""
