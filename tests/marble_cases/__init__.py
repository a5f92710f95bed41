"""The marble diagrams of the documentation, which are tests: `test_marble_cases.py` runs them."""

from tests.drawing import Case
from tests.marble_cases import domain, filters, merging, windows

CASES: tuple[Case, ...] = (*filters.CASES, *windows.CASES, *merging.CASES, *domain.CASES)
