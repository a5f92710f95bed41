"""Are the results of two rivals the same? Floats to nine digits, as sums are added in any order; all else exactly."""

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, cast

RELATIVE = 1e-9


class UnequalError(Exception):
    """Two rivals made different results of the same case, so their times mean nothing."""


def equal(ours: Any, theirs: Any) -> bool:
    """Whether two plain values are the same."""
    if ours == theirs:
        return True
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=RELATIVE, abs_tol=RELATIVE)
    if isinstance(ours, tuple | list) and isinstance(theirs, tuple | list):
        mine, their = cast("Sequence[Any]", ours), cast("Sequence[Any]", theirs)
        return len(mine) == len(their) and all(map(equal, mine, their))
    return False


def require_equal(case: str, one: str, ones: Sequence[Any], other: str, others: Sequence[Any]) -> None:
    """Compare the results of two rivals.

    Raises:
        UnequalError: they differ, with the first difference; or there are no results at all.
    """
    if not ones:
        raise UnequalError(f"{case}: {one} has no results at all, so nothing would be compared")
    for number, (mine, their) in enumerate(zip_longest(ones, others, fillvalue="nothing")):
        if not equal(mine, their):
            raise UnequalError(f"{case}: result {number} of {one} is {mine!r}, of {other} {their!r}")
