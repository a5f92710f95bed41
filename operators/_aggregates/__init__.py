"""What a row says of the events of its window: the aggregates, what they mean, and how they run.

May import `_model`.

Read `aggregate` first, the value that a user writes; the families are `sums`, `prices`, `exchanges`, `quantile` and
`custom`. `formulas` says as data what each one means, over the `primitives` that are kept; `accumulators` generates the
class that keeps them, with `exact` for sums that no order changes; `shares` is a frozen mapping.
"""
