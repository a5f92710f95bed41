"""Spark on two cores of this machine, for the tests of a module."""

from collections.abc import Generator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def session() -> Generator[Any]:
    """A session."""
    from cgrx._spark.session import session_of

    found = session_of(None)
    found.sparkContext.setLogLevel("OFF")
    yield found
    found.stop()
