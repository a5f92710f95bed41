"""The snapshot as a collector of prometheus-client, which is imported when it is asked for: it is an extra."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cgrx._delivery.accounts import SinkStats
from cgrx._extras import require_extra
from cgrx._feed.intake import RecorderStats
from cgrx._metrics.families import FAMILIES, Family
from cgrx._metrics.snapshot import Counted, CountedFeed, Snapshot, Watched
from cgrx._streams.stream import EventStream
from cgrx._trio.buffers import StreamStats

if TYPE_CHECKING:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

_NONE: Mapping[str, Any] = {}


class Collector:
    """Everything that counts, for a registry of prometheus-client: `registry.register(cgrx.metrics.Collector(feed))`.

    It reads a `Snapshot` whenever the registry is read, in any thread, and keeps nothing itself. The mappings are read
    each time too: what is put into them later is there, and what is taken out is not. One for each registry, since a
    second one would give the same names.

    Args:
        feed: as of `snapshot`, like the others.
        streams: what `cgrx.stream` gives, each under a name of yours: the label `stream`.
        pipelines: streams with windows in them, likewise: the label `pipeline`.
        recorders: what `cgrx.record` gives, likewise: the label `recorder`.
        sinks: what a function of `cgrx.sinks` gives, likewise: the label `sink`.

    Raises:
        ImportError: the extra `metrics` is not installed.
        TypeError: an argument is something else.

    Examples:
        >>> import cgrx.metrics
        >>> from prometheus_client import CollectorRegistry, generate_latest
        >>> import msgspec, pathlib
        >>> _ = pathlib.Path("day.jsonl").write_bytes(
        ...     msgspec.json.encode(liquidation("long", 5_000.0, time="1s"))
        ... )
        >>> _ = cgrx.import_jsonl("day.jsonl", "day", events="liquidations")
        >>> async with cgrx.replay("day") as feed:
        ...     registry = CollectorRegistry()
        ...     registry.register(cgrx.metrics.Collector(feed))
        ...     print(b"cgrx_events_total" in generate_latest(registry))
        True
    """

    def __init__(
        self,
        feed: CountedFeed,
        *,
        streams: Mapping[str, Counted[StreamStats]] = _NONE,
        pipelines: Mapping[str, EventStream[Any]] = _NONE,
        recorders: Mapping[str, Counted[RecorderStats]] = _NONE,
        sinks: Mapping[str, Counted[SinkStats]] = _NONE,
    ) -> None:
        require_extra("metrics.Collector()", "metrics")
        self._watched = Watched(feed, streams, pipelines, recorders, sinks)

    def snapshot(self) -> Snapshot:
        """What `collect` gives, as one value.

        Raises:
            TimeoutError: in another thread, after five seconds: something blocks the feed's thread.
        """
        return self._watched.snapshot()

    def collect(self) -> "Iterator[CounterMetricFamily | GaugeMetricFamily]":
        """The metrics of this moment. The registry calls it.

        Raises:
            TimeoutError: see `snapshot`.
        """
        snapshot = self.snapshot()
        for family in FAMILIES:
            metric = _metric(family)
            for label, value in family.samples(snapshot):
                if value is not None:
                    metric.add_metric([label] if family.label else [], value)
            yield metric

    def describe(self) -> "Iterator[CounterMetricFamily | GaugeMetricFamily]":
        """The same without values. The registry calls it, to find names that are there already."""
        return map(_metric, FAMILIES)


def _metric(family: Family) -> "CounterMetricFamily | GaugeMetricFamily":
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=[family.label] if family.label else [])
