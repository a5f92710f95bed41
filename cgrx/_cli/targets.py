"""`--to`: where what is shown goes as well, read so that no secret stands where others can see it."""

import os
import re
import shlex
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from cyclopts import Parameter

from cgrx._cli.arguments import unusable
from cgrx._cli.view.delivery import Place


class Target(str):
    """A target as it is given."""

    __slots__ = ()


Targets: TypeAlias = Annotated[tuple[Target, ...], Parameter(show_default=False)]

_VARIABLE = "env:"

_TIME = re.compile(r"\d{4}-\d\d")

_WORDS = re.compile(r"command:|\w+=")
"""What is made of words: a program with its arguments, or a connection string of PostgreSQL, which is no target."""

_PARAMETER = re.compile(r"(\w[\w.-]*)\s*=")
_SECRET = re.compile(r"pass(?!file)|secret|token|(?<!ssl)key|auth|sig|cred", re.IGNORECASE)
"""What parameters with a secret are called; `sslkey` and `passfile` of PostgreSQL are paths of files.

Source: https://www.postgresql.org/docs/16/libpq-connect.html#LIBPQ-PARAMKEYWORDS.
"""

_HOOKS = ("hooks.slack.com", "discord.com", "discordapp.com", "api.telegram.org")
"""Hosts whose URLs are secrets as a whole: who knows one can post."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
"""What a target that is no path begins with. It has two letters at least, for one is a drive."""


def target(text: str) -> Place:
    """Read a target, or the variable of the environment that holds it.

    Raises:
        CommandError: it shows a secret, or there is no such variable.
    """
    if text.startswith(_VARIABLE):
        name = text.removeprefix(_VARIABLE)
        found = os.environ.get(name, "").strip()
        if not found:
            raise unusable(f"--to {text}: the environment variable {name or 'NAME'} is not set")
        return Place(text, found)
    if _TIME.match(text):
        raise unusable(f"--to {text} is a time: a replay ends at --until, and --to says where its rows go")
    shown = _shown_secret(text)
    if shown:
        password = " (or the password into PGPASSWORD or ~/.pgpass)" if text.startswith("postgres") else ""
        raise unusable(
            f"{shown} in --to can be seen by every user of this machine: put the target into an environment variable,"
            f" such as CGRX_TARGET, and give --to env:CGRX_TARGET{password}"
        )
    return Place(text, text)


def _shown_secret(text: str) -> str:
    """What of a target is a secret, in words; empty where nothing is."""
    scheme, _, rest = text.partition(":")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:  # it is refused later
        return ""
    if parts.password is not None:
        return "a password"
    if (scheme in ("slack", "discord") and rest) or any(host == each or host.endswith(f".{each}") for each in _HOOKS):
        return "the URL of a webhook"
    parameters = text if _WORDS.match(text) else parts.query
    return next((f"a {name}" for name in _PARAMETER.findall(parameters) if _SECRET.search(name)), "")


def in_folder(text: str, folder: Path) -> str:
    """A target of a file of options: a relative path in it begins at the folder of the file."""
    found = _SCHEME.match(text)
    scheme = "" if found is None else found[0]
    path = text.removeprefix(scheme)
    if scheme == "command:":
        program, blank, arguments = path.partition(" ")
        return f"{scheme}{shlex.quote(str(folder / program))}{blank}{arguments}" if "/" in program else text
    if scheme == "duckdb:" or (not scheme and "/" in path):
        return f"{scheme}{folder / path}{'/' if path.endswith('/') else ''}"
    return text
