"""The chat services, as a table: how each wants a message, how long and how often, and how it answers."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs

from cgrx._sinks.answers import ABOUT_DATA, Answer
from cgrx._sinks.chat_text import Escape, for_discord, for_slack, for_telegram


def _header(answer: Answer) -> float | None:
    return answer.retry_after_s


def _discord_asks(answer: Answer) -> float | None:
    """`retry_after` of a 429; else how long until the bucket of requests is full again, where it is empty now."""
    asked_s = _seconds(answer.json.get("retry_after"))
    if asked_s is None and answer.headers.get("x-ratelimit-remaining") == "0":
        asked_s = _seconds(answer.headers.get("x-ratelimit-reset-after"))
    return answer.retry_after_s if asked_s is None else asked_s


def _telegram_asks(answer: Answer) -> float | None:
    """The `parameters.retry_after` of a 429."""
    parameters = answer.json.get("parameters")
    asked = cast("dict[str, object]", parameters).get("retry_after") if isinstance(parameters, dict) else None
    return answer.retry_after_s if asked is None else _seconds(asked)


def _seconds(value: object) -> float | None:
    """A number of seconds from a service; None where it is none."""
    try:
        found = float(value) if isinstance(value, int | float | str) else -1.0
    except (ValueError, OverflowError):
        return None
    return found if found >= 0 else None


def _ok(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def _telegram_ok(answer: Answer) -> bool:
    return answer.json.get("ok") is True


def _by_status(answer: Answer) -> bool:
    return answer.status in ABOUT_DATA


def _about_text(answer: Answer) -> bool:
    """Telegram answers 400 to everything: only these are about the text, and others about the chat."""
    said = str(answer.json.get("description"))
    return answer.status == 400 and any(each in said for each in ("message is too long", "text is empty", "encoded"))


@attrs.frozen
class Service:
    """One of them."""

    name: str
    longest: int
    """How long a message may be, in units of UTF-16."""
    spacing_s: float
    """The least time from one message to the next."""
    escape: Escape
    payload: Callable[[str], Mapping[str, Any]]
    """The message of a text, as JSON."""
    given: str
    """What the user gave, where the service refuses that."""
    can_be_asked: bool
    """Whether a GET tells if the place is there; else there is no way but to post."""
    accepted: Callable[[Answer], bool] = _ok
    """Whether an answer says that the message is there."""
    about_data: Callable[[Answer], bool] = _by_status
    """Whether a refusal is about the text."""
    asked_s: Callable[[Answer], float | None] = _header
    """How long an answer asks to wait before the next message, None where it does not."""


SLACK = Service(
    name="Slack",
    longest=4000,
    spacing_s=1.0,
    escape=for_slack,
    payload=lambda text: {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False},
    given="the URL of the webhook",
    can_be_asked=False,
)
"""Incoming webhooks. Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, for the length
https://docs.slack.dev/reference/methods/chat.postMessage ("Truncating content"), for the spacing
https://docs.slack.dev/apis/web-api/rate-limits ("Posting messages: 1 per second")."""

_SUPPRESS_EMBEDS = 4

DISCORD = Service(
    name="Discord",
    longest=2000,
    spacing_s=0.0,
    escape=for_discord,
    payload=lambda text: {"content": text, "allowed_mentions": {"parse": []}, "flags": _SUPPRESS_EMBEDS},
    given="the URL of the webhook",
    can_be_asked=True,
    asked_s=_discord_asks,
)
"""Webhooks. It asks for no fixed spacing, and to read its headers. Source:
https://discord.com/developers/docs/resources/webhook#execute-webhook and .../docs/topics/rate-limits."""

TELEGRAM = Service(
    name="Telegram",
    longest=4096,
    spacing_s=1.0,
    escape=for_telegram,
    payload=lambda text: {"text": text, "link_preview_options": {"is_disabled": True}},
    given="token= and chat=",
    can_be_asked=True,
    accepted=_telegram_ok,
    about_data=_about_text,
    asked_s=_telegram_asks,
)
"""Bots, in a chat with one person. Source: https://core.telegram.org/bots/api#sendmessage and .../bots/faq ("My bot is
hitting limits": one message a second in a chat, 20 a minute in a group)."""

TELEGRAM_GROUP = attrs.evolve(TELEGRAM, spacing_s=3.0)
"""The same in a group or a channel."""
