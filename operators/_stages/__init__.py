"""Stages that look at one event at a time, and what every stage of the library shares.

May import `_model`, `_streams`, `operators._aggregates`, `operators._rows`.

Read `filters` first (side, volume, exchange, symbol, asset, where, map), then `dedupe` and `scan`, which keep state.
`tap` shows a function the signals that pass. `pipeline` makes one stage of several, `explain` says what it keeps and
costs. `merge` and `share` are operators, but no stages: one stream of several, one subscription for many subscribers.
`crosses` and `cooldown` are for alerts: a result where a number passes a level, and silence behind a result. They take
events, rows and results that carry such: `items` says how a key, a number and a time are read of each.
`arguments` checks the arguments that all windows share.
"""
