"""Engines: what runs a pipeline on many machines. Each is a module of its own, and needs the extra of its name.

May import `_spark`.

`spark` is Apache Spark: `from cgrx.engines import spark`.
"""
