"""Where a database is: what a DSN says, checked, with bounds for every wait. No text of an error holds the password."""

import os
import re
from contextlib import suppress
from typing import Any, cast

import attrs
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from cgrx._model.limits import (
    POSTGRES_CONNECT_S,
    POSTGRES_KEEPALIVE_S,
    POSTGRES_KEEPALIVES,
    POSTGRES_UNACKNOWLEDGED_S,
)

_FORMS = "give postgresql://user:password@host:5432/database, or host=... user=... dbname=..."

_BOUNDS = {
    "application_name": "cgrx",
    "connect_timeout": str(POSTGRES_CONNECT_S),
    "keepalives": "1",
    "keepalives_idle": str(POSTGRES_KEEPALIVE_S),
    "keepalives_interval": str(POSTGRES_KEEPALIVE_S),
    "keepalives_count": str(POSTGRES_KEEPALIVES),
    "tcp_user_timeout": str(1000 * POSTGRES_UNACKNOWLEDGED_S),
}
"""What is asked for where the DSN does not."""


@attrs.frozen
class Place:
    """A database."""

    parameters: dict[str, Any] = attrs.field(repr=False)
    """As `psycopg.connect` takes them; a password may be among them."""
    name: str
    """Host and port, for people."""


def place_of(dsn: str) -> Place:
    """What a DSN says.

    Raises:
        TypeError: it is no text.
        ValueError: it cannot be parsed, or a special character of the password has torn it apart.
    """
    if not isinstance(cast(object, dsn), str):
        raise TypeError(f"dsn must be a text, not {type(dsn).__name__}: {_FORMS}")
    said: dict[str, Any] | None = None
    with suppress(ProgrammingError):  # its text quotes the DSN, so that it must not be a context either
        said = conninfo_to_dict(dsn)
    if said is None:
        raise ValueError(f"dsn cannot be parsed: {_FORMS}")
    host = str(said.get("host") or os.environ.get("PGHOST") or "")
    port = str(said.get("port") or os.environ.get("PGPORT") or "")
    if "@" in host or "@" in str(said.get("dbname") or "") or not re.fullmatch(r"[\d,]*", port):
        raise ValueError(
            "dsn has no such host, port or database: write special characters of a password as %40 for @, %2F for /,"
            f" %3A for :, or leave it to PGPASSWORD; {_FORMS}"
        )
    return Place(_BOUNDS | said, f"{host or said.get('hostaddr') or 'localhost'}:{port or 5432}")
