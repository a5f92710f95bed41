"""What holds for every test of a host."""

import threading
from collections.abc import Generator

import pytest


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Generator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "cgrx"] == []
