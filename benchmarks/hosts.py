"""What does an event cost in asyncio, and in code without a loop, against cgrx on trio?

Each host iterates over the stream of a feed, one event at a time. Of frames that are already on loopback (`wire` says
how they get there) the figure is processor time per event, of all threads, with one trade a frame and with twenty. Of
events that come at a rate (`latency` says how) it is the median time from the moment at which an event was due to the
body of the loop. Both are in nanoseconds.
"""

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
from benchmarks.rivals.receivers import Client
from benchmarks.wire import Line, Receiving

What: TypeAlias = Line | Schedule


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


def _rival(client: Client) -> Rival[What]:
    def prepare(what: What, senders: Senders) -> Contest:
        client.require()
        if isinstance(what, Schedule):
            return _Median(client, what, senders.schedule_port)
        return Receiving(client, what, senders.frames)

    return Rival(client.name, prepare, client.role)


def _cases(quick: bool) -> list[Case[What]]:
    few = 50 if quick else 1
    return [
        Case("1 event a frame", Line(Load(20_000 // few, 1))),
        Case("20 events a frame", Line(Load(4_000 // few, 20))),
        Case("latency at 150 events a second", Schedule(450 // (10 if quick else 1), 150)),
    ]


SCENARIO = Scenario(
    name="hosts",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns",
    cases=_cases,
    surroundings=_senders,
    rivals=tuple(map(_rival, HOSTS)),
)
