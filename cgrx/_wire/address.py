"""Where the server is: a WebSocket URL as a value, and how to dial it.

The API key travels in the query, so the query is in no repr and in no message.
Source: https://docs.coinglass.com/reference/ws-getting-started (`/ws-api?cg-api-key={key}`).
"""

import os
import re
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeAlias, cast
from urllib.parse import SplitResult, parse_qsl, quote, unquote_plus, urlsplit

import attrs
import trio

from cgrx._wire.secret import PART, Secret

KEY_PARAMETER = "cg-api-key"

_NO_KEY = (
    f"the API key must be a str of at least {PART} characters, or what a server says of it could not be hidden: "
    "api_key=, or COINGLASS_API_KEY in the environment; None where the URL holds the key"
)
_ACCEPTED = "give ws://host[:port][/path][?query] or wss://... as a str, without user, password and fragment"
_DEFAULT_PORTS = {"ws": 80, "wss": 443}
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\s]")
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_QUERY_SAFE = _PATH_SAFE + "?"


@attrs.frozen
class Address:
    """A WebSocket address, ready to dial. `parse_address` makes it from a URL."""

    host: str
    """A name in ASCII (IDNA) or an IP address, without brackets."""
    port: int
    tls: bool
    resource: str = attrs.field(repr=False)
    """Path and query as sent in the request line, with the API key: show `url` instead."""
    secret: Secret = attrs.field(init=False, repr=False, eq=False)
    """The API key, to be found in what the server says."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "secret", Secret(_spellings(self.resource)))

    @property
    def url(self) -> str:
        """The address as it may be shown: without the query, which holds the API key."""
        return f"{'wss' if self.tls else 'ws'}://{self._bracketed}:{self.port}{self.resource.partition('?')[0]}"

    @property
    def host_header(self) -> str:
        """What the request's `Host` header says: no port where it is 80 or 443, as trio-websocket does it."""
        return self._bracketed if self.port in _DEFAULT_PORTS.values() else f"{self._bracketed}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it leads to this machine itself."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_private(self) -> bool:
        """Whether nobody else reads what is sent there: by TLS, or within this machine."""
        return self.tls or self.is_loopback

    @property
    def has_key(self) -> bool:
        """Whether the API key is sent."""
        return bool(_spellings(self.resource))

    def redact(self, text: str) -> str:
        """`text` without the API key, or a long part of it: for what the server says, which may echo the request."""
        return self.secret.redact(text)

    @property
    def _bracketed(self) -> str:
        return bracketed(self.host)


Dial: TypeAlias = Callable[[Address], Awaitable[trio.abc.Stream]]
"""What opens the byte stream to an address, without TLS. It raises OSError where it cannot."""


async def dial_tcp(address: Address) -> trio.abc.Stream:
    """A TCP connection, to whichever of the host's addresses answers first (RFC 8305). Raises OSError."""
    return await trio.open_tcp_stream(address.host, address.port)


def dial_failure(error: OSError) -> str:
    """Why a connection could not be made, in words."""
    # trio tries every address of the host, and says why each failed in a group.
    attempts = error.__cause__
    if isinstance(attempts, ExceptionGroup):
        attempt = cast("ExceptionGroup[OSError]", attempts).exceptions[0]
        error = attempt if isinstance(attempt, OSError) else error
    if error.errno is not None and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__


def parse_address(url: str, api_key: str | None = None) -> Address:
    """Read a ws:// or wss:// URL.

    Args:
        url: the address; its other query parameters are kept.
        api_key: set as the query parameter `cg-api-key`, in place of one that is there; None leaves the URL's own.

    Raises:
        ValueError: the URL or the key cannot be used. The message holds neither the query nor the key.
    """
    # Callers without a type checker pass a Path, bytes or None here; the value may be or hold the key.
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(f"url is of type {type(url).__name__}: {_ACCEPTED}")
    if not isinstance(api_key, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError(_NO_KEY)
    if api_key is not None and len(api_key) < PART:
        raise ValueError(_NO_KEY)
    parts = split_url(url)
    if parts is None:
        raise _unusable(url, "its host or its port cannot be read")
    if parts.scheme not in _DEFAULT_PORTS:
        raise _unusable(url, "its scheme is neither ws nor wss")
    if _UNPRINTABLE.search(url):
        raise _unusable(url, "it holds white space or control characters")
    if "@" in parts.netloc:
        raise _unusable(url, "it holds a user or a password")
    if "#" in url:
        raise _unusable(url, "it holds a fragment")
    if parts.port == 0:
        raise _unusable(url, "nothing listens on port 0")
    host = ascii_host(parts.hostname or "")
    if host is None:
        raise _unusable(url, "it names no host, or one that is no valid name")
    query = quote(parts.query, safe=_QUERY_SAFE)
    if api_key is not None:
        kept = [pair for pair in query.split("&") if pair and not _is_key(pair)]
        query = "&".join([*kept, f"{KEY_PARAMETER}={quote(api_key, safe='')}"])
    path = quote(parts.path, safe=_PATH_SAFE) or "/"
    resource = f"{path}?{query}" if query else path
    if any(len(key) < PART for key in _spellings(resource)):
        raise _unusable(url, f"its API key has fewer than {PART} characters")
    return Address(
        host=host, port=parts.port or _DEFAULT_PORTS[parts.scheme], tls=parts.scheme == "wss", resource=resource
    )


# These two give None instead of raising: what they catch holds parts of the URL, perhaps of the key, and would stay
# the context of an error raised meanwhile.


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL; None where its host or its port cannot be read."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where it is no number or too large
    except ValueError:
        return None
    return parts


def bracketed(host: str) -> str:
    """The host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def ascii_host(host: str) -> str | None:
    """The name in ASCII (IDNA); None where it is empty or no valid name."""
    try:
        return host.encode("idna").decode("ascii") or None
    except UnicodeError:
        return None


def _spellings(resource: str) -> set[str]:
    """The API key, plain and as it is sent; empty where there is none."""
    query = resource.partition("?")[2]
    keys = {value for name, value in parse_qsl(query) if name == KEY_PARAMETER}
    keys |= {pair.partition("=")[2] for pair in query.split("&") if _is_key(pair)}
    return keys - {""}


def _is_key(pair: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == KEY_PARAMETER


def _unusable(url: str, why: str) -> ValueError:
    shown = re.split(r"[?#]", url, maxsplit=1)[0]
    # The key may stand where a user and a password would. Greedy: a password may hold a slash or another @.
    shown = re.sub(r"^([^:/]*:)?(//)?.*@", r"\1\2***@", shown, flags=re.DOTALL)
    return ValueError(f"url={shown!r} cannot be used: {why}; {_ACCEPTED}")
