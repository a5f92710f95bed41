"""The servers of the tests of sinks: one of each for the process that runs them."""

from collections.abc import Generator

import pytest

from tests.sinks.postgres_server import CannotRunError, Server, serving


@pytest.fixture(scope="session")
def postgres() -> Generator[Server]:
    """A PostgreSQL that runs. Who kills it starts it again."""
    try:
        with serving() as server:
            yield server
    except CannotRunError as error:
        pytest.skip(str(error))
