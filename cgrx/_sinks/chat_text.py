r"""Texts for chats: harmless, whole lines, no longer than a message may be. Pure.

The names in a text are whatever a server sends. None of them may call people, change how the text looks or lead
anywhere. A character that a chat gives a meaning is kept, and what makes it one is broken: by a backslash where the
chat knows one, else by an invisible word joiner behind it.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from cgrx._sinks.message import CUT

Escape: TypeAlias = Callable[[str], str]

JOINER = "\u2060"
"""WORD JOINER: it has no width, and no word, address or name goes on across it."""

_MEANS = re.compile(r"[@#/$](?=\S)|:(?=[^\s\d])|\.(?=[^\W\d]|\d+\.)")
"""What begins a mention, a hashtag, a command, a cashtag, an emoji or an address, and the dots within an address. A
colon in a time and a dot in a number are left alone."""

_MARKDOWN = re.compile(r"[\\*_~`|<>\[\]@/#]|:(?=[^\s\d])")
_LIST = re.compile(r"[-+]|\d+\.")
"""What begins a list, at the beginning of a line."""


def for_slack(line: str) -> str:
    """Escaped for Slack, whose messages are sent with `mrkdwn` off.

    Source: https://docs.slack.dev/messaging/formatting-message-text ("Escaping text").
    """
    joined = _MEANS.sub(rf"\g<0>{JOINER}", line)
    return joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def for_telegram(line: str) -> str:
    """Escaped for Telegram, which finds mentions, hashtags, commands and addresses in plain text.

    Source: https://core.telegram.org/bots/api#messageentity; for what breaks an address off `is_url_unicode_symbol` in
    https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp.
    """
    return _MEANS.sub(rf"\g<0>{JOINER}", line)


def for_discord(line: str) -> str:
    """Escaped for Discord, whose Markdown a backslash takes the meaning from.

    Source: https://support.discord.com/hc/en-us/articles/210298617 ("Markdown Text 101").
    """
    escaped = _MARKDOWN.sub(r"\\\g<0>", line)
    return JOINER + escaped if _LIST.match(line) else escaped


def units(text: str) -> int:
    """Its length as these services count it at the most: in UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def fitting(line: str, escape: Escape, longest: int) -> str:
    """The line, escaped; where it is too long, as much of it as fits, and a mark."""
    found = escape(line)
    kept = line[: longest + 1]
    while units(found) > longest:
        # No character becomes more than six, so at least so many have to go.
        kept = kept[: -max(1, (units(escape(kept + CUT)) - longest) // 6)]
        found = escape(kept + CUT)
    return found


def packed(lines: Iterable[str], longest: int) -> Iterator[tuple[str, int]]:
    """Messages of as many whole lines as fit, each with the number of its lines, those without text counted too.

    No line is longer than a message.
    """
    text, count = "", 0
    for line in lines:
        joined = "\n".join(filter(None, (text, line)))
        if units(joined) > longest:
            yield text, count
            joined, count = line, 0
        text, count = joined, count + 1
    if count:
        yield text, count
