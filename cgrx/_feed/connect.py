"""`connect()`, which opens a live feed."""

import os
import random
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from cgrx._extras import require_extra
from cgrx._feed.engine import OnSubscriberError, require_policy
from cgrx._feed.face import Feed, FeedFace
from cgrx._feed.live import LiveEngine
from cgrx._feed.log import logger
from cgrx._model.limits import Limits
from cgrx._model.times import Duration, to_seconds
from cgrx._trio.clock import system_time
from cgrx._trio.entering import ToEnter
from cgrx._trio.require import require_trio
from cgrx._wire.address import Address, Dial, dial_tcp, parse_address
from cgrx._wire.proxy import Proxy, environment_proxy, parse_proxy
from cgrx._wire.transport import open_transport

COINGLASS_URL = "wss://open-ws.coinglass.com/ws-api"
"""The endpoint of CoinGlass, where `connect` goes unless told otherwise.

Source: https://docs.coinglass.com/reference/ws-getting-started.

Examples:
    >>> cgrx.COINGLASS_URL
    'wss://open-ws.coinglass.com/ws-api'
"""

API_KEY_VARIABLE = "COINGLASS_API_KEY"
"""The environment variable from which `connect` takes the API key where none is passed.

Examples:
    >>> cgrx.API_KEY_VARIABLE
    'COINGLASS_API_KEY'
"""

_DEFAULT_LIMITS = Limits()


def connect(
    *,
    api_key: str | None = None,
    url: str = COINGLASS_URL,
    connect_timeout: Duration = "30s",
    on_subscriber_error: OnSubscriberError = "raise",
    limits: Limits = _DEFAULT_LIMITS,
    ssl_context: ssl.SSLContext | None = None,
    proxy: str | None = None,
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
        proxy: the URL of a proxy to connect through, each time: `http://`, `https://` (TLS to the proxy itself),
            `socks5://` (the server's name is resolved here) or `socks5h://` (by the proxy), with
            `[user:password@]host[:port]`. `"env"`: the one that the environment variables HTTPS_PROXY (for `wss://`),
            HTTP_PROXY (for `ws://`), ALL_PROXY and NO_PROXY ask for, if any. None, the default: no proxy, and where
            those variables ask for one the log says that it is not used. Needs the extra `proxy`.
        dial: opens the byte stream to an address, that of the proxy where there is one; TCP by default.
        wall_clock: seconds since the epoch, read at the start; later times are this plus the time elapsed in trio.
        rng: what the jitter of the delays between attempts is drawn from.

    Raises:
        ConnectError: no handshake within `connect_timeout`.
        AuthError: the server refused the key (HTTP 401 or 403).
        AddressError: the server knows no such address (HTTP 404).
        RejectedError: it closed several connections in a row before any pong or event.
        NotInTrioError: called outside trio, such as under asyncio.
        ImportError: a proxy is to be used, and the extra `proxy` is not installed.
        ValueError, TypeError: an argument cannot be used.

    Examples:
        >>> async with cgrx.connect() as feed:  # doctest: +SKIP
        ...     feed.liquidations().pipe(ops.min_volume(100_000)).subscribe(print)
        ...     await feed.run()

        On a simulator, which needs no key:

        >>> from cgrx.testing import Simulator
        >>> async with Simulator([liquidation("long", 5_000.0)]) as simulator:
        ...     async with cgrx.connect(
        ...         url=simulator.url, api_key="made-up-key"
        ...     ) as feed:
        ...         async with cgrx.stream(feed.liquidations()) as events:
        ...             event = await anext(events)
        ...             print(event.side.word, event.volume_usd)
        long 5000.0
    """
    require_trio("connect()")
    key = api_key if api_key is not None else os.environ.get(API_KEY_VARIABLE) or None
    if url == COINGLASS_URL and not key:
        raise ValueError(f"no API key: pass api_key=... or set {API_KEY_VARIABLE} (`cgrx demo` needs none)")
    require_policy(on_subscriber_error)
    timeout_s = to_seconds(connect_timeout, "connect_timeout")
    address = parse_address(url, key)
    through = _chosen_proxy(proxy, address)
    if address.has_key and not (address.is_private and (through is None or address.tls)):
        logger.warning(
            "the API key is sent to %s without encryption: use wss:// where the server offers it", address.url
        )
    engine = LiveEngine(
        address,
        lambda: open_transport(
            address, dial=dial, proxy=through, ssl_context=ssl_context, limits=limits, now_s=wall_clock
        ),
        limits,
        on_subscriber_error,
        wall_clock,
        rng or random.Random(),
        timeout_s,
    )
    return ToEnter(engine.open(FeedFace(engine)), "cgrx.connect()", "feed")


def _chosen_proxy(proxy: str | None, address: Address) -> Proxy | None:
    """The proxy that the argument asks for. One of the environment that is not asked for is named in the log."""
    if proxy is not None and proxy != "env":
        chosen = parse_proxy(proxy)
    else:
        found = environment_proxy(address)
        if found is None:
            return None
        variable, url = found
        if proxy is None:
            logger.warning(
                'the environment variable %s names a proxy, which is not used: ask for it with proxy="env"'
                " (--proxy env), or list %s in NO_PROXY",
                variable,
                address.host,
            )
            return None
        # As curl reads it: the variable often holds no more than host and port.
        chosen = parse_proxy(url if "://" in url else f"http://{url}", variable)
    require_extra("a proxy", "proxy")
    return chosen
