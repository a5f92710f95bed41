"""Restarts: a pipeline that goes on where the process before it was ended, however it was ended.

May import `_extras`, `_own_folder`, `_model`, `_streams`, `_feed`, `_shards`.

Read `resume`, the stream that users get: every signal of the feed is written down before the pipeline sees it. `folder`
keeps the two files that make this exact: a snapshot of the pipeline, and the records that have come since.
"""
