"""What a call costs, counted: bytecode instructions of this thread, whatever else the machine does."""

import gc
import inspect
import sys
from collections.abc import Callable
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
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            count += 1
        return trace

    before, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()  # what others have asked to be called when garbage is collected is no work of the call
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        if collecting:
            gc.enable()
    return count


def work(call: Callable[[], object]) -> int:
    """As `instructions`, and the lengths of what Python functions and methods of texts are given to work on.

    For each call of a Python function: the length of every text, bytes or Arrow value among its arguments, as if C code
    went through it once; pyarrow's own functions are such functions. For each call of a method of a text or of bytes:
    the length of that. What stays unseen is C code over something else, such as `in` over a list.
    """
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if event == "call" and frame.f_trace is None:  # a generator that goes on is called again, and has one
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            code, values = frame.f_code, frame.f_locals
            named = code.co_argcount + code.co_kwonlyargcount
            count += sum(_length(values.get(name)) for name in code.co_varnames[:named])
            if code.co_flags & inspect.CO_VARARGS:
                count += sum(map(_length, values[code.co_varnames[named]]))
        elif event == "opcode":
            count += 1
        return trace

    def profile(_: FrameType, event: str, called: Any) -> None:
        nonlocal count
        if event == "c_call":
            count += _length(getattr(called, "__self__", None))

    traced, profiled = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(profiled)
        sys.settrace(traced)
    return count


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
