"""`connect()`, which opens a live feed."""

import os
import random
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from cgrx._feed.engine import OnSubscriberError, require_policy
from cgrx._feed.face import Feed, FeedFace
from cgrx._feed.live import LiveEngine
from cgrx._feed.log import logger
from cgrx._model.limits import Limits
from cgrx._model.times import Duration, to_seconds
from cgrx._trio.clock import system_time
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio
from cgrx._wire.address import Dial, dial_tcp, parse_address
from cgrx._wire.transport import open_transport

COINGLASS_URL = "wss://open-ws.coinglass.com/ws-api"
"""The endpoint of CoinGlass, where `connect` goes unless told otherwise.

Source: https://docs.coinglass.com/reference/ws-getting-started.
"""

API_KEY_VARIABLE = "COINGLASS_API_KEY"
"""The environment variable from which `connect` takes the API key where none is passed."""

_DEFAULT_LIMITS = Limits()


def connect(
    *,
    api_key: str | None = None,
    url: str = COINGLASS_URL,
    connect_timeout: Duration = "30s",
    on_subscriber_error: OnSubscriberError = "raise",
    limits: Limits = _DEFAULT_LIMITS,
    ssl_context: ssl.SSLContext | None = None,
    dial: Dial = dial_tcp,
    wall_clock: Callable[[], float] = system_time,
    rng: random.Random | None = None,
) -> AbstractAsyncContextManager[Feed]:
    """Open a feed: `async with cgrx.connect() as feed: ...`.

    Enters after the first handshake. Trouble that may pass is retried, at first and later; a feed that fails cancels
    the body and raises what ended it, plain. Leaving completes every stream and closes the connection; a
    cancellation disposes at once. No task, thread or socket outlives it.

    Args:
        api_key: the CoinGlass API key; by default that of the environment variable `COINGLASS_API_KEY`. Needed for
            the real endpoint alone.
        url: where to connect, `ws://` or `wss://`.
        connect_timeout: for the first handshake, all attempts together; `math.inf` for services that wait.
        on_subscriber_error: what a subscriber's exception does: `"raise"` ends the feed with it, `"isolate"` disposes
            that subscription alone and reports it on `status`.
        limits: every other time-out and bound.
        ssl_context: for `wss://`; by default certificates are verified against the system's authorities.
        dial: opens the byte stream to an address; TCP by default.
        wall_clock: seconds since the epoch, read at the start; later times are this plus the time elapsed in trio.
        rng: what the jitter of the delays between attempts is drawn from.

    Raises:
        ConnectError: no handshake within `connect_timeout`.
        AuthError: the server refused the key (HTTP 401 or 403).
        AddressError: the server knows no such address (HTTP 404).
        RejectedError: it closed several connections in a row before any pong or event.
        NotInTrioError: called outside trio, such as under asyncio.
        ValueError, TypeError: an argument cannot be used.
    """
    require_trio("connect()")
    key = api_key if api_key is not None else os.environ.get(API_KEY_VARIABLE) or None
    if url == COINGLASS_URL and not key:
        raise ValueError(f"no API key: pass api_key=... or set {API_KEY_VARIABLE} (`cgrx demo` needs none)")
    require_policy(on_subscriber_error)
    timeout_s = to_seconds(connect_timeout, "connect_timeout")
    address = parse_address(url, key)
    if address.has_key and not address.is_private:
        logger.warning(
            "the API key is sent to %s without encryption: use wss:// where the server offers it", address.url
        )
    engine = LiveEngine(
        address,
        lambda: open_transport(address, dial=dial, ssl_context=ssl_context, limits=limits, now_s=wall_clock),
        limits,
        on_subscriber_error,
        wall_clock,
        rng or random.Random(),
        timeout_s,
    )
    return ToEnter(engine.open(FeedFace(engine)), "cgrx.connect()", "feed")
