"""The public face of a feed, and `connect()`, which opens a live one."""

import os
import random
import ssl
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from reactivex import Observable

from cgrx._feed.base import OnSubscriberError, require_policy
from cgrx._feed.live import LiveFeed
from cgrx._model.events import Liquidation, Trade
from cgrx._model.limits import Limits
from cgrx._model.status import FeedStats, State, Status
from cgrx._model.times import Duration, to_seconds
from cgrx._streams.ordering import OrderedStream
from cgrx._streams.stream import EventStream
from cgrx._trio.clock import system_time
from cgrx._trio.require import require_trio
from cgrx._trio.scheduler import TrioScheduler
from cgrx._wire.address import Dial, dial_tcp, parse_address
from cgrx._wire.transport import open_transport

URL = "wss://open-ws.coinglass.com/ws-api"
"""The endpoint. Source: https://docs.coinglass.com/reference/ws-getting-started."""

KEY_VARIABLE = "COINGLASS_API_KEY"
"""The environment variable that holds the API key where none is passed."""

_DEFAULT_LIMITS = Limits()


class Feed(Protocol):
    """What a feed offers, live or from a recording: a pipeline written for one runs on the other."""

    @property
    def status(self) -> Observable[Status]:
        """Status events; a subscriber gets the latest one first. Completes when the feed ends."""
        ...

    @property
    def state(self) -> State:
        """Where the feed stands."""
        ...

    @property
    def stats(self) -> FeedStats:
        """A snapshot of its counters."""
        ...

    @property
    def scheduler(self) -> TrioScheduler:
        """Where the timed reactivex operators of its streams run."""
        ...

    def liquidations(self) -> EventStream[Liquidation]:
        """The liquidation orders of all exchanges.

        Nothing is subscribed to at the server until the stream is. A subscription begins with a `Gap` from 0 to the
        moment at which it is known to work; a gap follows after each disconnection. Completes when the feed is
        closed. Errors: `PlanError` where the API key's plan lacks the channel, and what ends the feed.
        Source: https://docs.coinglass.com/reference/liquidation-order.
        """
        ...

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        """The trades of one instrument of at least `min_volume` US dollars.

        Gaps, completion and errors as with `liquidations`.
        Source: https://docs.coinglass.com/reference/futures-trade-order.

        Args:
            exchange: as CoinGlass spells it, such as `"Binance"`.
            symbol: as the exchange spells it, such as `"BTCUSDT"` or `"BTC-USDT-SWAP"`.
            min_volume: in US dollars, 0 or more; the server leaves smaller trades out.

        Raises:
            ValueError: a part that cannot stand in a channel's name.
        """
        ...

    def futures_trades_across(
        self, instruments: Iterable[tuple[str, str]], *, min_volume: float, max_delay: Duration = "2s"
    ) -> OrderedStream[Trade]:
        """The trades of several instruments, of one exchange or of many, in the order of their times.

        The same as `cgrx.merge_exchanges` of one `futures_trades` each: a trade waits for the others' to come as far,
        `max_delay` at most; one that comes later passes out of order, and `stats.late` of the stream counts it. What
        ends the stream of one instrument, such as `PlanError`, ends it all.

        Args:
            instruments: one or more pairs of exchange and symbol, each once.
            min_volume: in US dollars, 0 or more, for each.
            max_delay: how long a trade is held at most; 0 holds none.

        Raises:
            ValueError: no instrument, one twice, a part that cannot stand in a channel's name, or an argument out of
                range.
            TypeError: something else than pairs of texts.
        """
        ...

    async def run(self) -> None:
        """Wait until the feed ends; raises what ended it, nothing where it was closed."""
        ...

    async def aclose(self) -> None:
        """Complete every stream, so that open windows come out, and close the connection (bounded by `close_s`).

        What a timed reactivex operator still holds back is disposed.
        """
        ...


def connect(
    *,
    api_key: str | None = None,
    url: str = URL,
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
    key = api_key if api_key is not None else os.environ.get(KEY_VARIABLE) or None
    if url == URL and not key:
        raise ValueError(f"no API key: pass api_key=... or set {KEY_VARIABLE} (`cgrx demo` needs none)")
    require_policy(on_subscriber_error)
    timeout_s = to_seconds(connect_timeout, "connect_timeout")
    address = parse_address(url, key)
    feed = LiveFeed(
        address,
        lambda: open_transport(address, dial=dial, ssl_context=ssl_context, limits=limits, now_s=wall_clock),
        limits,
        on_subscriber_error,
        wall_clock,
        rng or random.Random(),
        timeout_s,
    )
    return feed.open()
