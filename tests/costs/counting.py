"""What a call costs, counted: bytecode instructions of this thread, whatever else the machine does."""

import gc
import inspect
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from cgrx._recording.arrow import pa

LINEAR = 1.2
"""Growth that passes for linear: bounds that are reached on the way make it uneven."""


class Input(NamedTuple):
    """Something that comes from outside, and what it costs by its size."""

    name: str
    cost: Callable[[int], int]
    """Takes a size and counts, by `work` or `instructions`; of constant cost, it adds the size."""
    size: int
    """The smallest of the three sizes that are compared; the others are twice and four times as large."""
    limit: float = LINEAR


def instructions(call: Callable[[], object]) -> int:
    """How many bytecode instructions the call runs, in all functions that it reaches.

    Work within one instruction, such as a pattern's search or the copy of a list, counts as one.
    """
    return _counted(call, lambda _: 0)


def work(call: Callable[[], object]) -> int:
    """As `instructions`, and the lengths of what Python functions and methods of texts are given to work on.

    For each call of a Python function: the length of every text, bytes or Arrow value among its arguments, as if C code
    went through it once; pyarrow's own functions are such functions. For each call of a method of a text or of bytes:
    the length of that. What stays unseen is C code over something else, such as `in` over a list.
    """
    given = 0

    def profile(_: FrameType, event: str, called: Any) -> None:
        nonlocal given
        if event == "c_call":
            given += _length(getattr(called, "__self__", None))

    profiled = sys.getprofile()
    sys.setprofile(profile)
    try:
        return _counted(call, _lengths_of_arguments) + given
    finally:
        sys.setprofile(profiled)


def _counted(call: Callable[[], object], entered: Callable[[FrameType], int]) -> int:
    """How many instructions a call runs, and what `entered` says of each function that is called."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "call":
            if frame.f_trace is None:  # a generator that goes on is called again, and has one
                count += entered(frame)
            frame.f_trace_opcodes, frame.f_trace_lines = not _MONITORS, False
        elif event == "opcode":
            count += 1
        return trace

    def step(*_: object) -> None:
        nonlocal count
        count += 1

    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()  # what others have asked to be called when garbage is collected is no work of the call
    try:
        with _monitored(step):
            sys.settrace(trace)
            call()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return count


_MONITORS = sys.version_info >= (3, 12)
"""Traces leave the instructions of a function out there until they have met it, as in Python 3.12.1 and 3.13.0."""


@contextmanager
def _monitored(step: Callable[..., None]) -> Generator[None]:
    """Call `step` at each instruction, where Python has monitors."""
    if sys.version_info >= (3, 12):
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.PROFILER_ID, __name__)
        monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, step)
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION)
        try:
            yield
        finally:
            monitoring.set_events(monitoring.PROFILER_ID, 0)
            monitoring.free_tool_id(monitoring.PROFILER_ID)
    else:
        yield


def _lengths_of_arguments(frame: FrameType) -> int:
    code, values = frame.f_code, frame.f_locals
    named = code.co_argcount + code.co_kwonlyargcount
    lengths = sum(_length(values.get(name)) for name in code.co_varnames[:named])
    if code.co_flags & inspect.CO_VARARGS:
        lengths += sum(map(_length, values[code.co_varnames[named]]))
    return lengths


_SIZED: tuple[Any, ...] = (str, bytes, bytearray, memoryview, pa.Array, pa.ChunkedArray, pa.RecordBatch, pa.Table)


def _length(value: Any) -> int:
    """The length of a text, of bytes or of an Arrow value; 0 of anything else."""
    return len(value) if isinstance(value, _SIZED) else 0


def growth(cost: Callable[[int], int], size: int) -> float:
    """How the cost grows from `size` to twice and four times as much: 1.0 is linear, 2.0 is quadratic.

    What a call costs whatever its size is left out.
    """
    one, two, four = cost(size), cost(2 * size), cost(4 * size)
    return (four - two) / (2 * (two - one))
