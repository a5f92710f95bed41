"""What every test of the board starts with."""

import pytest

from cgrx._board import conversation, line


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for browsers as long as it takes: clocks of tests go fast, and machines may be slow.

    The tests of time-outs put back what is in `bounds`.
    """
    for module, bound in ((conversation, "HELLO_S"), (conversation, "SILENCE_S"), (line, "REQUEST_S")):
        monkeypatch.setattr(module, bound, 10_000.0)
