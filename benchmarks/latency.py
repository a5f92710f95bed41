"""How long does an event take from the socket's far end to a subscriber, at a rate that does not wait for anybody?

A sender in a process of its own keeps to a schedule (`_senders/schedule.py`), one event a message. The latency of an
event is the time in the callback minus the time at which the event was due to leave, so a receiver that falls behind
sees its latency grow. Nothing is left out. The latencies of a round go into an HDR histogram, exact to three digits,
after its last event; the figure is their 99th percentile, in microseconds.
"""

import gc
import importlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs

from benchmarks._harness.scenario import Case, Contest, Results, Rival, Sample, Scenario
from benchmarks._harness.worker import process
from benchmarks._senders import schedule
from benchmarks._senders.schedule import Schedule, now_us
from benchmarks._senders.server import port_of
from benchmarks.rivals.receivers import CLIENTS, Client, Goal, Receiver
from cgrx import Trade

HISTOGRAM = "hdrh.histogram"
"""Imported where it is used, so that all else runs without it."""
LONGEST_US = 600_000_000
DIGITS = 3
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9}


class Latencies:
    """A goal that keeps each event's number and latency."""

    def __init__(self, events: int) -> None:
        self.goal = Goal(events, self._on_event, lambda: None)
        self.numbers: list[int] = []
        self.us: list[int] = []

    def _on_event(self, event: Trade) -> None:
        self.us.append(now_us() - int(event.price))
        self.numbers.append(int(event.volume_usd))
        self.goal.left -= 1
        if not self.goal.left:
            self.goal.reached()


def percentiles(latencies_us: list[int]) -> dict[str, float]:
    """`PERCENTILES`, and the longest."""
    histogram: Any = importlib.import_module(HISTOGRAM).HdrHistogram(1, LONGEST_US, DIGITS)
    for us in latencies_us:
        histogram.record_value(max(1, us))
    found = {name: float(histogram.get_value_at_percentile(share)) for name, share in PERCENTILES.items()}
    return found | {"max": float(max(latencies_us))}


@attrs.frozen
class Listening:
    """A client on one schedule."""

    client: Client[Receiver]
    schedule: Schedule
    port: int

    def results(self) -> Results:
        """The numbers of the events, of a shorter schedule: all of them, each once, in order."""
        return self._listen(attrs.evolve(self.schedule, events=min(500, self.schedule.events))).numbers

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        found = percentiles(self._listen(self.schedule).us)
        return Sample(found.pop("p99"), found)

    def _listen(self, schedule: Schedule) -> Latencies:
        heard = Latencies(schedule.events)
        self.receive(schedule, heard.goal)
        return heard

    def receive(self, schedule: Schedule, goal: Goal) -> None:
        """Give the goal the events of a schedule."""
        self.client.receive(f"ws://127.0.0.1:{self.port}{schedule.resource}", None, goal)


@contextmanager
def sender() -> Generator[int, None, None]:
    """The port of a sender that keeps to schedules."""
    with process(schedule.serve) as pipe:
        yield port_of(pipe)


def _rival(client: Client[Receiver]) -> Rival[Schedule]:
    def prepare(schedule: Schedule, port: int) -> Contest:
        importlib.import_module(HISTOGRAM)
        client.require()
        return Listening(client, schedule, port)

    return Rival(client.name, prepare, client.role)


def _cases(quick: bool) -> list[Case[Schedule]]:
    rates = ((100, 2.0), (1_000, 2.0), (10_000, 1.0), (50_000, 1.0))
    return [
        Case(f"{per_s:,} events a second", Schedule(int(per_s * (0.1 if quick else seconds)), per_s))
        for per_s, seconds in rates
    ]


SCENARIO = Scenario(
    name="latency",
    question=(__doc__ or "").partition("\n")[0],
    unit="us (p99)",
    cases=_cases,
    surroundings=sender,
    share=0.8,
    rivals=tuple(map(_rival, CLIENTS)),
)
