"""A scenario for the tests of the harness: rivals that agree, and rivals that fail in every way there is."""

import os
import threading
import time
from collections.abc import Callable
from typing import Literal

import attrs

from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Rival, Sample, Scenario

Behaviour = Literal["agrees", "differs", "is missing", "is misspelled", "abstains", "raises", "dies", "hangs"]

LIMIT_S = 30.0


@attrs.frozen
class Trial:
    """How the second rival behaves, and when."""

    behaviour: Behaviour = "agrees"
    measuring: bool = False


@attrs.frozen
class Squares:
    """A rival that squares numbers."""

    power: float = 2.0
    misbehave: Callable[[], None] = lambda: None

    def results(self) -> Results:
        return [(number, number**self.power) for number in range(10)]

    def measure(self) -> Sample:
        self.misbehave()
        return Sample(1.0, {"at": time.monotonic(), "pid": os.getpid()})


def _raise() -> None:
    raise RuntimeError("it went wrong")


def _hang() -> None:
    threading.Event().wait()


def _die() -> None:
    os._exit(3)


FAILURES: dict[Behaviour, Callable[[], None]] = {"raises": _raise, "hangs": _hang, "dies": _die}


def _ours(_: Trial, __: None) -> Contest:
    return Squares()


def _theirs(trial: Trial, _: None) -> Contest:
    match trial.behaviour:
        case "agrees":
            return Squares(2.0 + 1e-13)
        case "differs":
            return Squares(2.1)
        case "is missing":
            __import__("a_library_that_nobody_has")
        case "is misspelled":
            __import__("tests.harness.a_module_that_is_not_there")
        case "abstains":
            raise AbsentError("it has no squares")
        case _:
            if trial.measuring:
                return Squares(misbehave=FAILURES[trial.behaviour])
            FAILURES[trial.behaviour]()
    raise AssertionError("not reached")


def scenario(*trials: Trial, within_s: float = LIMIT_S, fresh: bool = False) -> Scenario[Trial]:
    """The scenario, with these trials as its cases."""
    return Scenario(
        name="harness.scenario",
        package="tests",
        question="Who squares fastest?",
        unit="ns",
        cases=lambda _: [Case(f"it {trial.behaviour}", trial) for trial in trials],
        rivals=(Rival("ours", _ours, "ours"), Rival("theirs", _theirs)),
        within_s=within_s,
        fresh=fresh,
    )


SCENARIO = scenario(Trial())
"""Where the rivals' processes find the rivals."""
