"""What a call costs, counted: bytecode instructions of this thread, whatever else the machine does."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


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

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def growth(cost: Callable[[int], int], size: int) -> float:
    """How the cost grows from `size` to twice and four times as much: 1.0 is linear, 2.0 is quadratic.

    What a call costs whatever its size is left out.
    """
    one, two, four = cost(size), cost(2 * size), cost(4 * size)
    return (four - two) / (2 * (two - one))
