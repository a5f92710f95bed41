"""What users test their own pipelines with: sample events, played signals and marble diagrams.

May import `_model`, `_streams`. Public through `cgrx.testing`.

Read `samples` first (events and signals with defaults), then `playing` (run a pipeline here and now), then `marbles`.
"""
