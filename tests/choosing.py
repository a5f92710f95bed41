"""Which cases of a test plain pytest runs, where CI runs all of them."""

from collections.abc import Iterable
from typing import Any

import pytest


def one_in(number: int, cases: Iterable[Any]) -> list[Any]:
    """Cases for `parametrize`, of which all but the first of every `number` are `thorough`.

    A case that is a plain tuple stands for several arguments.
    """
    found: list[Any] = []
    for at, case in enumerate(cases):
        several: bool = type(case) is tuple
        values: tuple[Any, ...] = tuple(case) if several else (case,)
        found.append(pytest.param(*values, marks=pytest.mark.thorough if at % number else ()))
    return found
