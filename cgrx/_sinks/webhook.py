"""Rows and events to a web service, as JSON: one POST for each batch."""

import base64
import hmac
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Unpack

import attrs
import msgspec
from reactivex import Observable

from cgrx._delivery.as_json import as_plain
from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._sinks.answers import failure
from cgrx._sinks.places import checked_headers, parse_place
from cgrx._trio.clock import system_time

if TYPE_CHECKING:
    from cgrx._sinks.http import Http

_CALL = "cgrx.sinks.webhook()"
_PREFIX = "whsec"
_KEY_BYTES = range(24, 65)


def webhook(
    url: str,
    rows: Observable[Any],
    *,
    headers: Mapping[str, str] | None = None,
    secret: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Deliver rows or events to a web service: `async with cgrx.sinks.webhook(url, rows) as sink: ...`.

    Each batch is one POST, whose body is a JSON array of objects: of each row or event its `asdict()`. Events have
    `kind`; rows have `final`, which is false for a running one, and `"withdrawn": true` where they take one back; a
    result such as `ops.Crossing` has its fields and an `item`. Batches come in order. The headers are those of Standard
    Webhooks: `webhook-id` is the same when a batch is sent again, and of no other batch, so that a receiver can drop
    repeats; it is made of the content of this batch and of all before it. `webhook-timestamp` is when it was sent.

    A 2xx acknowledges the batch. 408, 425, 429, 5xx and every trouble of the connection mean: the same again, later,
    where `Retry-After` says so after that time, up to five minutes. 400, 413 and 422: the batch is halved, until the
    refused item is alone. Everything else holds the delivery up, as statuses say, until it is mended. So does a
    redirect, for data is not sent where nobody has asked for it. The first request is that of the first batch: nothing
    is known of the receiver before.

    Args:
        url: `https://` or `http://`. Its path and its query may hold secrets: they are in no log, status and error.
        rows: what is delivered; all else is as with `deliver`.
        headers: more headers, such as `{"Authorization": "Bearer ..."}`; their values are secret too.
        secret: signs each request: `"whsec_"` and 24 to 64 bytes in base64, as of `openssl rand -base64 32`. The
            header `webhook-signature` then is `v1,` and HMAC-SHA256 of id, timestamp and body, in base64.
        ssl_context: for certificates of an authority of your own; by default those of the system.
        options: see `deliver`.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        ImportError: httpx is missing: `pip install "cgrx[webhook]"`.
        NotInTrioError: called outside trio.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

    Examples:
        >>> bars = feed.liquidations().pipe(
        ...     ops.tumbling("1m", by="exchange")
        ... )  # doctest: +SKIP
        >>> async with cgrx.sinks.webhook(
        ...     "https://hooks.example/bars", bars
        ... ) as sink:  # doctest: +SKIP
        ...     await feed.run()

        What is posted is a JSON array of these:

        >>> (row,) = play(
        ...     ops.tumbling("1m", by="exchange"),
        ...     [batch(liquidation(time="1s")), alive("65s")],
        ... )
        >>> row.asdict()["exchange"], row.asdict()["volume"]
        ('Binance', 1000.0)
    """
    require_extra(_CALL, "webhook")
    from cgrx._sinks.http import Http

    sent = checked_headers(headers)
    http = Http(parse_place(url), ssl_context, [*sent.values(), secret or ""])
    return delivered(_CALL, rows, _WebhookWriter(http, sent, _key(secret)), options)


def _key(secret: str | None) -> bytes | None:
    if secret is None:
        return None
    prefix, _, coded = str(secret).partition("_")
    try:
        key = base64.b64decode(coded, validate=True)
    except ValueError:
        key = b""
    if prefix != _PREFIX or len(key) not in _KEY_BYTES:
        raise ValueError('secret= is not "whsec_" and 24 to 64 bytes in base64, as of openssl rand -base64 32')
    return key


@attrs.define(eq=False, repr=False)
class _WebhookWriter:
    http: "Http"
    headers: dict[str, str]
    key: bytes | None
    last: str = ""
    """The id of the batch that was acknowledged last."""

    @property
    def name(self) -> str:
        return f"webhook {self.http.place.origin}"

    async def open(self, types: frozenset[type]) -> None:
        """The first request connects."""

    async def close(self) -> None:
        await self.http.close()

    async def write(self, batch: Sequence[Any], /) -> None:
        body = msgspec.json.encode([as_plain(item) for item in batch])
        this = sha256(self.last.encode() + body).hexdigest()[:32]
        sent_s = str(int(system_time()))
        headers = {"content-type": "application/json", "webhook-id": this, "webhook-timestamp": sent_s}
        if self.key is not None:
            signature = hmac.digest(self.key, b".".join([this.encode(), sent_s.encode(), body]), "sha256")
            headers["webhook-signature"] = f"v1,{base64.b64encode(signature).decode()}"
        answer = await self.http.ask("POST", self.http.place, body, self.headers | headers)
        if not 200 <= answer.status < 300:
            raise failure(
                answer, answer.retry_after_s, takes="a JSON array of objects", remedy="see to the URL and the headers"
            )
        self.last = this
