"""Counters for machines: one snapshot of everything that counts, for Prometheus, and whether a service is well.

May import `_model`, `_streams`, `_recording`, `_trio`, `_feed`.

Read `snapshot` first, the value that all else is made of, then `families`, the table of the metrics, and `collector`,
which gives them to prometheus-client. `server` answers `/metrics`, `/healthz` and `/readyz`; `http` is one request and
its answer, over any stream.
"""
