"""Every time-out and bound of a feed, in one place. Units are in the names."""

import attrs

MAX_EXCHANGES = 256
"""So many exchanges within one channel are told apart by windows and ordered merges; all further names that a server
sends count as one more exchange, so that made-up names cost neither time nor memory."""

OTHER_EXCHANGES = ""
"""The name of that one."""


ANSWER_S = 5.0
"""So many seconds another thread waits for an answer of the feed's thread."""

INTERRUPT_S = 0.2
"""A thread of `cgrx.sync` that waits looks so often, in seconds, whether Ctrl-C was pressed. Nothing else wakes it on
Windows, nor where a library has installed a handler that lets system calls go on, as polars does."""

DRAIN_S = 7.0
"""How long what `cgrx.run` runs may take to end after the first signal. With `STOP_S` that is less than the 10 s after
which Docker kills; Kubernetes waits 30 s, systemd 90 s. Source: `docker stop --help`, `kubectl explain
pod.spec.terminationGracePeriodSeconds`, `man systemd-system.conf` (DefaultTimeoutStopSec)."""

STOP_S = 2.0
"""How long it may take once it is cancelled; then the process ends without clean-up."""

SAME_SIGNAL_S = 0.5
"""Signals within this time are one: `timeout` and shells send theirs to the process and again to its group."""

SINK_OPEN_S = 10.0
"""How long a sink may take to connect and to check what it writes to."""

SINK_WRITE_S = 30.0
"""How long one batch may take to be acknowledged; then it is written again over a new connection."""

SINK_CLOSE_S = 3.0
"""How long closing a connection of a sink may take."""

SINK_RETRY_FIRST_S = 0.1
"""The upper bound of the first delay before a batch is tried again; it doubles with each. The delay is chosen at random
below it. Source: "Exponential Backoff And Jitter", AWS Architecture Blog ("full jitter")."""

SINK_RETRY_MOST_S = 30.0
"""The upper bound of any such delay."""

SINK_RETRY_AFTER_MOST_S = 300.0
"""The longest that a system's own demand to wait is obeyed."""

HTTP_CONNECT_S = 5.0
"""How long a TCP connection to a web service may take, and TLS on it, each: both fit into `SINK_OPEN_S`."""

HTTP_SEND_S = 5.0
"""How long a request may stand still while it is sent. With the other two it is less than `SINK_WRITE_S`, so that the
error says what was slow."""

HTTP_ANSWER_S = 10.0
"""How long an answer may stand still before its head is there; and how long what follows the head is read."""

HTTP_ANSWER_BYTES = 2**16
"""The most that is read of an answer: it is more than a message of 4096 characters takes that Telegram sends back."""

HTTP_IDLE_S = 4.0
"""A connection that was idle for so long is not used again, for the server may be about to close it. Servers keep idle
ones for 5 s and more. Source: `server.keepAliveTimeout` of Node.js and `--timeout-keep-alive` of uvicorn, both 5 s."""

CHAT_TURN_S = 10.0
"""How long the writing of one batch waits for its turn, where a chat takes a message from time to time only; beyond it
the sink says that it is held up."""

REDIS_CONNECT_S = 5.0
"""How long the Redis sink waits for a connection: less than `SINK_OPEN_S`, so that its own error is told."""

REDIS_ANSWER_S = 20.0
"""How long it waits for the answer to a batch: less than `SINK_WRITE_S`."""

KAFKA_CONNECT_S = 5.0
"""How long the Kafka sink waits to hear of its topic: less than `SINK_OPEN_S`."""

KAFKA_ANSWER_S = 20.0
"""How long it waits for the acknowledgements of a batch: less than `SINK_WRITE_S`."""

DEAD_LETTER_BYTES = 2**28
"""The most that a dead-letter file may hold; what is refused beyond it is counted and told alone."""

SPILL_BYTES = 2**30
"""The most that the spill folder of one sink may hold; what finds no room there is given up, and told."""

POSTGRES_CONNECT_S = 5
"""How long connecting to one address of PostgreSQL may take, in whole seconds: half of `SINK_OPEN_S`, so that a second
address has its turn."""

POSTGRES_STATEMENT_S = 20
"""How long PostgreSQL works on one statement before it gives up: less than `SINK_WRITE_S`, so that it has given up when
the batch is written again."""

POSTGRES_LOCK_S = 10
"""How long it waits for a lock that somebody else holds: less than for a statement, for a clearer error."""

POSTGRES_KEEPALIVE_S = 5
"""After so many seconds of silence, and then as often, TCP asks whether the server is still there."""

POSTGRES_KEEPALIVES = 3
"""After so many questions without an answer the connection is lost."""

POSTGRES_UNACKNOWLEDGED_S = 20
"""After so many seconds in which sent data is not acknowledged by TCP the connection is lost."""

POSTGRES_CHUNK_MS = 7 * 86_400_000
"""How long a chunk of a hypertable is. Source: docs.timescale.com, create_hypertable, the default for timestamps (seven
days); integer times have none."""


def _above_zero(_: object, attribute: "attrs.Attribute[float]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{attribute.name}={value!r} must be a number above 0 (math.inf: no limit)")


def _count(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{attribute.name}={value!r} must be a whole number, at least 1")


def _seconds(default: float) -> float:
    return attrs.field(default=default, validator=_above_zero)


def _whole(default: int) -> int:
    return attrs.field(default=default, validator=_count)


@attrs.frozen(kw_only=True)
class Limits:
    """The time-outs (seconds) and bounds of one feed; give `connect(limits=Limits(...))` to change some.

    Examples:
        >>> limits = cgrx.Limits(ping_every_s=10, pong_within_s=5)
        >>> limits.pong_within_s, limits.connect_s, limits.rejections
        (5, 10.0, 3)
    """

    connect_s: float = _seconds(10.0)
    """For a TCP connection, name look-up included; through a proxy, for all that its tunnel takes."""
    handshake_s: float = _seconds(10.0)
    """For TLS and the WebSocket handshake, each."""
    send_s: float = _seconds(10.0)
    """For one message to be taken by the socket."""
    close_s: float = _seconds(3.0)
    """For the closing handshake; the socket is closed then in any case."""

    message_bytes: int = _whole(2**20)
    """One message; a longer one ends the connection with close code 1009."""
    buffer_bytes: int = _whole(4 * 2**20)
    """What has been received and not yet dispatched; while it is more, the socket is not read."""
    read_bytes: int = _whole(96 * 2**10)  # a larger piece of memory would be mapped anew for each read
    """The most that is asked of the socket in one read."""

    ping_every_s: float = _seconds(20.0)
    """Between pings; one also follows every change of subscriptions. Source: CoinGlass asks for 20 s."""
    pong_within_s: float = _seconds(10.0)
    """Until a connection without an answer is dead."""
    alive_every_s: float = _seconds(1.0)
    """The least time between two `Alive` marks that frames give."""
    silent_after_s: float = _seconds(60.0)
    """Proven alive without a first event until a channel is reported as `Silent`."""

    backoff_first_s: float = _seconds(0.5)
    """The upper bound of the first delay before a new attempt; it doubles with each."""
    backoff_most_s: float = _seconds(30.0)
    """The upper bound of any delay."""
    retry_after_most_s: float = _seconds(300.0)
    """The longest `Retry-After` of a server that is obeyed."""
    healthy_after_s: float = _seconds(60.0)
    """After a connection of this length the backoff starts again from the first delay."""
    rejections: int = _whole(3)
    """How many connections in a row may be closed before any pong or event; then the feed gives up."""
