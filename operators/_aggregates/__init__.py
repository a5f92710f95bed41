"""Aggregates: the values of a row, what each means as data, and how they are computed.

May import `_model`.

Read `aggregate` first: the value that a user writes. Each family has its file: `count`, `volume` (bought, sold, delta,
imbalance), `vwap`, `mean` (and the standard deviation), `open_high_low_close`, `first_last`, `min_max`, `largest`,
`exchanges` (and shares of them), `quantile` (and the median), `count_distinct`, `ewm` (the exponentially weighted
mean), `rolling` (of rows: sums, changes, ranks), `risk` (of bars: drawdown, volatility), and `custom` for a user's own
functions.

Then how they run: `primitives` are the running values that are kept, `formulas` say as data what each aggregate makes
of them, and `accumulators` generates the class that keeps all primitives of a row. `over_rows` and `paths` have both
for the fields of rows: sums and extrema, and what needs the order of values. `exact` has the sums that no order
changes, `decayed` those that weigh events by age, `bounded` the values that a sketch takes over when they are many;
`shares` is a frozen mapping.
"""
