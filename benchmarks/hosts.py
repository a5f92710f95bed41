"""What does an event cost in asyncio, and in code without a loop, against cgrx on trio?

Each host iterates over the stream of a feed, one event at a time. Where frames are already on loopback (`wire` says how
they get there), a read brings many. Where they come at a rate (`latency` says how), each event wakes the host up, which
is the most that it can cost. In both cases the figure is processor time per event, of all threads. In the last case it
is the median time from the moment at which an event was due to the body of the loop. All are in nanoseconds.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeAlias

import attrs

from benchmarks._harness.scenario import Case, Contest, Rival, Sample, Scenario
from benchmarks._harness.worker import process
from benchmarks._senders import schedule
from benchmarks._senders.schedule import Schedule
from benchmarks._senders.server import Load, Servers, port_of, servers
from benchmarks.latency import Listening
from benchmarks.rivals.by_host import HOSTS
from benchmarks.rivals.receivers import Client, Receiver
from benchmarks.wire import Clocked, Line, Receiving


@attrs.frozen
class OneByOne:
    """Events at a rate, judged by processor time."""

    schedule: Schedule


What: TypeAlias = Line | OneByOne | Schedule


@attrs.frozen
class Senders:
    """Those of frames, and the port of the one that keeps to a schedule."""

    frames: Servers
    schedule_port: int


@contextmanager
def _senders() -> Generator[Senders, None, None]:
    with servers() as frames, process(schedule.serve) as pipe:
        yield Senders(frames, port_of(pipe))


@attrs.frozen
class _Median(Listening):
    """As in `latency`, judged by the median."""

    def measure(self) -> Sample:
        """See `Contest`."""
        us = super().measure()
        return Sample(us.also["p50"] * 1e3, {"p99_ns": us.value * 1e3})


@attrs.frozen
class _Paced(Listening):
    """As in `latency`, judged by processor time."""

    def measure(self) -> Sample:
        """See `Contest`."""
        clocked = Clocked(self.schedule.events)
        gc.collect()
        self.receive(self.schedule, clocked.goal)
        return clocked.sample(self.schedule.events)


def _rival(client: Client[Receiver]) -> Rival[What]:
    def prepare(what: What, senders: Senders) -> Contest:
        client.require()
        if isinstance(what, Schedule):
            return _Median(client, what, senders.schedule_port)
        if isinstance(what, OneByOne):
            return _Paced(client, what.schedule, senders.schedule_port)
        return Receiving(client, what, senders.frames)

    return Rival(client.name, prepare, client.role)


def _cases(quick: bool) -> list[Case[What]]:
    few = 50 if quick else 1
    return [
        Case("1 event a frame", Line(Load(20_000 // few, 1))),
        Case("20 events a frame", Line(Load(4_000 // few, 20))),
        Case("1 event a read", OneByOne(Schedule(1_000 // few, 1_000))),
        Case("latency at 150 events a second", Schedule(300 // (10 if quick else 1), 150)),
    ]


SCENARIO = Scenario(
    name="hosts",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns",
    cases=_cases,
    surroundings=_senders,
    rivals=tuple(map(_rival, HOSTS)),
)
