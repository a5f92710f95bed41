"""`to`: where rows and events go, as one text. `_FORMS` is the table of the forms, and of what each means.

    duckdb:demo.db?table=bars   ->   cgrx.sinks.duckdb("demo.db", rows, table="bars")

A target may hold a secret, so no message quotes one.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar, Unpack, cast
from urllib.parse import unquote

import attrs
from reactivex import Observable

from cgrx._delivery.options import DeliveryOptions
from cgrx._delivery.sink import Sink
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._sinks.chat import discord, slack, telegram
from cgrx._sinks.duckdb import duckdb
from cgrx._sinks.kafka import kafka
from cgrx._sinks.kafka_address import KafkaAddress
from cgrx._sinks.message import message
from cgrx._sinks.parquet import Period, parquet
from cgrx._sinks.postgres import postgres
from cgrx._sinks.redis import redis
from cgrx._sinks.webhook import webhook
from cgrx._streams.stream import EventTypes, as_stream

T = TypeVar("T")

_Opened: TypeAlias = AbstractAsyncContextManager[Sink]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)
"""It has two letters at least, for one is a drive."""

_NAMES: Mapping[type, str] = {Liquidation: "liquidations", Trade: "trades"}


def to(
    target: str, rows: Observable[T], *, text: Callable[[T], str] = message, **options: Unpack[DeliveryOptions]
) -> AbstractAsyncContextManager[Sink]:
    """Deliver rows or events to where a text says: `async with cgrx.sinks.to("duckdb:bars.db", rows) as sink: ...`.

    As `--to` of the command line does. A text is for configuration: the functions of the systems take more options.

        postgresql://HOST/DATABASE?table=NAME   `postgres`; also create=true, pipeline=, and the parameters of libpq
        redis://HOST:6379/0?stream=NAME         `redis`; also pipeline=
        kafka://HOST:9092/TOPIC                 `kafka`; also pipeline=, and the properties of librdkafka
        FOLDER/ or FOLDER/*.parquet             `parquet`; also by=day, pipeline=
        duckdb:FILE?table=NAME                  `duckdb`; also pipeline=
        https://HOST/PATH                       `webhook`
        slack:URL                               `slack`; without a URL that in CGRX_SLACK_URL
        discord:URL                             `discord`; without a URL that in CGRX_DISCORD_URL
        telegram:CHAT?token=TOKEN               `telegram`; without a token that in CGRX_TELEGRAM_TOKEN

    A table, a stream or a topic without a name is called by what it will hold: `liquidations`, `trades`, `events` of
    both, and of rows by their class: `bars`, `flows`.

    Args:
        target: the text. It may hold a password or a token: it is in no log, status and error.
        rows: what is delivered; all else is as with `deliver`.
        text: what chats get of an item: a line of text.
        options: see `deliver`.

    Raises:
        ValueError, TypeError: the target or an argument cannot be used.
        ImportError: the package of the system is missing: it says what to install.
        NotInTrioError: called outside trio.

    Examples:
        >>> import reactivex
        >>> async with cgrx.sinks.to(
        ...     "events/", reactivex.of(liquidation("long", 5_000.0, time="1h"))
        ... ) as sink:
        ...     await sink.flush()
        ...     print(sink.name, sink.stats.delivered)
        parquet files in events 1
    """
    if not isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
        raise TypeError(f"a target is a text, and no {type(target).__name__}")
    form = _form(target)
    if form is None:
        raise ValueError(f"this is no target: give {_WRITTEN}")
    place, asked, more = _parted(target, form)
    if more and not form.takes_more:
        raise ValueError(f"this target has a parameter that {form.written} does not take")
    return form.open(_Given(place, asked, rows, text, options))


def _form(target: str) -> "_Form | None":
    found = _SCHEME.match(target)
    if found is not None:
        return _BY_SCHEME.get(found[1].lower())
    return _FOLDER if "/" in target or target.endswith(".parquet") else None


@attrs.frozen
class _Given:
    """What a target says, and what is to be delivered."""

    place: str
    """A URL as it is, else what stands behind the colon; without the parameters that are for the sink."""
    asked: Mapping[str, str]
    """Those parameters."""
    rows: Observable[Any]
    text: Callable[[Any], str]
    options: DeliveryOptions

    def name(self, of: str) -> str:
        """The table, stream or topic that is asked for, or one called by what it will hold: `bars`, `liquidations`.

        Raises:
            ValueError: none is asked for, and what will come is not known.
        """
        found = self.asked.get(of) or _called(as_stream(self.rows).event_types)
        if not found:
            raise ValueError(f"what will come is not known, so this target needs a name: add {of}=")
        return found

    def secret(self, given: str, variable: str, what: str) -> str:
        """What the target holds, or else a variable of the environment.

        Raises:
            ValueError: neither does.
        """
        found = given or os.environ.get(variable, "")
        if not found:
            raise ValueError(f"this target needs {what}: set the environment variable {variable}")
        return found


def _called(kinds: EventTypes) -> str:
    """A name for what is of these classes; empty where they are not known, or have nothing in common."""
    if not kinds:
        return ""
    if len(kinds) > 1:
        return "events" if all(issubclass(kind, Event) for kind in kinds) else ""
    (kind,) = kinds
    return _NAMES.get(kind) or f"{kind.__name__.lower()}s"


@attrs.frozen
class _Form:
    """A form that a target may have."""

    schemes: tuple[str, ...]
    """What stands before its colon."""
    written: str
    """The form, for people."""
    open: Callable[[_Given], _Opened]
    parameters: tuple[str, ...] = ()
    """Those that are for the sink."""
    whole: bool = False
    """Whether its scheme is a part of the place, as in a URL."""
    takes_more: bool = False
    """Whether other parameters are a part of the place too."""


def _parted(target: str, form: _Form) -> tuple[str, dict[str, str], bool]:
    """The place, the parameters for the sink, and whether there are others, which are left in the place."""
    place, _, query = target.partition("?")
    asked: dict[str, str] = {}
    left: list[str] = []
    for parameter in query.split("&") if query else ():
        name, _, value = parameter.partition("=")
        if name in form.parameters:
            asked[name] = unquote(value)
        else:
            left.append(parameter)
    if not form.whole:
        place = place.partition(":")[2]
    return place + (f"?{'&'.join(left)}" if left else ""), asked, bool(left)


def _parquet(given: _Given) -> _Opened:
    by = cast("Period", given.asked.get("by", "hour"))
    return parquet(given.place, given.rows, by=by, pipeline=given.asked.get("pipeline"), **given.options)


def _duckdb(given: _Given) -> _Opened:
    return duckdb(
        given.place, given.rows, table=given.name("table"), pipeline=given.asked.get("pipeline"), **given.options
    )


def _postgres(given: _Given) -> _Opened:
    create = given.asked.get("create", "false")
    if create not in ("true", "false"):
        raise ValueError("create= takes true or false")
    table, pipeline = given.name("table"), given.asked.get("pipeline")
    return postgres(given.place, given.rows, table=table, create=create == "true", pipeline=pipeline, **given.options)


def _redis(given: _Given) -> _Opened:
    stream, pipeline = given.name("stream"), given.asked.get("pipeline")
    return redis(given.place, given.rows, stream=stream, pipeline=pipeline, **given.options)


def _kafka(given: _Given) -> _Opened:
    address = KafkaAddress.parse(given.place)
    pipeline, topic = given.asked.get("pipeline"), address.topic or given.name("topic")
    return kafka(address.servers, given.rows, topic=topic, pipeline=pipeline, config=address.config, **given.options)


def _webhook(given: _Given) -> _Opened:
    return webhook(given.place, given.rows, **given.options)


def _slack(given: _Given) -> _Opened:
    url = given.secret(given.place, "CGRX_SLACK_URL", "the URL of a webhook of Slack")
    return slack(url, given.rows, text=given.text, **given.options)


def _discord(given: _Given) -> _Opened:
    url = given.secret(given.place, "CGRX_DISCORD_URL", "the URL of a webhook of Discord")
    return discord(url, given.rows, text=given.text, **given.options)


def _telegram(given: _Given) -> _Opened:
    token = given.secret(given.asked.get("token", ""), "CGRX_TELEGRAM_TOKEN", "the token of a bot")
    if not given.place:
        raise ValueError("this target needs a chat: give telegram:CHAT, such as telegram:-1001234567890")
    chat = int(given.place) if given.place.removeprefix("-").isdecimal() else given.place
    return telegram(token, given.rows, chat=chat, text=given.text, **given.options)


_FOLDER = _Form((), "FOLDER/ or FOLDER/*.parquet", _parquet, ("by", "pipeline"), whole=True)

_FORMS = (
    _Form(
        ("postgresql", "postgres"),
        "postgresql://HOST/DATABASE?table=NAME",
        _postgres,
        ("table", "create", "pipeline"),
        whole=True,
        takes_more=True,
    ),
    _Form(
        ("redis", "rediss"),
        "redis://HOST:6379/0?stream=NAME",
        _redis,
        ("stream", "pipeline"),
        whole=True,
        takes_more=True,
    ),
    _Form(("kafka",), "kafka://HOST:9092/TOPIC", _kafka, ("topic", "pipeline"), takes_more=True),
    _FOLDER,
    _Form(("duckdb",), "duckdb:FILE?table=NAME", _duckdb, ("table", "pipeline")),
    _Form(("https", "http"), "https://HOST/PATH", _webhook, whole=True, takes_more=True),
    _Form(("slack",), "slack:URL", _slack, takes_more=True),
    _Form(("discord",), "discord:URL", _discord, takes_more=True),
    _Form(("telegram",), "telegram:CHAT?token=TOKEN", _telegram, ("token",)),
)

_BY_SCHEME = {scheme: form for form in _FORMS for scheme in form.schemes}
_WRITTEN = ", ".join(form.written for form in _FORMS)
