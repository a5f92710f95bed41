"""Where requests go: the URL of a web service and the headers of its user, checked. Pure.

Both may hold secrets, the URL in its path or its query. So of a place only the scheme, the host and the port are ever
shown, and of a header its name.
"""

import string
from collections.abc import Mapping
from urllib.parse import quote

import attrs

from cgrx._wire.address import ascii_host, bracketed, split_url

_PORTS = {"http": 80, "https": 443}
_ACCEPTED = "give https://host[:port]/path[?query] as a str, without user, password and fragment"
_SAFE = "/%:@!$&'()*+,;=~?"
_LONGEST_URL = 8192
_OWN = frozenset({"connection", "content-length", "transfer-encoding"})
"""Headers that say how a request is framed."""

_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
"""What the name of a header is made of. Source: RFC 9110, section 5.6.2."""


@attrs.frozen
class Place:
    """Where requests go."""

    origin: str
    """Scheme, host and port: all that is shown."""
    target: str = attrs.field(repr=False)
    """Path and query, as they are sent."""

    @property
    def url(self) -> str:
        """All of it, with what may be secret."""
        return self.origin + self.target

    def at(self, path: str) -> "Place":
        """The place behind this one: `path` follows the path of this one."""
        return attrs.evolve(self, target=self.target.rstrip("/") + path)

    def asking(self, parameter: str) -> "Place":
        """This place with one more parameter, `name=value`."""
        return attrs.evolve(self, target=f"{self.target}{'&' if '?' in self.target else '?'}{parameter}")


def parse_place(url: str, name: str = "url") -> Place:
    """Read the URL of a web service.

    Raises:
        ValueError: it cannot be used. The message holds nothing of it, for any part may be secret.
    """
    # Callers without a type checker pass whatever they have here.
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _unusable(name, f"it is of type {type(url).__name__}")
    parts = split_url(url)
    if parts is None:
        raise _unusable(name, "its host or its port cannot be read")
    if parts.scheme not in _PORTS:
        raise _unusable(name, "its scheme is neither https nor http")
    if not url.isprintable() or " " in url or len(url) > _LONGEST_URL:
        raise _unusable(name, f"it holds white space or control characters, or more than {_LONGEST_URL} characters")
    if "@" in parts.netloc:
        raise _unusable(name, "it holds a user or a password (a header can hold them)")
    if "#" in url:
        raise _unusable(name, "it holds a fragment")
    host = ascii_host(parts.hostname or "")
    if host is None or parts.port == 0:
        raise _unusable(name, "it names no host, or one that is no valid name, or port 0")
    target = quote(parts.path, safe=_SAFE) or "/"
    return Place(
        f"{parts.scheme}://{bracketed(host)}:{parts.port or _PORTS[parts.scheme]}",
        f"{target}?{quote(parts.query, safe=_SAFE)}" if parts.query else target,
    )


def checked_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """The headers of a user, their names in small letters.

    Raises:
        ValueError: one cannot be sent. The message does not hold its value, which may be secret.
    """
    found = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
    for name, value in found.items():
        if not name or not set(name) <= _TOKEN:
            raise ValueError(f"headers= has {name!r}, which is no name of a header: give letters, digits and hyphens")
        if name in _OWN:
            raise ValueError(f"headers= has {name!r}, which each request says for itself: leave it out")
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise ValueError(f"headers[{name!r}] cannot be sent: give printable ASCII, without spaces around it")
    return found


def _unusable(name: str, why: str) -> ValueError:
    return ValueError(f"{name} cannot be used: {why}; {_ACCEPTED}")
