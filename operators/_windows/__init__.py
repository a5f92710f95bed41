"""Windows: when they open, when they close, and what they missed.

May import `_model`, `_streams`, `operators._aggregates`, `operators.agg`, `operators._rows`, `operators._stages`.

Read `window` first, what all windows are told; `progress` is the one place that says how far event time has come,
`closing` what all have in common when they run, `missing` what a subscription did not see. `grid` has tumbling and
sliding (run by `grid_running` over `panes`), `sessions`, `bars` and `cascades` the others; `final` keeps the rows that
change no more.
"""
