"""Whatever comes from outside costs by its size: a table of inputs, each at a size, at twice and four times of it.

A new kind of input gets a row, in the module of its kind: `arguments`, `files`, `marks`, `messages`.
"""

from collections.abc import Callable

import pytest

from tests.costs import arguments, files, marks, messages
from tests.costs.counting import Input, growth

pytestmark = pytest.mark.thorough

INPUTS = (*arguments.INPUTS, *files.INPUTS, *marks.INPUTS, *messages.INPUTS)


@pytest.mark.parametrize("input_", INPUTS, ids=[each.name for each in INPUTS])
def test_cost_grows_no_faster_than_the_input(input_: Input, record_property: Callable[[str, object], None]) -> None:
    """Counted, not timed: what the machine does besides changes nothing."""
    input_.cost(1)  # what is only done once, such as imports, is done
    found = growth(input_.cost, input_.size)
    record_property("growth", found)
    assert 0 < found < input_.limit
