"""The scenario `delivery` of the benchmarks, small: what is written is the same. No time is judged."""

from pathlib import Path
from typing import Literal

import trio

from benchmarks import delivery
from benchmarks._harness.equality import require_equal
from tests.sinks.postgres_server import Server
from tests.sinks.redis_server import RedisServer


def _require_same(into: Literal["PostgreSQL", "Redis"], databases: delivery.Databases, rival: int) -> None:
    ours, by_hand = delivery.SCENARIO.rivals[0], delivery.SCENARIO.rivals[rival]
    rows = delivery.Rows(1_200, into)
    one, other = (each.prepare(rows, databases) for each in (ours, by_hand))
    results = one.results()
    assert results is not None
    assert len(results) == 1_200
    require_equal("delivery", ours.name, results, by_hand.name, other.results() or [])
    assert one.measure().value > 0


def test_rivals_write_the_same_rows_into_postgres(postgres: Server) -> None:
    _require_same("PostgreSQL", delivery.Databases(postgres.dsn(), ""), 1)


def test_rivals_append_the_same_entries_to_redis(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    trio.run(server.start)
    try:
        _require_same("Redis", delivery.Databases("", server.url), 2)
    finally:
        server.kill()
