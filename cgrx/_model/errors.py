"""The errors of the project: their base, and what a connection and its key can meet.

`retryable` is what the feed's supervisor tests: an error that may pass with a new connection has it True. Attributes
stand in place of messages to parse. Mistakes in arguments stay `ValueError` and `TypeError`. What a pipeline and its
host meet is in `use_errors`, what recordings, logs, engines and sinks meet in `data_errors`.

Each docstring says what the error means, its cause and its remedy; docs/errors.md is made of them.
"""

from typing import ClassVar


class CgrxError(Exception):
    """The base of all errors raised by cgrx.

    Cause:
        Whatever the class that is raised says. cgrx raises none of this class itself.

    Remedy:
        Catch it around everything of cgrx, behind the errors that you handle one by one.

    Attributes:
        retryable (bool): of the class: whether a new connection may help. The feed then makes one by itself.

    Examples:
        >>> try:
        ...     raise cgrx.AuthError(401)
        ... except cgrx.CgrxError as error:
        ...     print(f"{error}; retryable: {error.retryable}")
        the server refused the API key (HTTP 401); retryable: False
    """

    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is copied by calling its class with `args`, which is the message alone: not what ours take.
        return _restored, (type(self), self.args), self.__dict__


def _restored(error_type: type[CgrxError], args: tuple[object, ...]) -> CgrxError:
    return error_type.__new__(error_type, *args)


class TransportError(CgrxError):
    """A connection could not be made or has ended; a new one may work.

    Cause:
        The network, a proxy or the server. Its five subclasses say which.

    Remedy:
        None is needed: the feed connects again by itself, and tells of each failure by a `Disconnected` status. What
        may have been missed meanwhile is a `Gap` in each channel.

    Examples:
        >>> [each.__name__ for each in cgrx.TransportError.__subclasses__()]
        ['UnreachableError', 'CertificateError', 'HandshakeError', 'DisconnectedError', 'HeartbeatError']
    """

    retryable: ClassVar[bool] = True


class UnreachableError(TransportError):
    """No byte stream to the server.

    Cause:
        The name does not resolve, the connect is refused or times out, or a proxy gives no tunnel. So it is without a
        network, behind a firewall, and where no server listens at the port.

    Remedy:
        Check network, name and port. Where connections leave through a proxy, give `proxy=`, or `--proxy` on the
        command line.

    Attributes:
        host (str): the name or address that could not be reached.
        port (int): its port.
        reason (str): what the system or the proxy said.

    Examples:
        >>> print(cgrx.UnreachableError("127.0.0.1", 9, "Connection refused"))
        cannot reach 127.0.0.1:9: Connection refused
    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot reach {host}:{port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class CertificateError(TransportError):
    """The server's TLS certificate does not verify.

    Cause:
        It is expired, self-signed, of another host, or of an authority that this machine does not know: some company
        proxies put their own in its place. A wrong clock makes a good certificate look expired.

    Remedy:
        Set the clock, or install the authority in the system. A private one goes into an `ssl.SSLContext`, given as
        `ssl_context=`.

    Attributes:
        host (str): whose certificate it is.
        reason (str): why it does not verify, in the words of OpenSSL.

    Examples:
        >>> print(cgrx.CertificateError("feed.example", "certificate has expired"))
        the certificate of feed.example does not verify: certificate has expired
    """

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"the certificate of {host} does not verify: {reason}")
        self.host = host
        self.reason = reason


class HandshakeError(TransportError):
    """The peer did not complete a WebSocket handshake.

    Cause:
        The server is overloaded or restarts (HTTP 429 or 5xx), the address is none of a WebSocket, `wss://` was given
        for a server without TLS or `ws://` for one with it, or no answer came in time.

    Remedy:
        Wait: the feed tries again, and not before `Retry-After` allows it. Where it never succeeds, check the address.

    Attributes:
        reason (str): what came in place of the handshake.
        status (int | None): the HTTP status; None where the peer spoke no HTTP, or not in time.
        retry_after_s (float | None): what its `Retry-After` header asks for, in seconds; None where there is none.

    Examples:
        >>> error = cgrx.HandshakeError("HTTP status 503", 503, retry_after_s=2.0)
        >>> print(error, error.status, error.retry_after_s)
        no WebSocket handshake: HTTP status 503 503 2.0
    """

    def __init__(self, reason: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(f"no WebSocket handshake: {reason}")
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


class DisconnectedError(TransportError):
    """An established connection has ended.

    Cause:
        The server restarts (1001, 1012), takes the client for too slow, or the network broke (1006). 1009: a message
        was longer than `Limits.message_bytes`.

    Remedy:
        None is needed for one. Where they come again and again, look whether a consumer stops the reading of the socket
        (`Backpressured` in the log).

    Attributes:
        code (int): the close code; 1006 where none came.
        reason (str): the server's text; empty where there is none.

    Examples:
        >>> print(cgrx.DisconnectedError(1012, "service restart"))
        connection closed with code 1012: service restart
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"connection closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class HeartbeatError(TransportError):
    """No `pong` came in time for a `ping`: the connection is dead although it looks open.

    Cause:
        The network drops packets without a word, as it does after a change of network or a sleep of the machine; or
        the server hangs.

    Remedy:
        None is needed. On a slow line raise `Limits.pong_within_s`.

    Attributes:
        timeout_s (float): how long the feed waited, in seconds.

    Examples:
        >>> print(cgrx.HeartbeatError(10.0))
        no pong within 10 s of a ping
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"no pong within {timeout_s:g} s of a ping")
        self.timeout_s = timeout_s


class ConnectError(CgrxError):
    """`connect()` gave up: there was no handshake within its `connect_timeout`.

    Cause:
        That of the last attempt, which is `last` and `__cause__`. Attempts until then were retried.

    Remedy:
        That of the last attempt. A service that waits for its network gives `connect_timeout=math.inf`, or
        `--connect-timeout inf`.

    Attributes:
        timeout_s (float): how long all attempts together took, in seconds.
        attempts (int): how many there were.
        last (CgrxError | None): the error of the last one that failed; None where the first was still under way.

    Examples:
        >>> refused = cgrx.UnreachableError("127.0.0.1", 9, "Connection refused")
        >>> print(cgrx.ConnectError(30.0, 9, refused))
        no connection within 30 s (9 attempts); last: cannot reach 127.0.0.1:9: Connection refused
    """

    def __init__(self, timeout_s: float, attempts: int, last: CgrxError | None) -> None:
        super().__init__(f"no connection within {timeout_s:g} s ({attempts} attempts); last: {last}")
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.last = last


class AuthError(CgrxError):
    """The server refused the API key at the handshake.

    Cause:
        The key is misspelt, revoked, or of another service.

    Remedy:
        Compare `COINGLASS_API_KEY`, or `api_key=`, with the key in your account at CoinGlass. `cgrx demo` needs none;
        against `cgrx simulate` a command needs none, and a program any of at least 8 characters.

    Attributes:
        status (int): the HTTP status, 401 or 403.

    Examples:
        >>> print(cgrx.AuthError(401))
        the server refused the API key (HTTP 401)
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the server refused the API key (HTTP {status})")
        self.status = status


