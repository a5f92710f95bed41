"""What an error of PostgreSQL is about, by the class of its SQLSTATE: the first two characters.

Source: PostgreSQL 16, appendix A, "PostgreSQL Error Codes".
"""

import re

import psycopg

from cgrx._model.data_errors import SinkDataError, SinkRefusedError, SinkUnavailableError

_DATA = {
    "22": "data exception: out of range, no valid JSON",
    "23": "a constraint is violated",
    "44": "a check option of a view is violated",
    "54": "a limit of the program: a key that is too long for an index",
    "P0": "a function raises an exception: a trigger refuses the row",
}
"""Classes that are about the data."""

_REFUSED = {
    "0A": "not supported: such a table cannot be written to like this",
    "28": "authorization",
    "3D": "no such database",
    "3F": "no such schema",
    "42": "no such column, no such table, another type, no right",
}
"""Classes that are about the user or the shape. All that remain are about the state of the server, which changes: 08,
25 (a replica that is read only), 40, 53 (a full disk among them), 55, 57, 58, XX."""

_CANNOT_ENTER = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects|does not exist"
    r"|not permitted to log in|permission denied for database|does not support SSL|server does not support|certificate"
    r"|invalid \w+ value|^invalid "
)
"""libpq keeps the SQLSTATE of a connection that is refused to itself, so its English text has to tell. In another
language it counts as away, and is tried again."""


def as_sink_error(error: psycopg.Error, name: str) -> SinkUnavailableError | SinkRefusedError | SinkDataError:
    """An error of psycopg as one of a sink; `name` is that of the table, for the text."""
    text = _text(error)
    state = error.sqlstate
    if state is None:
        if isinstance(error, psycopg.DataError | psycopg.ProgrammingError):
            return SinkDataError(text)  # the client could not write a value down
        return (SinkRefusedError if _CANNOT_ENTER.search(text) else SinkUnavailableError)(f"{name}: {text}")
    if state[:2] in _DATA:
        return SinkDataError(text)
    return (SinkRefusedError if state[:2] in _REFUSED else SinkUnavailableError)(f"{name}: {text} ({state})")


def _text(error: psycopg.Error) -> str:
    """One line: what the server says, or libpq."""
    diag = error.diag
    found = [each for each in (diag.message_primary, diag.message_detail, diag.message_hint) if each]
    return " ".join("; ".join(found or [str(error)]).split())
