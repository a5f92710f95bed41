"""Messages in a chat: Slack, Discord and Telegram, by one writer. What tells them apart is in `chat_services`."""

import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar, Unpack
from urllib.parse import quote

import msgspec
import trio
from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink, delivered
from cgrx._extras import require_extra
from cgrx._model.data_errors import SinkDataError, SinkUnavailableError
from cgrx._model.limits import CHAT_TURN_S
from cgrx._sinks.answers import Answer, bounded_s, failure
from cgrx._sinks.chat_services import DISCORD, SLACK, TELEGRAM, TELEGRAM_GROUP, Service
from cgrx._sinks.chat_text import fitting, packed
from cgrx._sinks.message import message, one_line
from cgrx._sinks.places import Place, parse_place
from cgrx.operators._stages.items import is_withdrawn

if TYPE_CHECKING:
    from cgrx._sinks.http import Http

T = TypeVar("T")

_TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
_CHAT = re.compile(r"-?\d+|@\w+", re.ASCII)


def slack(
    url: str,
    messages: Observable[T],
    *,
    text: Callable[[T], str] = message,
    ssl_context: ssl.SSLContext | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Deliver events, rows, alerts or texts to a channel of Slack, as messages of an incoming webhook.

    Each item is one line; what waits goes together, as many whole lines as a message may hold, one message a second. A
    row that is withdrawn, and an item without text, are not sent. Nothing in a text is markup, a mention or a link,
    whatever a server has put into it. Where the answer to a message is lost it is sent again: it may stand there twice.

    The answers mean what they mean to `webhook`, and the time that the service asks to wait is obeyed. The URL is in no
    log, status and error. Whether it is the right one is known with the first message.

    Args:
        url: the webhook, `https://hooks.slack.com/services/...`, or that of a service which takes the same messages.
        messages: what is told; all else is as with `deliver`.
        text: the line of an item; it is made one line, and cut where it is longer than a message may be. By default
            `message`. What it raises is about the item, which is then refused as by the service.
        ssl_context: as with `webhook`.
        options: see `deliver`. With `final_only=True` running rows are not sent.

    Raises:
        ValueError, TypeError: an argument cannot be used.
        ImportError: httpx is missing: `pip install "cgrx[webhook]"`.
        NotInTrioError: called outside trio.

    Examples:
        >>> large = feed.liquidations().pipe(
        ...     ops.min_volume(1_000_000)
        ... )  # doctest: +SKIP
        >>> async with cgrx.sinks.slack(
        ...     os.environ["CGRX_SLACK_URL"], large
        ... ):  # doctest: +SKIP
        ...     await feed.run()

        Each event is a line in the chat:

        >>> print(cgrx.sinks.message(liquidation("long", 5_230_117.0)))
        BTC: long liquidated 5,230,117 USD at 60,000.00, Binance BTCUSDT, 1970-01-01 00:00 UTC
    """
    place = parse_place(url)
    return _chat("slack", SLACK, place, place, {}, messages, text, ssl_context, options)


def discord(
    url: str,
    messages: Observable[T],
    *,
    text: Callable[[T], str] = message,
    ssl_context: ssl.SSLContext | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Deliver events, rows, alerts or texts to a channel of Discord, as messages of a webhook.

    As `slack`, but: a message holds 2000 characters, they come as fast as the answers of Discord allow, and on entering
    Discord is asked whether the webhook is there.

    Args:
        url: the webhook, `https://discord.com/api/webhooks/...`; `?thread_id=...` names a thread.
        messages: as with `slack`, and so are the others.
        text: see `slack`.
        ssl_context: see `slack`.
        options: see `slack`.

    Raises:
        SinkRefusedError: on entering: there is no such webhook.
        ValueError, TypeError, ImportError, NotInTrioError: as with `slack`.

    Examples:
        >>> large = feed.liquidations().pipe(
        ...     ops.min_volume(1_000_000)
        ... )  # doctest: +SKIP
        >>> async with cgrx.sinks.discord(
        ...     os.environ["CGRX_DISCORD_URL"], large
        ... ):  # doctest: +SKIP
        ...     await feed.run()

        Each event is a line in the chat:

        >>> print(cgrx.sinks.message(liquidation("short", 5_230_117.0)))
        BTC: short liquidated 5,230,117 USD at 60,000.00, Binance BTCUSDT, 1970-01-01 00:00 UTC
    """
    place = parse_place(url)
    return _chat("discord", DISCORD, place.asking("wait=true"), place, {}, messages, text, ssl_context, options)


def telegram(
    token: str,
    messages: Observable[T],
    *,
    chat: int | str,
    text: Callable[[T], str] = message,
    base_url: str = "https://api.telegram.org",
    ssl_context: ssl.SSLContext | None = None,
    **options: Unpack[DeliveryOptions],
) -> AbstractAsyncContextManager[Sink]:
    """Deliver events, rows, alerts or texts to a chat of Telegram, as messages of a bot.

    As `slack`, but: a message holds 4096 characters, groups and channels get one in three seconds, and on entering
    Telegram is asked whether the bot knows the chat.

    Args:
        token: the token of the bot, `"123456:ABC-..."`; it is in no log, status and error.
        messages: as with `slack`, and so are those not named here.
        chat: the number of the chat (below 0: a group or a channel), or the name of a channel, `"@name"`.
        text: see `slack`.
        base_url: where the Bot API is, for a server of your own.
        ssl_context: see `slack`.
        options: see `slack`.

    Raises:
        SinkRefusedError: on entering: there is no such bot, or it does not know the chat.
        ValueError, TypeError, ImportError, NotInTrioError: as with `slack`.

    Examples:
        >>> large = feed.liquidations().pipe(
        ...     ops.min_volume(1_000_000)
        ... )  # doctest: +SKIP
        >>> token = os.environ["CGRX_TELEGRAM_TOKEN"]  # doctest: +SKIP
        >>> async with cgrx.sinks.telegram(
        ...     token, large, chat=-1001234567890
        ... ):  # doctest: +SKIP
        ...     await feed.run()

        Each event is a line in the chat:

        >>> print(cgrx.sinks.message(trade("buy", 5_230_117.0)))
        BTC: bought 5,230,117 USD at 60,000.00, Binance BTCUSDT, 1970-01-01 00:00 UTC
    """
    # Callers without a type checker pass whatever they have here.
    if not _TOKEN.fullmatch(str(token)):
        raise ValueError('token= is no token of a bot: give "123456:ABC-...", as @BotFather writes it')
    if isinstance(chat, bool) or not _CHAT.fullmatch(str(chat)):
        raise ValueError(f'chat={chat!r} is no chat: give its number, or the name of a channel, "@name"')
    service = TELEGRAM if str(chat).isdecimal() else TELEGRAM_GROUP
    bot = parse_place(base_url, "base_url").at(f"/bot{token}")
    asked = bot.at("/getChat").asking(f"chat_id={quote(str(chat))}")
    fields = {"chat_id": chat}
    return _chat("telegram", service, bot.at("/sendMessage"), asked, fields, messages, text, ssl_context, options)


def _chat(
    call: str,
    service: Service,
    place: Place,
    asked: Place,
    fields: dict[str, Any],
    messages: Observable[Any],
    text: Callable[[Any], str],
    ssl_context: ssl.SSLContext | None,
    options: DeliveryOptions,
) -> AbstractAsyncContextManager[Sink]:
    call = f"cgrx.sinks.{call}()"
    require_extra(call, "webhook")
    from cgrx._sinks.http import Http

    if not callable(text):
        raise TypeError(f"text={text!r} is no function: give one that makes a line of text of an item")
    return delivered(call, messages, _ChatWriter(service, Http(place, ssl_context), asked, fields, text), options)


class _ChatWriter:
    """Posts messages, one after another.

    Args:
        service: the chat.
        http: where messages go.
        asked: what is asked whether the place is there.
        fields: what each message has beside its text.
        text: the line of an item.
    """

    def __init__(
        self, service: Service, http: "Http", asked: Place, fields: dict[str, Any], text: Callable[[Any], str]
    ) -> None:
        self._service = service
        self._http = http
        self._asked = asked
        self._fields = fields
        self._text = text
        self._turn_s = 0.0
        self._sent: list[Any] = []

    @property
    def name(self) -> str:
        return f"{self._service.name} at {self._http.place.origin}"

    async def open(self, types: frozenset[type]) -> None:
        """Ask whether the place is there."""
        if self._service.can_be_asked:
            answer = await self._http.ask("GET", self._asked)
            if not self._service.accepted(answer):
                raise self._failure(answer, None)

    async def close(self) -> None:
        await self._http.close()

    async def write(self, batch: Sequence[Any], /) -> None:
        """Post the messages of a batch, but for those that have arrived when it was tried before."""
        arrived = self._arrived(batch)
        latest = trio.current_time() + CHAT_TURN_S
        for text, count in list(packed(self._lines(batch[arrived:]), self._service.longest)):
            if text:
                await self._post(text, latest)
            self._sent += batch[arrived : arrived + count]
            arrived += count
        del self._sent[:arrived]

    def _arrived(self, batch: Sequence[Any]) -> int:
        """How many of the first items have arrived: a batch that has failed comes again as it was, or in halves."""
        return len(list(takewhile(lambda pair: pair[0] is pair[1], zip(batch, self._sent, strict=False))))

    def _lines(self, items: Sequence[Any]) -> Iterator[str]:
        for item in items:
            if is_withdrawn(item):
                yield ""
                continue
            try:
                line = one_line(self._text(item))
            except Exception as error:
                raise SinkDataError(f"text= has raised {type(error).__name__}: {error}") from error
            yield fitting(line, self._service.escape, self._service.longest)

    async def _post(self, text: str, latest: float) -> None:
        """Post a message when it is its turn, unless that is later than `latest` on trio's clock."""
        service = self._service
        now_s = trio.current_time()
        turn_s = max(self._turn_s, now_s)
        if turn_s > latest:
            raise SinkUnavailableError(f"{service.name} takes one message after another, and some wait", turn_s - now_s)
        await trio.sleep_until(turn_s)
        body = msgspec.json.encode({**self._fields, **service.payload(text)})
        answer = await self._http.ask("POST", self._http.place, body, {"content-type": "application/json"})
        self._turn_s = trio.current_time() + max(service.spacing_s, bounded_s(service.asked_s(answer)) or 0.0)
        if not service.accepted(answer):
            raise self._failure(answer, f"{service.longest} characters of text" if service.about_data(answer) else None)

    def _failure(self, answer: Answer, takes: str | None) -> Exception:
        return failure(answer, self._service.asked_s(answer), takes=takes, remedy=f"see to {self._service.given}")
