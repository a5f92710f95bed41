"""The part of the scenario `shards` of the benchmarks that needs a broker, small. No time is judged."""

from benchmarks import shards
from benchmarks._harness.equality import require_equal
from tests.sinks.kafka_server import Broker


def test_rivals_put_the_same_records_on_a_topic(shared: Broker) -> None:
    """Each sends the batches, and what stands there is read back."""
    ours, by_hand = (
        rival.prepare(shards.Work("publish", 30, 7), shared.servers) for rival in shards.SCENARIO.rivals[:2]
    )
    require_equal("shards", "cgrx", ours.results() or (), "by hand", by_hand.results() or ())
    assert ours.measure().value > 0
