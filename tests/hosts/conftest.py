"""What holds for every test of a host."""

from collections.abc import Generator

import pytest

from tests.hosts.sync_running import threads_of_trio


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Generator[None]:
    yield
    assert threads_of_trio() == []
