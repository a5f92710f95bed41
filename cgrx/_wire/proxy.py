"""Which proxy a connection goes through: its URL as a value, and what the environment asks for.

The URL may hold a password, so no message shows anything of it.
"""

from urllib.parse import unquote
from urllib.request import getproxies_environment, proxy_bypass

import attrs

from cgrx._wire.address import Address, ascii_host, bracketed, split_url

_DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_ACCEPTED = 'give "http://[user:password@]host[:port]", https://..., socks5://... or socks5h://..., or "env"'


@attrs.frozen
class Proxy:
    """A proxy. `parse_proxy` makes it from a URL; `str()` shows it without user and password."""

    scheme: str
    """http, https (TLS to the proxy itself), socks5 (names are resolved here) or socks5h (by the proxy)."""
    host: str
    port: int
    user: str | None = attrs.field(default=None, repr=False)
    password: str | None = attrs.field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    @property
    def is_http(self) -> bool:
        """It is asked by HTTP CONNECT, over TLS or not; else by SOCKS5."""
        return self.scheme in ("http", "https")

    @property
    def address(self) -> Address:
        """Where the proxy itself listens."""
        return Address(self.host, self.port, tls=self.scheme == "https", resource="/")


def parse_proxy(url: str, name: str = "proxy") -> Proxy:
    """Read the URL of a proxy.

    Args:
        url: `http`, `https`, `socks5` or `socks5h`; a user and a password in it are percent-decoded.
        name: what the error calls it.

    Raises:
        ValueError: the URL cannot be used. The message holds nothing of it, for any part may belong to a password.
    """
    # Callers without a type checker pass whatever they have here.
    if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _unusable(name, f"it is of type {type(url).__name__}")
    parts = split_url(url)
    if parts is None:
        raise _unusable(name, "its host or its port cannot be read")
    if parts.scheme not in _DEFAULT_PORTS:
        raise _unusable(name, f"its scheme is none of {', '.join(_DEFAULT_PORTS)}")
    if not url.isprintable() or " " in url:
        raise _unusable(name, "it holds white space or control characters")
    if parts.path not in ("", "/") or "?" in url or "#" in url:
        raise _unusable(name, "something follows the port (in a user or password, percent-encode signs)")
    if parts.port == 0:
        raise _unusable(name, "nothing listens on port 0")
    host = ascii_host(parts.hostname or "")
    if host is None:
        raise _unusable(name, "it names no host, or one that is no valid name")
    proxy = Proxy(parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme])
    if parts.username is None:
        return proxy
    user, password = unquote(parts.username), unquote(parts.password or "")
    if not _can_be_sent(user, password, by_http=proxy.is_http):
        raise _unusable(name, "its user or its password is empty, too long, or holds characters that cannot be sent")
    return attrs.evolve(proxy, user=user, password=password)


def _can_be_sent(user: str, password: str, *, by_http: bool) -> bool:
    """Whether python-socks can send them: in Latin-1 by HTTP, in ASCII by SOCKS5."""
    if by_http:
        return user != "" and ":" not in user and max(user + password) <= "\xff"
    return (user + password).isascii() and 0 < len(user) < 256 and 0 < len(password) < 256


def environment_proxy(address: Address) -> tuple[str, str] | None:
    """The variable of the environment that names a proxy for this address, and its value.

    HTTPS_PROXY for wss:// and HTTP_PROXY for ws://, in either case of letters; else ALL_PROXY. None for the hosts that
    NO_PROXY lists and for this machine itself, which no proxy elsewhere can reach.
    """
    proxies = getproxies_environment()
    for scheme in ("https" if address.tls else "http", "all"):
        if scheme in proxies:
            spared = address.is_loopback or proxy_bypass(f"{bracketed(address.host)}:{address.port}")
            return None if spared else (f"{scheme.upper()}_PROXY", proxies[scheme])
    return None


def _unusable(name: str, why: str) -> ValueError:
    return ValueError(f"{name} cannot be used: {why}; {_ACCEPTED}")
