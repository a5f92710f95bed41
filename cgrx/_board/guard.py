"""Who is answered, and the headers of every answer: what keeps a page of somebody else from reading the board.

A browser sends requests for any page that is open in it, also to addresses of this machine. `Host` tells the name that
was asked for: by a name that is none of ours a foreign page wants to pass for the board (DNS rebinding). `Origin` tells
the page that asks. Either one, if foreign, is answered 421, and so is a WebSocket's handshake.

An address in numbers is no name that anybody else could point here, so a board that listens on an address of the
network answers to all of them on its port, and to the names that it is told.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = (
    (
        b"content-security-policy",
        b"; ".join(
            (
                b"default-src 'none'",
                b"script-src 'self'",
                b"style-src 'self'",
                b"img-src 'self' data:",
                b"connect-src 'self'",
                b"base-uri 'none'",
                b"form-action 'none'",
                b"frame-ancestors 'none'",
            )
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
)
"""Of every answer. Nothing but the board's own files is loaded, and no text in the page is a script or a style."""

HTTP = 80
"""The port of a `Host` that names none."""

MISDIRECTED = 421
"""RFC 9110, 15.5.20: the server cannot answer for the name that was asked for."""


class Hosts:
    """The names and addresses that a board answers to.

    Args:
        host: what it listens on, as it was asked for.
        port: where.
        names: more names, such as that of a proxy in front, as `board.example` for any port, or with one.

    Raises:
        ValueError: one of `names` is no name of a host.
    """

    def __init__(self, host: str, port: int, names: Iterable[str] = ()) -> None:
        self._port = port
        self._any_address = not is_loopback(host)
        own = {"localhost", "127.0.0.1", "[::1]", bracketed(host).lower()}
        self._known = {(name, port) for name in own} | {_split(_checked(name), None) for name in names}

    def answers_to(self, asked: str) -> bool:
        """Whether this value of `Host` means the board."""
        name, port = _split(asked.lower(), HTTP)
        if (name, port) in self._known or (name, None) in self._known:
            return True
        return self._any_address and port == self._port and _is_address(name)


class Guard:
    """An ASGI application that answers for the board's own names only, and adds `HEADERS` to every answer."""

    def __init__(self, app: App, hosts: Hosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or one handshake of a WebSocket."""
        kind = scope["type"]

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        if self._is_ours(scope):
            await self._app(scope, receive, with_headers)
            return
        prefix = "websocket.http" if kind == "websocket" else "http"
        text = b"not this board: its address is the one that was shown when it started\n"
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
        await with_headers({"type": f"{prefix}.response.start", "status": MISDIRECTED, "headers": head})
        await with_headers({"type": f"{prefix}.response.body", "body": text})

    def _is_ours(self, scope: Scope) -> bool:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts, origins = (
            [value.decode("latin-1") for name, value in headers if name == wanted] for wanted in (b"host", b"origin")
        )
        if len(hosts) != 1 or not self._hosts.answers_to(hosts[0]):
            return False
        # The page of the board has the very host that it asks; behind a proxy with TLS the scheme differs from ours.
        return all(_host_of(origin) == hosts[0].lower() for origin in origins)


def is_loopback(host: str) -> bool:
    """Whether this host is the machine itself, and reached from nowhere else."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _host_of(origin: str) -> str:
    """The name and the port of the page that asks; empty where there is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _split(host: str, port_of_none: int | None) -> tuple[str, int | None]:
    """The name in a value of `Host`, and its port."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii() or len(port) > 5:
        return host, port_of_none
    return name, int(port)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _checked(name: str) -> str:
    if not name or urlsplit(f"//{name}").netloc != name or "@" in name:
        raise ValueError(
            f"allow_hosts: {name!r} takes the name of a host, such as 'board.example' or 'board.example:8443'"
        )
    return name.lower()