class AddressError(CgrxError):
    """The server knows no such address: HTTP 404 at the handshake.

    Cause:
        The path in `url=` or `--url` is wrong.

    Remedy:
        Leave it out for the real feed. A simulator prints its address when it starts.

    Attributes:
        url (str): the address, without the key.

    Examples:
        >>> print(cgrx.AddressError("ws://127.0.0.1:8765/ws"))
        no WebSocket service at ws://127.0.0.1:8765/ws (HTTP 404)
    """

    def __init__(self, url: str) -> None:
        super().__init__(f"no WebSocket service at {url} (HTTP 404)")
        self.url = url


class PlanError(CgrxError):
    """The plan of the API key does not include a channel. It ends the streams of that channel alone.

    Cause:
        The server refused the subscription with a notice. Both channels need at least the Standard plan.

    Remedy:
        Use a key of a plan that includes it. Give subscribers an `on_error`: without one the error is told as
        `StreamFailed`.

    Attributes:
        channel (str): the channel's name on the wire.
        notice (str): the server's own text.

    Examples:
        >>> print(cgrx.PlanError("liquidationOrders", "upgrade your plan"))
        the plan of this API key does not include liquidationOrders: it needs Standard or above
    """

    def __init__(self, channel: str, notice: str) -> None:
        super().__init__(f"the plan of this API key does not include {channel}: it needs Standard or above")
        self.channel = channel
        self.notice = notice


class RejectedError(CgrxError):
    """Several connections in a row were accepted and closed before any pong or event.

    Cause:
        Most likely the API key is not valid: the server may accept the handshake and tell then.

    Remedy:
        Read `notice`, and compare the key with the one in your account. `Limits.rejections` says how many connections
        are tried.

    Attributes:
        attempts (int): how many connections there were.
        code (int): the last close code.
        notice (str | None): the last text that the server sent; None where there was none.

    Examples:
        >>> print(cgrx.RejectedError(3, 1008, "invalid key"))
        the server closed 3 connections in a row before any data (code 1008), saying 'invalid key'
    """

    def __init__(self, attempts: int, code: int, notice: str | None) -> None:
        said = f", saying {notice!r}" if notice else ""
        super().__init__(f"the server closed {attempts} connections in a row before any data (code {code}){said}")
        self.attempts = attempts
        self.code = code
        self.notice = notice
