"""Logs: the channels of a feed as records of a topic, and a feed that comes from there.

May import `_extras`, `_model`, `_streams`, `_recording`, `_trio`, `_feed`, `_replay`, `_delivery`, `_sinks`, `_shards`.

Read `publish` first, which makes records of what a feed gives and delivers them as any sink does; `record_writer` is
the producer behind it. Then `consume`, the feed that comes from a log, which `log_engine` drives: `reader` is the
consumer, in a thread; `order` puts what it reads of several partitions into one order, and `continuity` finds what is
repeated and what is missing.
"""
