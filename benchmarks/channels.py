"""Does an event take longer where many channels are subscribed to?

2,000 events a second over one connection, the channels taking turns; all are subscribed to at once, each with its own
callback. A latency is measured as in `latency`; the figure is the median of a round, in microseconds, and `p99` and
`max` stand beside it. The fitted slope is the exponent b of `latency ~ channels ** b`: 0 is flat.
"""

import gc
import importlib

import attrs

from benchmarks._harness.scenario import Case, Contest, Point, Results, Rival, Sample, Scenario
from benchmarks._senders.schedule import Schedule, now_us
from benchmarks.latency import HISTOGRAM, percentiles, sender
from benchmarks.rivals.dispatch import CLIENTS, Dispatching
from benchmarks.rivals.dispatch import Listening as Wanted
from benchmarks.rivals.receivers import Client
from cgrx import Trade

PER_S = 2_000


class Heard:
    """The number and the latency of each event, until as many have come."""

    def __init__(self, events: int) -> None:
        self.left = events
        self.numbers: list[int] = []
        self.us: list[int] = []

    def wanted(self, names: list[str]) -> Wanted:
        """The same callback for each of these channels."""
        wanted = Wanted(dict.fromkeys(names, self._on_event), lambda: None, lambda: not self.left)
        self._wanted = wanted
        return wanted

    def _on_event(self, event: Trade) -> None:
        self.us.append(now_us() - int(event.price))
        self.numbers.append(int(event.volume_usd))
        self.left -= 1
        if not self.left:
            self._wanted.reached()


@attrs.frozen
class Listening:
    """A client on one schedule."""

    client: Client[Dispatching]
    schedule: Schedule
    port: int

    def results(self) -> Results:
        """The numbers of the events of a shorter schedule: each once. Between channels any order will do."""
        return sorted(self._listen(attrs.evolve(self.schedule, events=min(500, self.schedule.events))).numbers)

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        found = percentiles(self._listen(self.schedule).us)
        return Sample(found.pop("p50"), found)

    def _listen(self, schedule: Schedule) -> Heard:
        heard = Heard(schedule.events)
        self.client.receive(f"ws://127.0.0.1:{self.port}{schedule.resource}", None, heard.wanted(schedule.names))
        return heard


def _rival(client: Client[Dispatching]) -> Rival[Schedule]:
    def prepare(schedule: Schedule, port: int) -> Contest:
        importlib.import_module(HISTOGRAM)
        client.require()
        return Listening(client, schedule, port)

    return Rival(client.name, prepare, client.role)


def _cases(quick: bool) -> list[Case[Schedule]]:
    events = PER_S // 10 if quick else 2 * PER_S
    return [
        Case(f"{channels:,} channels", Schedule(events, PER_S, channels), Point("channels", channels))
        for channels in (10, 100, 1_000, 5_000)
    ]


SCENARIO = Scenario(
    name="channels",
    question=(__doc__ or "").partition("\n")[0],
    unit="us (median)",
    cases=_cases,
    surroundings=sender,
    share=0.5,
    rivals=tuple(map(_rival, CLIENTS)),
)
