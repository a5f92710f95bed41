"""Exit codes: those of the documentation, and which error ends a command with which."""

import re

import pytest

from cgrx._cli.terminal.exits import CommandError, Exit, explain
from cgrx._model.errors import (
    AddressError,
    AuthError,
    CgrxError,
    ConnectError,
    PlanError,
    RejectedError,
    UnreachableError,
)
from cgrx._model.use_errors import BackpressureError
from tests.house.plan import ROOT


def test_the_table_of_the_documentation() -> None:
    """docs/cli.md lists every code, and no other."""
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"^\| `(\d+)` \|", text, flags=re.MULTILINE)}
    assert listed == {*map(int, Exit), 129, 130, 143}


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandError(Exit.USAGE, "no"), Exit.USAGE, "no"),
        (AuthError(401), Exit.KEY_REFUSED, "the server refused the API key in COINGLASS_API_KEY (HTTP 401)"),
        (
            RejectedError(3, 1008, "bad key"),
            Exit.KEY_REFUSED,
            (
                "the server closed 3 connections in a row before any data (code 1008), saying 'bad key':"
                " most likely the API key is not valid"
            ),
        ),
        (
            PlanError("liquidationOrders", "liquidationOrders need upgrade plan"),
            Exit.PLAN,
            "the plan of this API key does not include liquidationOrders: it needs Standard or above",
        ),
        (
            ConnectError(2.5, 3, UnreachableError("h", 1, "refused")),
            Exit.NO_CONNECTION,
            "gave up after 2.5 s and 3 attempts: cannot reach h:1: refused",
        ),
        (ConnectError(2, 1, None), Exit.NO_CONNECTION, "gave up after 2 s and 1 attempt: no answer"),
        (AddressError("ws://h/x"), Exit.NO_CONNECTION, "no WebSocket service at ws://h/x (HTTP 404)"),
        (BackpressureError(1), Exit.FAILED, "a blocking stream was full for 1 s: its consumer has stalled"),
    ],
)
def test_errors(error: CgrxError, code: Exit, line: str) -> None:
    assert explain(error) == (code, line)
