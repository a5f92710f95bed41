"""A tunnel through a proxy, by HTTP CONNECT or SOCKS5, which python-socks speaks (the extra `proxy`).

The tunnel is a byte stream to the server. TLS and the WebSocket handshake go through it as over TCP, so of a wss://
connection the proxy sees where it leads and how much it carries.

Nothing that the proxy writes is in an error, for it may echo the password. So the exceptions of python-socks are not
chained.
"""

import math
import ssl
from typing import cast

import trio

from cgrx._wire.address import Address, Dial, dial_failure
from cgrx._wire.handshake import AnswerHead
from cgrx._wire.proxy import Proxy
from cgrx._wire.tls import wrap_tls

_OPENED = 200
_PROXY_AUTHENTICATION_REQUIRED = 407
_READ_BYTES = 4096


async def open_tunnel(proxy: Proxy, address: Address, dial: Dial) -> trio.abc.Stream:
    """Open a byte stream to `address` through a proxy. `dial` opens the byte stream to the proxy.

    Raises:
        OSError: the proxy cannot be reached, or gives no tunnel.
    """
    stream = await dial(proxy.address)
    refusal: str | None = None
    opened = False
    try:
        if proxy.address.tls:
            stream = await _start_tls(stream, proxy)
        refusal = await _ask(_Spoken(stream), proxy, address)
        opened = refusal is None
    finally:
        if not opened:
            await trio.aclose_forcefully(stream)
    if refusal is not None:
        raise OSError(refusal)
    return stream


async def _start_tls(stream: trio.abc.Stream, proxy: Proxy) -> trio.abc.Stream:
    tls = wrap_tls(stream, proxy.host, None)
    try:
        await tls.do_handshake()
    except trio.BrokenResourceError as broken:
        cause = broken.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise OSError(f"its certificate does not verify: {cause.verify_message}") from cause
        raise OSError("it does not speak TLS") from broken
    return tls


async def _ask(stream: "_Spoken", proxy: Proxy, address: Address) -> str | None:
    """Ask for a tunnel. Returns why there is none, None where there is one."""
    from python_socks import ProxyError, ProxyType
    from python_socks.async_.trio.v2 import Proxy as Client

    client = Client(
        ProxyType.HTTP if proxy.is_http else ProxyType.SOCKS5,
        proxy.host,
        proxy.port,
        proxy.user,
        proxy.password,
        rdns=proxy.scheme == "socks5h",
        # The proxy in front of this one. Asked for a connection, it gives the one that there is.
        forward=cast("Client", stream),
    )
    try:
        await client.connect(address.host, address.port, timeout=math.inf)
    except ProxyError as error:
        return _http_refusal(proxy, error.error_code) if proxy.is_http else str(error)
    except trio.BrokenResourceError:
        return "the connection broke before the answer"
    except OSError as error:
        return dial_failure(error)
    except ValueError:
        return "its answer makes no sense"
    return None


def _http_refusal(proxy: Proxy, status: int | None) -> str:
    if status != _PROXY_AUTHENTICATION_REQUIRED:
        return f"HTTP status {status}"
    wants = "asks for a user and a password" if proxy.user is None else "does not accept the user and the password"
    return f"it {wants} (HTTP status {status})"


class _Spoken:
    """The stream to the proxy with the methods that python-socks uses. Whoever opened the stream closes it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def connect(self, **_: object) -> "_Spoken":
        return self

    async def write(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def read(self) -> bytes:
        """The head of an HTTP answer: python-socks takes for it what one call returns."""
        head = AnswerHead()
        rest: bytes | bytearray = b""
        while not head.complete:
            rest = head.feed(await self._receive(_READ_BYTES))
        if head.status is None:
            raise OSError("it gives no HTTP answer")
        if head.status == _OPENED and rest:
            raise OSError("it says more than its answer")
        return head.raw

    async def read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += await self._receive(size - len(data))
        return data

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()

    async def _receive(self, size: int) -> bytes | bytearray:
        data = await self._stream.receive_some(size)
        if not data:
            raise OSError("the connection ended before the answer")
        return data
