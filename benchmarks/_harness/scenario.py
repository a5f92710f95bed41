"""What a scenario is: one question, the cases it is asked of, and the rivals that answer in turn.

A rival is prepared for a case within a process of its own and shows its results, which must equal those of all others.
Then it is measured again and again, and the rivals take turns (A B C, C B A, ...): whatever slows the machine down
slows all of them, so the ratios within a round hold. `worker.py` is the rival's side, `rounds.py` the side that asks.
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import attrs

P = TypeVar("P")

Role: TypeAlias = Literal["ours", "rival", "limit"]
"""A limit does less than is asked, such as reading a socket without parsing: it shows what nobody can beat."""

Results: TypeAlias = Sequence[Any] | None
"""What a rival made of the case, as plain values in an order that all agree on; None from a limit that makes none."""


class AbsentError(Exception):
    """A rival cannot take part in a case, for the reason given: it is shown as absent, and the run goes on."""


@attrs.frozen
class Sample:
    """One measurement."""

    value: float
    """The figure that is compared, in the scenario's unit. Less is always better."""
    also: Mapping[str, float] = attrs.field(factory=dict[str, float])
    """Further figures, each with its unit in its name."""


class Contest(Protocol):
    """A rival that is prepared for a case, in its own process."""

    def results(self) -> Results:
        """The results of the case; not timed."""
        ...

    def measure(self) -> Sample:
        """Do the task once more, and return what it cost."""
        ...


@attrs.frozen
class Rival(Generic[P]):
    """One way to do the cases of a scenario."""

    name: str
    prepare: Callable[[P, Any], Contest]
    """Makes a contest from the case's parameters and the scenario's surroundings.

    It imports the rival's library, so that an ImportError tells that the rival is not installed; an `AbsentError` tells
    why the rival cannot take part in this case.
    """
    role: Role = "rival"


@attrs.frozen
class Point:
    """Where a case stands on an axis along which something grows."""

    axis: str
    at: float
    expected: float = 0.0
    """The exponent with which the figure should grow: 0 is flat, 1 is linear."""


@attrs.frozen
class Case(Generic[P]):
    """One setting in which all rivals are measured."""

    name: str
    parameters: P
    """Picklable: it goes to every rival's process."""
    point: Point | None = None


@attrs.frozen(kw_only=True)
class Scenario(Generic[P]):
    """One question. Its module's docstring says how it is asked; the module's name is the scenario's."""

    name: str
    question: str
    unit: str
    """The unit of the figure."""
    rivals: tuple[Rival[P], ...]
    """Exactly one of them ours."""
    cases: Callable[[bool], Sequence[Case[P]]]
    """Makes the cases; called with True for a quick run, whose cases are smaller, and of the same kinds."""
    surroundings: Callable[[], AbstractContextManager[Any]] = nullcontext
    """Opened beside the rivals for the whole scenario, such as a sender's process; its value must be picklable."""
    share: float = 1.0
    """Rounds relative to other scenarios: less than 1 where a round is long."""
    fresh: bool = False
    """Each measurement in a new process, as peak memory and imports require."""
    within_s: float = 120.0
    """Seconds; a rival that takes longer for one answer has failed, and so has the run."""
    package: str = "benchmarks"
    """The package of its module, for the rivals' processes to find it."""

    @property
    def module(self) -> str:
        """The module that holds it, as `SCENARIO`."""
        return f"{self.package}.{self.name}"

    @property
    def ours(self) -> str:
        """The name of the rival that is ours."""
        (name,) = (rival.name for rival in self.rivals if rival.role == "ours")
        return name


@attrs.frozen
class Timed:
    """A rival that is a function, timed by the processor time of its process, per event.

    Not pyperf: it runs one benchmark to its end before the next. The ratio of two rivals holds better when they take
    turns every few hundred milliseconds. Runs are long enough for the clock: 10 ms and more.
    """

    run: Callable[[], Any]
    events: int
    shown: Callable[[Any], Results]
    """Makes plain results of what `run` returns."""

    def results(self) -> Results:
        """See `Contest`."""
        return self.shown(self.run())

    def measure(self) -> Sample:
        """See `Contest`."""
        gc.collect()
        wall_s, started_s = time.perf_counter(), time.process_time()
        self.run()
        spent_s, wall_s = time.process_time() - started_s, time.perf_counter() - wall_s
        return Sample(spent_s / self.events * 1e9, {"wall_ns": wall_s / self.events * 1e9})
