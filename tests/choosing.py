"""Which cases of a test plain pytest runs, where CI runs all of them."""

from collections.abc import Iterable
from typing import Any, cast

import pytest


def one_in(number: int, cases: Iterable[object]) -> list[Any]:
    """Cases for `parametrize`, of which all but the first of every `number` are `thorough`.

    A case that is a plain tuple stands for several arguments.
    """
    return [
        pytest.param(*_values(case), marks=pytest.mark.thorough if at % number else ()) for at, case in enumerate(cases)
    ]


def _values(case: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", case) if type(case) is tuple else (case,)
