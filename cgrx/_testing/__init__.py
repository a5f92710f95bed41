"""What users test their own pipelines with: sample events, played signals, marble diagrams and a clock that jumps.

May import `_model`, `_streams`. Public through `cgrx.testing`.

Read `samples` first (events and signals with defaults), then `playing` (run a pipeline here and now), then `marbles`;
`running` runs a whole program.
"""
