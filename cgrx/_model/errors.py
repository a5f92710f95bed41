"""Every error of the project: one small hierarchy, with attributes instead of messages to parse.

`retryable` is what the feed's supervisor tests: an error that may pass with a new connection has it True.
Mistakes in arguments stay `ValueError` and `TypeError`.
"""

from typing import ClassVar


class CgrxError(Exception):
    """The base of all errors raised by cgrx."""

    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is copied by calling its class with `args`, which is the message alone: not what ours take.
        return _restored, (type(self), self.args), self.__dict__


def _restored(error_type: type[CgrxError], args: tuple[object, ...]) -> CgrxError:
    return error_type.__new__(error_type, *args)


class TransportError(CgrxError):
    """A connection could not be made or has ended; a new one may work."""

    retryable: ClassVar[bool] = True


class UnreachableError(TransportError):
    """No byte stream to the server: an unknown name, a refused or a timed-out connect, a proxy that gives no tunnel."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot reach {host}:{port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class CertificateError(TransportError):
    """The server's TLS certificate does not verify (expired, self-signed, another host's)."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"the certificate of {host} does not verify: {reason}")
        self.host = host
        self.reason = reason


class HandshakeError(TransportError):
    """The peer did not complete a WebSocket handshake.

    `status` is its HTTP status, None where it spoke no HTTP or not in time; `retry_after_s` is what its
    `Retry-After` header asks for in seconds, None where there is none.
    """

    def __init__(self, reason: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(f"no WebSocket handshake: {reason}")
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


class DisconnectedError(TransportError):
    """An established connection has ended: `code` is the close code (1006 where none came), `reason` its text."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"connection closed with code {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class HeartbeatError(TransportError):
    """No `pong` came within `timeout_s` seconds of a `ping`: the connection is dead although it looks open."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"no pong within {timeout_s:g} s of a ping")
        self.timeout_s = timeout_s


class ConnectError(CgrxError):
    """`connect()` gave up: no handshake within `timeout_s` seconds. The last cause is `__cause__`."""

    def __init__(self, timeout_s: float, attempts: int, last: CgrxError | None) -> None:
        super().__init__(f"no connection within {timeout_s:g} s ({attempts} attempts); last: {last}")
        self.timeout_s = timeout_s
        self.attempts = attempts
        self.last = last


class AuthError(CgrxError):
    """The server refused the API key: HTTP 401 or 403 at the handshake (`status`)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server refused the API key (HTTP {status})")
        self.status = status


class AddressError(CgrxError):
    """The server knows no such address: HTTP 404 at the handshake."""

    def __init__(self, url: str) -> None:
        super().__init__(f"no WebSocket service at {url} (HTTP 404)")
        self.url = url


class PlanError(CgrxError):
    """The plan of the API key does not include a channel; `notice` is the server's own text.

    Ends the streams of that channel alone. Both channels need at least the Standard plan.
    """

    def __init__(self, channel: str, notice: str) -> None:
        super().__init__(f"the plan of this API key does not include {channel}: it needs Standard or above")
        self.channel = channel
        self.notice = notice


class RejectedError(CgrxError):
    """Several connections in a row were accepted and closed before any pong or event.

    Most likely the key is not valid. `notice` is the last text the server sent, None where there was none;
    `code` is the last close code.
    """

    def __init__(self, attempts: int, code: int, notice: str | None) -> None:
        said = f", saying {notice!r}" if notice else ""
        super().__init__(f"the server closed {attempts} connections in a row before any data (code {code}){said}")
        self.attempts = attempts
        self.code = code
        self.notice = notice


class BufferOverflowError(CgrxError):
    """A `stream(overflow="error")` could not take more: `buffer` events were waiting, `dropped` did not fit."""

    def __init__(self, buffer: float, dropped: int) -> None:
        super().__init__(
            f"the buffer of {buffer} events is full and {dropped} more came: consume faster, raise `buffer`,"
            ' or choose overflow="drop_oldest", "drop_newest", "latest" or "block"'
        )
        self.buffer = buffer
        self.dropped = dropped


class BackpressureError(CgrxError):
    """A `stream(overflow="block")` held the socket up for longer than its `block_timeout` (`timeout_s`)."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"a blocking stream was full for {timeout_s:g} s: its consumer has stalled")
        self.timeout_s = timeout_s


class ThreadError(CgrxError):
    """An object that belongs to one trio thread was used from another thread, or through one."""


class NotInTrioError(CgrxError):
    """What needs trio was called outside its tasks: `cgrx.aio` is for asyncio, `cgrx.sync` for code without a loop."""


class NotInAsyncioError(CgrxError):
    """A function of `cgrx.aio` was called where no asyncio loop runs."""


class InTrioError(CgrxError):
    """A function that blocks was called inside a running trio loop, which would stand still meanwhile."""


class TooManyKeysError(CgrxError):
    """A window had `max_keys` keys open and an event came with one more, whose fields are `key`."""

    def __init__(self, max_keys: int, key: tuple[object, ...]) -> None:
        super().__init__(
            f"{max_keys} keys are open and {key!r} is one more: choose a coarser `by`, filter the events before,"
            " or raise `max_keys`"
        )
        self.max_keys = max_keys
        self.key = key


class StateError(CgrxError):
    """The state of a pipeline cannot be put away or taken up, because of `reason`.

    Of a state of another pipeline, or of another version, `found` says what it is of and `expected` what was asked for;
    else both are None.
    """

    def __init__(self, reason: str, found: str | None = None, expected: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found
        self.expected = expected


class SinkUnavailableError(CgrxError):
    """The system behind a sink cannot take anything now: it is away, slow, or asks to wait for `retry_after_s` seconds.

    A sink keeps the batch, waits, connects again (or keeps its connection, where it was asked to wait), and writes the
    same batch once more.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class SinkRefusedError(CgrxError):
    """The system behind a sink refuses its user or its shape: the credentials, the table, the topic.

    On entering it is raised; later a sink holds the batch as if the system were away, since such things are mended.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SinkDataError(CgrxError):
    """The system behind a sink refuses the data of a batch. A sink halves it until the refused item is alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RecordedError(CgrxError):
    """An error of the recorded feed, read back: `type_name` is the name of its type, `message` its text."""

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


class RecordingError(CgrxError):
    """A recording cannot be read or written: in `file`, at `place` (None: as a whole), because of `reason`."""

    def __init__(self, file: str, place: str | None, reason: str) -> None:
        super().__init__(f"{file}{f', {place}' if place else ''}: {reason}")
        self.file = file
        self.place = place
        self.reason = reason


class EngineError(CgrxError):
    """An engine has given up: `engine` names it, such as `"Spark"`, and `reason` is what failed it."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason


class RecordError(CgrxError):
    """What stands on a log, at `place` (None: not known), is no record, because of `reason`.

    `key` and `value` show it, shortened.
    """

    def __init__(self, key: str, value: str, reason: str, place: str | None = None) -> None:
        super().__init__(f"{f'{place}: ' if place else ''}no record under the key {key}: {reason}; its value: {value}")
        self.key = key
        self.value = value
        self.reason = reason
        self.place = place


class LogError(CgrxError):
    """A log cannot be read: there is no such topic, the user may not read it, or the brokers of an engine stay away."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
