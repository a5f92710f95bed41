"""`cgrx.sinks.redis`: rows and events as entries of a Redis stream."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Unpack, cast

import trio
from reactivex import Observable

from cgrx._delivery.as_json import Entry
from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._model.data_errors import SinkRefusedError, SinkUnavailableError
from cgrx._model.limits import REDIS_ANSWER_S, REDIS_CONNECT_S
from cgrx._trio.kept import Kept
from cgrx._wire.address import bracketed, split_url

if TYPE_CHECKING:
    import coredis

MAXLEN = 1_000_000
_ACCEPTED = "give redis://[user:password@]host[:port][/db], or rediss:// for TLS"


class RedisWriter:
    """One connection; each batch is one transaction."""

    def __init__(self, url: str, stream: str, maxlen: int, pipeline: str | None) -> None:
        self.name = f"redis {stream} at {_place(url)}"
        self._url = url
        self._stream = stream
        self._maxlen = maxlen
        self._pipeline = pipeline
        self._kept: Kept[coredis.Redis[bytes]] | None = None
        self._client: coredis.Redis[bytes] | None = None

    async def open(self, types: frozenset[type]) -> None:
        """Connect, and ask whether the key is a stream, if there is one."""
        from coredis import Redis
        from coredis.retry import NoRetryPolicy

        client: coredis.Redis[bytes] = Redis.from_url(
            self._url,
            connect_timeout=REDIS_CONNECT_S,
            stream_timeout=REDIS_ANSWER_S,
            max_connections=1,
            retry_policy=NoRetryPolicy(),
        )
        self._kept = Kept(client)
        try:
            self._client = await self._kept.enter()
            await self._client.xlen(self._stream)
        except Exception as error:
            raise self._understood(error) from error

    async def write(self, batch: Sequence[Any], /) -> None:
        """Append a batch: all of it, or nothing."""
        from coredis import PureToken

        assert self._client is not None
        entries = [self._fields(item) for item in batch]
        try:
            # The client has the same bound, but waits for ever where the connection breaks just before a request.
            with trio.fail_after(REDIS_ANSWER_S):
                async with self._client.pipeline(transaction=True) as pipe:
                    for entry in entries:
                        pipe.xadd(
                            self._stream,
                            field_values=entry,
                            trim_strategy=PureToken.MAXLEN,
                            trim_operator=PureToken.APPROXIMATELY,
                            threshold=self._maxlen,
                        )
        except trio.TooSlowError:
            raise SinkUnavailableError(f"no answer within {REDIS_ANSWER_S:g} s") from None
        except Exception as error:
            raise self._understood(error) from error

    async def close(self) -> None:
        """Close the connection."""
        kept, self._kept, self._client = self._kept, None, None
        if kept is not None:
            await kept.leave()

    def _fields(self, item: Any) -> dict[str | bytes, str | bytes | int | float]:
        entry = Entry.of(item, self._pipeline)
        return {"kind": entry.kind, "state": entry.state, "identity": entry.identity, "json": entry.body}

    def _understood(self, error: Exception) -> SinkRefusedError | SinkUnavailableError:
        """What a failure of the client means."""
        from coredis import exceptions

        error = _innermost(error)
        refusals = (
            exceptions.AuthenticationError,
            exceptions.AuthorizationError,
            exceptions.WrongTypeError,
            exceptions.UnknownCommandError,
        )
        reason = str(error).partition("caused error: ")[2] or str(error) or type(error).__name__
        if isinstance(error, refusals):
            return SinkRefusedError(f"{self.name}: {reason}{_REMEDIES.get(type(error).__name__, '')}")
        return SinkUnavailableError(reason)


def _innermost(error: Exception) -> Exception:
    """What went wrong in a task of the client: the first error of the groups around it."""
    members: tuple[Exception, ...] = getattr(error, "exceptions", ())
    return _innermost(members[0]) if members else error


_REMEDIES = {
    "AuthenticationRequiredError": ": put the password into the URL, redis://:password@host",
    "AuthenticationFailureError": ": look at the user and the password in the URL",
    "AuthorizationError": ": the user needs XADD and XLEN on this key, and MULTI and EXEC",
    "WrongTypeError": ": the key holds something else: give another stream",
}


def _place(url: object) -> str:
    """Host, port and database of a URL: what may be shown of it.

    Raises:
        ValueError: it cannot be used. The message holds nothing of it, for it may have a password in it.
    """
    if not isinstance(url, str):
        raise TypeError(f"url is of type {type(url).__name__}: {_ACCEPTED}")
    parts = split_url(url)
    if parts is None:
        raise ValueError(f"url: its host or its port cannot be read: {_ACCEPTED}")
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError(f"url: its scheme is neither redis nor rediss: {_ACCEPTED}")
    database = parts.path.strip("/")
    if not parts.hostname or parts.query or parts.fragment or (database and not database.isdecimal()):
        raise ValueError(f"url: it has no host, or more than a number behind it: {_ACCEPTED}")
    return f"{bracketed(parts.hostname)}:{parts.port or 6379}{f'/{database}' if database else ''}"


def redis(
    url: str,
    rows: Observable[Any],
    *,
    stream: str,
    maxlen: int = MAXLEN,
    pipeline: str | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Append rows or events to a Redis stream: `async with cgrx.sinks.redis("redis://host", bars, stream="bars"): ...`.

    An entry has four fields: `json`, the item's `asdict()`, whose values keep their types there; `kind`,
    `"liquidation"`, `"trade"` or the class of the row; `state`, `"event"`, `"final"`, `"running"` or `"withdrawn"`; and
    `identity`, a JSON list of the window's start and the key fields, empty of an event. A stream cannot be updated, so
    every row that is sent stays: a consumer keeps the latest of each identity, and forgets those that are withdrawn.

    A batch is one MULTI/EXEC: all of it is there, or nothing. Where its answer is lost it is appended again. Needs the
    extra `redis`.

    Args:
        url: `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. It is never shown with its password.
        rows: an observable of rows or events.
        stream: the key of the stream; made where it is missing.
        maxlen: how many entries the stream keeps, a million by default; it may hold some more, for Redis trims whole
            nodes (`MAXLEN ~`).
        pipeline: a name, which then begins the identity.
        **options: see `cgrx.sinks.deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        SinkRefusedError: on entering: the password or the rights do not suffice, or the key holds something else.
        ImportError: coredis is not installed.

    Examples:
        >>> bars = feed.liquidations().pipe(
        ...     ops.tumbling("1m", by="exchange")
        ... )  # doctest: +SKIP
        >>> async with cgrx.sinks.redis(
        ...     "redis://localhost", bars, stream="bars"
        ... ) as sink:  # doctest: +SKIP
        ...     await feed.run()

        A row that comes twice, as after a lost acknowledgement, has the same identity:

        >>> (row,) = play(
        ...     ops.tumbling("1m", by="exchange"),
        ...     [batch(liquidation(time="1s")), alive("65s")],
        ... )
        >>> row.identity
        (0, 'Binance')
    """
    require_extra("cgrx.sinks.redis()", "redis")
    if not stream:
        raise ValueError("stream='' is no key: give one, such as 'bars'")
    if isinstance(maxlen, bool) or not isinstance(cast(object, maxlen), int) or maxlen < 1:
        raise ValueError(f"maxlen={maxlen!r} must be a whole number, at least 1")
    return delivered("cgrx.sinks.redis()", rows, RedisWriter(url, stream, maxlen, pipeline), options)
