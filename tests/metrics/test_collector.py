"""The metrics as prometheus-client reads them."""

from importlib import import_module
from typing import Any

import pytest
import trio
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse

import cgrx
import cgrx.metrics
from cgrx._metrics.families import FAMILIES
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import feed_on
from tests.simulator.simulating import liquidation, trade
from tests.support import run_mock

WRITE_OPENMETRICS: Any = import_module("prometheus_client.openmetrics.exposition")
READ_OPENMETRICS: Any = import_module("prometheus_client.openmetrics.parser")
"""Their functions have no types."""


def values(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Every sample, by its name and the value of its label."""
    families = list(parse(generate_latest(registry).decode()))
    return {
        (sample.name, "".join(sample.labels.values())): sample.value for each in families for sample in each.samples
    }


def test_a_registry_shows_what_the_snapshot_holds() -> None:
    """Beside what else is in it; what is not known is left out. Symbols are in no label."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            registry = CollectorRegistry()
            Counter("orders", "Theirs.", registry=registry).inc()
            streams: dict[str, Any] = {}
            collector = cgrx.metrics.Collector(feed, streams=streams)
            registry.register(collector)
            feed.liquidations().subscribe(print)
            for symbol in ("BTCUSDT", "ETHUSDT"):
                feed.futures_trades("Binance", symbol, min_volume=0).subscribe(print)
            async with cgrx.stream(feed.liquidations()) as streams["alerts"]:
                await simulator.wait_subscribed("liquidationOrders")
                assert ("cgrx_proof_age_seconds", "") not in values(registry)
                await trio.sleep(1)
                for event in (liquidation(1), liquidation(2), trade(3)):
                    await simulator.send(event)
                await trio.sleep(1)
                found = values(registry)
                assert found["orders_total", ""] == 1
                assert not any("USDT" in label for _, label in found)
                assert found["cgrx_events_total", "liquidation_orders"] == 2
                assert found["cgrx_events_total", "futures_trades"] == 1
                assert found["cgrx_subscribers", "futures_trades"] == 2
                assert found["cgrx_state", "connected"] == 1
                assert found["cgrx_state", "failed"] == 0
                assert found["cgrx_proof_age_seconds", ""] == collector.snapshot().proof_age_s
                assert found["cgrx_stream_queued", "alerts"] == 2
                assert found["cgrx_dropped_total", "overflow"] == 0
                assert ("cgrx_recorder_events_total", "alerts") not in found
                del streams["alerts"]
                assert ("cgrx_stream_queued", "alerts") not in values(registry)
                written = WRITE_OPENMETRICS.generate_latest(registry).decode()
                names = {each.name for each in READ_OPENMETRICS.text_string_to_metric_families(written)}
                assert names >= {"cgrx_events", "cgrx_proof_age_seconds"}

    run_mock(main)


def test_one_collector_for_each_registry() -> None:
    """A second one would give the same names: the registry says so, without asking for values."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            registry = CollectorRegistry()
            registry.register(cgrx.metrics.Collector(feed))
            with pytest.raises(ValueError, match="Duplicated timeseries"):
                registry.register(cgrx.metrics.Collector(feed))

    run_mock(main)


def test_names_follow_the_conventions() -> None:
    """One prefix, base units at the end, `_total` for counters, a sentence for each."""
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family.name.startswith("cgrx_")
        assert family.help.endswith(".")
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert not {"ms", "milliseconds", "minutes"} & set(family.name.split("_"))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(_: str) -> None:
        return None

    monkeypatch.setattr("cgrx._extras.find_spec", not_found)
    feed: Any = None
    with pytest.raises(ImportError, match=r'pip install "cgrx\[metrics\]"'):
        cgrx.metrics.Collector(feed)
