"""Counters for machines: one snapshot of everything that counts, for Prometheus, and whether a service is well.

May import `_extras`, `_model`, `_streams`, `_trio`, `_feed`, `_delivery`.

Read `snapshot` first, the value that all else is made of, then `families`, the table of the metrics, and `collector`,
which gives them to prometheus-client. `server` answers `/metrics`, `/healthz` and `/readyz`; `http` is one request and
its answer, over any stream.
"""
