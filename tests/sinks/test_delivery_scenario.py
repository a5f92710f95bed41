"""The scenario `delivery` of the benchmarks, small: what is written is the same. No time is judged."""

from benchmarks import delivery
from benchmarks._harness.equality import require_equal
from tests.sinks.postgres_server import Server


def test_rivals_write_the_same_rows(postgres: Server) -> None:
    ours, by_hand, _ = delivery.SCENARIO.rivals
    rows, databases = delivery.Rows(1_200), delivery.Databases(postgres.dsn())
    one, other = (rival.prepare(rows, databases) for rival in (ours, by_hand))
    results = one.results()
    assert results is not None
    assert len(results) == 1_200
    require_equal("delivery", ours.name, results, by_hand.name, other.results() or [])
    assert one.measure().value > 0
