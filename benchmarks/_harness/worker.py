"""A rival's own process: the loop that runs there, and the side that asks it."""

import gc
import importlib
import multiprocessing
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, Literal, TypeAlias

import attrs

from benchmarks._harness.scenario import AbsentError, Case, Contest, Results, Sample, Scenario

START_S = 60.0
"""How long an interpreter may take to start and import a scenario; on a busy machine it takes some seconds."""
OURS = ("cgrx", "benchmarks", "tests")
_END_S = 2.0
"""How long a process may take to end by itself before it is killed."""


class WorkerError(Exception):
    """A rival failed, or took too long."""


@attrs.frozen
class _Answer:
    """What a rival's process sends back. `prepare` gives results or the reason for absence, `measure` a sample."""

    results: Results = None
    sample: Sample | None = None
    absent: str | None = None
    failed: str | None = None


_Asked: TypeAlias = tuple[Literal["prepare"], Case[Any]] | tuple[Literal["measure"], None]


def load(module: str) -> Scenario[Any]:
    """The scenario that a module holds."""
    scenario: Scenario[Any] = importlib.import_module(module).SCENARIO
    return scenario


def serve(pipe: Connection, module: str, rival_name: str, surroundings: Any) -> None:
    """Run in the rival's process: answer until the other side hangs up."""
    # Before the first question, so that the processes of all rivals import at the same time.
    (rival,) = (each for each in load(module).rivals if each.name == rival_name)
    contest: Contest | None = None
    with suppress(EOFError, KeyboardInterrupt, BrokenPipeError), pipe:
        pipe.send(_Answer())  # ready: from here on each answer has its limit
        while True:
            asked: _Asked = pipe.recv()
            try:
                if asked[0] == "prepare":
                    contest = None
                    gc.unfreeze()
                    contest = rival.prepare(asked[1].parameters, surroundings)
                    answer = _Answer(results=contest.results())
                    # Frozen, what stays for the whole case costs the garbage collector nothing during measurements.
                    gc.collect()
                    gc.freeze()
                else:
                    assert contest is not None, "prepare comes first"
                    answer = _Answer(sample=contest.measure())
            except AbsentError as error:
                answer = _Answer(absent=f"{error}")
            except ImportError as error:
                # A library that is not installed is absent; a module of ours that is not found is a mistake.
                is_ours = (error.name or "").partition(".")[0] in OURS
                answer = _Answer(failed=traceback.format_exc()) if is_ours else _Answer(absent=f"{error}")
            except Exception:  # noqa: BLE001 - whatever it is, the run shows it and stops
                answer = _Answer(failed=traceback.format_exc())
            pipe.send(answer)


class Worker:
    """The other side of a rival's process."""

    def __init__(self, pipe: Connection, name: str, within_s: float) -> None:
        self._pipe = pipe
        self._name = name
        self._within_s = within_s
        self._ready = False

    def prepare(self, case: Case[Any]) -> Results:
        """Make the rival ready for a case.

        Raises:
            AbsentError: the rival cannot take part.
            WorkerError: it failed.
        """
        return self._ask(("prepare", case)).results

    def measure(self) -> Sample:
        """One sample.

        Raises:
            WorkerError: it failed.
        """
        sample = self._ask(("measure", None)).sample
        assert sample is not None
        return sample

    def _ask(self, asked: _Asked) -> _Answer:
        try:
            if not self._ready:
                self._receive("start", START_S)
                self._ready = True
            self._pipe.send(asked)
            answer = self._receive(asked[0], self._within_s)
        except (EOFError, BrokenPipeError) as error:
            raise WorkerError(f"{self._name}: its process died") from error
        if answer.absent is not None:
            raise AbsentError(answer.absent)
        if answer.failed is not None:
            raise WorkerError(f"{self._name}: {answer.failed}")
        return answer

    def _receive(self, what: str, within_s: float) -> _Answer:
        if not self._pipe.poll(within_s):
            raise WorkerError(f"{self._name}: no answer to {what!r} within {within_s:g} s")
        answer: _Answer = self._pipe.recv()
        return answer


@contextmanager
def process(target: Any, *arguments: Any) -> Generator[Connection, None, None]:
    """A process that gets one end of a pipe and the arguments. It ends with the block, by force if need be."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    started = spawn.Process(target=target, args=(theirs, *arguments), daemon=True)
    started.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        started.join(_END_S)
        if started.is_alive():
            started.kill()
            started.join()


@contextmanager
def worker(module: str, rival: str, surroundings: Any, within_s: float) -> Generator[Worker, None, None]:
    """A rival's process, ended with the block."""
    with process(serve, module, rival, surroundings) as pipe:
        yield Worker(pipe, rival, within_s)
