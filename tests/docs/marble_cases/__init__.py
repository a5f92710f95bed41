"""The marble diagrams of the documentation, which are tests: `test_marble_cases.py` runs them."""

from tests.docs.drawing import Case
from tests.docs.marble_cases import domain, filters, joins, merging, over_rows, thresholds, windows

CASES: tuple[Case, ...] = (
    *filters.CASES,
    *windows.CASES,
    *over_rows.CASES,
    *merging.CASES,
    *domain.CASES,
    *thresholds.CASES,
    *joins.CASES,
)
